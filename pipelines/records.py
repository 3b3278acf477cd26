"""Write a file's row, its family's row and the records read from it: all in one transaction, all idempotent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    InterfaceError,
    InternalError,
    SQLAlchemyError,
    StatementError,
)

from database import versions
from database.access.leases import is_held
from database.engine import DatabaseAway, SchemaLacking, now
from database.models import FileStatus, StoredFile
from database.upsert import BATCH, WrongKey, add, put_stream, table_of, upsert
from pipelines.settings import pipeline_settings
from pipelines.stores import store_of
from scrapers.core.items import Batch, FileItem, Lines, Record
from scrapers.core.outcomes import DatabaseAwayFailure, LeaseLost, UnexpectedError
from scrapers.core.redaction import bare_url
from scrapers.core.runs import work_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from sqlalchemy.orm import Session

    from scrapers.core.jobs import Job


PATIENCE = 0.2  # seconds: what a crawl stores within them is one transaction
AWAY = (InterfaceError, InternalError)  # of the connection, and not known to the engine as such


class RecordsPipeline:
    """Store what an item says; what is stored already and unchanged is counted, not written."""

    def __init__(self, crawler: Crawler) -> None:
        self.work = work_of(crawler, "This spider has no jobs: its records are not ours to store.")
        self._stored: set[str] = set()  # the tables into which something was stored

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline."""
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        """Write the item's rows in one transaction of its own."""
        if not isinstance(item, (FileItem, Record, Batch)) or (isinstance(item, Batch) and not item.rows):
            return item  # a batch without rows says that there are none: nothing to write
        job = self.work.jobs[item.job]
        try:
            new_file, changed, rows = await self.work.db.run(
                lambda session: write(session, self.work, job, item), patience=self._patience(item), alone=is_big(item)
            )
        except (WrongKey, SchemaLacking, SQLAlchemyError) as error:
            if (mistake := mistake_of(error)) is None:
                raise DatabaseAwayFailure(type(error).__name__) from error
            failure = UnexpectedError(f"{_table(item)}: {mistake}", step="store a record")
            failure.__cause__ = error
            job.halt(failure)
            raise failure from error
        except DatabaseAway as error:
            raise DatabaseAwayFailure(str(error)) from error
        self._stored.add(_table(item))
        job.counts.files += new_file
        job.counts.records += changed
        job.counts.already += rows - changed
        return item

    def _patience(self, item: Any) -> float:
        """
        Return for how long an item may wait for others to be written with.

        Not at all when a visit waits for it, nor before its tables have taken anything: a mistake is to stop the crawl at once.
        """
        may_wait = self.work.expects_more and _table(item) in self._stored and not self.work.deliveries.awaits(item)
        return PATIENCE if may_wait else 0.0


def is_big(item: FileItem | Record | Batch) -> bool:
    """Return whether an item has so many rows that others should not have to wait until they are written."""
    parts = item.records if isinstance(item, FileItem) else (item,)
    return any(isinstance(part, Lines) or (isinstance(part, Batch) and len(part.rows) > BATCH) for part in parts)


def mistake_of(error: Exception) -> str | None:
    """Return what an error says of a mistake in tables or items, without values; None for one of the server."""
    if isinstance(error, DBAPIError):
        if isinstance(error, DataError):
            return type(error.orig).__name__  # its text may quote the value
        return str(error.orig).partition("\n")[0] if not isinstance(error, AWAY) else None
    if isinstance(error, StatementError):
        return f"{type(error.orig).__name__}: {error.orig}"
    return None if isinstance(error, SQLAlchemyError) else str(error)


def _table(item: FileItem | Record | Batch) -> str:
    names = (table_of(each.table).name for each in (item.records if isinstance(item, FileItem) else (item,)))
    return ", ".join(dict.fromkeys(names)) or "files"


def write(session: Session, work: Any, job: Job, item: FileItem | Record | Batch) -> tuple[int, int, int]:
    """Write an item; return how many files are new, how many rows are new or changed, and how many rows there were."""
    if not all(is_held(session, lease, holder) for lease, holder in job.fences.items()):
        raise LeaseLost
    if not isinstance(item, FileItem):
        changed, rows = write_rows(session, job, item, None)
        return 0, changed, rows
    file, is_new = write_file(session, work, job, item)
    owner = item.owner()
    parts = [*item.records, owner] if owner else list(item.records)
    with opened(item, job.plan.store) as stored:
        written = [write_rows(session, job, part, file, stored) for part in parts]
    return int(is_new), sum(changed for changed, _ in written), sum(rows for _, rows in written)


