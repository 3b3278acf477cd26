"""PortalSpider, and one base per report family. A portal's spider states facts; the bases do the work."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self
from zoneinfo import ZoneInfo

import scrapy
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from scrapy import Request, signals
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import Account, BillingCycle, Carrier, FileStatus, ScraperConfig, ScraperJob, StoredFile
from scrapers.credentials import Credential, find_credential
from scrapers.login import Login
from scrapers.outcomes import BadFile, Blocked, Failure, PortalChanged, PortalDown, RateLimited, UnexpectedError
from scrapers.redaction import bare_url
from scrapers.work import ArgumentError, Job, Plan, Work

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from scrapers.page import PortalPage
    from scrapers.spool import PartFile

logger = logging.getLogger(__name__)

Flow = Callable[["PortalPage"], Awaitable[Any]]


class Arguments(BaseModel):
    """What every spider can be told with `-a name=value`."""

    model_config = ConfigDict(extra="forbid")
    job: tuple[int, ...] = Field((), description="Ids of rows in scraper_jobs, separated by commas.")
    credential: str | None = Field(None, description="User name, where the portal has several credentials.")
    again: bool = Field(False, description="yes: fetch also what is stored already.")
    visible: bool = Field(False, description="yes: show the browser, so that a person can finish the sign-in.")

    @field_validator("job", mode="before")
    @classmethod
    def split_jobs(cls, value: Any) -> Any:
        """Accept `17,18`."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @classmethod
    def parse(cls, given: dict[str, str]) -> Self:
        """Return the arguments; raise ArgumentError with one sentence that names the first one at fault."""
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else "arguments"
            if first["type"] == "extra_forbidden":
                known = ", ".join(cls.model_fields)
                raise ArgumentError(f"-a {name}: this spider has no such argument; it knows {known}.") from None
            raise ArgumentError(f"-a {name}: {first['msg'].removeprefix('Value error, ')}.") from None


