"""Work: the jobs of this crawl and their runs; spider, middlewares, handler and pipelines reach them through it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from scrapy.exceptions import NotConfigured
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from database.engine import Database, DatabaseAway, database, now
from database.models import Note, Run, RunState
from database.models.base import utc_now
from database.notes import Notes
from database.processes import signature
from database.settings import database_settings
from database.upsert import upsert
from scrapers.core import monitor
from scrapers.core.jobs import Job, Plan
from scrapers.core.logs import ABOUT, register
from scrapers.core.outcomes import (
    SUCCESS,
    Actor,
    DatabaseAwayFailure,
    Failure,
    Incomplete,
    Interrupted,
    NoLongerAvailable,
    UnexpectedError,
)
from scrapers.core.places import Places
from scrapers.core.queued import QueuedJobs
from scrapers.core.redaction import install, redactor
from scrapers.core.requests import state_of
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import spool_name, sweep
from scrapers.core.visit import Deliveries

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


logger = logging.getLogger(__name__)
progress = logging.getLogger("latchkey.progress")

LAST_STEP = "compare what is stored with the portal's list"


class EvidenceKeeper(Protocol):
    """Writes the evidence bundle of a failed run."""

    def bundle(self, job: Job, failure: Failure) -> str | None:
        """Write the bundle and return its path."""


class Work:
    """The crawl's jobs and what they share. Made by PortalSpider.from_crawler, as `spider.work`."""

    def __init__(
        self,
        spider: str,
        portal: str,
        report_type: str,
        db: Database | None = None,
        *,
        time_zone: str = "UTC",
        morning: int = 6,
    ) -> None:
        self.spider = spider
        self.portal = portal
        self.report_type = report_type
        self.db = db or database()
        self.crawl = str(uuid.uuid4())
        self.queued = QueuedJobs(self.crawl, spider, time_zone, morning)
        self.jobs: dict[int, Job] = {}
        self.deliveries = Deliveries()
        self.places = Places(crawl_settings().browser_pages)
        self.evidence: EvidenceKeeper | None = None
        self.visible = False
        self.assisted = 0  # number of the request of an operator who finishes the sign-in in the control room; 0: none
        self.only_stored = False  # no sign-in: a session that has ended is the failure
        self.conclude: Callable[[Session, Job, Failure | None], None] | None = None
        self.recover: Callable[[Response, Failure], Awaitable[Request | None]] | None = None  # set by AuthMiddleware
        self.prompt: Callable[[str], str] | None = None  # asks the person at the terminal for a code; None without one
        install()
        self.spool = database_settings().data_dir / "spool" / spool_name(self.crawl)
        self._closing: dict[int, asyncio.Task[None]] = {}  # by job

    def open(self, plans: Iterable[Plan], claim: str | None = None) -> None:
        """
        Begin a run for every plan; first close runs and sweep spool folders of processes that have ended.

        claim: under which a worker holds the rows of the plans; a plan whose row another crawl has is left out.
        """
        sweep(self.spool.parent)  # part files and browser profiles of killed processes
        with self.db.transaction() as session:
            close_dead_runs(session)
            plans = self.queued.begin(session, list(plans), claim)
            runs = [self._run(plan) for plan in plans]
            session.add_all(runs)
            session.flush()
            notes = Notes(self.db)
            for run, plan in zip(runs, plans, strict=True):
                self.jobs[run.id] = Job(plan, run.id, self.spider, notes)
                register(self.jobs[run.id])
                if plan.credential:
                    redactor.add(plan.credential.password, plan.credential.totp_secret)

    def _run(self, plan: Plan) -> Run:
        return Run(
            crawl=self.crawl,
            spider=self.spider,
            portal=self.portal,
            report_type=self.report_type,
            job_id=plan.job_id,
            account_id=plan.account_id,
            billing_cycle_id=plan.billing_cycle_id,
            username=plan.credential.username if plan.credential else None,
            target=plan.label,
            host=socket.gethostname(),
            pid=os.getpid(),
            process=signature(),
        )

    async def in_new_session(self, response: Response, failure: Failure) -> Request | None:
        """Return the request to send again when its response is unknown because its session has ended, else None."""
        return await self.recover(response, failure) if self.recover is not None else None

    def stop(self) -> None:
        """Cancel the running operations of every job with Interrupted."""
        for job in self.jobs.values():
            job.brake.pull(Interrupted())

    @property
    def expects_more(self) -> bool:
        """Whether requests are under way, which may bring further items."""
        return any(job.tickets for job in self.jobs.values())

    def answered(self, job: Job, ticket: int) -> None:
        """Take a request's ticket back; after the last one, what waits for further items to be written with is written."""
        job.tickets.pop(ticket, None)
        if not job.tickets and not self.expects_more:
            self.db.hurry()

    def job_of(self, message: Request | Response) -> Job | None:
        """Return the job that a request or response belongs to; None for one that is not ours."""
        state = state_of(message)
        return None if state is None else self.jobs.get(state.job)

    @property
    def exit_code(self) -> int:
        """The exit code of the worst run; a run without an outcome counts as an unexpected error."""
        unknown = UnexpectedError.outcome.exit_code
        codes = [unknown if job.exit_code is None else job.exit_code for job in self.jobs.values()]
        return max(codes, default=0)

    def judge(self, job: Job, reason: str) -> Failure | None:
        """Return the failure of a job; None when everything that the portal lists for it is stored."""
        if job.plan.final and not job.failures:
            return NoLongerAvailable("An earlier run found that; -a again=yes asks the portal once more.")
        if job.failures or job.plan.done:
            return job.failure
        if reason == "shutdown":
            return Interrupted(step="crawl")
        if reason != "finished":
            return UnexpectedError(f"The crawl ended with {reason}.", step="crawl")
        if job.tickets:
            return Incomplete(f"{len(job.tickets)} requests never came back.", step=LAST_STEP)
        if not job.was_listed:
            return Incomplete("The portal's list was never read.", step=LAST_STEP)
        if missing := job.missing():
            shown = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
            return Incomplete(f"Missing: {shown}.", step=LAST_STEP)
        return None

    async def finish(self, job: Job, reason: str) -> None:
        """Close a job's run with outcome, counts and bundle. A run that is closed already is not changed."""
        await self.begin_to_finish(job, reason)

    def begin_to_finish(self, job: Job, reason: str) -> asyncio.Task[None]:
        """Return the task that closes a job's run, which is begun where none is under way."""
        task = self._closing.get(job.id)
        if task is None or (job.outcome is None and (task.done() or task.get_loop() is not asyncio.get_running_loop())):
            task = self._closing[job.id] = asyncio.ensure_future(self._finish(job, reason))
        return task

    async def _finish(self, job: Job, reason: str) -> None:
        job.is_closing = True
        failure = self.judge(job, reason)
        if failure is not None and self.evidence is not None and not job.plan.final:
            job.bundle = await asyncio.to_thread(self.evidence.bundle, job, failure)
        outcome = failure.outcome if failure else SUCCESS
        if failure is not None and not any(known is failure for known in job.failures):
            # Found at the end, as what is missing: nothing has told of it yet.
            told = redactor.hide(str(failure))
            progress.warning("%s %s: %s", self.spider, job.label, told, extra={ABOUT: job})
        job.message = redactor.hide(str(failure)) if failure else outcome.sentence
        job.errors = job.failure_texts(failure)
        values = {
            "state": RunState.FINISHED,
            "outcome": outcome.code,
            "actor": outcome.actor.value,
            "message": job.message,
            "step": redactor.hide(failure.step) if failure else None,
            "selector": redactor.hide(failure.selector) if failure else None,
            "proved_by": job.proved_by or None,
            "finished_at": utc_now(),
            "missing": len(job.missing()),
            "missing_names": [redactor.hide(name) for name in job.missing()],
            "warnings": [redactor.hide(text) for text in job.warnings],
            "bundle": job.bundle,
            **vars(job.counts),  # Run has a column for each
        }

        def close(session: Session) -> None:
            still = update(Run).where(Run.id == job.id, Run.state == RunState.RUNNING).values(values)
            if not session.connection().execute(still).rowcount:
                return
            self.queued.settle(session, job, outcome, failure)
            if not job.plan.final:
                note_final(session, job, failure)
                if self.conclude is not None:
                    self.conclude(session, job, failure)

        try:
            await self.db.run(close)
        except DatabaseAway as error:
            outcome, job.message = DatabaseAwayFailure.outcome, str(error)
            job.errors.append(job.message)
        job.outcome = outcome
        if outcome.actor is Actor.DEVELOPER:
            monitor.tell_outcome(job, outcome.code)
        counts = job.counts
        progress.info(
            "%s %s: %s (files %d, records %d, already %d, sign-ins %d, requests %d)",
            *(self.spider, job.label, outcome.code),
            *(counts.files, counts.records, counts.already, counts.sign_ins, counts.requests),
            extra={ABOUT: job},
        )


