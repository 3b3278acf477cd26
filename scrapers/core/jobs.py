"""The jobs of a crawl: a job's plan, its counts, its stored keys, failures and warnings."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from database.notes import Notes
from scrapers.core.brake import Brake
from scrapers.core.logs import ABOUT
from scrapers.core.outcomes import DatabaseAwayFailure, Failure, LoginFailed, Outcome, UnexpectedError
from scrapers.core.redaction import redactor

if TYPE_CHECKING:
    from pydantic import BaseModel

    from database.access.credentials import Credential

logger = logging.getLogger(__name__)
progress = logging.getLogger("latchkey.progress")

LAST_STEP = "compare what is stored with the portal's list"


class ArgumentError(Exception):
    """An argument of the crawl is wrong. The text is one sentence that names it."""


@dataclass
class Counts:
    """Counters of a job. `requests` counts HTTP requests, those of browser pages and sign-ins included."""

    files: int = 0
    records: int = 0
    already: int = 0
    sign_ins: int = 0
    requests: int = 0
    downloads: int = 0


@dataclass
class Plan:
    """A job as requested by the arguments or the job table, before its run begins."""

    target: BaseModel
    key: str  # what is fetched, the same in every run: account/period, tenant, contract …
    label: str  # the same for people
    credential: Credential | None
    account_id: int | None = None
    billing_cycle_id: int | None = None
    job_id: int | None = None  # of its row in scraper_jobs
    identity: str = ""  # spider, target and period, in the words of scraper_jobs
    already: frozenset[str] = frozenset()  # what is stored from earlier runs
    done: bool = False  # everything is stored: no request is sent
    store: str = ""  # where its files go: a target of LATCHKEY_FILES_LOCAL, _NAS or _S3; empty: LATCHKEY_FILES
    period: str = ""  # the one that the key names; once the portal no longer offers it, the job is final. Empty: none
    final: bool = False  # an earlier run found that the portal no longer offers the period: no request is sent


class Job:
    """One job of this crawl and the state of its run."""

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
        self.fences: dict[str, str] = {}  # lease: holder; nothing is written once another holder has one of them
        self.recoveries: dict[str, int] = {}  # how often each kind of failure was recovered from
        self.tickets: dict[int, str] = {}  # URLs of requests without a response yet
        self.brake = Brake()  # `async with job.brake():` around long operations
        self.proved_by = ""  # by what its session was proved to be the credential's: a column of the run
        self.step = ""  # the one that was begun last
        self.halted = False
        self.has_begun = False  # its first requests are all on their way
        self.items = 0  # that are on their way to be stored
        self.is_closing = False  # its run is being closed, or is
        self.outcome: Outcome | None = None
        self.message = ""
        self.bundle: str | None = None
        self.result: dict[str, Any] = {}  # counts of the family, returned to the caller of the run
        self.errors: list[str] = []  # texts of the failures, set when the run is closed
        self._notes = notes
        self._next_ticket = 0

    def fail(self, failure: Failure) -> None:
        """Remember a failure, once; the run ends with the worst."""
        # What the brake raises is a copy of the failure that it was pulled with.
        if any(known is failure for known in self.failures) or (self.halted and self.was_told(failure)):
            return
        self.failures.append(failure)
        progress.warning("%s %s: %s", self.spider, self.label, redactor.hide(str(failure)), extra={ABOUT: self})

    def halt(self, failure: Failure) -> None:
        """Remember a failure that all further items would meet: nothing more is fetched or stored for the job."""
        self.fail(failure)
        self.halted = True
        self.brake.pull(failure)

    def was_told(self, failure: Failure) -> bool:
        """Return whether a failure of the whole storage, none of a single file, was recorded in the same words before."""
        if not isinstance(failure, (DatabaseAwayFailure, UnexpectedError)):
            return False
        return any(type(known) is type(failure) and known.detail == failure.detail for known in self.failures)

    def warn(self, text: str) -> None:
        """Record a warning, which does not fail the run."""
        self.warnings.append(text)
        logger.warning("%s %s: %s", self.spider, self.label, text, extra={ABOUT: self})

    def missing(self) -> list[str]:
        """Return the keys that the portal lists and that are not stored."""
        return [key for key, needed in self.listed.items() if needed and key not in self.stored]

    @property
    def failure(self) -> Failure | None:
        """The failure that decides the outcome: the worst, among equals the first."""
        return max(self.failures, key=lambda f: f.outcome.exit_code, default=None)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the outcome, 0 for a job that is final already; None while it runs."""
        if self.outcome is None:
            return None
        return 0 if self.plan.final else self.outcome.exit_code

    @property
    def may_store(self) -> bool:
        """Whether anything may still be stored for the job."""
        return not self.halted and not any(failure.forbids_storing for failure in self.failures)

    def failure_texts(self, failure: Failure | None) -> list[str]:
        """Return the texts of the job's failures in order, secrets masked; *failure* is used where none was recorded."""
        failures = self.failures or ([failure] if failure else [])
        return [
            # For one of many vehicles or files the detail is enough; a failed sign-in is shown with what to do about it.
            redactor.hide(f"{each.outcome.code}: {each if isinstance(each, LoginFailed) else each.detail or each}")
            for each in failures
        ]

    def ticket(self, url: str) -> int:
        """Register a request that must get a response; return its number."""
        self._next_ticket += 1
        self.tickets[self._next_ticket] = url
        return self._next_ticket

    async def remember(self, name: str, value: Any) -> None:
        """Store a note in the database, so that it survives a kill; call it before the click that it is about."""
        await asyncio.to_thread(self._notes.remember, self.spider, self.key, name, value)

    async def recall(self, name: str) -> Any:
        """Return a note of this run or an earlier one; None when there is none."""
        return await asyncio.to_thread(self._notes.recall, self.spider, self.key, name)

    async def forget(self, name: str) -> None:
        """Delete a note."""
        await asyncio.to_thread(self._notes.forget, self.spider, self.key, name)
