"""Jobs are made, cancelled and made due again; what is open already is not made twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from database.dialects import postgresql, sqlite
from database.jobs.settings import QueueSettings
from database.models.base import UtcDateTime
from database.models.jobs import CLAIMED, IS_OPEN, OPEN, ScraperJob, ScraperJobStatus

DUE = " due="  # what sets the identities of jobs for missed due times apart
LONGEST_LINE, LONGEST_LOG = 500, 20_000  # characters of a job's log
# Built once, because every success asks it.
HELD_UP = select(ScraperJob).where(
    ScraperJob.portal == bindparam("portal"),
    ScraperJob.report_type == bindparam("report_type"),
    ScraperJob.status == ScraperJobStatus.PENDING,
    ScraperJob.parked_for.is_not(None),
    ScraperJob.available_at > bindparam("at", type_=UtcDateTime),
)


class NotPossible(Exception):
    """A job cannot be changed as asked. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be made. The fields are columns of ScraperJob."""

    portal: str
    report_type: str
    identity: str
    label: str = ""
    username: str | None = None
    exclusive: str | None = None
    billing_cycle_id: int | None = None
    scraper_config_id: int | None = None
    type: Any = None
    target: dict[str, Any] | None = None
    arguments: dict[str, str] | None = None


def write(job: ScraperJob, at: datetime, message: str) -> None:
    """Append a line to a job's log; the oldest lines of a long one go."""
    line = f"[{at:%Y-%m-%d %H:%M:%S}] {message[:LONGEST_LINE]}"
    text = f"{job.log}\n{line}" if job.log else line
    job.log = text if len(text) <= LONGEST_LOG else text[-LONGEST_LOG:].partition("\n")[2]


def add(session: Session, jobs: Sequence[NewJob], at: datetime, **common: Any) -> list[int | None]:
    """
    Make jobs; return the id of each, None for one that is open already.

    common: columns that all of them share (`priority`, `available_at`, `schedule_id`, `due_at`, `hours`, `time_zone`).
    """
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    by = f"by schedule {common['schedule_id']}" if common.get("schedule_id") else "by hand"
    made: list[int | None] = []
    for new in jobs:
        values = {name: getattr(new, name) for name in NewJob.__slots__}
        values |= {"status": ScraperJobStatus.PENDING, "created_at": at, "retry_count": 0, "attempt": 0, "returns": 0}
        values |= {"max_retries": QueueSettings.current().job_tries, "log": f"[{at:%Y-%m-%d %H:%M:%S}] Made {by}."}
        statement = (
            insert(ScraperJob)
            .values(**values | common)
            .on_conflict_do_nothing(index_elements=["identity"], index_where=IS_OPEN)
            .returning(ScraperJob.id)
        )
        made.append(session.execute(statement).scalar_one_or_none())
    return made


def of_due_time(identity: str, due: datetime) -> str:
    """Return the identity of a job that is made for one due time, beside those that are open for the same."""
    return f"{identity}{DUE}{due.isoformat()}"


def without_due_time(identity: str) -> str:
    """
    Return the identity of all jobs for the same target and period.

    >>> without_due_time("bell_pdf_invoice 1/2026-10 due=2026-11-01T05:30:00+00:00")
    'bell_pdf_invoice 1/2026-10'
    """
    return identity.partition(DUE)[0]


def open_with(session: Session, identity: str) -> ScraperJob | None:
    """Return the open job of a spider, target and period, or None."""
    return session.scalars(
        select(ScraperJob).where(ScraperJob.identity == identity, ScraperJob.status.in_(OPEN))
    ).one_or_none()


def arguments_of(session: Session, ids: Collection[int]) -> dict[str, str]:
    """Return the further arguments that jobs have; raise NotPossible where they differ, so that one crawl cannot do them."""
    rows = session.execute(
        select(ScraperJob.id, ScraperJob.arguments).where(ScraperJob.id.in_(ids)).order_by(ScraperJob.id)
    )
    first: tuple[int, dict[str, str]] | None = None
    for number, arguments in rows:
        first = first or (number, arguments or {})
        if (arguments or {}) != first[1]:
            raise NotPossible(f"Jobs {first[0]} and {number} have different arguments: one crawl cannot do both.")
    return first[1] if first else {}


