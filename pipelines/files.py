"""Check a downloaded file and move it into the store, atomically: no empty or half file is ever visible there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from pipelines.names import path_below
from pipelines.options import pipeline_settings
from pipelines.stores import store_of
from scrapers.archive import check_zip
from scrapers.items.base import FileItem
from scrapers.outcomes import BadFile
from scrapers.spool import PDF, XLSX, ZIP, matches
from scrapers.work import work_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.stores import Store
    from scrapers.spool import PartFile

TAIL = 2048  # bytes at the end of a PDF in which its end mark must stand


class FilesPipeline:
    """Believe a file, or refuse it."""

    def __init__(self, crawler: Crawler) -> None:
        self.work = work_of(crawler, "This spider has no jobs: its files are not ours to store.")
        self.settings = pipeline_settings()
        self.store = store_of(self.settings)
        self.store.sweep()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline."""
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        """Check the part file, then give it its place; a refused one is deleted and fails the job."""
        if not isinstance(item, FileItem):
            return item
        item.stored_path = await asyncio.to_thread(keep, item, self.path(item), self.store)
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
        return path_below(self.settings.files_path, fields)


def keep(item: FileItem, path: str, store: Store) -> str:
    """Check an item's part file, bring it to *path* in the store and return where it is; no part file is left."""
    try:
        check(item.part, item.declared)
        return store.place(item.part, path)
    finally:
        item.part.path.unlink(missing_ok=True)


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