def find_work(crawler: Crawler) -> Work | None:
    """Return the Work of a crawl; None for a spider without jobs, such as a plain Scrapy spider."""
    work = getattr(crawler.spider, "work", None)
    return work if isinstance(work, Work) else None


def work_of(crawler: Crawler, staying_off: str = "This spider has no jobs.") -> Work:
    """Return the Work of a crawl; raise NotConfigured with the text *staying_off* for a spider without jobs."""
    if (work := find_work(crawler)) is None:
        raise NotConfigured(staying_off)
    return work


def note_final(session: Session, job: Job, failure: Failure | None) -> None:
    """Remember that the portal no longer offers a job's period, if that alone has failed; forget it when the run succeeded."""
    if not job.plan.period:
        return
    row = {"spider": job.spider, "target_key": job.key, "name": NoLongerAvailable.code}
    if failure is None:
        session.execute(delete(Note).filter_by(**row))
    elif all(isinstance(each, NoLongerAvailable) for each in job.failures or [failure]):
        values = {"value": job.plan.period, "created_at": now(session)}
        upsert(session, Note, [row | values], tuple(row))


def mark_final(session: Session, spider: str, plans: Iterable[Plan]) -> None:
    """Mark the plans whose period the portal no longer offers, as an earlier run has found."""
    of_spider = (Note.spider == spider, Note.name == NoLongerAvailable.code)
    final = set(session.scalars(select(Note.target_key).where(*of_spider)))
    for plan in plans:
        plan.final = bool(plan.period) and plan.key in final and not plan.done
        plan.done = plan.done or plan.final


def close_dead_runs(session: Session) -> int:
    """Close runs marked as running if their process on this machine has ended; return how many."""
    closed = 0
    for run in session.scalars(select(Run).where(Run.state == RunState.RUNNING)):
        if run.has_died:
            run.state, run.outcome, run.actor = RunState.FINISHED, "interrupted", "nobody"
            run.message, run.finished_at = Interrupted.outcome.sentence, utc_now()
            closed += 1
    return closed
