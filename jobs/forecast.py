"""Which freshness targets were missed, and which will be: looked at before their time has come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.jobs.hours import into_hours, parse_time
from database.models import Run, ScraperJob
from database.models.jobs import OPEN, Breaker, Firing, Schedule, Worker
from jobs.cron import last_due
from jobs.freshness import freshness
from jobs.overview import SILENT

DAY = timedelta(days=1)
USUAL = 60.0  # seconds of a job whose spider has not succeeded yet
RECENT = 20  # runs of a spider by which its usual time is known
NAMED = 5  # jobs that a reason names


@dataclass(frozen=True, slots=True)
class Target:
    """A freshness target of a schedule that was missed, or will be as things stand."""

    schedule: str
    client: str | None
    deadline: datetime
    is_over: bool  # False: there is still time
    reasons: tuple[str, ...]


def missed_targets(session: Session, at: datetime, client: str | None = None) -> list[Target]:
    """
    Return the targets that will be missed, then those that were missed last, each by its deadline.

    client: name of the only client that is looked at.
    """
    query = select(Schedule).where(Schedule.fresh_by.is_not(None)).order_by(Schedule.name)
    if client is not None:
        query = query.where(Schedule.client == client)
    found = []
    for schedule in session.scalars(query).all():
        deadline = next_deadline(schedule, at)
        if reasons := forecast(session, schedule, deadline, at):
            found.append(Target(schedule.name, schedule.client, deadline, is_over=False, reasons=tuple(reasons)))
        if (last := freshness(session, schedule, at)) is not None and not last.is_met:
            found.append(
                Target(schedule.name, schedule.client, last.deadline, is_over=True, reasons=_named(last.lacking))
            )
    return sorted(found, key=lambda target: (target.is_over, target.deadline, target.schedule))


def next_deadline(schedule: Schedule, at: datetime) -> datetime:
    """Return the next time of day by which the jobs of a schedule shall have succeeded."""
    assert schedule.fresh_by is not None
    zone, by = ZoneInfo(schedule.time_zone), parse_time(schedule.fresh_by)
    day = at.astimezone(zone).date()
    deadlines = (datetime.combine(each, by, zone).astimezone(UTC) for each in (day, day + DAY))
    return next(each for each in deadlines if each > at)


def forecast(session: Session, schedule: Schedule, deadline: datetime, at: datetime) -> list[str]:
    """Return why the jobs of the last due time before a deadline will not have succeeded by then; empty: they will."""
    due = last_due(schedule.cron, schedule.time_zone, deadline - DAY, deadline)
    if due is None:
        return []  # nothing is due for that deadline
    if due > at:
        return _before_it_is_due(session, schedule, due, deadline, at)
    open_jobs = session.scalars(
        select(ScraperJob)
        .where(ScraperJob.schedule_id == schedule.id, ScraperJob.due_at <= due, ScraperJob.status.in_(OPEN))
        .order_by(ScraperJob.id)
    ).all()
    if not open_jobs:
        if schedule.paused and schedule.seen_until < due:
            return ["The schedule is paused."]
        fired = select(Firing.id).where(Firing.schedule_id == schedule.id, Firing.due_at == due)
        was_seen = schedule.seen_until >= due or session.scalar(fired) is not None
        return [] if was_seen or _workers(session, at) else ["No worker runs, so nothing is made due."]
    return _of_jobs(session, open_jobs, deadline, at)


def _before_it_is_due(
    session: Session, schedule: Schedule, due: datetime, deadline: datetime, at: datetime
) -> list[str]:
    if schedule.paused:
        return ["The schedule is paused."]
    starts = into_hours(due, schedule.hours, schedule.time_zone)
    if starts >= deadline:
        return [f"Its jobs may start only at {starts:%Y-%m-%d %H:%M} UTC."]
    if not _workers(session, at):
        return ["No worker runs, so nothing is made due."]
    return []


def _of_jobs(session: Session, jobs: Sequence[ScraperJob], deadline: datetime, at: datetime) -> list[str]:
    reasons = []
    parked = [job for job in jobs if job.parked_for]
    late = [job for job in jobs if not job.parked_for and job.available_at is not None and job.available_at > deadline]
    held = {job.id for job in (*parked, *late)}
    for actor in sorted({str(job.parked_for) for job in parked}):
        some = [job for job in parked if job.parked_for == actor]
        reasons.append(f"{_count(some)} for the {actor} to act ({_labels(some)}).")
    if late:
        reasons.append(f"{_count(late)} until {_first(late):%Y-%m-%d %H:%M} UTC or longer ({_labels(late)}).")
    breakers = select(Breaker).where(Breaker.portal.in_({job.portal for job in jobs}), Breaker.probe_at > deadline)
    for breaker in session.scalars(breakers.where(Breaker.tripped_at.is_not(None)).order_by(Breaker.portal)):
        reasons.append(f"{breaker.portal} is in trouble ({breaker.outcome}), and is tried again after the deadline.")
    rest = [job for job in jobs if job.id not in held]
    if not rest:
        return reasons
    slots = _workers(session, at)
    if not slots:
        return [*reasons, "No worker runs."]
    needed = _seconds(session, rest, slots)
    if at + timedelta(seconds=needed) > deadline:
        left = (deadline - at).total_seconds()
        reasons.append(f"{len(rest)} jobs need about {_duration(needed)}, and {_duration(left)} are left.")
    return reasons


def _seconds(session: Session, jobs: Sequence[ScraperJob], slots: int) -> float:
    """Return how long jobs take with so many places, those of one credential one after another."""
    usual = {spider: _usual(session, spider) for spider in {job.spider for job in jobs}}
    chains: dict[str, float] = defaultdict(float)
    for job in jobs:
        if job.exclusive:
            chains[job.exclusive] += usual[job.spider]
    total = sum(usual[job.spider] for job in jobs)
    return max(total / slots, max(chains.values(), default=0.0))


def _usual(session: Session, spider: str) -> float:
    """Return the seconds that the last successful runs of a spider took on average."""
    recent = (
        select(Run.started_at, Run.finished_at)
        .where(Run.spider == spider)
        .where(Run.outcome == "success", Run.finished_at.is_not(None), Run.requests > 0)
        .order_by(Run.started_at.desc())
        .limit(RECENT)
    )
    lasted = [(end - begin).total_seconds() for begin, end in session.execute(recent) if end is not None]
    return sum(lasted) / len(lasted) if lasted else USUAL


def _workers(session: Session, at: datetime) -> int:
    """Return how many places the workers have that run now."""
    query = select(func.sum(Worker.slots)).where(Worker.state == "working", Worker.seen_at > at - SILENT)
    return int(session.scalar(query) or 0)


def _first(jobs: Sequence[ScraperJob]) -> datetime:
    return min(job.available_at for job in jobs if job.available_at is not None)


def _count(jobs: Sequence[ScraperJob]) -> str:
    return "1 job waits" if len(jobs) == 1 else f"{len(jobs)} jobs wait"


def _labels(jobs: Sequence[ScraperJob]) -> str:
    return ", ".join(_named([job.label or str(job.id) for job in jobs]))


def _named(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the first labels, and how many more there are."""
    more = len(labels) - NAMED
    return (*labels[:NAMED], f"{more} more") if more > 0 else tuple(labels)


def _duration(seconds: float) -> str:
    """
    Return seconds as people read them.

    >>> _duration(40), _duration(600), _duration(9000)
    ('1 minute', '10 minutes', '2.5 hours')
    """
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{seconds / 3600:.1f} hours"
