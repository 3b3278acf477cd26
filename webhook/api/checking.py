"""Checking one item at once: a job like any other, whose end is waited for a while."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.engine import Database, now
from database.families.prices import CheckFailure, record_check
from database.jobs.queue import NewJob, add, open_with, release
from database.models import Run
from database.models.jobs import OPEN, ScraperJob, ScraperJobStatus, Worker
from database.models.prices import AlertResult, PriceCheckRun, WatchlistItem
from jobs.presence import EVERY
from scrapers.families.prices.addresses import short

logger = logging.getLogger(__name__)
REPORT_TYPE = "prices"
PRIORITY = 10  # somebody waits for it
LOOK = 0.25  # seconds between two looks at a job
ALERT_WAIT = 5.0  # seconds that an answer waits for what becomes of its alert: the price checker's says that too
WAITERS = 4  # requests that wait at once: the others are answered with 202, so that threads stay free


@dataclass(frozen=True, slots=True)
class Check:
    """A check that was asked for. run: what came of it, None while it has not ended."""

    job_id: int
    run: PriceCheckRun | None


def one_job(item: WatchlistItem) -> NewJob:
    """Return the job that checks an item's product in its country, with the identity that its spider gives it."""
    country = f" {item.country}" if item.country else ""
    target = {
        "url": item.product_url,
        "product": item.product_key,
        "country": item.country,
        "selectors": {item.selector or "": [item.id]},
    }
    return NewJob(
        item.portal,
        REPORT_TYPE,
        identity=f"{item.portal}_{REPORT_TYPE} {short(item.product_key, 250)}{country}",
        label=f"{item.product_key[:250]}{country}",
        target=target,
    )


class Checker:
    """Makes jobs that check items, sees to it that somebody works them off, and waits for their end."""

    def __init__(
        self,
        db: Database,
        seconds: float,
        start: Callable[[str], None] | None = None,
        alert_seconds: float = ALERT_WAIT,
    ) -> None:
        self.db, self.seconds, self.alert_seconds = db, seconds, alert_seconds
        self._start = start or Crawls()
        self.places = threading.BoundedSemaphore(WAITERS)

    def check(self, item_id: int, seconds: float | None = None) -> Check:
        """
        Make the job of an item, or take the one that is open, and wait for its end, then a while for its alert's.

        seconds: to wait, other than usual.
        """
        with self.db.transaction() as session:
            item = session.get_one(WatchlistItem, item_id)
            portal, new, at = item.portal, one_job(item), now(session)
            (job_id,) = add(session, [new], at, available_at=at, priority=PRIORITY)
            if job_id is None:
                there = open_with(session, new.identity)
                assert there is not None  # its identity has kept the new one out
                job_id = there.id
                if there.status == ScraperJobStatus.PENDING:
                    release(there, at)
                    there.priority = max(there.priority, PRIORITY)
        if not self.places.acquire(blocking=False):
            self.see_to(portal)
            return Check(job_id, None)
        try:
            seconds = self.seconds if seconds is None else seconds
            deadline, look, is_done = time.monotonic() + seconds, threading.Event(), False
            while True:
                found = self.result(item_id, job_id, at)
                if found.run is not None and not is_done:
                    is_done, deadline = True, min(deadline, time.monotonic() + self.alert_seconds)
                if found.run is not None and found.run.alert_result is not AlertResult.PENDING:
                    return found
                if not is_done:
                    self.see_to(portal)
                if time.monotonic() >= deadline:
                    return found
                look.wait(LOOK)
        finally:
            self.places.release()

    def result(self, item_id: int, job_id: int, since: datetime | None = None) -> Check:
        """
        Return what came of a job for an item; a job that has ended without a check of it is a failed one.

        since: checks before are not looked at. Raises LookupError when the job is not about the item.
        """
        with self.db.transaction() as session:
            job, item = session.get(ScraperJob, job_id), session.get_one(WatchlistItem, item_id)
            target = (job.target if job is not None else None) or {}
            about = (target.get("product"), target.get("country"))
            if job is None or job.portal != item.portal or about != (item.product_key, item.country):
                raise LookupError("There is no such check.")
            of_job = select(PriceCheckRun).join(Run, Run.id == PriceCheckRun.run_id).where(Run.job_id == job_id)
            if since is not None:
                of_job = of_job.where(PriceCheckRun.created_at >= since)
            newest = of_job.where(PriceCheckRun.watchlist_item_id == item_id).order_by(PriceCheckRun.id.desc())
            run = session.scalars(newest.limit(1)).one_or_none()
            if run is None and job.status not in OPEN:
                run = self._without_result(session, job, item_id)
            return Check(job_id, run)

    @staticmethod
    def _without_result(session: Session, job: ScraperJob, item_id: int) -> PriceCheckRun | None:
        """Return the failed check that stands for a job which has ended without one; None where the item is gone."""
        since = job.completed_at or job.created_at
        noted = select(PriceCheckRun).where(
            PriceCheckRun.watchlist_item_id == item_id,
            PriceCheckRun.created_at >= since,
            PriceCheckRun.run_id.is_(None),
        )
        found = session.scalars(noted.order_by(PriceCheckRun.id).limit(1)).one_or_none()
        if found is not None:
            return found
        failure = CheckFailure(job.outcome or "unexpected_error", job.message or "The check did not run.")
        return next(iter(record_check(session, [item_id], failure)), None)

    def see_to(self, portal: str) -> None:
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

    def close(self) -> None:
        """Wait for the children; each ends by itself."""
        for running in self._running.values():
            running.wait()
