"""Send stored files to the customer's own server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from scrapy.exceptions import NotConfigured

from pipelines.settings import upload_settings
from scrapers.core.items import FileItem
from scrapers.core.runs import work_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.settings import UploadSettings
    from scrapers.core.runs import Work


class UploadPipeline:
    """Sends what is stored as it comes, and at the end what earlier runs could not send."""

    def __init__(self, crawler: Crawler, settings: UploadSettings) -> None:
        from pipelines import sender  # here, because most crawls send nothing

        self.work = work_of(crawler, "This spider has no jobs: its files are not ours to send.")
        self.send_for = sender.send_for
        self.sender = sender.Sender(self.work.db, settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline; it stays off, without a word, when no upload server is set."""
        settings = upload_settings()
        if settings is None:
            raise NotConfigured
        return cls(crawler, settings)

    async def process_item(self, item: Any) -> Any:
        """Send a file that has just been stored. It stays stored, whatever becomes of that."""
        if isinstance(item, FileItem):
            await self.send_for(self.work.jobs[item.job], self.sender, item.key)
        return item

    async def close_spider(self) -> None:
        """Send what is stored for these jobs and was not sent yet."""
        try:
            for job in self.work.jobs.values():
                if job.may_store:
                    await self.send_for(job, self.sender)
        finally:
            await self.sender.close()


async def send_stored(work: Work) -> None:
    """Send what is stored for a crawl's jobs and was not sent yet; nothing when no upload server is set."""
    settings = upload_settings()
    if settings is None:
        return
    from pipelines.sender import Sender, send_for

    sender = Sender(work.db, settings)
    try:
        for job in work.jobs.values():
            await send_for(job, sender)
    finally:
        await sender.close()
