"""The rows of `scraper_jobs` behind a crawl's jobs: they follow its runs, whichever way the crawl was started."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database.access.fingerprints import fingerprints
from database.access.ledger import told
from database.engine import Database, DatabaseAway, now
from database.jobs import claims
from database.jobs.queue import open_with
from database.jobs.settling import settle
from database.jobs.steps import Ending
from database.models import Run, ScraperJob, ScraperJobStatus
from database.processes import signature
from database.settings import database_settings
from scrapers.core.jobs import Job, Plan
from scrapers.core.outcomes import Failure, Interrupted, LeaseLost, Outcome, Then
from scrapers.core.redaction import redactor

if TYPE_CHECKING:
    from database.access.credentials import Credential

progress = logging.getLogger("latchkey.progress")

LIVE_SECONDS = 5.0  # between two looks at what the crawl has counted so far
TOLD_SECONDS = 30.0  # between two lines of it, where there is no terminal
SHOWN = 60  # characters of a step


class QueuedJobs:
    """The rows of a crawl's jobs, under one claim: the worker's that has started it, or its own."""

    def __init__(self, crawl: str, spider: str, time_zone: str, hour: int) -> None:
        self.claim = crawl
        self.spider = spider
        self.time_zone = time_zone
        self.hour = hour

    def begin(self, session: Session, plans: Sequence[Plan], claim: str | None) -> list[Plan]:
        """
        Mark the rows of the plans as running; return the plans without those that another crawl has.

        A plan without a row is given the one that waits for the same spider, target and period. claim: a worker's.
        """
        crawl, self.claim = self.claim, claim or self.claim
        found = {}
        for plan in plans:
            if plan.job_id is None and plan.identity and (row := open_with(session, plan.identity)) is not None:
                # Another crawl's row stays that one's: what it stores is found to be stored here.
                plan.job_id = row.id if row.status == ScraperJobStatus.PENDING else None
                found[row.id] = plan.job_id is not None
        ids = [plan.job_id for plan in plans if plan.job_id is not None]
        if not ids:
            return list(plans)
        seconds = database_settings().lease_seconds
        adopted = [number for number, is_new in found.items() if is_new]
        given = [number for number in ids if number not in adopted]
        at = now(session)
        mine = claims.begin(session, given, claim, crawl, signature(), at, seconds)
        mine |= claims.begin(session, adopted, None, self.claim, signature(), at, seconds)
        for plan in plans:
            if plan.job_id is not None and not mine.get(plan.job_id, False):
                progress.warning("%s %s: another crawl has job %d", self.spider, plan.label, plan.job_id)
        return [plan for plan in plans if plan.job_id is None or mine.get(plan.job_id, False)]

    def settle(self, session: Session, job: Job, outcome: Outcome, failure: Failure | None) -> None:
        """Write the end of a job's run into its row; nothing when it has none, or another crawl has it by now."""
        if job.plan.job_id is None:
            return
        secret = secret_of(session, self.spider, job.credential) if outcome.then == Then.PARKED else None
        ending = Ending(
            outcome.code,
            outcome.then.value,
            redactor.hide(failure.detail) if failure else "",
            outcome.actor.value,
            outcome.portal_trouble,
            outcome.portal_works,
            job.counts.requests,
            failure.until if failure else None,
            secret,
            self.time_zone,
            self.hour,
        )
        settle(session, job.plan.job_id, self.claim, ending, now(session))

    async def keep(self, db: Database, known: Mapping[int, Job]) -> None:
        """
        Prolong the claim and write down what was counted so far, until every job has ended.

        A job whose row another crawl has taken, or that was cancelled, is stopped.
        """
        seconds, clock = database_settings().lease_seconds, asyncio.get_running_loop().time
        told, told_at = so_far(known.values()), clock()
        while jobs := [job for job in known.values() if job.outcome is None]:
            await asyncio.sleep(min(seconds / 3, LIVE_SECONDS))
            said = so_far(known.values())
            if said != told and clock() - told_at >= TOLD_SECONDS and not sys.stderr.isatty():
                told, told_at = said, clock()
                progress.info("%s: %s", self.spider, told)
            try:
                kept, cancelled = await db.run(partial(self._report, jobs=jobs, seconds=seconds))
            except DatabaseAway:
                continue  # the claim is valid for another two thirds of its life
            for job in jobs:
                row = job.plan.job_id
                if row is not None and row not in kept and not job.is_closing:
                    failure = Interrupted("Its job was cancelled.") if row in cancelled else LeaseLost()
                    job.halt(failure)

    def _report(self, session: Session, jobs: Sequence[Job], seconds: float) -> tuple[set[int], set[int]]:
        """Return the rows that are still the claim's, and those that were cancelled."""
        for job in jobs:
            live = {**vars(job.counts), "step": redactor.hide(job.step) or None}
            session.execute(update(Run).where(Run.id == job.id, Run.finished_at.is_(None)).values(live))
        rows = [job.plan.job_id for job in jobs if job.plan.job_id is not None]
        if not rows:
            return set(), set()
        kept = claims.renew(session, self.claim, now(session), seconds)
        cancelled = select(ScraperJob.id).where(
            ScraperJob.id.in_(rows), ScraperJob.status == ScraperJobStatus.CANCELLED
        )
        return kept, set(session.scalars(cancelled)) if len(kept) < len(rows) else set()


def so_far(jobs: Iterable[Job]) -> str:
    """
    Return what a crawl has done so far, and what it is about.

    >>> so_far([])
    'begins'
    """
    known = list(jobs)
    if not known:
        return "begins"
    over = sum(job.outcome is not None for job in known)
    names = ("files", "records", "requests")
    counts = ", ".join(f"{sum(getattr(job.counts, name) for job in known)} {name}" for name in names)
    working = [job for job in known if job.outcome is None and job.step]
    about = f", {working[-1].label}: {redactor.hide(working[-1].step)[:SHOWN]}" if working else ""
    return f"{over} of {len(known)} jobs done, {counts}{about}"


def secret_of(session: Session, spider: str, credential: Credential | None) -> str | None:
    """Return the fingerprint of a credential's secret, by which a changed one is told; None without a credential."""
    if credential is None:
        return None
    return fingerprints(session, told(spider, credential.username, credential.secret))[0]
