"""What one of the workers of a database does once a day, beside its crawls: at present the retention, where it is set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from uuid import uuid4

from database.access.leases import Leases, holder
from database.engine import Database, DatabaseAway
from jobs.clock import Clock
from jobs.events import Events
from scrapers.core.outcomes import Failure

LEASE = "daily:housekeeping"
LIFE = 23.5 * 3600  # seconds for which it counts as done, for all workers
LOOK_EVERY = 600.0  # seconds
PATIENCE = 10.0  # seconds that a worker which ends waits for it; what is left is done by the next one


class Housekeeping:
    """Does *work* once a day in a thread, in one worker of many. work: returns one sentence for each thing done."""

    def __init__(self, db: Database, clock: Clock, events: Events, work: Callable[[], Iterable[str]] | None) -> None:
        self.db, self.clock, self.events, self.work = db, clock, events, work
        self._thread: threading.Thread | None = None
        self._next = 0.0

    def begin(self) -> None:
        """Begin unless it was done within a day, by any worker, or is not set. Raises DatabaseAway."""
        elapsed = self.clock.elapsed()
        if self.work is None or elapsed < self._next or (self._thread is not None and self._thread.is_alive()):
            return
        self._next = elapsed + LOOK_EVERY
        mine = holder(f"housekeeping-{uuid4().hex}")
        if Leases(self.db).acquire(LEASE, mine, LIFE) is None:
            return
        self._thread = threading.Thread(target=self._do, args=(self.work, mine), name="housekeeping", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait a moment for what has begun."""
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _do(self, work: Callable[[], Iterable[str]], mine: str) -> None:
        try:
            for sentence in work():
                self.events.tell("housekeeping", sentence)
        except (DatabaseAway, Failure) as error:
            self.events.tell("housekeeping_failed", f"daily housekeeping: {error}")
            try:
                Leases(self.db).release(LEASE, mine)  # another try in ten minutes
            except DatabaseAway:
                return  # as long as it is held by this process, the others leave it; it ends with the process
