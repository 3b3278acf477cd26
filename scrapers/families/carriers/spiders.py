"""The base of all carrier spiders: a job is an account and a billing cycle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, field_validator
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from database.families.cycles import cycle_for, latest_closed, parse_month
from database.models import (
    Account,
    BillingCycle,
    BillingCycleStatus,
    Carrier,
    Client,
    FileStatus,
    ScraperConfig,
    StoredFile,
    Workspace,
)
from scrapers.core.jobs import ArgumentError, Plan
from scrapers.core.spider import PortalSpider, SpiderArguments
from scrapers.logins.credentials import credential_for, username_for
from scrapers.reading.values.locale import Locale

LOOKED_BACK = timedelta(days=100)  # open billing cycles that ended before are asked for by hand only


class CarrierArguments(SpiderArguments):
    """Arguments of a carrier's spider."""

    aims = SpiderArguments.aims | {"account", "cycle"}
    account: str = Field("all", description="Account numbers separated by commas, or all.")
    cycle: str | None = Field(None, description="Billing month YYYY-MM, by the cycle's end date; default: the latest.")

    @field_validator("cycle")
    @classmethod
    def real_month(cls, value: str | None) -> str | None:
        """Accept a month that exists."""
        return value if value is None else "{:04d}-{:02d}".format(*parse_month(value))


class CarrierTarget(BaseModel):
    """The target of a carrier's job: account and billing cycle."""

    account_id: int
    account: str
    billing_cycle_id: int
    start: date
    end: date
    reports: dict[str, int] = {}  # ids of the carrier's reports by slug, for monthly reports
    others: tuple[str, ...] = ()  # numbers of the known accounts that have the same credential

    @property
    def month(self) -> str:
        """The cycle's month, YYYY-MM: that of its end date."""
        return f"{self.end:%Y-%m}"

    @property
    def months(self) -> set[tuple[int, int]]:
        """Years and months of the cycle's first and last day."""
        return {(day.year, day.month) for day in (self.start, self.end)}