class Origin(NamedTuple):
    """The file that rows were read from: the id of its row, and its path in the store."""

    id: int
    path: str


def write_file(session: Session, work: Any, job: Job, item: FileItem) -> tuple[Origin, bool]:
    """Write a file's row, if it says anything new; return what its rows refer to, and whether its content is new."""
    key = {"spider": work.spider, "target_key": job.key, "name": item.key}
    address, path = pipeline_settings().address_of(job.plan.store), item.stored_path
    values = {
        "run_id": job.id,
        "account_id": job.plan.account_id,
        "billing_cycle_id": job.plan.billing_cycle_id,
        "store": address,
        "path": path,
        "sha256": item.part.sha256,
        "size": item.part.size,
        "media_type": item.part.media_type,
        "source": bare_url(item.source),
        "status": FileStatus.READY,
        "stored_at": now(session),
    }
    new = {**key, "portal": work.portal, "report_type": work.report_type, **values}
    # Nearly every file that comes is new: what is stored is not fetched.
    if (number := add(session, StoredFile, new, list(key))) is not None:
        return Origin(number, path), True
    connection = session.connection()
    row = connection.execute(_KNOWN, {f"of_{name}": value for name, value in key.items()}).one()
    is_new = row.sha256 != item.part.sha256
    if is_new or (row.status, row.store, row.path) != (FileStatus.READY, address, path):
        connection.execute(_CHANGE, {"of_id": row.id, **values})
    return Origin(row.id, path), is_new


# Made once, with the key as parameters: making a statement takes longer than its execution.
_FILES = table_of(StoredFile)
_KEY = (_FILES.c[name] == bindparam(f"of_{name}") for name in ("spider", "target_key", "name"))
_KNOWN = select(*(_FILES.c[name] for name in ("id", "sha256", "status", "store", "path"))).where(*_KEY)
_CHANGE = update(_FILES).where(_FILES.c.id == bindparam("of_id"))


def opened(item: FileItem, target: str = "") -> AbstractContextManager[BinaryIO | None]:
    """Open the stored file of an item for the rows that are read from it; None where there are none."""
    if not any(isinstance(part, Lines) for part in item.records):
        return nullcontext()
    settings = pipeline_settings()
    return store_of(settings, settings.address_of(target)).open(item.stored_path)


def write_rows(
    session: Session,
    job: Job,
    item: Record | Batch | Lines,
    file: Origin | None,
    stored: BinaryIO | None = None,
) -> tuple[int, int]:
    """
    Upsert the rows of an item on their natural key; return how many are new or changed, and how many there were.

    file, stored: the row of the file that they were read from, and the file itself.
    """
    columns = item.table.__table__.columns.keys()
    origin = {"run_id": job.id, "file_id": file.id if file else None, "s3_key": file.path if file else None}
    origin = {name: value for name, value in origin.items() if name in columns}
    if isinstance(item, Lines):
        assert stored is not None
        return write_lines(session, item, stored, origin, columns)
    rows = [item.row()] if isinstance(item, Record) else item.rows
    if not rows:
        return 0, 0
    if file is None and "file_id" in rows[0]:
        origin.pop("file_id", None)  # they name themselves a file that is stored already
    if item.versioned:
        written = versions.write(session, item.table, rows, item.natural_key, origin=origin)
        return written.new + written.replaced, len(rows)
    # Which run wrote a row is said of new and changed rows only: it is no reason to write one again.
    taken_over = [name for name in {**rows[0], **origin} if name not in (*item.natural_key, "run_id")]
    full = [{**row, **origin} for row in rows]
    changed = upsert(session, item.table, full, item.natural_key, taken_over, also=_writer(origin))
    return changed, len(rows)


def write_lines(
    session: Session, item: Lines, stored: BinaryIO, origin: dict[str, Any], columns: Sequence[str]
) -> tuple[int, int]:
    """Write the lines on their way, and delete those that an earlier, longer file had."""
    stored.seek(0)
    key, shared = (*item.place, "row"), {**item.place, **origin}
    taken_over = [name for name in columns if name not in (*key, "id", "run_id")]
    changed, number = put_stream(session, item.table, item.rows(stored), shared, key, taken_over, also=_writer(origin))
    table = table_of(item.table)
    session.execute(
        delete(table).where(*(table.c[name] == value for name, value in item.place.items()), table.c.row > number)
    )
    return changed, number


def _writer(origin: dict[str, Any]) -> list[str]:
    return ["run_id"] if "run_id" in origin else []
