"""When a source of Telegram is read: its schedule, and a job of it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from database.families.telegram.sources import PORTAL, REPORT_TYPE, SPIDER
from database.families.telegram.waits import name_of as session_name
from database.jobs import schedules
from database.jobs.queue import NewJob, add, open_with, release
from database.models.jobs import Schedule, ScraperJob, ScraperJobStatus
from database.models.telegram import Source, TelegramSession
from jobs.definitions import define
from jobs.tick import pause, resume

PRIORITY = 10  # somebody waits for it
ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Triggered:
    """What was asked for at once. made: False, where its job was open already. starts_at: not before then."""

    job_id: int
    made: bool
    status: ScraperJobStatus
    starts_at: datetime


def name_of(source_id: str) -> str:
    """Return the name of a source's schedule."""
    return f"source-{source_id}"


def schedule_of(session: Session, source: Source) -> Schedule | None:
    """Return the schedule of a source, or None."""
    return session.get(Schedule, source.schedule_id) if source.schedule_id is not None else None


def reschedule(session: Session, source: Source, cron: str | None, zone: str, at: datetime) -> None:
    """Give a source a schedule, which is paused while the source is; cron None: it has none any more. Raises BadSchedule."""
    schedule = schedule_of(session, source)
    if cron is None:
        if schedule is not None:
            source.schedule_id = None
            session.flush()
            session.delete(schedule)
            session.flush()
        return
    name = name_of(source.id)
    made = define({"name": name, "spiders": [SPIDER], "accounts": [source.id], "cron": cron, "time_zone": zone})
    schedules.put(session, name, made.fields(), at)
    schedule = schedules.named(session, name)
    assert schedule is not None  # it was put there
    source.schedule_id = schedule.id
    if not source.is_active:
        pause(session, schedule)
    else:
        resume(session, schedule, at)
    session.flush()


def job_of(source: Source) -> NewJob:
    """Return the job that reads a source, with the identity that its spider gives it."""
    return NewJob(
        PORTAL,
        REPORT_TYPE,
        identity=f"{SPIDER} {source.id}",
        label=source.name,
        username=source.session_id,
        exclusive=session_name(source.session_id),
        target={"source": source.id},
    )


def trigger(session: Session, source: Source, of: TelegramSession, at: datetime) -> Triggered:
    """Make the job of a source, or the one that waits, due now; not before its session may ask again. of: its session."""
    starts, new = max(at, of.waits_until or at), job_of(source)
    (number,) = add(session, [new], at, available_at=starts, priority=PRIORITY)
    job = session.get_one(ScraperJob, number) if number is not None else open_with(session, new.identity)
    assert job is not None  # its identity has kept the new one out
    if number is None and job.status == ScraperJobStatus.PENDING:
        release(job, starts)
        job.priority = max(job.priority, PRIORITY)
        session.flush()
    return Triggered(job.id, number is not None, job.status, starts)
