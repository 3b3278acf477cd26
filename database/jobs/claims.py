"""
The claim: which due jobs a worker may crawl now, and how long they are its own.

A crawl takes along the due jobs of its spider and credential. Who has a claim prolongs it; one that ends without a word
gives its jobs back, and they have not used up a try.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, bindparam, case, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database.jobs import breakers
from database.jobs.hours import into_hours
from database.jobs.queue import is_due, write
from database.jobs.settings import QueueSettings
from database.jobs.steps import MOST_RETURNS
from database.models import BillingCycle, Lease, Run, RunState
from database.models.base import UtcDateTime
from database.models.jobs import CLAIMED, ScraperJob, ScraperJobStatus, ScraperType
from database.processes import has_ended

ONE_CLAIM = 0x1A7C5  # of PostgreSQL's advisory locks: claims are made one after another, so that limits are exact
LOOKED_AT = 10  # due jobs that a claim looks at in one go
TAKEN = 100  # jobs of one crawl
RUN_LEASE = "run:"  # what the names of the leases on sessions begin with
# Built once: a worker asks these every few seconds.
ALL_CLAIMED = select(ScraperJob).where(ScraperJob.status.in_(CLAIMED)).order_by(ScraperJob.id)
ANY_DUE = select(ScraperJob.id).where(is_due(bindparam("at", type_=UtcDateTime))).limit(1)
HELD_SESSIONS = select(Lease.name).where(
    Lease.name.startswith(RUN_LEASE), Lease.holder != "", Lease.expires_at > bindparam("at", type_=UtcDateTime)
)
ORDER = (
    ScraperJob.priority.desc(),
    func.coalesce(ScraperJob.username, ""),
    func.coalesce(BillingCycle.account_id, 0),
    case({kind: place for place, kind in enumerate(ScraperType)}, value=ScraperJob.type, else_=len(ScraperType)),
    func.coalesce(ScraperJob.available_at, ScraperJob.created_at),
    ScraperJob.id,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Jobs that one crawl works off."""

    id: str  # UUID
    spider: str
    portal: str
    username: str | None
    jobs: tuple[int, ...]
    exclusive: str | None = None
    labels: tuple[str, ...] = ()
    arguments: dict[str, str] = field(default_factory=dict)


