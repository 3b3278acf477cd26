"""What sends messages beside the work of a process: in a thread of its own, so that a slow server holds up nothing else."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import ClassVar

from sqlalchemy.orm import Session

from database.access.encryption import UnreadableSecret
from database.engine import Database, DatabaseAway
from jobs.clock import Clock
from jobs.events import Events

PATIENCE = 30.0  # seconds that a message which is being sent gets when its process ends


class Sender(ABC):
    """Sends what is due. Any number of processes may do that on a database."""

    word: ClassVar[str]  # what it sends, for events

    def __init__(self, db: Database, clock: Clock, events: Events) -> None:
        self.db, self.clock, self.events = db, clock, events
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @abstractmethod
    def send(self) -> int:
        """Send what is due and return how many messages were sent. Raises DatabaseAway."""

    @abstractmethod
    def is_any_due(self, session: Session) -> bool:
        """Tell whether a message is to be sent now."""

    def begin(self) -> None:
        """Send what is due in a thread, unless one does that already."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self.db.transaction() as session:
            if not self.is_any_due(session):
                return
        self._thread = threading.Thread(target=self._send, name=self.word, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for the thread, and send what has become due since."""
        if self._thread is not None:
            self._thread.join()
        self.send()

    def close(self) -> None:
        """Send nothing more, and wait for the message that is being sent."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _send(self) -> None:
        try:
            self.send()
        except (DatabaseAway, UnreadableSecret) as error:
            self.events.tell(f"{self.word}_wait", f"{self.word} wait: {error}")  # the next tick begins anew
