"""
Forgetting an owner: stored files, evidence bundles, logs and parts of downloads first, then the rows.

The rows are the list of what is to be deleted. As they go after the bytes that they name, a kill at any instant leaves the rows
of what is left, and the same command goes on there; rows first would leave bytes that nothing names any more.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from database.engine import Database
from database.forgetting import rows
from database.forgetting.audited import count_named, empty_audit
from database.forgetting.links import owned_by
from database.forgetting.owners import Owner
from database.forgetting.rows import Told
from database.models import Run, StoredFile, Upload, UploadState
from database.models.audit import record
from database.models.jobs import ScraperJob
from database.settings import database_settings
from pipelines.settings import PipelineSettings
from pipelines.stores import store_of

FILES = 100  # of a step: deleted in the store, then their rows in one transaction
AT_ONCE = 4  # files of a store that are deleted side by side
PASSES = 3  # of the whole, while something writes meanwhile
KEPT_PARTS = "kept"  # folder in the spool; its folders are named for sources (families/messaging/parts.py)


class StillWritten(Exception):
    """Rows of the owner were written while they were deleted. The text is one sentence with the cure."""


@dataclass
class Report:
    """What belongs to an owner, or what of it was deleted."""

    rows: dict[str, int] = field(default_factory=dict)  # by table
    files: int = 0  # that were, or would be, deleted in a store
    size: int = 0  # bytes of them
    shared: int = 0  # files that stay, because a row of another owner names them too
    bundles: int = 0
    logs: int = 0
    parts: int = 0  # folders with parts of downloads
    elsewhere: list[str] = field(default_factory=list)  # machines on which bundles lie that are not here
    uploaded: int = 0  # files that the customer's own server has
    nameless: int = 0  # sign-in attempts that stay without a name
    audited: int = 0  # rows of the audit that stay without names
    schedules: int = 0  # that lose a target and stay


class Forgetting:
    """One owner's data, to be counted or deleted. told: is called with what is done, how much of it, and of how much."""

    def __init__(self, db: Database, owner: Owner, settings: PipelineSettings, told: Told = lambda *_: None) -> None:
        self.db, self.owner, self.settings, self.told = db, owner, settings, told
        self.of = owned_by(owner)
        self.folder = database_settings().data_dir

    def survey(self) -> Report:
        """Return what would be deleted; delete nothing."""
        report = Report()
        with self.db.transaction() as session:
            report.rows = rows.counts(session, self.of)
            report.rows |= rows.withdraw_viewers(session, self.of, change=False)
            report.nameless = rows.nameless(session, self.of)
            report.audited = count_named(session, self.of)
            report.schedules, gone = rows.leave_schedules(session, self.of, change=False)
            if gone:
                report.rows["schedules"] = report.rows.get("schedules", 0) + gone
            self._survey_files(session, report)
            report.uploaded = self._uploaded(session)
            runs = self._ids(session, "runs")
            report.elsewhere = self._elsewhere(session, runs)
            report.logs = len(self._logs(session))
            report.parts = len(self._parts(session))
        report.bundles = len(bundles_of(self.folder, runs))
        return report

    def erase(self) -> Report:
        """Delete everything; return what was deleted. Raises InUse, StoreAway, StillWritten, DatabaseAway."""
        with self.db.transaction() as session:
            rows.check_unused(session, self.of)
            before = rows.counts(session, self.of)
            rows.hold(session, self.of)
            report = Report(uploaded=self._uploaded(session), audited=empty_audit(session, self.of))
            rows.close(session, self.of)
            report.rows = rows.withdraw_viewers(session, self.of)
            # Before the first byte goes, as a kill may come at any instant; without the name that is to be forgotten.
            record(session, f"{self.owner.kind}.forgotten", "", {"rows": sum(before.values())})
        try:
            for _ in range(PASSES):
                self._erase_bytes(report)
                report.nameless += rows.empty_ledger(self.db, self.of)
                with self.db.transaction() as session:
                    report.audited += empty_audit(session, self.of)
                for name, number in rows.erase_rows(self.db, self.of, self.told).items():
                    report.rows[name] = report.rows.get(name, 0) + number
                with self.db.transaction() as session:
                    left = rows.counts(session, self.of)
                if not left:
                    # Those apart that were made for this.
                    report.rows = {
                        name: number
                        for name, number in report.rows.items()
                        if name in before or name in ("schedules", "users")
                    }
                    return report
        finally:
            with self.db.transaction() as session:
                rows.let_go(session, self.of)
        raise StillWritten(
            f"Something still writes for {self.owner.label} ({', '.join(sorted(left))}): stop it, then run this again."
        )

    def _erase_bytes(self, report: Report) -> None:
        self._erase_files(report)
        with self.db.transaction() as session:
            runs, logs, parts = self._ids(session, "runs"), self._logs(session), self._parts(session)
            report.elsewhere = self._elsewhere(session, runs)
        bundles = bundles_of(self.folder, runs)
        for number, path in enumerate((*bundles, *logs), 1):
            path.unlink(missing_ok=True)
            self.told("bundles and logs", number, len(bundles) + len(logs))
        for folder in parts:
            shutil.rmtree(folder)
        report.bundles += len(bundles)
        report.logs += len(logs)
        report.parts += len(parts)

    def _erase_files(self, report: Report) -> None:
        condition = self.of.condition("files")
        if condition is None:
            return
        with self.db.transaction() as session:
            whole = rows.count(session, self.of.tables["files"], condition)
        done = 0
        while True:
            with self.db.transaction() as session:
                rows.hold(session, self.of)
                some = session.scalars(select(StoredFile).where(condition).order_by(StoredFile.id).limit(FILES)).all()
                shared = shared_places(session, some, condition)
            if not some:
                return
            for file in delete_in_stores(some, shared, self.settings):
                report.files += 1
                report.size += file.size or 0
            report.shared += sum((file.store, file.path) in shared for file in some)
            ids = [file.id for file in some]
            with self.db.transaction() as session:
                sent = session.scalars(delete(Upload).where(Upload.file_id.in_(ids)).returning(Upload.id)).all()
                session.execute(delete(StoredFile).where(StoredFile.id.in_(ids)))
            done += len(some)
            for name, number in (("files", len(some)), ("uploads", len(sent))):
                report.rows[name] = report.rows.get(name, 0) + number
            self.told("files", done, max(whole, done))

    def _survey_files(self, session: Session, report: Report) -> None:
        condition = self.of.condition("files")
        if condition is None:
            return
        places = select(StoredFile.store, StoredFile.path, func.max(StoredFile.size)).where(condition)
        places = places.where(StoredFile.path.is_not(None)).group_by(StoredFile.store, StoredFile.path)
        others = select(StoredFile.store, StoredFile.path).where(condition.is_not(True), StoredFile.path.is_not(None))
        shared = {(row.store, row.path) for row in session.execute(others)}
        for store, path, size in session.execute(places):
            if (store, path) in shared:
                report.shared += 1
            else:
                report.files += 1
                report.size += size or 0

    def _uploaded(self, session: Session) -> int:
        condition, uploads = self.of.condition("uploads"), self.of.tables["uploads"]
        return (
            0
            if condition is None
            else rows.count(session, uploads, condition & (uploads.c.state == UploadState.STORED))
        )

    def _ids(self, session: Session, name: str) -> list[Any]:
        ids = self.of.values(name, "id")
        return [] if ids is None else list(session.scalars(ids))

    def _elsewhere(self, session: Session, runs: Sequence[int]) -> list[str]:
        """Return the other machines on which bundles of these runs were written that are not to be found here."""
        condition = self.of.condition("runs")
        if condition is None or not runs:
            return []
        written = select(Run.host, Run.bundle).where(condition, Run.bundle.is_not(None))
        found = session.execute(written.where(Run.host != socket.gethostname())).all()
        return sorted({row.host for row in found if not Path(row.bundle).exists()})

    def _logs(self, session: Session) -> list[Path]:
        """Return the outputs of crawls that a worker has kept."""
        condition = self.of.condition("scraper_jobs")
        if condition is None:
            return []
        claims = session.scalars(select(ScraperJob.claim).where(condition, ScraperJob.claim.is_not(None)).distinct())
        return [path for claim in claims if (path := self.folder / "logs" / f"{claim}.log").exists()]

    def _parts(self, session: Session) -> list[Path]:
        sources = set(self._ids(session, "sources"))
        return [folder for folder in (self.folder / "spool" / KEPT_PARTS).glob("*/*") if folder.name in sources]