def claim(
    session: Session,
    worker: str,
    at: datetime,
    seconds: float,
    portals: Collection[str] | None = None,
    only: int | None = None,
) -> Claim | None:
    """
    Claim the first due jobs of one spider and credential for *seconds*; None when there are none, or another was faster.

    worker: signature of the process. portals: to which it is limited. only: the job that must be the first.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(ONE_CLAIM)))
    under_way = _under_way(session, at)
    if session.scalar(ANY_DUE, {"at": at}) is None:
        return None
    query = _candidates(session, at, portals, under_way)
    if only is not None:
        query = query.where(ScraperJob.id == only)
    while jobs := session.scalars(query).all():
        for job in jobs:
            if (opens := into_hours(at, job.hours, job.time_zone)) > at:
                job.available_at = opens
                continue
            return _taken(session, [job, *_companions(session, job, at)], worker, at, seconds)
        session.flush()
    return None


def _taken(session: Session, jobs: Sequence[ScraperJob], worker: str, at: datetime, seconds: float) -> Claim | None:
    made = _new(jobs)
    try:
        with session.begin_nested():
            _take(jobs, made.id, worker, at + timedelta(seconds=seconds), ScraperJobStatus.IN_PROGRESS)
            for each in jobs:
                write(each, at, f"Claimed, the {each.attempt}. time.")
            session.flush()
    except IntegrityError:  # its credential works in a crawl that was claimed another way
        return None
    return made


def _candidates(
    session: Session, at: datetime, portals: Collection[str] | None, under_way: Sequence[ScraperJob]
) -> Select[ScraperJob]:
    """Select the first due jobs whose portal has a place and whose credential is free, in their order."""
    held = {job.held for job in under_way if job.held is not None}
    # A login that is not shared works alone at its credential, whatever login the other crawl is of.
    busy = held | _in_session(session, at) | {f"{job.portal}:{job.username}" for job in under_way if job.username}
    from database.families.telegram.waits import waiting  # maps tables that most crawls do without

    busy |= waiting(session, at)
    query = (
        select(ScraperJob)
        .outerjoin(BillingCycle, BillingCycle.id == ScraperJob.billing_cycle_id)
        .where(is_due(at), ScraperJob.identity.is_not(None))
        .order_by(*ORDER)
        .limit(LOOKED_AT)
    )
    if full := _full(session, at, under_way):
        query = query.where(ScraperJob.portal.not_in(full))
    if busy:
        query = query.where(func.coalesce(ScraperJob.exclusive, "").not_in(busy))
    if held:
        query = query.where(func.coalesce(ScraperJob.portal + ":" + ScraperJob.username, "").not_in(held))
    return query if portals is None else query.where(ScraperJob.portal.in_(portals))


def due_groups(
    session: Session, at: datetime, portals: Collection[str] | None = None
) -> list[tuple[int, str, str | None]]:
    """Return, for each spider and credential with due jobs, the first job, a name of the group, and what it holds alone."""
    query = select(ScraperJob).outerjoin(BillingCycle, BillingCycle.id == ScraperJob.billing_cycle_id)
    query = query.where(is_due(at), ScraperJob.identity.is_not(None)).order_by(*ORDER)
    if portals is not None:
        query = query.where(ScraperJob.portal.in_(portals))
    found: dict[str, tuple[int, str, str | None]] = {}
    for job in session.scalars(query):
        if into_hours(at, job.hours, job.time_zone) == at:
            arguments = " ".join(f"{name}={value}" for name, value in sorted((job.arguments or {}).items()))
            group = f"{job.spider} {job.username or job.id} {arguments}".strip()
            found.setdefault(group, (job.id, group, job.exclusive))
    return list(found.values())


def attempts_of(session: Session, job: int) -> int:
    """Return how often a job was claimed."""
    return session.scalar(select(ScraperJob.attempt).where(ScraperJob.id == job)) or 0


def _full(session: Session, at: datetime, under_way: Sequence[ScraperJob]) -> list[str]:
    """Return the portals that get no further crawl now."""
    settings = QueueSettings.current()
    usual = min(settings.portal_crawls, settings.breaker_after)
    trouble = breakers.places(session, at)
    crawls = Counter(portal for portal, _ in {(job.portal, job.claim) for job in under_way})
    limits = {portal: min(usual, places) for portal, (places, _) in trouble.items()}
    return [portal for portal in {*crawls, *limits} if crawls[portal] >= limits.get(portal, usual)]


def _in_session(session: Session, at: datetime) -> set[str]:
    """Return what `ScraperJob.exclusive` says of the credentials in whose sessions a crawl works now, however it was started."""
    found = set()
    for name in session.scalars(HELD_SESSIONS, {"at": at}):
        login, _, username = name.removeprefix(RUN_LEASE).partition(":")
        words = login.split("_")
        # A login's name begins with its portal's word, which may be of several words.
        found |= {f"{'_'.join(words[:end])}:{username}" for end in range(1, len(words) + 1)}
    return found


def _companions(session: Session, first: ScraperJob, at: datetime) -> list[ScraperJob]:
    """
    Return the other due jobs that the crawl of *first* takes along.

    Jobs without a credential go together where each says what it is about: one crawl of a shop keeps its pauses between all.
    """
    if first.username is None and first.exclusive is None and first.billing_cycle_id is None and first.target is None:
        return []
    same = select(ScraperJob).where(
        is_due(at),
        ScraperJob.id != first.id,
        ScraperJob.identity.is_not(None),
        ScraperJob.portal == first.portal,
        ScraperJob.report_type == first.report_type,
        ScraperJob.username.is_not_distinct_from(first.username),
        ScraperJob.exclusive.is_not_distinct_from(first.exclusive),
    )
    found = session.scalars(same.order_by(ScraperJob.priority.desc(), ScraperJob.id).limit(TAKEN)).all()
    return [
        job
        for job in found
        if (job.arguments or {}) == (first.arguments or {}) and into_hours(at, job.hours, job.time_zone) == at
    ]


def _new(jobs: Sequence[ScraperJob]) -> Claim:
    first = jobs[0]
    return Claim(
        str(uuid.uuid4()),
        first.spider,
        first.portal,
        first.username,
        tuple(job.id for job in jobs),
        first.exclusive,
        tuple(job.label or "" for job in jobs),
        dict(first.arguments or {}),
    )


def _take(
    jobs: Sequence[ScraperJob], claim: str, worker: str, until: datetime, status: ScraperJobStatus, *, held: bool = True
) -> None:
    for place, job in enumerate(jobs):
        job.status, job.claim, job.worker, job.lease_until = status, claim, worker, until
        job.held = job.exclusive if held and place == 0 else None
        job.attempt += 1
        job.available_at = job.completed_at = job.parked_for = job.parked_at = job.parked_secret = None


def working(session: Session, ids: Collection[int], at: datetime) -> list[int]:
    """Return those of the jobs on which a crawl works."""
    claimed = select(ScraperJob).where(ScraperJob.id.in_(ids), ScraperJob.status.in_(CLAIMED)).order_by(ScraperJob.id)
    return [job.id for job in session.scalars(claimed) if not _is_dead(job, at)]


def begin(
    session: Session, ids: Collection[int], claim: str | None, new: str, worker: str, at: datetime, seconds: float
) -> dict[int, bool]:
    """
    Begin the crawl of jobs; return for each of *ids* whether it is this crawl's: False while another one has it.

    claim: under which a worker holds them; jobs that nothing holds are taken under *new*, whatever became of them before.
    """
    until, mine = at + timedelta(seconds=seconds), {}
    jobs = session.scalars(select(ScraperJob).where(ScraperJob.id.in_(ids)).with_for_update()).all()
    for job in jobs:
        claimed = job.status in CLAIMED
        if claimed and claim is not None and job.claim == claim:
            job.status, job.worker, job.lease_until = ScraperJobStatus.RUNNING, worker, until
        elif claim is None and not (claimed and not _is_dead(job, at)):
            # Its credential is not held here: the crawl waits for the lease on the session.
            _take([job], new, worker, until, ScraperJobStatus.RUNNING, held=False)
        else:
            mine[job.id] = False
            continue
        mine[job.id] = True
    session.flush()
    return mine


def renew(session: Session, claim: str, at: datetime, seconds: float) -> set[int]:
    """Prolong a claim and return the jobs that it still has: work for others must stop."""
    statement = (
        update(ScraperJob)
        .where(ScraperJob.claim == claim, ScraperJob.status.in_(CLAIMED))
        .values(lease_until=at + timedelta(seconds=seconds))
        .returning(ScraperJob.id)
        .execution_options(synchronize_session=False)
    )
    return set(session.scalars(statement))


def hand_back(session: Session, claim: str, at: datetime, why: str) -> list[int]:
    """Make the jobs of a claim whose crawl has gone due again at once, and close their runs; return the ids."""
    of_claim = select(ScraperJob).where(ScraperJob.claim == claim, ScraperJob.status.in_(CLAIMED))
    jobs = session.scalars(of_claim.order_by(ScraperJob.id).with_for_update()).all()
    for job in jobs:
        _close_runs(session, job, at)
        _return(job, at)
        write(job, at, why)
    session.flush()
    return [job.id for job in jobs]


def reclaim(session: Session, at: datetime) -> list[int]:
    """Make the jobs of crawls that have died due again, and close their runs; return the ids."""
    before = session.scalars(ALL_CLAIMED).all()
    alive = {job.id for job in _under_way(session, at)}
    return [job.id for job in before if job.id not in alive]


def _under_way(session: Session, at: datetime) -> list[ScraperJob]:
    """Return the claimed jobs whose crawls live; those of the dead come back."""
    claimed = session.scalars(ALL_CLAIMED).all()
    dead = [job.id for job in claimed if _is_dead(job, at)]
    if dead:
        # Another process may be about to settle one of them: then it is not dead.
        locked = select(ScraperJob).where(ScraperJob.id.in_(dead), ScraperJob.status.in_(CLAIMED))
        for job in session.scalars(locked.order_by(ScraperJob.id).with_for_update(skip_locked=True)):
            _come_back(session, job, at)
        session.flush()
    return [job for job in claimed if job.status in CLAIMED]


def _come_back(session: Session, job: ScraperJob, at: datetime) -> None:
    _close_runs(session, job, at)
    job.returns += 1
    if job.returns > MOST_RETURNS:
        job.retry_count += 1
    _return(job, at)
    if job.retry_count >= job.max_retries:
        job.status, job.completed_at, job.available_at = ScraperJobStatus.ERROR, at, None
        write(job, at, f"Given up: its crawl has died {job.returns} times in a row.")
    else:
        write(job, at, "Its crawl or worker has died: due again, no try used up.")


def _is_dead(job: ScraperJob, at: datetime) -> bool:
    return job.lease_until is None or job.lease_until <= at or (job.worker is not None and has_ended(job.worker))


def _return(job: ScraperJob, at: datetime) -> None:
    job.status, job.available_at, job.outcome = ScraperJobStatus.PENDING, at, "interrupted"
    job.worker = job.lease_until = job.claim = job.held = None


def _close_runs(session: Session, job: ScraperJob, at: datetime) -> None:
    """Close the runs of a job whose crawl has died, also on another machine, of which nothing else is known."""
    session.execute(
        update(Run)
        .where(Run.job_id == job.id, Run.state == RunState.RUNNING, Run.process == job.worker)
        .values(
            state=RunState.FINISHED,
            outcome="interrupted",
            actor="nobody",
            message="The crawl ended without a word.",
            finished_at=at,
        )
        .execution_options(synchronize_session=False)
    )


def lock_of(portal: str, username: str | None, shared: bool) -> str | None:
    """Return what `ScraperJob.exclusive` is for a credential; None where any number of crawls may use it at once."""
    return None if shared or username is None else f"{portal}:{username}"
