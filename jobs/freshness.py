"""Whether a schedule's data came in time: `fresh_by` is the time of day by which the jobs of the last due time shall be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.jobs.hours import parse_time
from database.models import ScraperJob, ScraperJobStatus
from database.models.jobs import Firing, Schedule


@dataclass(frozen=True, slots=True)
class Freshness:
    """How it stands with a schedule's last deadline."""

    deadline: datetime
    is_met: bool
    lacking: tuple[str, ...] = ()  # labels of jobs that had not succeeded by then


def freshness(session: Session, schedule: Schedule, at: datetime) -> Freshness | None:
    """Return how the last deadline before *at* was met; None without a target, or where nothing was due before it."""
    if not schedule.fresh_by:
        return None
    zone, by = ZoneInfo(schedule.time_zone), parse_time(schedule.fresh_by)
    day = at.astimezone(zone).date()
    deadlines = (datetime.combine(each, by, zone).astimezone(UTC) for each in (day, day - timedelta(days=1)))
    deadline = next(each for each in deadlines if each <= at)
    due = session.scalars(
        select(Firing)
        .where(Firing.schedule_id == schedule.id, Firing.due_at <= deadline)
        .where(Firing.due_at > deadline - timedelta(days=1))
        .order_by(Firing.due_at.desc())
        .limit(1)
    ).one_or_none()
    if due is None:
        return None
    # A job that was open already when it was due counts as well: it belongs to an earlier due time.
    of_schedule = select(ScraperJob).where(
        ScraperJob.schedule_id == schedule.id,
        (ScraperJob.due_at == due.due_at)
        | ((ScraperJob.due_at < due.due_at) & ScraperJob.status.in_(("pending", "in_progress", "running"))),
    )
    late = [
        job.label or str(job.id)
        for job in session.scalars(of_schedule.order_by(ScraperJob.id))
        if job.status != ScraperJobStatus.SUCCESS or job.completed_at is None or job.completed_at > deadline
    ]
    broken = (
        not due.jobs and not late and "stored already" not in due.reason and due.reason != "there is nothing to fetch"
    )
    return Freshness(deadline, not late and not broken, tuple(late) or ((due.reason,) if broken else ()))