class PortalSpider(scrapy.Spider):
    """Base of all spiders: makes the Work, yields each job's requests, and accounts for every one of them."""

    portal: ClassVar[str]
    report_type: ClassVar[str]
    logins: ClassVar[tuple[type[Login], ...]] = ()
    rendering: ClassVar[str] = "http"  # how pages are collected after the sign-in: http or browser
    Arguments: ClassVar[type[Arguments]] = Arguments
    work: Work
    arguments: Arguments

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider and its Work: arguments, jobs, credentials, what is done already."""
        spider = super().from_crawler(crawler)
        spider.arguments = cls.Arguments.parse(kwargs)
        spider.work = Work(cls.name, cls.portal, cls.report_type)
        with spider.work.db.transaction() as session:
            plans = cls.plans(session, spider.arguments)
        spider.work.visible = spider.arguments.visible
        spider.work.open(plans)
        crawler.signals.connect(spider._on_error, signals.spider_error)
        crawler.signals.connect(spider._on_item_error, signals.item_error)
        return spider

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return the jobs that the arguments ask for; raise ArgumentError for what does not exist."""
        raise TypeError(f"{cls.__name__} must say what its jobs are.")

    @classmethod
    def find_credential(cls, session: Session, username: str | None) -> Credential | None:
        """Return the credential of this spider's first login."""
        login = cls.logins[0].name if cls.logins else cls.portal
        return find_credential(session, cls.portal, login, username)

    async def start(self) -> AsyncIterator[Any]:
        """Yield the first requests of every job that is not done yet."""
        for job in self.work.jobs.values():
            if job.plan.done:
                continue
            async for thing in self._guarded(job, self.requests(job)):
                yield thing

    def requests(self, job: Job) -> AsyncIterator[Any]:
        """Yield the first requests of one job."""
        raise TypeError(f"{type(self).__name__} must say how a job begins.")

    def request(self, job: Job, url: str, callback: Callable[..., Any], **kwargs: Any) -> Request:
        """Return a request of a job: signed in, counted, and accounted for whatever becomes of it."""
        ticket = job.ticket(bare_url(url))
        meta = {"job": job.id, "ticket": ticket, **kwargs.pop("meta", {})}
        if "stream" in meta:
            meta.setdefault("download_timeout", 3600)  # a big file takes longer than a page
        return Request(url, callback=partial(self._answer, callback), errback=self._fail, meta=meta, **kwargs)

    def flow(self, job: Job, flow: Flow, callback: Callable[..., Any], *, login: type[Login] | None = None) -> Request:
        """Return a request whose *flow* runs in a browser page of the job's session; the callback gets its result."""
        login = login or self.logins[0]
        meta = {"flow": flow, "login": login.name}
        return self.request(job, login.home_address(), partial(self._flown, callback), meta=meta, dont_filter=True)

    @staticmethod
    def part(response: Response) -> PartFile:
        """Return the part file of a streamed answer; raise BadFile when the portal sent something else."""
        part: PartFile | None = response.meta.get("part")
        if part is None:
            kind = (response.headers.get("Content-Type") or b"nothing").decode("latin-1").partition(";")[0]
            raise BadFile(f"The portal sent {kind if response.body else 'nothing'} in place of the file.")
        return part

    def _flown(self, callback: Callable[..., Any], response: Response) -> Any:
        return callback(self.work.job(response.meta), response.meta["flow_result"])

    async def _answer(self, callback: Callable[..., Any], response: Response) -> AsyncIterator[Any]:
        job = self.work.job(response.meta)
        assert job is not None
        async for thing in self._guarded(job, callback(response), response):
            yield thing
        job.tickets.pop(response.meta["ticket"], None)

    async def _guarded(self, job: Job, output: Any, response: Response | None = None) -> AsyncIterator[Any]:
        """Pass a callback's output on; a named failure in it fails its job, with the page it was looking at."""
        try:
            if output is None:
                return
            if inspect.isawaitable(output):
                output = await output
            if hasattr(output, "__aiter__"):
                async for thing in output:
                    yield thing
            elif isinstance(output, (BaseModel, Request)):
                yield output
            else:
                for thing in output or ():
                    yield thing
        except Failure as failure:
            if response is not None:
                failure.evidence.setdefault("response", response)
            job.fail(failure)

    def _fail(self, error: Any) -> None:
        """Errback of every request: give what happened its name and fail the job with it."""
        request = error.request
        job = self.work.job(request.meta)
        assert job is not None
        job.tickets.pop(request.meta["ticket"], None)
        job.fail(name_failure(error.value, request))

    def _on_error(self, failure: Any, response: Any, spider: Any) -> None:
        job = self.work.job(getattr(response, "meta", None) or getattr(response.request, "meta", {}))
        if job is not None:
            unexpected = UnexpectedError(f"{type(failure.value).__name__} in a callback.")
            unexpected.__cause__ = failure.value
            unexpected.evidence["response"] = response if isinstance(response, Response) else None
            job.fail(unexpected)

    def _on_item_error(self, item: Any, response: Any, spider: Any, failure: Any) -> None:
        job = self.work.jobs.get(getattr(item, "job", 0))
        if job is not None:
            job.fail(failure.value if isinstance(failure.value, Failure) else unexpected_error(failure.value))


def unexpected_error(error: BaseException) -> UnexpectedError:
    """Return the outcome of an error that has no name of its own."""
    unexpected = UnexpectedError(f"{type(error).__name__}: {error}"[:300])
    unexpected.__cause__ = error
    return unexpected


def name_failure(error: BaseException, request: Request) -> Failure:
    """Return the named failure for whatever a request ended in."""
    from scrapy import exceptions as scrapy_errors

    url = bare_url(request.url)
    if isinstance(error, Failure):
        return error
    if isinstance(error, HttpError):
        status, response = error.response.status, error.response
        kind = {429: RateLimited, 403: Blocked}.get(status, PortalDown if status >= 500 else PortalChanged)
        return kind(f"{url} answered {status}.", evidence={"response": response})
    if isinstance(error, scrapy_errors.ResponseDataLossError):
        return BadFile(f"The answer of {url} was cut short.")
    down = (
        scrapy_errors.CannotResolveHostError,
        scrapy_errors.DownloadConnectionRefusedError,
        scrapy_errors.DownloadFailedError,
        scrapy_errors.DownloadTimeoutError,
    )
    if isinstance(error, down):
        return PortalDown(f"{url}: {type(error).__name__}.")
    return unexpected_error(error)


class CarrierArguments(Arguments):
    """What a carrier's spider can be told."""

    account: str = Field("all", description="Account numbers separated by commas, or all.")
    cycle: str | None = Field(None, description="Billing month YYYY-MM, by the cycle's end date; default: the latest.")

    @field_validator("cycle")
    @classmethod
    def real_month(cls, value: str | None) -> str | None:
        """Accept a month that exists."""
        if value is not None:
            try:
                datetime.strptime(value, "%Y-%m")
            except ValueError:
                raise ValueError("a billing month looks like 2026-10") from None
        return value


