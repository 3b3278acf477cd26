"""What needs a person now: sign-ins that wait for a code, and jobs that wait until their cause is gone; grouped by cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from database.access.roles import jobs_of
from database.access.typed_codes import WaitingSignIn, waiting
from database.models import Account, BillingCycle, Client, ScraperConfig, ScraperJob, ScraperJobStatus, Workspace
from database.models.jobs import OPEN
from database.models.operators import Acceptance
from jobs.finishing import can_finish
from scrapers.core.outcomes import OUTCOMES

CODE = "code_wanted"  # the cause of sign-ins that wait; the others are codes of outcomes
CODE_SENTENCE = "A sign-in waits for the one-time code that the portal has sent."
LABELS = 5  # jobs that are named


class Act(StrEnum):
    """What a person can do about an entry."""

    TYPE_CODE = "type_code"
    CHANGE_SECRET = "change_secret"
    UNBLOCK = "unblock"
    FINISH_SIGN_IN = "finish_sign_in"
    ACCEPT = "accept"
    RUN_AGAIN = "run_again"


CHANGE_SECRET = frozenset(
    {"bad_credentials", "credential_blocked", "credential_malformed", "mfa_failed", "mfa_required"}
)
UNBLOCK = frozenset({"account_locked", "bad_credentials", "captcha_shown", "credential_blocked", "mfa_failed"})
# Running again would end at the same refusal, or type a refused secret once more: a person changes it or unblocks first.
NOT_AGAIN = UNBLOCK | {"credential_malformed"}


@dataclass
class Entry:
    """One thing to do. id: of a code request for `type_code`, else of the oldest job."""

    cause: str
    id: int
    portal: str
    username: str | None  # None: unknown, or it needs none
    since: datetime
    acts: tuple[Act, ...]
    clients: list[str] = field(default_factory=list)
    jobs: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)  # of the first jobs
    message: str = ""  # of the newest job
    code: WaitingSignIn | None = None


@dataclass
class Cause:
    """Entries of one cause, oldest first."""

    code: str
    sentence: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The cause for people."""
        return self.code.replace("_", " ").capitalize()

    @property
    def jobs(self) -> int:
        """How many jobs wait for it."""
        return sum(len(entry.jobs) for entry in self.entries)


def inbox(session: Session, client_id: int | None = None) -> list[Cause]:
    """Return what needs a person; codes first, because they expire, then by the oldest entry. client_id: that of one client alone."""
    entries = [*_codes(session, client_id), *_groups(session, client_id)]
    causes: dict[str, Cause] = {}
    for entry in sorted(entries, key=lambda each: (each.cause != CODE, each.since, each.id)):
        known = OUTCOMES.get(entry.cause)
        sentence = CODE_SENTENCE if entry.cause == CODE else known.sentence if known else ""
        causes.setdefault(entry.cause, Cause(entry.cause, sentence)).entries.append(entry)
    return list(causes.values())


def group_of(session: Session, job_id: int, client_id: int | None = None) -> list[ScraperJob]:
    """Return the jobs of the entry that a job belongs to, oldest first; none when it needs no person any more."""
    job = session.scalars(_needing(client_id).where(ScraperJob.id == job_id)).one_or_none()
    if job is None:
        return []
    query = _needing(client_id).where(ScraperJob.portal == job.portal, ScraperJob.outcome == job.outcome)
    jobs = session.scalars(query.order_by(ScraperJob.id)).all()
    return [each for each in jobs if _key(each) == _key(job)]


def beside(session: Session, job: ScraperJob) -> Sequence[ScraperJob]:
    """Return the jobs of a job's spider that need a person."""
    same = ScraperJob.portal == job.portal, ScraperJob.report_type == job.report_type
    return session.scalars(_needing(None).where(*same).order_by(ScraperJob.id)).all()


def since_of(job: ScraperJob) -> datetime:
    """Return since when a job waits for a person."""
    return job.parked_at or job.completed_at or job.created_at


def is_ended(job: ScraperJob) -> bool:
    """Tell whether a job has ended as an error, and is not tried again by itself."""
    return job.status is ScraperJobStatus.ERROR


