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
from scrapers.core.outcomes import LoginFailed, codes_of
from scrapers.core.queued import secret_of
from scrapers.core.spider import PortalSpider


def release_parked(session: Session, spiders: Spiders, at: datetime) -> list[ScraperJob]:
    """Make the jobs due whose owner has acted since they were parked; return them."""
    waiting = select(ScraperJob).where(ScraperJob.status == ScraperJobStatus.PENDING, is_parked())
    freed = []
    groups: dict[tuple[str, str], list[ScraperJob]] = {}
    for job in session.scalars(waiting.order_by(ScraperJob.id)):
        # Without a user name nothing says that two jobs have the same credential.
        groups.setdefault((job.spider, job.username or f"{job.id}"), []).append(job)
    for (name, _), jobs in groups.items():
        if (spider := spiders.one(name)) is None:
            continue
        secret = _secret(session, spider, jobs[0])
        for job in jobs:
            if why := _signed(session, spider, job) or (
                "its credential has changed" if secret != job.parked_secret else ""
            ):
                release(job, at)
                write(job, at, f"Due again: {why}.")
                freed.append(job)
    session.flush()
    return freed


def _signed(session: Session, spider: type[PortalSpider], job: ScraperJob) -> str:
    """Return what the ledger and the sessions say of a job's credential since it was parked; empty for nothing."""
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
    # A sign-in cures what went wrong in one; another account or an entry that is not listed it does not.
    if job.outcome not in codes_of(LoginFailed):
        return ""
    if any(row.proved for row in since) or session.scalar(signed_in.limit(1)) is not None:
        return "its credential has signed in"
    return ""


def _secret(session: Session, spider: type[PortalSpider], job: ScraperJob) -> str | None:
    """Return the fingerprint of the secret that a job's credential has now; what it was parked with where that is unknown."""
    try:
        with session.begin_nested():
            given = {"job": str(job.id), **(job.arguments or {})}
            (plan,) = spider.planned(session, spider.Arguments.parse(given))
    except REFUSALS:
        return job.parked_secret  # what is wrong is still wrong
    return secret_of(session, spider.name, plan.credential)