class CarrierSpider(PortalSpider):
    """Base of a carrier's spiders: a job is an account and a billing cycle."""

    Arguments = CarrierArguments
    target_argument = "account"
    takes_cycles: ClassVar[bool] = True  # the portal offers past billing cycles too
    locale: ClassVar[Locale]  # of the values in the portal's files; required where rows are read

    @classmethod
    def plans(cls, session: Session, arguments: CarrierArguments) -> list[Plan]:
        """Return a job for each account and its cycle, in the order of credential and account."""
        if arguments.job:
            wanted: list[tuple[Account, BillingCycle, int | None]] = [
                cls._of_job(session, job_id) for job_id in arguments.job
            ]
        else:
            wanted = [
                (account, cls.cycle(session, account, arguments.cycle), None)
                for account in cls._accounts(session, arguments.account)
            ]
        plans = [cls._plan(session, *one, arguments) for one in wanted]
        return sorted(plans, key=lambda plan: (plan.credential.username if plan.credential else "", plan.label))

    @classmethod
    def today(cls) -> date:
        """Return today's date at the portal."""
        return datetime.now(ZoneInfo(cls.time_zone)).date()

    @classmethod
    def cycle(cls, session: Session, account: Account, month: str | None) -> BillingCycle:
        """Return the cycle of a month, created if missing; by default the newest one that has ended."""
        year, number = parse_month(month) if month else latest_closed(account.billing_day, cls.today())
        return cycle_for(session, account, year, number)

    @classmethod
    def asked_for(
        cls,
        session: Session,
        today: date,
        *,
        names: Sequence[str] | None = None,
        client: str | None = None,
        month: str | None = None,
    ) -> list[dict[str, str]]:
        """Return the arguments for the newest cycle of each account, and for those that have ended and are open still."""
        numbers = cls._numbers(session, names, client)
        account = {cls.target_argument: ",".join(numbers)}
        if not cls.takes_cycles:
            return [account]
        if month:
            return [{**account, "cycle": month}]
        return [account, *cls._open_cycles(session, numbers, today)]

    @classmethod
    def period(cls, target: CarrierTarget) -> str:
        """Return the period to fetch, as used in keys, labels and paths."""
        return target.month

    @classmethod
    def wanted(cls, session: Session, target: CarrierTarget) -> set[str]:
        """Return the names of the files of a job; once all are stored, the job is done and sends no request."""
        raise TypeError(f"{cls.__name__} must say which files it brings.")

    @classmethod
    def _reports(cls, session: Session, account: Account) -> dict[str, int]:
        """Return the ids of the spider's reports by slug; empty except for monthly reports."""
        return {}

    @staticmethod
    def _others(session: Session, config: ScraperConfig) -> tuple[str, ...]:
        same_user = ScraperConfig.credential_id == config.credential_id
        query = select(Account.number).join(ScraperConfig).where(same_user, Account.id != config.account_id)
        return tuple(session.scalars(query.order_by(Account.number)))

    @classmethod
    def _of_portal(cls) -> Select[Account]:
        return select(Account).join(Carrier).where(Carrier.portal == cls.portal).order_by(Account.number)

    @classmethod
    def _of_clients(cls) -> Select[Account]:
        of_clients = cls._of_portal().join(Workspace, Workspace.id == Account.workspace_id).join(Client)
        return of_clients.where(Client.active)

    @classmethod
    def _numbers(cls, session: Session, names: Sequence[str] | None, client: str | None) -> list[str]:
        """Return the numbers of the accounts that are asked for; of all those whose client is active."""
        query = cls._of_clients().with_only_columns(Account.number)
        known = list(session.scalars(query if client is None else query.where(Client.name == client)))
        if names is not None and (missing := [name for name in names if name not in known]):
            raise ArgumentError(f"{cls.portal} has no active account {missing[0]}.")
        numbers = known if names is None else list(names)
        if not numbers:
            raise ArgumentError("there is no such account.")
        return numbers

    @classmethod
    def _open_cycles(cls, session: Session, numbers: Sequence[str], today: date) -> Iterator[dict[str, str]]:
        ended = BillingCycle.end_date < today, BillingCycle.end_date > today - LOOKED_BACK
        query = cls._of_portal().join(BillingCycle, BillingCycle.account_id == Account.id)
        query = query.where(BillingCycle.status == BillingCycleStatus.OPEN, *ended)
        months: dict[str, list[str]] = {}
        for number, end in session.execute(query.with_only_columns(Account.number, BillingCycle.end_date)):
            if number in numbers:
                months.setdefault(f"{end:%Y-%m}", []).append(number)
        for month in sorted(months, reverse=True):
            yield {cls.target_argument: ",".join(sorted(months[month])), "cycle": month}

    @classmethod
    def _accounts(cls, session: Session, numbers: str) -> list[Account]:
        if numbers == "all":
            accounts = list(session.scalars(cls._of_clients()))
            if not accounts:
                raise ArgumentError(
                    f"-a account=all: {cls.portal} has no account yet; add one with `scrapy accounts add`."
                )
            return accounts
        found = []
        for number in filter(None, (part.strip() for part in numbers.split(","))):
            account = session.scalars(cls._of_portal().where(Account.number == number)).one_or_none()
            if account is None:
                raise ArgumentError(
                    f"-a account={number}: {cls.portal} has no such account; `scrapy accounts list` shows all."
                )
            found.append(account)
        return found

    @classmethod
    def _of_job(cls, session: Session, job_id: int) -> tuple[Account, BillingCycle, int | None]:
        job = cls.row(session, job_id)
        if job.billing_cycle is None:
            raise ArgumentError(f"-a job={job_id}: it has no account and cycle.")
        return job.billing_cycle.account, job.billing_cycle, job_id

    @classmethod
    def _plan(
        cls, session: Session, account: Account, cycle: BillingCycle, job_id: int | None, arguments: CarrierArguments
    ) -> Plan:
        config = session.scalars(select(ScraperConfig).where(ScraperConfig.account_id == account.id)).one_or_none()
        target = CarrierTarget(
            account_id=account.id,
            account=account.number,
            billing_cycle_id=cycle.id,
            start=cycle.start_date,
            end=cycle.end_date,
            reports=cls._reports(session, account),
            others=() if config is None else cls._others(session, config),
        )
        key = f"{account.number}/{cls.period(target)}"
        ready = set(
            session.scalars(
                select(StoredFile.key).where(
                    StoredFile.spider == cls.name, StoredFile.target_key == key, StoredFile.status == FileStatus.READY
                )
            )
        )
        username = arguments.credential
        if username is None and config is not None:
            username = username_for(session, cls.logins[0].name, config.credential)
        wanted = cls.wanted(session, target)
        return Plan(
            target=target,
            key=key,
            label=f"{account.number} {cls.period(target)}",
            credential=credential_for(cls, session, username),
            account_id=account.id,
            billing_cycle_id=cycle.id,
            job_id=job_id,
            already=frozenset() if arguments.again else frozenset(ready & wanted),
            done=bool(wanted) and wanted <= ready and not arguments.again,
            period=cls.period(target),
        )
