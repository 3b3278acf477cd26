"""Compare what was stored with what the portal lists, and close each run with its outcome."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from scrapy import signals

from scrapers.core.items import Batch, FileItem, Listing, Record
from scrapers.core.runs import work_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class CompletenessPipeline:
    """The last pipeline: what gets here is stored."""

    def __init__(self, crawler: Crawler) -> None:
        self.work = work_of(crawler, "This spider has no jobs: there is nothing to complete.")
        # After the middlewares have let go of sessions and leases; crawl looks again at what has no outcome.
        crawler.signals.connect(self._close, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline."""
        return cls(crawler)

    def process_item(self, item: Any) -> Any:
        """Note what is listed and what is stored."""
        job = self.work.jobs[item.job]
        if isinstance(item, Listing):
            job.listed.update({key: key not in item.missing_allowed for key in item.keys})
            job.was_listed = True
        elif isinstance(item, (FileItem, Record)):
            job.stored.add(item.key if isinstance(item, FileItem) else item.key())
        elif isinstance(item, Batch):
            job.stored.update(item.keys)
        return item

    async def _close(self, reason: str) -> None:
        await asyncio.gather(*(self.work.finish(job, reason) for job in self.work.jobs.values()))
