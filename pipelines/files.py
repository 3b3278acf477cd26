"""Check a downloaded file and move it into the store, atomically: no empty or half file is ever visible there."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from database.processes import has_ended, signature
from pipelines.options import pipeline_settings
from scrapers.archive import check_zip
from scrapers.items.base import FileItem
from scrapers.outcomes import BadFile, StoreAway
from scrapers.spool import CHUNK, PDF, XLSX, ZIP, matches
from scrapers.work import work_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from scrapers.spool import PartFile

logger = logging.getLogger(__name__)

TAIL = 2048  # bytes at the end of a PDF in which its end mark must stand
INCOMING = ".incoming"  # folder in the store for files on their way; never a final place


class FilesPipeline:
    """Believe a file, or refuse it."""

    def __init__(self, crawler: Crawler) -> None:
        self.work = work_of(crawler, "This spider has no jobs: its files are not ours to store.")
        self.settings = pipeline_settings()
        sweep_incoming(self.settings.store)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline."""
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        """Check the part file, then give it its place; a refused one is deleted and fails the job."""
        if not isinstance(item, FileItem):
            return item
        item.stored_path = await asyncio.to_thread(keep, item, self.path(item), self.settings.store)
        return item

    def path(self, item: FileItem) -> str:
        """Return the item's path below the store, safe on every file system."""
        fields = {
            "portal": self.work.portal,
            "account": str(getattr(self.work.jobs[item.job].target, "account", "") or "all"),
            "period": item.period or "any",
            "report": self.work.report_type,
            "name": item.name,
        }
        return self.settings.files_path.format(**{name: safe(value) for name, value in fields.items()})


def keep(item: FileItem, path: str, store: Path) -> str:
    """Check an item's part file, move it to *path* below the store and return where it is; no part file is left."""
    try:
        check(item.part, item.declared)
        return place(item.part, path, store)
    except OSError as error:
        raise StoreAway(f"{type(error).__name__} at {store}.") from error
    finally:
        item.part.path.unlink(missing_ok=True)


def safe(name: str) -> str:
    """
    Return a name that every file system takes and that stays inside its folder.

    >>> safe("../a:b")
    '_a_b'
    """
    cleaned = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "_", name).strip(" .")
    return cleaned[:150] or "_"


def check(part: PartFile, declared: tuple[str, ...]) -> None:
    """Raise BadFile unless the part file is there, whole, safe, and of a declared type."""
    if not part.path.exists() or part.size == 0:
        raise BadFile("The file is empty.")
    if not matches(part.media_type, declared):
        raise BadFile(f"The file is {part.media_type}, not {' or '.join(declared)}.")
    if part.media_type == PDF:
        with part.path.open("rb") as file:
            file.seek(max(0, part.size - TAIL))
            if b"%%EOF" not in file.read():
                raise BadFile("The PDF has no end: it was cut short.")
    if part.media_type in (ZIP, XLSX):
        check_zip(part.path)


def place(part: PartFile, path: str, store: Path) -> str:
    """
    Move a part file to *path* below the store and return where it is.

    The same content at the same place stays as it is. Other content keeps the older file: the new one gets its hash
    into its name.
    """
    target = store / path
    if target.exists():
        if target.stat().st_size == part.size and digest(target) == part.sha256:
            return path
        path = str(PurePosixPath(path).with_stem(f"{PurePosixPath(path).stem}~{part.sha256[:8]}"))
        target = store / path
    incoming = store / INCOMING
    incoming.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    moving = incoming / f"{uuid.uuid4().hex}@{signature()}"
    try:
        try:
            os.rename(part.path, moving)
        except OSError:  # the spool is on another file system than the store
            shutil.copyfile(part.path, moving)
        with moving.open("rb+") as file:
            os.fsync(file.fileno())
        moving.chmod(0o640)
        os.replace(moving, target)
    finally:
        moving.unlink(missing_ok=True)
    return path


def sweep_incoming(store: Path) -> None:
    """Delete what killed processes of this machine left on its way into the store."""
    try:
        for path in (store / INCOMING).glob("*@*"):
            if has_ended(path.name.partition("@")[2]):
                path.unlink(missing_ok=True)
    except OSError as error:  # a store that is away is told of with the first file that does not get there
        logger.warning("%s could not be swept: %s", store / INCOMING, type(error).__name__)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    value = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            value.update(chunk)
    return value.hexdigest()