def bundles_of(folder: Path, runs: Sequence[int]) -> list[Path]:
    """Return the evidence bundles of runs, those too that a killed run has not written down."""
    wanted = {str(number) for number in runs}
    return [path for path in all_bundles(folder) if path.name.partition("-")[0] in wanted]


def all_bundles(folder: Path) -> list[Path]:
    """Return every evidence bundle in the data folder, as middlewares/evidence.py names them: run, outcome."""
    return sorted((folder / "evidence").glob("*-*.zip"))


def shared_places(
    session: Session, files: Sequence[StoredFile], mine: ColumnElement[bool]
) -> set[tuple[str | None, str | None]]:
    """Return store and path of those files that a row outside of *mine* names too: the same content is stored once."""
    paths = {file.path for file in files if file.path is not None}
    found = session.execute(
        select(StoredFile.store, StoredFile.path).where(StoredFile.path.in_(paths), mine.is_not(True))
    )
    return {(row.store, row.path) for row in found}


def delete_in_stores(
    files: Sequence[StoredFile], shared: set[tuple[str | None, str | None]], settings: PipelineSettings
) -> Iterator[StoredFile]:
    """Delete files in their stores, with the folders that they leave empty; yield those that were there. Raises StoreAway."""
    theirs: dict[str, dict[str, StoredFile]] = {}
    for file in files:
        if file.path is not None and (file.store, file.path) not in shared:
            theirs.setdefault(file.store or "", {})[file.path] = file
    for address, by_path in theirs.items():
        store = store_of(settings, address)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for file, was_there in zip(by_path.values(), pool.map(store.remove, by_path), strict=True):
                if was_there:
                    yield file
        for folder in sorted({str(PurePosixPath(path).parent) for path in by_path}):
            store.tidy(folder)