class CarrierTarget(BaseModel):
    """Account and billing cycle: what a carrier's job is about."""

    account_id: int
    account: str
    billing_cycle_id: int
    start: date
    end: date

    @property
    def month(self) -> str:
        """The cycle's month, YYYY-MM: that of its end date."""
        return f"{self.end:%Y-%m}"


class CarrierSpider(PortalSpider):
    """Base of a carrier's spiders: a job is an account and a billing cycle."""

    Arguments = CarrierArguments
    time_zone: ClassVar[str] = "America/Toronto"  # of the portal: it decides which day "today" is

    @classmethod
    def plans(cls, session: Session, arguments: CarrierArguments) -> list[Plan]:
        """Return a job for each account and its cycle, in the order of credential and account."""
        if arguments.job:
            wanted = [cls._of_job(session, job_id) for job_id in arguments.job]
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
        """Return the cycle of a month, opened if need be; by default the newest one that has ended."""
        from database.cycles import cycle_for, latest_closed

        year, number = map(int, month.split("-")) if month else latest_closed(account.billing_day, cls.today())
        return cycle_for(session, account, year, number)

    @classmethod
    def period(cls, target: CarrierTarget) -> str:
        """Return the period that is fetched, as it stands in keys, labels and paths."""
        return target.month

    @classmethod
    def wanted(cls, session: Session, target: CarrierTarget) -> set[str]:
        """Return the names of the files that make a job done: once all are stored, the portal is not visited."""
        raise TypeError(f"{cls.__name__} must say which files it brings.")

    @classmethod
    def _accounts(cls, session: Session, numbers: str) -> list[Account]:
        of_portal = select(Account).join(Carrier).where(Carrier.portal == cls.portal).order_by(Account.number)
        if numbers == "all":
            accounts = list(session.scalars(of_portal))
            if not accounts:
                raise ArgumentError(
                    f"-a account=all: {cls.portal} has no account yet; add one with `scrapy accounts add`."
                )
            return accounts
        found = []
        for number in filter(None, (part.strip() for part in numbers.split(","))):
            account = session.scalars(of_portal.where(Account.number == number)).one_or_none()
            if account is None:
                raise ArgumentError(
                    f"-a account={number}: {cls.portal} has no such account; `scrapy accounts list` shows all."
                )
            found.append(account)
        return found

    @classmethod
    def _of_job(cls, session: Session, job_id: int) -> tuple[Account, BillingCycle, int]:
        job = session.get(ScraperJob, job_id)
        if job is None or job.billing_cycle is None:
            raise ArgumentError(f"-a job={job_id}: there is no such job of an account and cycle.")
        if (job.portal, job.report_type) != (cls.portal, cls.report_type):
            raise ArgumentError(f"-a job={job_id}: it is for {job.portal}_{job.report_type}, not for {cls.name}.")
        return job.billing_cycle.account, job.billing_cycle, job_id

    @classmethod
    def _plan(
        cls, session: Session, account: Account, cycle: BillingCycle, job_id: int | None, arguments: CarrierArguments
    ) -> Plan:
        target = CarrierTarget(
            account_id=account.id,
            account=account.number,
            billing_cycle_id=cycle.id,
            start=cycle.start_date,
            end=cycle.end_date,
        )
        key = f"{account.number}/{cls.period(target)}"
        ready = set(
            session.scalars(
                select(StoredFile.name).where(
                    StoredFile.spider == cls.name, StoredFile.target_key == key, StoredFile.status == FileStatus.READY
                )
            )
        )
        config = session.scalars(select(ScraperConfig).where(ScraperConfig.account_id == account.id)).one_or_none()
        username = arguments.credential or (config.credential.username if config else None)
        wanted = cls.wanted(session, target)
        return Plan(
            target=target,
            key=key,
            label=f"{account.number} {cls.period(target)}",
            credential=cls.find_credential(session, username),
            account_id=account.id,
            billing_cycle_id=cycle.id,
            job_id=job_id,
            already=frozenset() if arguments.again else frozenset(ready & wanted),
            done=bool(wanted) and wanted <= ready and not arguments.again,
        )