def _codes(session: Session, client_id: int | None) -> Iterable[Entry]:
    found = waiting(session, client_id)
    ids = [each.job_id for each in found if each.job_id is not None]
    jobs = {job.id: job for job in session.scalars(select(ScraperJob).where(ScraperJob.id.in_(ids)))}
    names = _clients(session, list(jobs.values()))
    for each in found:
        job = jobs.get(each.job_id) if each.job_id is not None else None
        entry = Entry(CODE, each.id, each.login, each.username, each.since, (Act.TYPE_CODE,), code=each)
        if job is not None:
            _take(entry, [job], names)
        yield entry


def _groups(session: Session, client_id: int | None) -> Iterable[Entry]:
    jobs = session.scalars(_needing(client_id).order_by(ScraperJob.id)).all()
    groups: dict[tuple[object, ...], list[ScraperJob]] = {}
    for job in jobs:
        groups.setdefault(_key(job), []).append(job)
    names = _clients(session, jobs)
    for group in groups.values():
        first = group[0]
        since = min(since_of(job) for job in group)
        entry = Entry(first.outcome or "", first.id, first.portal, first.username, since, acts_for(first))
        _take(entry, group, names)
        yield entry


def acts_for(job: ScraperJob) -> tuple[Act, ...]:
    """Return what can be done about a job that needs a person."""
    if is_ended(job):
        return (Act.ACCEPT, Act.RUN_AGAIN)
    outcome = job.outcome or ""
    found = []
    if can_finish(job):
        found.append(Act.FINISH_SIGN_IN)
    if outcome in CHANGE_SECRET and job.username:
        found.append(Act.CHANGE_SECRET)
    if outcome in UNBLOCK and job.username:
        found.append(Act.UNBLOCK)
    if outcome not in NOT_AGAIN:
        found.append(Act.RUN_AGAIN)
    return tuple(found)


def _key(job: ScraperJob) -> tuple[object, ...]:
    """Return what jobs have in common that one act solves: the credential, or of ended ones target and period."""
    if is_ended(job):
        return (job.outcome, job.identity or job.id)
    # Without a user name nothing says that two jobs have the same credential.
    return (job.outcome, job.portal, job.username or job.id)


def _take(entry: Entry, jobs: Sequence[ScraperJob], names: dict[int, str]) -> None:
    entry.jobs = [job.id for job in jobs]
    entry.labels = [f"{job.report_type.replace('_', ' ')} {job.label or ''}".strip() for job in jobs[:LABELS]]
    entry.clients = sorted({names[job.id] for job in jobs if job.id in names})
    entry.message = jobs[-1].message or ""


def _needing(client_id: int | None) -> Select[ScraperJob]:
    """Return the query of the jobs that a person has to see to: those that wait for one, and the newest that have ended."""
    waits = and_(ScraperJob.status == ScraperJobStatus.PENDING, ScraperJob.parked_for.is_not(None))
    later = aliased(ScraperJob)
    replaced = exists().where(
        later.identity == ScraperJob.identity,
        or_(later.id > ScraperJob.id, later.status.in_(OPEN)),
        later.status != ScraperJobStatus.CANCELLED,
    )
    accepted = exists().where(Acceptance.identity == ScraperJob.identity)
    ended = and_(ScraperJob.status == ScraperJobStatus.ERROR, ~replaced, ~accepted)
    query = select(ScraperJob).where(or_(waits, ended))
    return query if client_id is None else query.where(jobs_of(client_id))


def _clients(session: Session, jobs: Sequence[ScraperJob]) -> dict[int, str]:
    """Return the client of each job that has one."""
    ids = [job.id for job in jobs]
    account: ColumnElement[bool] = or_(
        BillingCycle.account_id == Account.id,
        and_(ScraperJob.billing_cycle_id.is_(None), ScraperConfig.account_id == Account.id),
    )
    query = (
        select(ScraperJob.id, Client.name)
        .outerjoin(BillingCycle, BillingCycle.id == ScraperJob.billing_cycle_id)
        .outerjoin(ScraperConfig, ScraperConfig.id == ScraperJob.scraper_config_id)
        .join(Account, account)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .join(Client, Client.id == Workspace.client_id)
        .where(ScraperJob.id.in_(ids))
    )
    return {row.id: row.name for row in session.execute(query)}