def is_parked() -> ColumnElement[bool]:
    """Return the condition of jobs that are parked without a time at which they are tried anyway."""
    return and_(ScraperJob.parked_for.is_not(None), ScraperJob.available_at.is_(None))


def is_due(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition of pending jobs that may be claimed."""
    return and_(
        ScraperJob.status == ScraperJobStatus.PENDING,
        or_(ScraperJob.available_at <= at, and_(ScraperJob.available_at.is_(None), ScraperJob.parked_for.is_(None))),
    )


def cancel(session: Session, ids: Collection[int], at: datetime, why: str = "Cancelled by hand.") -> list[int]:
    """Cancel jobs that are open and return their ids; the crawl of a running one ends when it finds its claim gone."""
    wanted = select(ScraperJob).where(ScraperJob.id.in_(ids), ScraperJob.status.in_(OPEN)).order_by(ScraperJob.id)
    found = session.scalars(wanted.with_for_update()).all()
    for job in found:
        _close(job, ScraperJobStatus.CANCELLED, at)
        write(job, at, why)
    session.flush()
    return [job.id for job in found]


def cancel_inactive(session: Session, at: datetime) -> list[int]:
    """Cancel the waiting jobs of clients that are not active any more; return their ids."""
    from database.models import Account, BillingCycle, Client, Workspace  # with all tables of the carriers

    of_client = (
        select(ScraperJob.id)
        .join(BillingCycle, BillingCycle.id == ScraperJob.billing_cycle_id)
        .join(Account, Account.id == BillingCycle.account_id)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .join(Client, Client.id == Workspace.client_id)
        .where(ScraperJob.status == ScraperJobStatus.PENDING, Client.active.is_(False))
    )
    return cancel(session, list(session.scalars(of_client)), at, "Cancelled: its client is not active.")


def retry(session: Session, ids: Collection[int], at: datetime) -> list[int]:
    """
    Make jobs due at once, with all their tries; return their ids. A running one is left alone.

    Raises NotPossible for a finished one whose target and period have a newer open job.
    """
    found = session.scalars(
        select(ScraperJob).where(ScraperJob.id.in_(ids), ScraperJob.status.not_in(CLAIMED)).order_by(ScraperJob.id)
    ).all()
    for job in found:
        if job.status not in OPEN and job.identity and (other := open_with(session, job.identity)) is not None:
            raise NotPossible(f"Job {job.id} has been made anew: job {other.id} is open for {job.spider} {job.label}.")
        release(job, at)
        job.status, job.retry_count, job.completed_at, job.returns = ScraperJobStatus.PENDING, 0, None, 0
        write(job, at, "Due again by hand.")
        session.flush()
    return [job.id for job in found]


def release(job: ScraperJob, at: datetime) -> None:
    """Make a job that waits due at once."""
    job.available_at, job.parked_for, job.parked_at, job.parked_secret = at, None, None, None


def release_spider(session: Session, portal: str, report_type: str, at: datetime) -> None:
    """After a success of a spider: make its jobs due at once that wait for an operator or a developer."""
    for job in session.scalars(HELD_UP, {"portal": portal, "report_type": report_type, "at": at}):
        release(job, at)


def release_resting(session: Session, portal: str, username: str, outcome: str, at: datetime) -> None:
    """Make the jobs of a credential due at once that rest after an outcome, because it has signed in meanwhile."""
    resting = select(ScraperJob).where(
        ScraperJob.portal == portal,
        ScraperJob.username == username,
        ScraperJob.status == ScraperJobStatus.PENDING,
        ScraperJob.outcome == outcome,
        ScraperJob.available_at > at,
    )
    for job in session.scalars(resting.order_by(ScraperJob.id).with_for_update()):
        release(job, at)
        write(job, at, "Due again: its credential has signed in.")


def config_of(session: Session, account_id: int) -> int | None:
    """Return the id of an account's scraper config, or None."""
    from database.models import ScraperConfig  # with all tables of the carriers

    return session.scalar(select(ScraperConfig.id).where(ScraperConfig.account_id == account_id))


def _close(job: ScraperJob, status: ScraperJobStatus, at: datetime) -> None:
    job.status, job.completed_at, job.available_at = status, at, None
    job.worker = job.lease_until = job.claim = job.held = None
    job.parked_for = job.parked_at = job.parked_secret = None
