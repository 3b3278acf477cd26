"""
The tick: what is due by its schedule becomes jobs, exactly once for any number of workers.

A due time is handled in the transaction that moves its schedule's `seen_until` past it. What became of it is a row: so
many jobs, or the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.engine import Database
from database.jobs import schedules
from database.jobs.claims import reclaim
from database.jobs.hours import into_hours
from database.jobs.queue import add, cancel_inactive, of_due_time
from database.models.jobs import MissedRuns, Schedule
from jobs.clock import Clock
from jobs.cron import due_times, last_due, spread
from jobs.notices import collect
from jobs.parking import release_parked
from jobs.planning import Found, Planner, Wanted
from jobs.settings import NoticeSettings, WorkerSettings

MOST = 100  # missed due times that `each` makes up for; older ones are folded together
COUNTED = 10_000  # missed due times that are counted
SET_BACK = timedelta(hours=1)  # a clock that stands that far before what was seen already was set back
# Columns alone, because each tick asks for all of them.
ACTIVE = (
    select(Schedule.id, Schedule.cron, Schedule.time_zone, Schedule.seen_until)
    .where(Schedule.paused.is_(False))
    .order_by(Schedule.id)
)


class Finder(Protocol):
    """Says which jobs there are for what is wanted: a Planner, or what a simulation has in its place."""

    def find(self, session: Session, wanted: Wanted) -> Found:
        """Return the jobs that are missing."""


@dataclass
class Ticked:
    """What a tick has done."""

    made: int = 0
    sentences: list[str] = field(default_factory=list)  # for the worker's log
    back: int = 0  # jobs of crawls that have died
    freed: int = 0  # jobs whose owner has acted
    notices: int = 0  # messages that are on their way now


def tick(db: Database, clock: Clock, planner: Planner, *, with_schedules: bool = True) -> Ticked:
    """
    Turn what is due by schedules into jobs, look after those that wait or whose crawl has died, and make the messages to people.

    Raises DatabaseAway.
    """
    done = Ticked()
    with db.transaction() as session:
        at = clock.now(session)
        done.back = len(reclaim(session, at))
        for number in cancel_inactive(session, at):
            done.sentences.append(f"job {number} is cancelled: its client is not active")
        done.sentences += planner.complete(session)
        freed = release_parked(session, planner.spiders, at)
        done.freed = len(freed)
        done.sentences += [f"job {job.id} is due again: its owner has acted" for job in freed]
    with db.transaction() as session:
        done.notices = collect(session, clock.now(session), NoticeSettings.current())
    if with_schedules:
        fire_schedules(db, clock, planner, done)
    return done


def fire_schedules(db: Database, clock: Clock, finder: Finder, done: Ticked) -> None:
    """Look at every schedule that is not paused, each in a transaction of its own."""
    with db.transaction() as session:
        at = clock.now(session)
        ids = [row.id for row in session.execute(ACTIVE) if _concerns(row.cron, row.time_zone, row.seen_until, at)]
    for number in ids:
        with db.transaction() as session:
            chosen = select(Schedule).where(Schedule.id == number, Schedule.paused.is_(False))
            # Another worker may be at it; then this one has nothing to do.
            schedule = session.scalars(chosen.with_for_update(skip_locked=True)).one_or_none()
            if schedule is not None:
                fire(session, schedule, clock.now(session), finder, done)


def _concerns(cron: str, zone: str, seen_until: datetime, at: datetime) -> bool:
    """Tell whether a schedule has a due time to look at, or was looked at with a clock that ran ahead."""
    if at < seen_until:
        return seen_until - at > SET_BACK
    return next_due(cron, zone, seen_until) <= at


@lru_cache(1024)
def next_due(cron: str, zone: str, after: datetime) -> datetime:
    """Return the first due time after an instant; remembered, because each tick asks for every schedule."""
    return next(due_times(cron, zone, after))


def fire(session: Session, schedule: Schedule, at: datetime, finder: Finder, done: Ticked) -> None:
    """Handle the due times of a schedule up to *at*."""
    if at < schedule.seen_until:
        if schedule.seen_until - at > SET_BACK:
            done.sentences.append(f"schedule {schedule.name}: the clock was set back to {at:%Y-%m-%d %H:%M}")
            schedule.seen_until = at
        return
    late = at - timedelta(minutes=WorkerSettings.current().missed_after)
    due = list(islice(due_times(schedule.cron, schedule.time_zone, schedule.seen_until, at), COUNTED + 1))
    if len(due) > COUNTED:  # months of each minute: the last ones count
        end = last_due(schedule.cron, schedule.time_zone, schedule.seen_until, at)
        due = [*due[:COUNTED], end or due[-1]]
    schedule.seen_until = at
    # Seen already by a clock that was set back since.
    if due and due[0] <= schedules.noted_until(session, schedule):
        due = [each for each in due if not schedules.is_noted(session, schedule, each)]
    missed = [each for each in due if each < late]
    if schedule.missed == MissedRuns.SKIP and missed:
        _fold(session, schedule, missed, at, "missed: no worker was there, and missed runs are skipped")
        due = due[len(missed) :]
    if schedule.missed == MissedRuns.EACH:
        older, due = due[:-MOST], due[-MOST:]
        if older:
            _fold(session, schedule, older, at, f"missed: folded together, only the last {MOST} are made up for")
        for each in due:
            _run(session, schedule, [each], at, finder, done, own=each < late)
    elif due:
        _run(session, schedule, due, at, finder, done)


def _run(
    session: Session,
    schedule: Schedule,
    due: Sequence[datetime],
    at: datetime,
    finder: Finder,
    done: Ticked,
    *,
    own: bool = False,
) -> None:
    """Make the jobs of a due time into which earlier ones are folded. own: beside those that are open."""
    found = finder.find(session, wanted_of(schedule))
    made, there = 0, []
    for job in found.jobs:
        identity = of_due_time(job.identity, due[-1]) if own else job.identity
        starts = max(due[-1] + spread(job.identity, due[-1], schedule.jitter), at)
        (number,) = add(
            session,
            [replace(job, identity=identity)],
            at,
            priority=schedule.priority,
            available_at=into_hours(starts, schedule.hours, schedule.time_zone),
            schedule_id=schedule.id,
            due_at=due[-1],
            hours=schedule.hours,
            time_zone=schedule.time_zone,
        )
        made += number is not None
        if number is None:
            there.append(job.label)
    reasons = [f"{len(there)} open already"] * bool(there) + [found.said()] * bool(found.said())
    reason = "; ".join(reasons) or ("" if made else "there is nothing to fetch")
    schedules.note(session, schedule, due[-1], at, first=due[0], times=len(due), jobs=made, reason=reason)
    done.made += made
    folded = f", {len(due) - 1} missed folded into it" if len(due) > 1 else ""
    done.sentences.append(
        f"schedule {schedule.name}: due {due[-1]:%Y-%m-%d %H:%M} UTC{folded}, {made} jobs made{f' ({reason})' if reason else ''}"
    )
    session.flush()


def _fold(session: Session, schedule: Schedule, due: Sequence[datetime], at: datetime, reason: str) -> None:
    schedules.note(session, schedule, due[-1], at, first=due[0], times=len(due), reason=reason)


def pause(session: Session, schedule: Schedule) -> None:
    """Make nothing due from now on."""
    schedule.paused = True


def resume(session: Session, schedule: Schedule, at: datetime) -> None:
    """Go on with the due times after *at*; those of the pause are written down as such."""
    if not schedule.paused:
        return
    schedule.paused = False
    due = list(islice(due_times(schedule.cron, schedule.time_zone, schedule.seen_until, at), COUNTED))
    if due:
        _fold(session, schedule, due, at, "paused")
    schedule.seen_until = max(at, schedule.seen_until)


def wanted_of(schedule: Schedule) -> Wanted:
    """Return what a schedule asks for."""
    return Wanted(schedule.spiders, schedule.accounts, schedule.client, arguments=schedule.arguments or {})
