"""What is told of a job: why it waits, when it comes, its runs and files, as plain data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.jobs import breakers
from database.models import Run, ScraperJob, ScraperJobStatus, StoredFile
from database.models.jobs import CLAIMED, Breaker, Worker


def why_it_waits(session: Session, job: ScraperJob, at: datetime) -> str | None:
    """Return why a pending job is not done yet, in one sentence; None for one that is not pending."""
    if job.status != ScraperJobStatus.PENDING:
        return None
    if job.parked_for and job.available_at is None:
        return f"parked until its {job.parked_for} has acted ({job.outcome})"
    if job.available_at is not None and job.available_at > at:
        return f"not before {job.available_at:%Y-%m-%d %H:%M:%S} UTC" + (f" ({job.outcome})" if job.outcome else "")
    tripped = breakers.places(session, at).get(job.portal)
    if tripped is not None and tripped[1] is not None:
        breaker = session.get(Breaker, job.portal)
        assert breaker is not None
        return f"{job.portal} is in trouble ({breaker.outcome}): the next job tries at {breaker.probe_at:%Y-%m-%d %H:%M} UTC"
    holder = job.exclusive and session.scalar(select(ScraperJob.id).where(ScraperJob.held == job.exclusive))
    if holder:
        return f"its credential works for job {holder}"
    if session.scalar(select(Worker.name).where(Worker.state == "working").limit(1)) is None:
        return "due; no worker runs: `scrapy worker`, or `scrapy jobs run`"
    return "due; the next free place is its own"


def row_of(session: Session, job: ScraperJob, at: datetime) -> dict[str, Any]:
    """Return the line of a job in a list."""
    return {
        "job": job.id,
        "spider": job.spider,
        "target": job.label,
        "status": job.status.value,
        "outcome": job.outcome,
        "tries": f"{job.retry_count}/{job.max_retries}",
        "comes": job.available_at if job.status == ScraperJobStatus.PENDING else None,
        "why": why_it_waits(session, job, at),
    }


def all_of(session: Session, job: ScraperJob, at: datetime) -> dict[str, Any]:
    """Return everything that is known of a job; its result is among that: success, outcome, message, files, counts."""
    runs = session.scalars(select(Run).where(Run.job_id == job.id).order_by(Run.id)).all()
    files = session.scalars(
        select(StoredFile).where(StoredFile.run_id.in_([run.id for run in runs])).order_by(StoredFile.id)
    )
    last = runs[-1] if runs else None
    return {
        **row_of(session, job, at),
        "username": job.username,
        "priority": job.priority,
        "arguments": job.arguments or {},
        "created": job.created_at,
        "completed": job.completed_at,
        "claimed": job.attempt,
        "worker": job.worker if job.status in CLAIMED else None,
        "lease_until": job.lease_until,
        "schedule": job.schedule_id,
        "due": job.due_at,
        "hours": f"{job.hours} {job.time_zone}" if job.hours else None,
        "result": {
            "success": job.status == ScraperJobStatus.SUCCESS,
            "outcome": job.outcome,
            "message": job.message,
            "files": [
                {"report": file.key, "path": file.path, "size": file.size, "sha256": file.sha256} for file in files
            ],
            "files_stored": sum(run.files for run in runs),
            "records_stored": sum(run.records for run in runs),
            "already_stored": last.already if last else 0,
            "missing": last.missing_names if last else [],
        },
        "runs": [
            {
                "run": run.id,
                "started": run.started_at,
                "ended": run.finished_at,
                "outcome": run.outcome or run.state.value,
                "sign_ins": run.sign_ins,
                "requests": run.requests,
            }
            for run in runs
        ],
        "log": (job.log or "").splitlines(),
    }
