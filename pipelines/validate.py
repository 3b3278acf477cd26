"""Drop items that must not be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from scrapy.exceptions import DropItem

from scrapers.core.items import FileItem, Item
from scrapers.core.logs import about
from scrapers.core.runs import work_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class ValidatePipeline:
    """Let through items of a job that may still store."""

    def __init__(self, crawler: Crawler) -> None:
        self.work = work_of(crawler, "This spider has no jobs: its items are not ours to store.")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline."""
        return cls(crawler)

    def process_item(self, item: Any) -> Any:
        """Drop an item of no job, or of a job that has lost its lease or its proof of identity."""
        job = self.work.jobs.get(item.job) if isinstance(item, Item) else None
        about.set(job)
        if job is None:
            raise DropItem("the item belongs to no job of this crawl")
        if not job.may_store:
            if isinstance(item, FileItem):
                item.part.path.unlink(missing_ok=True)
            raise DropItem("the job may not store any more")
        return item
