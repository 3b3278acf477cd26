"""Which sign-in an operator can finish for jobs that wait for a captcha or an unknown second factor."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import LedgerEntry, Run, ScraperJob
from scrapers.core.outcomes import CaptchaShown, MfaRequired, TermsPending
from scrapers.logins.base import Login, logins_of

# What a person can put right in the portal's page, and what a job waits for.
FOR_A_PERSON = frozenset(kind.outcome.code for kind in (CaptchaShown, MfaRequired, TermsPending))


def can_finish(job: ScraperJob) -> bool:
    """Tell whether an operator can finish the sign-in that a job waits for."""
    return job.outcome in FOR_A_PERSON and bool(job.username) and bool(_in_browser(job.portal))


def login_to_finish(session: Session, jobs: Sequence[ScraperJob]) -> str | None:
    """
    Return the name of the login at which jobs with one user name and outcome have failed; None where that is not known.

    It is that of their newest attempt which ended so; without one, the only login of the portal that has pages.
    """
    first = jobs[0]
    names = [login.name for login in _in_browser(first.portal)]
    ended_so = LedgerEntry.result.in_((first.outcome, f"error:{first.outcome}"))
    of_jobs = select(Run.id).where(Run.job_id.in_([job.id for job in jobs]))
    query = select(LedgerEntry.login).where(
        LedgerEntry.login.in_(names), LedgerEntry.username == first.username, ended_so, LedgerEntry.run_id.in_(of_jobs)
    )
    found = session.scalar(query.order_by(LedgerEntry.id.desc()).limit(1))
    return found or (names[0] if len(names) == 1 else None)


def _in_browser(portal: str) -> list[type[Login]]:
    """Return the logins of a portal that sign in in a browser page."""
    return [login for login in logins_of(portal) if login.keeps_context]
