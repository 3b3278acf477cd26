"""That a worker is there: its row in the database, and its health file."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from database.engine import Database
from database.models.jobs import Worker
from database.settings import database_settings
from jobs.clock import Clock
from jobs.settings import WorkerSettings
from scrapers.core.whole import write_whole

EVERY = 10.0  # seconds between two reports; `jobs.overview` calls one silent after three of them
FORGOTTEN = timedelta(days=1)  # rows of workers that were killed


class Presence:
    """What a worker reports of itself."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        name: str,
        slots: int,
        portals: Collection[str] | None,
        sends: Callable[[Session], Iterable[str]] = lambda session: (),
    ) -> None:
        """sends: gives the channels of alerts that the worker has settings for."""
        self.db, self.clock, self.name, self.slots, self.sends = db, clock, name, slots, sends
        self.portals = sorted(portals) if portals is not None else None
        self.started = clock.now()
        self.done = 0  # crawls
        given = WorkerSettings.current().worker_health
        self.path = given or database_settings().data_dir / f"worker-{socket.gethostname()}-{os.getpid()}.json"
        self._next = 0.0
        self._state = ""

    def report(self, crawls: Sequence[Any], state: str) -> None:
        """Write the row and the file, not oftener than `EVERY` seconds unless the state has changed. Raises DatabaseAway."""
        elapsed = self.clock.elapsed()
        if elapsed < self._next and state == self._state:
            return
        self._next, self._state = elapsed + EVERY, state
        self._write_file(crawls, state)
        with self.db.transaction() as session:
            at = self.clock.now(session)
            row = session.get(Worker, self.name) or self._row(session)
            row.seen_at, row.state, row.done = at, state, self.done
            session.execute(delete(Worker).where(Worker.seen_at < at - FORGOTTEN))

    def leave(self) -> None:
        """Remove the row and the file. Raises DatabaseAway."""
        self.path.unlink(missing_ok=True)
        with self.db.transaction() as session:
            session.execute(delete(Worker).where(Worker.name == self.name))

    def _row(self, session: Session) -> Worker:
        row = Worker(
            name=self.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            slots=self.slots,
            portals=self.portals,
            started_at=self.started,
            sends=sorted(self.sends(session)),
        )
        session.add(row)
        return row

    def _write_file(self, crawls: Sequence[Any], state: str) -> None:
        told: dict[str, Any] = {
            "worker": self.name,
            "state": state,
            "at": self.clock.now().isoformat(timespec="seconds"),
            "slots": self.slots,
            "done": self.done,
            "crawls": [{"spider": each.claim.spider, "jobs": each.claim.jobs, "pid": each.pid} for each in crawls],
        }
        write_whole(self.path, json.dumps(told) + "\n")
