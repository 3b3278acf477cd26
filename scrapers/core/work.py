"""Work: the jobs of this crawl, their runs and counters; the one way by which the components reach them."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from scrapy.exceptions import NotConfigured
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database.engine import Database, DatabaseAway, database
from database.models import Run, RunState
from database.models.base import utc_now
from database.notes import Notes
from database.processes import signature
from database.settings import database_settings
from scrapers.core.brake import Brake
from scrapers.core.outcomes import (
    SUCCESS,
    DatabaseLost,
    Failure,
    Incomplete,
    Interrupted,
    LoginFailed,
    Outcome,
    UnexpectedError,
)
from scrapers.core.redaction import install, redactor
from scrapers.core.spool import spool_name, sweep

if TYPE_CHECKING:
    from pydantic import BaseModel
    from scrapy.crawler import Crawler

    from scrapers.logins.credentials import Credential

logger = logging.getLogger(__name__)
progress = logging.getLogger("latchkey.progress")

LAST_STEP = "compare what is stored with the portal's list"


class ArgumentError(Exception):
    """An argument of the crawl is wrong. The text is one sentence that names it."""


@dataclass
class Counts:
    """What a job did. `requests` counts HTTP requests of ours and of its browser pages, sign-ins included."""

    files: int = 0
    records: int = 0
    already: int = 0
    sign_ins: int = 0
    requests: int = 0
    downloads: int = 0


@dataclass
class Plan:
    """A job as the arguments or the job table ask for it, before its run begins."""

    target: BaseModel
    key: str  # what is fetched, the same in every run: account/period, tenant, contract …
    label: str  # the same for people
    credential: Credential | None
    account_id: int | None = None
    billing_cycle_id: int | None = None
    job_id: int | None = None
    already: frozenset[str] = frozenset()  # what is stored from earlier runs
    done: bool = False  # all of it is: the portal is not visited


class EvidenceKeeper(Protocol):
    """Who makes the bundle of a failed run."""

    def bundle(self, job: Job, failure: Failure) -> str | None:
        """Write the bundle and return its path."""


class Job:
    """One thing to bring home in this crawl, and everything that is known of its run."""

    def __init__(self, plan: Plan, run_id: int, spider: str, notes: Notes) -> None:
        self.id = run_id  # the run's id is what requests and items carry
        self.plan = plan
        self.target: Any = plan.target
        self.key = plan.key
        self.label = plan.label
        self.credential = plan.credential
        self.spider = spider
        self.counts = Counts(already=len(plan.already))
        self.listed: dict[str, bool] = {}  # key: must it be stored?
        self.stored: set[str] = set(plan.already)
        self.was_listed = False  # the portal's list was read, even if it is empty
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.fences: dict[str, str] = {}  # lease: holder; nothing is written once one of them is somebody else's
        self.recoveries: dict[str, int] = {}  # how often each kind of failure was recovered from
        self.tickets: dict[int, str] = {}  # requests that are still to come back
        self.brake = Brake()  # `async with job.brake():` around what may take long
        self.outcome: Outcome | None = None
        self.message = ""
        self.bundle: str | None = None
        self.result: dict[str, Any] = {}  # what the family counts, for who asked for the run
        self.errors: list[str] = []  # what went wrong, once the run is closed
        self._notes = notes
        self._next_ticket = 0

    def fail(self, failure: Failure) -> None:
        """Remember a failure; the run ends with the worst."""
        self.failures.append(failure)
        progress.warning("%s %s: %s", self.spider, self.label, redactor.hide(str(failure)))

    def warn(self, text: str) -> None:
        """Remember something odd that does not fail the run."""
        self.warnings.append(text)
        logger.warning("%s %s: %s", self.spider, self.label, text)

    @property
    def failure(self) -> Failure | None:
        """The failure that decides the outcome: the worst, among equals the first."""
        return max(self.failures, key=lambda f: f.outcome.exit_code, default=None)

    def told(self, failure: Failure | None) -> list[str]:
        """Return everything that went wrong, in the order in which it did, without secrets; *failure*: why it failed."""
        failures = self.failures or ([failure] if failure else [])
        return [
            # Of many vehicles or files that failed alike the detail is enough; a sign-in fails once, and somebody must act.
            redactor.hide(f"{each.outcome.code}: {each if isinstance(each, LoginFailed) else each.detail or each}")
            for each in failures
        ]

    def ticket(self, url: str) -> int:
        """Register a request that must come back."""
        self._next_ticket += 1
        self.tickets[self._next_ticket] = url
        return self._next_ticket

    async def remember(self, name: str, value: Any) -> None:
        """Write down what must survive a kill, before the click that makes it true."""
        await asyncio.to_thread(self._notes.remember, self.spider, self.key, name, value)

    async def recall(self, name: str) -> Any:
        """Return what was remembered, by this run or an earlier one; None when nothing was."""
        return await asyncio.to_thread(self._notes.recall, self.spider, self.key, name)

    async def forget(self, name: str) -> None:
        """Drop a note."""
        await asyncio.to_thread(self._notes.forget, self.spider, self.key, name)


class Work:
    """The crawl's jobs. Made by PortalSpider.from_crawler; hangs at `spider.work`."""

    def __init__(self, spider: str, portal: str, report_type: str, db: Database | None = None) -> None:
        self.spider = spider
        self.portal = portal
        self.report_type = report_type
        self.db = db or database()
        self.crawl = str(uuid.uuid4())
        self.jobs: dict[int, Job] = {}
        self.evidence: EvidenceKeeper | None = None
        self.visible = False
        self.conclude: Callable[[Session, Job, Failure | None], None] | None = None
        self.prompt: Callable[[str], str] | None = None  # how a person at the prompt is asked for a code
        install()
        self.spool = database_settings().data_dir / "spool" / spool_name(self.crawl)

    def open(self, plans: Iterable[Plan]) -> None:
        """Begin a run for every plan; runs of dead processes for the same targets are closed on the way."""
        plans = list(plans)
        sweep(self.spool.parent)  # what killed processes left: part files, browser profiles
        with self.db.transaction() as session:
            close_dead_runs(session)
            runs = [self._run(plan) for plan in plans]
            session.add_all(runs)
            session.flush()
            notes = Notes(self.db)
            for run, plan in zip(runs, plans, strict=True):
                self.jobs[run.id] = Job(plan, run.id, self.spider, notes)
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

    def stop(self) -> None:
        """End what runs in every job: the crawl was asked to stop."""
        for job in self.jobs.values():
            job.brake.pull(Interrupted())

    def job(self, meta: dict[str, Any]) -> Job | None:
        """Return the job that a request's meta names."""
        return self.jobs.get(meta.get("job", 0))

    @property
    def exit_code(self) -> int:
        """The worst of the runs; a run without an outcome is an unexpected error."""
        codes = [
            job.outcome.exit_code if job.outcome else UnexpectedError.outcome.exit_code for job in self.jobs.values()
        ]
        return max(codes, default=0)

    def judge(self, job: Job, reason: str) -> Failure | None:
        """Return why a job did not succeed; None when everything that its portal shows is stored."""
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
        if missing := self.missing(job):
            shown = ", ".join(missing[:10]) + (f" and {len(missing) - 10} more" if len(missing) > 10 else "")
            return Incomplete(f"Missing: {shown}.", step=LAST_STEP)
        return None

    def missing(self, job: Job) -> list[str]:
        """Return what the portal lists and nobody stored."""
        return sorted(key for key, needed in job.listed.items() if needed and key not in job.stored)

    async def finish(self, job: Job, reason: str) -> None:
        """Close a job's run: outcome, counts, bundle. Looks at rowcount, so that a closed run stays as it was."""
        if job.outcome is not None:
            return
        failure = self.judge(job, reason)
        if failure is not None and self.evidence is not None:
            job.bundle = await asyncio.to_thread(self.evidence.bundle, job, failure)
        outcome = failure.outcome if failure else SUCCESS
        job.message = redactor.hide(str(failure)) if failure else outcome.sentence
        job.errors = job.told(failure)
        values = {
            "state": RunState.FINISHED,
            "outcome": outcome.code,
            "actor": outcome.actor.value,
            "message": job.message,
            "step": redactor.hide(failure.step) if failure else None,
            "selector": redactor.hide(failure.selector) if failure else None,
            "finished_at": utc_now(),
            "missing": len(self.missing(job)),
            "missing_names": [redactor.hide(name) for name in self.missing(job)],
            "warnings": [redactor.hide(text) for text in job.warnings],
            "bundle": job.bundle,
            **vars(job.counts),  # Run has a column for each
        }

        def close(session: Session) -> None:
            still = update(Run).where(Run.id == job.id, Run.state == RunState.RUNNING).values(values)
            if session.connection().execute(still).rowcount and self.conclude is not None:
                self.conclude(session, job, failure)

        try:
            await self.db.run(close)
        except DatabaseAway as error:
            outcome, job.message = DatabaseLost.outcome, str(error)
            job.errors.append(job.message)
        job.outcome = outcome
        counts = job.counts
        progress.info(
            "%s %s: %s (files %d, records %d, already %d, sign-ins %d, requests %d)",
            *(self.spider, job.label, outcome.code),
            *(counts.files, counts.records, counts.already, counts.sign_ins, counts.requests),
        )


def work_of(crawler: Crawler, staying_off: str) -> Work:
    """Return the work of a crawl; raise NotConfigured, with what *staying_off* means, for a spider without jobs."""
    work = getattr(crawler.spider, "work", None)
    if not isinstance(work, Work):
        raise NotConfigured(staying_off)
    return work


def close_dead_runs(session: Session) -> int:
    """Close runs that say they are running while their process on this machine is gone; return how many."""
    closed = 0
    for run in session.scalars(select(Run).where(Run.state == RunState.RUNNING)):
        if run.has_died:
            run.state, run.outcome, run.actor = RunState.FINISHED, "interrupted", "nobody"
            run.message, run.finished_at = Interrupted.outcome.sentence, utc_now()
            closed += 1
    return closed
