"""Check a downloaded file and move it into the store, atomically: no empty or half file is ever visible there."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from scrapy.exceptions import DropItem
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from database.engine import DatabaseAway
from database.models import FileStatus, StoredFile
from pipelines.settings import pipeline_settings
from pipelines.stores import store_of
from pipelines.stores.base import INCOMING
from pipelines.stores.names import path_below
from scrapers.core.items import FileItem
from scrapers.core.outcomes import BadFile, DatabaseAwayFailure, StoreAway
from scrapers.core.runs import work_of
from scrapers.core.spool import PDF, XLSX, ZIP, matches
from scrapers.reading.archive import check_zip
from scrapers.reading.pdf import check_pdf

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from pipelines.stores.base import Store
    from scrapers.core.jobs import Job
    from scrapers.core.spool import PartFile

logger = logging.getLogger(__name__)

LOOK = "look at the file store"


class FilesPipeline:
    """
    Check each downloaded file and move it into the store; a file that fails the check fails its job with BadFile.

    A store that cannot be written to stops its jobs: before the first request, or as soon as a file cannot be stored.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.work = work_of(crawler, "This spider has no jobs: its files are not ours to store.")
        self.settings = pipeline_settings()
        self.away: dict[str, StoreAway] = {}  # by target: why nothing can be stored there
        self._clients: dict[int, str] = {}  # by account

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the pipeline."""
        return cls(crawler)

    async def open_spider(self) -> None:
        """Look whether files can be stored, unless the spider brings none; fail every job where they cannot."""
        if not getattr(self.crawler.spider, "keeps_files", True):
            return
        for target in dict.fromkeys(job.plan.store for job in self.work.jobs.values()):
            try:
                await asyncio.to_thread(self._look, target)
            except StoreAway as failure:
                self._stop(failure, target)
                for job in self._jobs_of(target):
                    if not job.plan.done:
                        job.fail(type(failure)(failure.detail, step=LOOK))

    def _look(self, target: str) -> None:
        store = self._store(target)
        if not store.is_used() and self._knows_files(store):
            raise StoreAway(
                f"{store.address} is empty, but files were stored there: mount it; if they were moved away on purpose, "
                f"make the folder {INCOMING} in it."
            )
        store.check()
        try:
            store.sweep()
        except StoreAway as failure:  # writable, which is all that matters here
            logger.warning("What killed runs left could not be swept: %s", failure.detail)

    def _knows_files(self, store: Store) -> bool:
        known = select(StoredFile.id).where(StoredFile.store == store.address, StoredFile.status == FileStatus.READY)
        with self.work.db.transaction() as session:
            return session.scalar(known.limit(1)) is not None

    def _store(self, target: str) -> Store:
        return store_of(self.settings, self.settings.address_of(target))

    def _jobs_of(self, target: str) -> list[Job]:
        return [job for job in self.work.jobs.values() if job.plan.store == target]

    def _stop(self, failure: StoreAway, target: str) -> None:
        """Fail every job of a store that still runs, and send the portal no further requests for them."""
        self.away.setdefault(target, failure)
        for job in self._jobs_of(target):
            job.brake.pull(failure)

    async def process_item(self, item: Any) -> Any:
        """Check the part file, then move it to its path in the store; a refused one is deleted and fails the job."""
        if not isinstance(item, FileItem):
            return item
        job = self.work.jobs[item.job]
        target = job.plan.store
        if (away := self.away.get(target)) is not None:
            item.part.path.unlink(missing_ok=True)
            if any(isinstance(failure, StoreAway) for failure in job.failures):
                raise DropItem("the file store is away")
            raise type(away)(away.detail)
        path = await self.path(item)
        try:
            item.stored_path = await asyncio.to_thread(lambda: keep(item, path, self._store(target)))
        except StoreAway as failure:
            self._stop(failure, target)
            raise
        return item

    async def path(self, item: FileItem) -> str:
        """Return the item's path below the store, safe on every file system."""
        job = self.work.jobs[item.job]
        fields = {
            "portal": self.work.portal,
            "client": await self._client(job) if "{client}" in self.settings.files_path else "",
            "account": str(getattr(job.target, "account", "") or "all"),
            "period": item.period or "any",
            "report": self.work.report_type,
            "name": item.name,
            **item.fields,
        }
        return path_below(item.template or self.settings.files_path, fields)

    async def _client(self, job: Job) -> str:
        """Return the name of the client that owns the job's account; `all` for a job without an account."""
        account = job.plan.account_id
        if account is None:
            return "all"
        if account not in self._clients:
            from database.models import Account, Client, Workspace  # of one family alone

            name = select(Client.name).join(Workspace).join(Account).where(Account.id == account)
            try:
                self._clients[account] = await self.work.db.run(lambda session: session.scalars(name).one())
            except (DatabaseAway, SQLAlchemyError) as error:
                raise DatabaseAwayFailure(type(error).__name__) from error
        return self._clients[account]


def keep(item: FileItem, path: str, store: Store) -> str:
    """Check an item's part file, bring it to *path* in the store and return where it is; no part file is left."""
    try:
        check(item.part, item.declared)
        return store.place(item.part, path)
    finally:
        item.part.path.unlink(missing_ok=True)


def check(part: PartFile, declared: tuple[str, ...]) -> None:
    """Raise BadFile unless the part file is there, whole, safe, and of a declared type. declared: empty for whatever was sent."""
    if not part.path.exists() or part.size == 0:
        raise BadFile("The file is empty.")
    if not declared:
        return
    if not matches(part.media_type, declared):
        raise BadFile(f"The file is {part.media_type}, not {' or '.join(declared)}.")
    if part.media_type == PDF:
        check_pdf(part.path)
    if part.media_type in (ZIP, XLSX):
        check_zip(part.path)
