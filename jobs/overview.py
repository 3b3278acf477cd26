"""The work on one page: open jobs by portal, workers, portals in trouble; plain data for `scrapy status` and `GET /status`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from database.jobs.queue import is_due, is_parked
from database.models import ScraperJob, ScraperJobStatus
from database.models.jobs import OPEN, Breaker, Worker

SILENT = timedelta(seconds=30)  # a worker that has not reported for so long is probably gone


def overview(session: Session, time: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return all of it."""
    return {
        "jobs": jobs(session, time),
        "workers": workers(session, time),
        "portals_in_trouble": portals_in_trouble(session),
    }


def jobs(session: Session, time: datetime) -> list[dict[str, Any]]:
    """Return how many jobs are open by portal, and what they wait for."""

    def count(condition: Any) -> Any:
        return func.sum(case((condition, 1), else_=0))

    pending = ScraperJob.status == ScraperJobStatus.PENDING
    rows = session.execute(
        select(
            ScraperJob.portal,
            count(~pending),
            count(is_due(time)),
            count(pending & (ScraperJob.available_at > time)),
            count(pending & is_parked()),
            func.min(case((ScraperJob.available_at > time, ScraperJob.available_at))),
        )
        .where(ScraperJob.status.in_(OPEN))
        .group_by(ScraperJob.portal)
        .order_by(ScraperJob.portal)
    )
    names = ("portal", "running", "due", "later", "parked", "next")
    return [dict(zip(names, row, strict=True)) for row in rows]


def workers(session: Session, time: datetime) -> list[dict[str, Any]]:
    """Return the workers there are, and when each was last heard of."""
    return [
        {
            "worker": f"{row.host} {row.pid}",
            "slots": row.slots,
            "portals": ", ".join(row.portals) if row.portals else "all",
            "since": row.started_at,
            "heard": row.seen_at,
            "state": "silent" if time - row.seen_at > SILENT else row.state,
            "crawls": row.done,
        }
        for row in session.scalars(select(Worker).order_by(Worker.started_at))
    ]


def portals_in_trouble(session: Session) -> list[dict[str, Any]]:
    """Return the portals whose breaker has tripped, and when the next job tries each."""
    rows = session.scalars(select(Breaker).where(Breaker.tripped_at.is_not(None)).order_by(Breaker.portal))
    return [
        {
            "portal": row.portal,
            "trouble": row.outcome,
            "since": row.tripped_at,
            "next_try": row.probe_at,
            "tries": row.probes,
        }
        for row in rows
    ]
