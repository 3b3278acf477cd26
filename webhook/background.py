"""What the service does beside its requests: expired texts are deleted, and the engine follows the schedules."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.exc import SQLAlchemyError

from database.access.codes import purge_expired
from database.access.users import purge_sign_ins
from database.engine import Database, DatabaseAway
from database.families.telegram.logins import sweep
from jobs.clock import Clock
from jobs.engines.chosen import chosen_engine
from jobs.engines.embedded import Engine, EngineAway

logger = logging.getLogger(__name__)
PURGE_EVERY = 10.0  # seconds; an expired text stays at most that much longer
FOLLOW_EVERY = 10.0  # seconds between two looks whether the engine has to be told of schedules again


class Turn:
    """
    Which of several processes does something: the one that holds the lock of a file, until it ends.

    path: of the file; None: there is one process, and it does.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._held: BinaryIO | None = None

    def is_ours(self) -> bool:
        """Tell whether it is this process; take the lock where no other one has it."""
        if self._path is None or self._held is not None:
            return True
        import fcntl  # of systems on which there are several processes

        file = self._path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held = file
        return True


class Background:
    """
    The threads of this process. Raises EngineAway or SettingsError when the engine is not what the settings say.

    life: seconds that a message is kept. folder: in which the processes of a service agree on one that does the work; None: it
    has one process.
    """

    def __init__(self, db: Database, life: float, folder: Path | None = None) -> None:
        self.db, self.life = db, life
        self._engine = chosen_engine(db, Clock())
        self._stop = threading.Event()
        works = {"purge": self._purge_until} | ({"follow": self._follow_until} if self._engine.mirrors else {})
        self._threads = [
            threading.Thread(target=work, args=(Turn(folder / word if folder else None),), name=word)
            for word, work in works.items()
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End what was begun, after what is under way."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _purge_until(self, turn: Turn) -> None:
        while not self._stop.wait(min(PURGE_EVERY, self.life)):
            if not turn.is_ours():
                continue
            try:
                purge(self.db, self.life)
            except (DatabaseAway, SQLAlchemyError) as error:  # the next round may go better
                logger.warning("Expired messages were not deleted: %s", error)

    def _follow_until(self, turn: Turn) -> None:
        """Let what starts the crawls follow the schedules, where it was away when they changed."""
        while not self._stop.wait(FOLLOW_EVERY):
            if not turn.is_ours():
                continue
            try:
                if catch_up(self._engine):
                    logger.info("The engine follows the schedules again")
            except (DatabaseAway, EngineAway, SQLAlchemyError) as error:
                logger.warning("The engine does not follow the schedules yet: %s", error)


def purge(db: Database, life: float) -> None:
    """Delete the texts of messages older than *life* seconds, and what has ended of users' sign-ins and logins."""
    with db.transaction() as session:
        gone = purge_expired(session, life)
        ended = purge_sign_ins(session) + sweep(session)
    if gone:
        logger.info("Deleted %d expired messages", gone)
    if ended:
        logger.info("Deleted %d codes, sign-ins and counters that have ended", ended)


def catch_up(engine: Engine) -> bool:
    """Let an engine follow that has not yet; return whether there was something to do. Raises EngineAway."""
    with engine.db.transaction() as session:
        behind = engine.behind(session)
    if behind is not None:
        engine.follow()
    return behind is not None
