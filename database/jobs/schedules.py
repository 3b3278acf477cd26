"""Schedules as rows: added, changed, paused; and what became of their due times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.models.jobs import Firing, Schedule

# What a person says of a schedule; the rest is ours.
FIELDS = (
    *("spiders", "accounts", "client", "arguments", "cron", "time_zone"),
    *("hours", "jitter", "missed", "fresh_by", "priority"),
)


def named(session: Session, name: str) -> Schedule | None:
    """Return the schedule of a name, or None."""
    return session.scalars(select(Schedule).where(Schedule.name == name)).one_or_none()


def put(session: Session, name: str, fields: Mapping[str, Any], at: datetime) -> str:
    """
    Add a schedule, or change the one of that name; return `added`, `changed` or `unchanged`.

    Its due times count from now: a changed expression makes nothing due that lies in the past.
    """
    schedule = named(session, name)
    if schedule is None:
        session.add(Schedule(name=name, seen_until=at, created_at=at, changed_at=at, **fields))
        session.flush()
        return "added"
    changed = {key: value for key, value in fields.items() if getattr(schedule, key) != value}
    for key, value in changed.items():
        setattr(schedule, key, value)
    if changed:
        schedule.changed_at = at
    if {"cron", "time_zone"} & set(changed):
        schedule.seen_until = at
    session.flush()
    return "changed" if changed else "unchanged"


def note(
    session: Session,
    schedule: Schedule,
    due_at: datetime,
    at: datetime,
    *,
    first: datetime | None = None,
    times: int = 1,
    jobs: int = 0,
    reason: str = "",
) -> None:
    """Write down what became of a due time, or of several that end with it."""
    session.add(
        Firing(
            schedule_id=schedule.id,
            due_at=due_at,
            first_due_at=first or due_at,
            due_times=times,
            seen_at=at,
            jobs=jobs,
            reason=reason[:500],
        )
    )


def noted_until(session: Session, schedule: Schedule) -> datetime:
    """Return the newest due time of which it is written down what became of it."""
    newest = session.scalar(select(func.max(Firing.due_at)).where(Firing.schedule_id == schedule.id))
    return newest or datetime.min.replace(tzinfo=UTC)


def is_noted(session: Session, schedule: Schedule, due_at: datetime) -> bool:
    """Return whether it is written down what became of a due time: only a clock that was set back makes it due again."""
    covered = Firing.schedule_id == schedule.id, Firing.first_due_at <= due_at, Firing.due_at >= due_at
    return session.scalar(select(Firing.id).where(*covered).limit(1)) is not None


def last(session: Session, schedule: Schedule, limit: int = 10) -> list[Firing]:
    """Return what became of the last due times, the newest first."""
    of_schedule = select(Firing).where(Firing.schedule_id == schedule.id)
    return list(session.scalars(of_schedule.order_by(Firing.due_at.desc()).limit(limit)))
