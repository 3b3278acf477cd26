"""What a crawl works off: the plan of a job, the job in this crawl, and what it has counted, stored and met."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from database.notes import Notes
from scrapers.core.brake import Brake
from scrapers.core.outcomes import (
    Failure,
    LoginFailed,
    Outcome,
)
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
        """Remember a failure, once; the run ends with the worst."""
        if any(known is failure for known in self.failures):
            return
        self.failures.append(failure)
        progress.warning("%s %s: %s", self.spider, self.label, redactor.hide(str(failure)))

    def warn(self, text: str) -> None:
        """Remember something odd that does not fail the run."""
        self.warnings.append(text)
        logger.warning("%s %s: %s", self.spider, self.label, text)

    def missing(self) -> list[str]:
        """Return the keys that the portal lists and that are not stored."""
        return [key for key, needed in self.listed.items() if needed and key not in self.stored]

    @property
    def failure(self) -> Failure | None:
        """The failure that decides the outcome: the worst, among equals the first."""
        return max(self.failures, key=lambda f: f.outcome.exit_code, default=None)

    @property
    def may_store(self) -> bool:
        """Whether anything may still be stored for the job."""
        return not any(failure.forbids_storing for failure in self.failures)

    def failure_texts(self, failure: Failure | None) -> list[str]:
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
