"""The end of a run, written into its job: the next step, the log, the breaker of the portal, and who may go on now."""

from __future__ import annotations

from datetime import datetime
from random import Random

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from database.jobs import breakers
from database.jobs.hours import into_hours
from database.jobs.queue import release_spider, write
from database.jobs.settings import QueueSettings
from database.jobs.steps import Ending, Step, next_step
from database.models.jobs import CLAIMED, ScraperJob, ScraperJobStatus

_RANDOM = Random()
# Built once, because every end of a run asks them.
MINE = (
    select(ScraperJob)
    .where(ScraperJob.id == bindparam("id"), ScraperJob.claim == bindparam("claim"), ScraperJob.status.in_(CLAIMED))
    .with_for_update()
)
OTHERS = select(ScraperJob).where(ScraperJob.claim == bindparam("claim"), ScraperJob.status.in_(CLAIMED)).limit(1)


def settle(
    session: Session, job_id: int, claim: str, ending: Ending, at: datetime, random: Random = _RANDOM
) -> Step | None:
    """
    Write the end of a run into its job, if that is still the claim's; return what becomes of it, else None.

    Belongs into the transaction that closes the run.
    """
    job = session.scalars(MINE, {"id": job_id, "claim": claim}).one_or_none()
    if job is None:
        return None
    step = next_step(ending, job.retry_count, job.max_retries, at, QueueSettings.current(), random)
    job.retry_count += step.uses_try
    job.outcome, job.message, job.returns = ending.outcome, ending.message, 0
    job.status = step.status
    job.available_at = into_hours(step.available_at, job.hours, job.time_zone) if step.available_at else None
    job.completed_at = None if step.status == ScraperJobStatus.PENDING else at
    job.parked_for = step.parked_for
    job.parked_at = at if step.parked_for else None
    job.parked_secret = ending.secret if step.parked_for else None
    write(job, at, f"{ending.outcome}: {_said(job, step)} {ending.message}".strip())
    _leave(session, job)
    breakers.note(session, job.portal, job.username, ending, at, random)
    if ending.then == "done":
        release_spider(session, job.portal, job.report_type, at)
    return step


def _said(job: ScraperJob, step: Step) -> str:
    if step.status != ScraperJobStatus.PENDING:
        return {ScraperJobStatus.SUCCESS: "done."}.get(step.status, f"final after {job.retry_count} tries.")
    when = f"due again at {job.available_at:%Y-%m-%d %H:%M:%S}" if job.available_at else "waits"
    used = f", try {job.retry_count} of {job.max_retries} used up" if step.uses_try else ""
    return f"{when}{f' for its {step.parked_for}' if step.parked_for else ''}{used}."


def _leave(session: Session, job: ScraperJob) -> None:
    """Take a job out of its claim; another one of it goes on holding the credential, as long as there is one."""
    claim, held = job.claim, job.held
    job.worker = job.lease_until = job.claim = job.held = None
    session.flush()
    if held is None:
        return
    if (other := session.scalars(OTHERS, {"claim": claim}).one_or_none()) is not None:
        other.held = held
        session.flush()
