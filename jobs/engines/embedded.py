"""The engine that needs nothing but the database, and the base of the others: rows are the queue, workers ask for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.engine import Database
from database.jobs import queue, schedules
from database.models import Note
from database.models.audit import record
from database.models.jobs import Schedule
from database.notes import Notes, write
from jobs.clock import Clock
from jobs.overview import overview
from jobs.tick import resume

ENGINE, BEHIND = "engine", "behind"  # of the note that an engine has not followed our schedules


class UnknownSchedule(LookupError):
    """There is no schedule of that name. The text is one sentence."""


class EngineAway(OSError):
    """What starts the crawls does not answer, or refuses: our tables are changed all the same. The text is one sentence."""


class Engine:
    """What can be asked of every engine. Each method is one short transaction and raises DatabaseAway."""

    name: ClassVar[str] = "embedded"
    mirrors: ClassVar[bool] = False  # it keeps schedules of its own, which follow ours

    def __init__(self, db: Database, clock: Clock) -> None:
        self.db, self.clock = db, clock

    def upsert_schedule(self, name: str, fields: Mapping[str, Any]) -> str:
        """Add or change a schedule; return `added`, `changed` or `unchanged`."""
        with self.db.transaction() as session:
            return schedules.put(session, name, fields, self.clock.now(session))

    def pause(self, name: str) -> None:
        """Make nothing due until it is resumed. Raises UnknownSchedule."""
        with self.db.transaction() as session:
            _named(session, name).paused = True

    def resume(self, name: str) -> None:
        """Go on with the due times from now on. Raises UnknownSchedule."""
        with self.db.transaction() as session:
            resume(session, _named(session, name), self.clock.now(session))

    def delete(self, name: str) -> None:
        """Remove a schedule; its jobs stay. Raises UnknownSchedule."""
        with self.db.transaction() as session:
            session.delete(_named(session, name))

    def follow(self) -> None:
        """
        Make the engine's own schedules equal to ours, where it has any; raise EngineAway.

        That it has not followed is noted, and forgotten once it has: `behind` tells.
        """
        if not self.mirrors:
            return
        try:
            self._follow()
        except EngineAway as error:
            with self.db.transaction() as session:
                self.note_behind(session, str(error))
            raise
        Notes(self.db).forget(ENGINE, self.name)

    def _follow(self) -> None:
        """Do what `follow` says."""

    def note_behind(self, session: Session, why: str) -> None:
        """Note that a schedule has changed, and that the engine has not followed yet; nothing where it has none of its own."""
        if self.mirrors:
            write(session, ENGINE, self.name, BEHIND, why)

    def behind(self, session: Session) -> str | None:
        """Return why the engine has not followed the last changes of schedules; None: it has."""
        found = select(Note.value).where(Note.spider == ENGINE, Note.target_key == self.name, Note.name == BEHIND)
        return session.scalar(found) if self.mirrors else None

    def post(self) -> None:
        """Let the jobs that are due be started now, where workers do not ask for them; raise EngineAway."""

    def run_now(self, jobs: Collection[int]) -> list[int]:
        """Make jobs due at once, with all their tries; return which. Raises queue.NotPossible, EngineAway."""
        with self.db.transaction() as session:
            done = queue.retry(session, jobs, self.clock.now(session))
            _record(session, "job.run_again", done)
        self.post()
        return done

    def cancel(self, jobs: Collection[int]) -> list[int]:
        """Cancel open jobs, and return which; the crawl of a running one finds its claim gone and ends."""
        with self.db.transaction() as session:
            done = queue.cancel(session, jobs, self.clock.now(session))
            _record(session, "job.cancelled", done)
            return done

    def status(self) -> dict[str, Any]:
        """Return how the work stands, as plain data."""
        with self.db.transaction() as session:
            return {"engine": self.name, **overview(session, self.clock.now(session))}


def _named(session: Session, name: str) -> Schedule:
    schedule = schedules.named(session, name)
    if schedule is None:
        raise UnknownSchedule(f"There is no schedule {name}; `scrapy schedules list` shows all.")
    return schedule


def _record(session: Session, action: str, jobs: Collection[int]) -> None:
    if jobs:
        record(session, action, f"job {', '.join(map(str, sorted(jobs)))}")
