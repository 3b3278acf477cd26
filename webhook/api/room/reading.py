"""What the control room shows of what is missing, of runs and of files: for the API and the pages alike, each within what its caller may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from werkzeug.exceptions import NotFound

from database.engine import Database, now
from database.families import standing
from database.families.holdings import count_accounts
from database.models import Run, StoredFile
from jobs import history
from jobs.bundles import Bundle, BundleAway, read_bundle
from jobs.coming import Coming
from jobs.forecast import Target, missed_targets
from jobs.history import Filter
from jobs.missing import AT_ONCE, YEAR, Line, Part, Wanted, every_line, part
from jobs.story import recovered, story
from webhook.access import only_client

FILES = 100  # of one run that its page names


@dataclass(frozen=True)
class RoomReading:
    """Reads for the caller of the present request."""

    db: Database

    # What is missing

    def missing(self, wanted: Wanted, start: int, size: int) -> tuple[Part, int, datetime]:
        """Return a part of the accounts, how many accounts there are in all, and as of when."""
        wanted = self._seen(wanted)
        with self.db.transaction() as session:
            at = now(session)
            return part(session, wanted, at, start, size), count_accounts(session, wanted.chosen), at

    def every_line(self, wanted: Wanted) -> Iterator[Line]:
        """Return all lines, read some accounts at a time, each in a short transaction; who asks is looked at here."""
        return self._lines(self._seen(wanted))

    def _lines(self, wanted: Wanted) -> Iterator[Line]:
        start = 0
        while True:
            with self.db.transaction() as session:
                some = every_line(session, wanted, now(session), start)
            yield from some
            start += AT_ONCE
            if len(some) < AT_ONCE:
                return

    def fleets(self, start: int, size: int) -> list[tuple[standing.Fleet, datetime | None]]:
        """Return fleets, each with its next sync."""
        with self.db.transaction() as session:
            at, coming = now(session), Coming.of(session)
            found = standing.fleets(session, start, size)
            return [(each, coming.due(each.portal, "faults", each.tenant, at)) for each in found]

    def meters(self, start: int, size: int) -> list[standing.Meter]:
        """Return meters with the gaps of their readings in the last year."""
        with self.db.transaction() as session:
            return standing.meters(session, (now(session) - YEAR).date(), start, size)

    def shops(self) -> list[standing.Shop]:
        """Return shops with the last checks of what is watched there."""
        with self.db.transaction() as session:
            return standing.shops(session)

    def channels(self, start: int, size: int) -> list[tuple[standing.Channel, datetime | None]]:
        """Return sources, each with its next run."""
        with self.db.transaction() as session:
            at, coming = now(session), Coming([])
            return [
                (each, None if each.schedule is None or each.schedule.paused else coming.next(each.schedule, at))
                for each in standing.channels(session, start, size)
            ]

    def targets(self) -> list[Target]:
        """Return freshness targets that were missed or will be."""
        with self.db.transaction() as session:
            only = only_client()
            name = None if only is None else next(iter(history.clients(session, only)), "")
            return missed_targets(session, now(session), name)

    # Runs and files

    def runs(self, wanted: Filter, limit: int) -> list[Run]:
        """Return runs that have ended, the newest first."""
        with self.db.transaction() as session:
            return history.runs(session, replace(wanted, client_id=only_client()), limit)

    def running(self, wanted: Filter, limit: int) -> list[Run]:
        """Return the runs that have not ended, the newest first."""
        with self.db.transaction() as session:
            return history.running(session, replace(wanted, client_id=only_client()), limit)

    def story(self, run_id: int) -> dict[str, Any]:
        """Return all that is known of a run, its client among that; raise NotFound where the caller may not see it."""
        with self.db.transaction() as session:
            run = session.get(Run, run_id)
            if run is None:
                raise NotFound("There is no such run.")
            owner = history.owner_of(session, run.account_id)
            _must_see(owner, "run")
            told = story(session, run, FILES)
        told |= {"recovered": recovered(run), "client": owner[1] if owner is not None else None}
        return told

    def bundle(self, run_id: int) -> Bundle:
        """Return the evidence of a run; raise NotFound where there is none that can be read."""
        path = self.story(run_id)["bundle"]
        if path is None:
            raise NotFound("This run has left no evidence.")
        try:
            return read_bundle(path)
        except BundleAway as error:
            raise NotFound(str(error)) from error

    def files(self, wanted: Filter, limit: int) -> list[tuple[StoredFile, str | None]]:
        """Return stored files with the numbers of their accounts, the newest first."""
        with self.db.transaction() as session:
            return history.files(session, replace(wanted, client_id=only_client()), limit)

    def file(self, file_id: int) -> StoredFile:
        """Return the row of a stored file; raise NotFound where the caller may not see it."""
        with self.db.transaction() as session:
            file = session.get(StoredFile, file_id)
            if file is None or file.path is None or file.store is None:
                raise NotFound("There is no such file.")
            owner = history.owner_of(session, file.account_id)
            _must_see(owner, "file")
            return file

    def _seen(self, wanted: Wanted) -> Wanted:
        only = only_client()
        return wanted if only is None else replace(wanted, chosen=replace(wanted.chosen, client_id=only))


def _must_see(owner: tuple[int, str] | None, what: str) -> None:
    """Raise NotFound for what the caller may not see, in the words for what is not there. owner: its client."""
    only = only_client()
    if only is not None and (owner is None or owner[0] != only):
        raise NotFound(f"There is no such {what}.")
