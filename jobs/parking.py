"""Jobs that wait for their owner are due at once when the owner has acted: a changed secret, an unblock, a sign-in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from database.access.ledger import UNBLOCKED
from database.jobs.queue import is_parked, release, write
from database.models import LedgerEntry, ScraperJob, StoredSession
from database.models.jobs import ScraperJobStatus
from jobs.planning import REFUSALS, Spiders
from scrapers.core.queued import secret_of
from scrapers.core.spider import PortalSpider


def release_parked(session: Session, spiders: Spiders, at: datetime) -> list[ScraperJob]:
    """Make the jobs due whose owner has acted since they were parked; return them."""
    waiting = select(ScraperJob).where(ScraperJob.status == ScraperJobStatus.PENDING, is_parked())
    freed = []
    for job in session.scalars(waiting.order_by(ScraperJob.id)):
        spider = spiders.one(job.spider)
        if spider is not None and (why := _acted(session, spider, job)):
            release(job, at)
            write(job, at, f"Due again: {why}.")
            freed.append(job)
    session.flush()
    return freed


def _acted(session: Session, spider: type[PortalSpider], job: ScraperJob) -> str:
    """Return what its owner has done since a job was parked; empty for nothing."""
    logins = [login.name for login in spider.logins]
    of_user = LedgerEntry.login.in_(logins), LedgerEntry.username == job.username
    since = session.scalars(select(LedgerEntry).where(*of_user, LedgerEntry.started_at > job.parked_at)).all()
    if any(row.result == UNBLOCKED for row in since):
        return "its credential was unblocked"
    signed_in = select(StoredSession.id).where(
        StoredSession.login.in_(logins),
        StoredSession.username == job.username,
        StoredSession.state.is_not(None),
        or_(StoredSession.created_at > job.parked_at, StoredSession.proved_at > job.parked_at),
    )
    if any(row.proved for row in since) or session.scalar(signed_in.limit(1)) is not None:
        return "its credential has signed in"
    try:
        with session.begin_nested():
            given = {"job": str(job.id), **(job.arguments or {})}
            (plan,) = spider.planned(session, spider.Arguments.parse(given))
    except REFUSALS:
        return ""  # what is wrong is still wrong
    # A job without a fingerprint had no credential.
    return "its credential has changed" if secret_of(session, spider.name, plan.credential) != job.parked_secret else ""
