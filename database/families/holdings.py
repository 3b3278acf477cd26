"""What is stored of the accounts of carriers, and what was asked for, by billing month and report type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from database.models import (
    Account,
    BillingCycle,
    BillingCycleFile,
    BillingCyclePdfFile,
    BillingCycleStatus,
    Carrier,
    CarrierReport,
    Client,
    DailyUsageFile,
    FileStatus,
    Note,
    Run,
    ScraperJob,
    Workspace,
)
from database.models.jobs import OPEN
from database.models.operators import Acceptance

STORED = (FileStatus.READY, FileStatus.PROCESSING, FileStatus.PROCESSED)
Key = tuple[int, str]  # id of a billing cycle, report type


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which accounts are looked at; None: not chosen by that. Those of clients that are not active are never."""

    client_id: int | None = None
    client: str | None = None  # its name
    portal: str | None = None
    number: str | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account, and what is shown of it."""

    id: int
    number: str
    nickname: str | None
    billing_day: int
    carrier_id: int
    carrier: str
    portal: str
    client_id: int
    client: str


@dataclass(frozen=True, slots=True)
class Cycle:
    """A billing cycle that has a row."""

    id: int
    start: date
    end: date
    is_open: bool


@dataclass(slots=True)
class Count:
    """Files of one report type of a cycle."""

    stored: int = 0
    wanted: int = 0
    lacking: list[str] = field(default_factory=list)  # names of wanted reports that are not stored
    comment: str | None = None  # of one that was marked as an error
    last_day: date | None = None  # of daily usage


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run for a cycle and report type."""

    id: int
    outcome: str | None  # None while it runs
    message: str | None
    actor: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that is to come, or runs."""

    id: int
    runs: bool
    available_at: datetime | None
    parked_for: str | None
    outcome: str | None
    message: str | None


@dataclass(slots=True)
class Holdings:
    """What is known of some accounts."""

    cycles: dict[tuple[int, str], Cycle] = field(default_factory=dict)  # by account and month YYYY-MM
    counts: dict[Key, Count] = field(default_factory=dict)
    required: dict[int, list[str]] = field(default_factory=dict)  # names of a carrier's required reports, by its id


def accounts_of(chosen: Chosen) -> Select[*tuple[object, ...]]:
    """Return the query for accounts, ordered by client, carrier and number."""
    query = (
        select(
            Account.id,
            Account.number,
            Account.nickname,
            Account.billing_day,
            Account.carrier_id,
            Carrier.name,
            Carrier.portal,
            Client.id,
            Client.name,
        )
        .join(Carrier, Carrier.id == Account.carrier_id)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .join(Client, Client.id == Workspace.client_id)
        .where(Client.active)
        .order_by(Client.name, Carrier.portal, Account.number, Account.id)
    )
    for column, value in (
        (Client.id, chosen.client_id),
        (Client.name, chosen.client),
        (Carrier.portal, chosen.portal),
        (Account.number, chosen.number),
        (Account.id, chosen.account_id),
    ):
        if value is not None:
            query = query.where(column == value)
    return query


def accounts(session: Session, chosen: Chosen, offset: int, limit: int) -> list[AccountLine]:
    """Return accounts in their order."""
    rows = session.execute(accounts_of(chosen).offset(offset).limit(limit))
    return [AccountLine(*row) for row in rows]  # type: ignore[arg-type]


def count_accounts(session: Session, chosen: Chosen) -> int:
    """Return how many accounts there are."""
    return session.scalar(select(func.count()).select_from(accounts_of(chosen).order_by(None).subquery())) or 0


def holdings(session: Session, accounts: Sequence[AccountLine], first: date, last: date) -> Holdings:
    """Return the cycles of accounts that end from *first* to *last*, and how many files of each are stored."""
    found = Holdings()
    ids = [account.id for account in accounts]
    of_cycles = (
        select(BillingCycle.account_id, BillingCycle.id, BillingCycle.start_date, BillingCycle.end_date)
        .add_columns(BillingCycle.status)
        .where(BillingCycle.account_id.in_(ids), BillingCycle.end_date.between(first, last))
        .order_by(BillingCycle.start_date.desc())  # of two in one month the first counts, as for a crawl
    )
    for account_id, cycle_id, start, end, status in session.execute(of_cycles):
        cycle = Cycle(cycle_id, start, end, status == BillingCycleStatus.OPEN)
        found.cycles[account_id, f"{end:%Y-%m}"] = cycle
    _count_reports(session, found, {account.carrier_id for account in accounts})
    _count_invoices(session, found)
    _count_days(session, found)
    return found


def last_runs(session: Session, keys: Collection[Key]) -> dict[Key, LastRun]:
    """Return the newest run of each cycle and report type that has one."""
    if not keys:
        return {}
    newest = (
        select(func.max(Run.id))
        .where(Run.billing_cycle_id.in_({cycle_id for cycle_id, _ in keys}))
        .where(Run.report_type.in_({report_type for _, report_type in keys}))
        .group_by(Run.billing_cycle_id, Run.report_type)
    )
    columns = (Run.billing_cycle_id, Run.report_type, Run.id, Run.outcome, Run.message, Run.actor, Run.started_at)
    rows = session.execute(select(*columns).where(Run.id.in_(newest)))
    return {(row[0], row[1]): LastRun(row[2], row[3], row[4], row[5], row[6]) for row in rows if row[0] is not None}


def open_jobs(session: Session, keys: Collection[Key]) -> dict[Key, OpenJob]:
    """Return the open job of each cycle and report type that has one."""
    if not keys:
        return {}
    query = select(
        ScraperJob.billing_cycle_id,
        ScraperJob.report_type,
        ScraperJob.id,
        ScraperJob.status != OPEN[0],
        ScraperJob.available_at,
        ScraperJob.parked_for,
        ScraperJob.outcome,
        ScraperJob.message,
    ).where(ScraperJob.status.in_(OPEN), ScraperJob.billing_cycle_id.in_({cycle_id for cycle_id, _ in keys}))
    found: dict[Key, OpenJob] = {}
    for row in session.execute(query):
        if row[0] is not None:
            found[row[0], row[1]] = OpenJob(row[2], bool(row[3]), row[4], row[5], row[6], row[7])
    return found


def accepted(session: Session, identities: Collection[str]) -> frozenset[str]:
    """Return those of some identities of jobs that an operator has accepted as gone."""
    if not identities:
        return frozenset()
    return frozenset(session.scalars(select(Acceptance.identity).where(Acceptance.identity.in_(identities))))


def noted(session: Session, identities: Collection[str], name: str) -> frozenset[str]:
    """Return those of some identities of jobs, each a spider and a target's key, that have a note of this name."""
    if not identities:
        return frozenset()
    spiders, keys = zip(*(identity.split(" ", 1) for identity in identities), strict=True)
    query = select(Note.spider, Note.target_key).where(
        Note.spider.in_(set(spiders)), Note.target_key.in_(set(keys)), Note.name == name
    )
    return frozenset(f"{spider} {key}" for spider, key in session.execute(query)) & frozenset(identities)


