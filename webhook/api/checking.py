"""Checking one item at once: a job like any other, whose end is waited for a while."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.engine import Database, now
from database.families.prices import CheckFailure, record_check
from database.jobs.queue import NewJob, add, open_with
from database.models.jobs import OPEN, ScraperJob, Worker
from database.models.prices import PriceCheckRun, WatchlistItem
from jobs.presence import EVERY

logger = logging.getLogger(__name__)
REPORT_TYPE = "prices"
PRIORITY = 10  # somebody waits for it
LOOK = 0.25  # seconds between two looks at a job
WAITERS = 4  # requests that wait at once: the others are answered with 202, so that threads stay free


@dataclass(frozen=True, slots=True)
class Check:
    """A check that was asked for. run: what came of it, None while it has not ended."""

    job_id: int
    run: PriceCheckRun | None


Plan = Callable[[Session, WatchlistItem], Sequence[NewJob]]


def one_job(session: Session, item: WatchlistItem) -> list[NewJob]:
    """Return the job that checks an item."""
    arguments = {"item": str(item.id)}
    identity = f"{item.portal}_{REPORT_TYPE} {item.id}"
    label = item.label or item.title or item.product_key
    return [NewJob(item.portal, REPORT_TYPE, identity, label[:300], target=dict(arguments), arguments=arguments)]


class Checker:
    """Makes jobs that check items, sees to it that somebody works them off, and waits for their end."""

    def __init__(self, db: Database, seconds: float, plan: Plan = one_job, start: Callable[[str], None] | None = None):
        self.db, self.seconds, self._plan = db, seconds, plan
        self._start = start or Crawls()
        self._waiting = threading.BoundedSemaphore(WAITERS)

    def check(self, item_id: int) -> Check:
        """Make the job of an item, or take the one that is open, and wait for its end."""
        with self.db.transaction() as session:
            item = session.get_one(WatchlistItem, item_id)
            portal = item.portal
            (new,) = self._plan(session, item)
            at = now(session)
            (job_id,) = add(session, [new], at, available_at=at, priority=PRIORITY)
            if job_id is None:
                there = open_with(session, new.identity)
                assert there is not None  # its identity has kept the new one out
                job_id = there.id
        if not self._waiting.acquire(blocking=False):
            self._see_to(portal)
            return self.result(item_id, job_id)
        try:
            deadline, look = time.monotonic() + self.seconds, threading.Event()
            while True:
                found = self.result(item_id, job_id)
                if found.run is not None or time.monotonic() >= deadline:
                    return found
                self._see_to(portal)
                look.wait(LOOK)
        finally:
            self._waiting.release()

    def result(self, item_id: int, job_id: int) -> Check:
        """
        Return what came of a job; a job that has ended without a check of the item is a failed one.

        Raises LookupError when the job checks another item.
        """
        with self.db.transaction() as session:
            job = session.get(ScraperJob, job_id)
            item = session.get_one(WatchlistItem, item_id)
            if job is None or (job.arguments or {}).get("item") != str(item_id):
                raise LookupError("There is no such check.")
            since = job.created_at
            made = select(PriceCheckRun).where(
                PriceCheckRun.watchlist_item_id == item.id, PriceCheckRun.created_at >= since
            )
            run = session.scalars(made.order_by(PriceCheckRun.id).limit(1)).one_or_none()
            if run is None and job.status not in OPEN:
                failure = CheckFailure(job.outcome or "unexpected_error", job.message or "The check did not run.")
                (run,) = record_check(session, [item_id], failure)
            return Check(job_id, run)

    def _see_to(self, portal: str) -> None:
        """Start a crawl where no worker would take the job."""
        with self.db.transaction() as session:
            heard = now(session) - timedelta(seconds=3 * EVERY)
            at_work = select(Worker.portals).where(Worker.state == "working", Worker.seen_at >= heard)
            if any(portals is None or portal in portals for portals in session.scalars(at_work)):
                return
        self._start(portal)


class Crawls:
    """Children that work off the jobs of a portal, one at a time for each."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._turn = threading.Lock()

    def __call__(self, portal: str) -> None:
        """Start a child for a portal unless one runs; it ends by itself when nothing is due."""
        with self._turn:
            running = self._running.get(portal)
            if running is not None and running.poll() is None:
                return
            command = [sys.executable, "-m", "scrapy", "jobs", "run", "--portals", portal]
            try:
                self._running[portal] = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            except OSError as error:
                logger.error("A check could not be started: %s", error.strerror)
