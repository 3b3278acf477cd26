"""
Deleting what is older than the settings LATCHKEY_KEEP_… say: bytes first, then the rows that name them.

The row of a file stays, without its place, so that it is not fetched again; so do the records that were read from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from database.engine import Database, now
from database.forgetting import ages
from database.forgetting.rows import Told, count, erase_in
from database.models import Run, RunState, StoredFile
from database.settings import database_settings
from pipelines.erasing import FILES, all_bundles, bundles_of, delete_in_stores, shared_places
from pipelines.settings import KeepSettings, PipelineSettings


@dataclass(frozen=True)
class Aged:
    """What is older than it is to be kept. days: as they are set; "": it is kept for ever, and nothing is counted."""

    kind: str
    variable: str
    days: str
    count: int = 0
    size: int = 0  # bytes


class Retention:
    """Counts what is too old, or deletes it."""

    def __init__(
        self, db: Database, keep: KeepSettings, settings: PipelineSettings, told: Told = lambda *_: None
    ) -> None:
        self.db, self.keep, self.settings, self.told = db, keep, settings, told
        self.folder = database_settings().data_dir
        with db.transaction() as session:
            self.at = now(session)

    def look(self, *, apply: bool) -> list[Aged]:
        """Return how much of each kind is too old, after deleting it if *apply*. Raises StoreAway, DatabaseAway."""
        return [self._aged(name, act, apply) for name, act in self._acts().items()]

    def _acts(self) -> dict[str, Callable[[bool], tuple[int, int]]]:
        return {
            "files": self._files,
            "bundles": self._bundles,
            "logs": self._logs,
            "messages": self._messages,
            "versions": self._versions,
            "runs": self._runs,
            "audit": self._audit,
        }

    def _aged(self, name: str, act: Callable[[bool], tuple[int, int]], apply: bool) -> Aged:
        variable, days = KeepSettings.names(f"keep_{name}")[0], getattr(self.keep, f"keep_{name}")
        if days is None or days == {}:
            return Aged(name, variable, "")
        shown = ", ".join(f"{word}={number}" for word, number in days.items()) if isinstance(days, dict) else str(days)
        return Aged(name, variable, shown, *act(apply))

    def _before(self, days: int | None) -> datetime:
        return self.at - timedelta(days=days or 0)

    def _files(self, apply: bool) -> tuple[int, int]:
        condition = ages.old_files({word: self._before(days) for word, days in self.keep.keep_files.items()})
        number = size = last = 0
        while True:
            with self.db.transaction() as session:
                after = select(StoredFile).where(condition, StoredFile.id > last).order_by(StoredFile.id).limit(FILES)
                some = session.scalars(after).all()
                shared = shared_places(session, some, condition)
            if not some:
                return number, size
            last = some[-1].id
            some = [file for file in some if (file.store, file.path) not in shared]
            number, size = number + len(some), size + sum(file.size or 0 for file in some)
            if apply:
                for _ in delete_in_stores(some, set(), self.settings):
                    pass
                ids = [file.id for file in some]
                with self.db.transaction() as session:
                    session.execute(update(StoredFile).where(StoredFile.id.in_(ids)).values(path=None, store=None))
                    for table in ages.wanted_files():
                        session.execute(update(table).where(table.c.file_id.in_(ids)).values(s3_key=None))
                self.told("files", number, number)

    def _bundles(self, apply: bool) -> tuple[int, int]:
        before = self._before(self.keep.keep_bundles)
        done = _delete(_older(all_bundles(self.folder), before), apply)
        if apply:
            with self.db.transaction() as session:
                ended = (Run.state == RunState.FINISHED, Run.finished_at < before, Run.bundle.is_not(None))
                found = session.execute(select(Run.id, Run.bundle).where(*ended)).all()
                gone = [row.id for row in found if not Path(row.bundle).exists()]
                for start in range(0, len(gone), 500):
                    of_some = update(Run).where(Run.id.in_(gone[start : start + 500]))
                    session.execute(of_some.values(bundle=None))
        return done

    def _logs(self, apply: bool) -> tuple[int, int]:
        return _delete(_older((self.folder / "logs").glob("*.log"), self._before(self.keep.keep_logs)), apply)

    def _messages(self, apply: bool) -> tuple[int, int]:
        return self._rows(ages.old_messages(self._before(self.keep.keep_messages), self.at), apply)

    def _versions(self, apply: bool) -> tuple[int, int]:
        return self._rows(ages.old_versions(self._before(self.keep.keep_versions)), apply)

    def _runs(self, apply: bool) -> tuple[int, int]:
        old = ages.old_runs(self._before(self.keep.keep_runs))
        _, condition = old[0]
        with self.db.transaction() as session:
            ids = session.scalars(select(Run.id).where(condition)).all()
        number, size = _delete(bundles_of(self.folder, ids), apply)
        deleted, _ = self._rows(old, apply)
        return number + deleted, size

    def _audit(self, apply: bool) -> tuple[int, int]:
        return self._rows(ages.old_audit(self._before(self.keep.keep_audit)), apply)

    def _rows(self, old: ages.Old, apply: bool) -> tuple[int, int]:
        with self.db.transaction() as session:
            whole = sum(count(session, table, condition) for table, condition in old)
        if not apply:
            return whole, 0
        done = 0
        for table, condition in old:
            for some in erase_in(self.db, table, condition):
                done += some
                self.told(table.name, done, max(whole, done))
        return done, 0


def _older(paths: Iterable[Path], before: datetime) -> Iterator[Path]:
    for path in paths:
        try:
            if path.stat().st_mtime < before.timestamp():
                yield path
        except FileNotFoundError:
            continue  # another process has deleted it


def _delete(paths: Iterable[Path], apply: bool) -> tuple[int, int]:
    """Return number and bytes of files, after deleting them if *apply*."""
    number = size = 0
    for path in list(paths):
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            continue
        number += 1
        if apply:
            path.unlink(missing_ok=True)
    return number, size