def _count_reports(session: Session, found: Holdings, carriers: Collection[int]) -> None:
    required: dict[int, list[str]] = defaultdict(list)
    names: dict[int, str] = {}
    of_carriers = select(CarrierReport.id, CarrierReport.carrier_id, CarrierReport.name, CarrierReport.required)
    query = of_carriers.where(CarrierReport.carrier_id.in_(carriers)).order_by(CarrierReport.id)
    for number, carrier_id, name, is_required in session.execute(query):
        if is_required is not False:  # not set: a row of another program, which wants it
            names[number] = name
            required[carrier_id].append(name)
    found.required = dict(required)
    file = BillingCycleFile
    rows = select(file.billing_cycle_id, file.carrier_report_id, file.status, file.status_comment)
    for cycle_id, report_id, status, comment in session.execute(rows.where(file.billing_cycle_id.in_(_ids(found)))):
        if report_id not in names:
            continue
        count = found.counts.setdefault((cycle_id, "monthly_reports"), Count())
        count.wanted += 1
        _add(count, status, comment, names[report_id])


def _count_invoices(session: Session, found: Holdings) -> None:
    file = BillingCyclePdfFile
    rows = select(file.billing_cycle_id, file.status, file.status_comment).where(file.pdf_type == "invoice")
    for cycle_id, status, comment in session.execute(rows.where(file.billing_cycle_id.in_(_ids(found)))):
        count = found.counts.setdefault((cycle_id, "pdf_invoice"), Count(wanted=1))
        _add(count, status, comment, "invoice")


def _count_days(session: Session, found: Holdings) -> None:
    file = DailyUsageFile
    is_stored = file.status.in_(STORED)
    rows = (
        select(
            file.billing_cycle_id,
            func.sum(case((is_stored, 1), else_=0)),
            func.max(case((is_stored, file.day))),
        )
        .where(file.billing_cycle_id.in_(_ids(found)))
        .group_by(file.billing_cycle_id)
    )
    for cycle_id, stored, last_day in session.execute(rows):
        found.counts[cycle_id, "daily_usage"] = Count(stored=int(stored), last_day=last_day)


def _add(count: Count, status: FileStatus, comment: str | None, name: str) -> None:
    if status in STORED:
        count.stored += 1
        return
    count.lacking.append(name)
    if status == FileStatus.ERROR:
        count.comment = count.comment or comment


def _ids(found: Holdings) -> list[int]:
    return [cycle.id for cycle in found.cycles.values()]
