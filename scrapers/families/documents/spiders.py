"""The base of spiders of a list of documents: one credential is one job, and a successful run sets a watermark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from scrapy.http import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import FileStatus, StoredCredential, StoredFile
from database.watermarks import advance, reached
from scrapers.core.items import Listing
from scrapers.core.jobs import Job, Plan
from scrapers.core.outcomes import Failure
from scrapers.core.spider import PortalSpider, SpiderArguments
from scrapers.logins.credentials import credential_for


class DocumentArguments(SpiderArguments):
    """Arguments of a spider of documents."""

    credential: str | None = Field(None, description="User names, separated by commas; default: all that are stored.")


class DocumentTarget(BaseModel):
    """The target of a job: the user name of a credential."""

    username: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as the portal's list shows it."""

    key: str  # by which the portal tells it from the user's other documents
    day: date | None = None  # by which the list is sorted; None: the list does not say
    url: str = ""  # of its page or file


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of the portal's list."""

    documents: Sequence[Document]  # newest first
    following: str = ""  # address of the next page; empty: this is the last one
    total: int | None = None  # documents on all pages; None: the portal does not say


@dataclass(slots=True)
class Progress:
    """How far the list of one job was read."""

    known: set[str]  # keys that earlier runs have stored
    limit: date | None  # everything older is stored; None: no run has succeeded yet
    keys: set[str] = field(default_factory=set)
    newest: date | None = None
    last: date | None = None
    is_sorted: bool = True  # newest first, every document with its day
    is_read: bool = False  # to its end, or to the limit

    def see(self, page: ListPage) -> None:
        """Take a page into account; afterwards `is_read` tells whether the next one must be read."""
        for document in page.documents:
            self.keys.add(document.key)
            if document.day is None or (self.last is not None and document.day > self.last):
                self.is_sorted = False
            self.last = document.day or self.last
            self.newest = max(filter(None, (self.newest, document.day)), default=None)
        self.is_read = not page.following or self._is_below(page)

    def _is_below(self, page: ListPage) -> bool:
        """Tell whether everything that follows a page is stored."""
        if self.limit is None or self.last is None or not self.is_sorted:
            return False
        # A document with an early day may have come late: then there are more than we know of.
        is_all = page.total is None or len(self.known | self.keys) >= page.total
        return self.last < self.limit and is_all


class DocumentSpider(PortalSpider):
    """
    Base of the spiders of a list of documents over plain HTTP, newest first.

    Each document is fetched once, by its key, unless `-a again=yes`. Reading stops early only at documents that are older
    than the newest one of the last run that succeeded: a run that died may have stored the first page and not the fourth.
    """

    Arguments: ClassVar[type[SpiderArguments]] = DocumentArguments
    overlap: ClassVar[timedelta] = timedelta(0)  # how long after its day a document may appear in the list

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.progress: dict[int, Progress] = {}

    @abstractmethod
    def first_page(self, job: Job) -> str:
        """Return the address of the first page of the list."""

    @abstractmethod
    def read(self, response: Response) -> ListPage:
        """Return what a page of the list shows; raise PortalChanged for a page that is not understood."""

    @abstractmethod
    def fetch(self, job: Job, document: Document) -> Any:
        """Return the request that brings a document, or its item where the list says everything."""

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return a job for each credential."""
        if arguments.job:
            named = [(number, (cls.row(session, number).target or {}).get("username")) for number in arguments.job]
            return [replace(cls._plan(session, arguments, name), job_id=number) for number, name in named]
        return [cls._plan(session, arguments, name) for name in cls._usernames(session, arguments.credential)]

    @classmethod
    def _usernames(cls, session: Session, given: str | None) -> list[str | None]:
        """Return the user names that are asked for; one None for the credential of environment or file."""
        if given is not None:
            return list(dict.fromkeys(name.strip() or None for name in given.split(",")))
        names = {cls.portal} | {login.name for login in cls.logins[:1]}
        stored = select(StoredCredential.username).where(StoredCredential.portal.in_(names))
        return list(dict.fromkeys(session.scalars(stored.order_by(StoredCredential.username)))) or [None]

    @classmethod
    def _plan(cls, session: Session, arguments: Any, username: str | None) -> Plan:
        credential = credential_for(cls, session, username)
        name = credential.username if credential else username or ""
        return Plan(target=DocumentTarget(username=name), key=name, label=name, credential=credential)

    def scope(self, job: Job) -> str | None:
        """Return the name of the list's watermark; None when the arguments limit the list to a part of it."""
        return "documents"

    def stored(self, session: Session, job: Job) -> set[str]:
        """Return the keys that are stored: here of files; where a document is a record, its table is asked."""
        of_job = select(StoredFile.key).where(StoredFile.spider == self.name, StoredFile.target_key == job.key)
        return set(session.scalars(of_job.where(StoredFile.status == FileStatus.READY)))

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Ask for the first page of the list."""
        if job.id not in self.progress:
            # Of all jobs, in one transaction: their first requests are asked for one after another.
            self.progress = await self.work.db.run(self._begin_all)
        yield self.request(job, self.first_page(job), self.listed)

    def _begin_all(self, session: Session) -> dict[int, Progress]:
        return {job.id: self._begin(session, job) for job in self.work.jobs.values() if not job.plan.done}

    def _begin(self, session: Session, job: Job) -> Progress:
        if self.arguments.again:
            return Progress(set(), None)
        scope = self.scope(job)
        mark = reached(session, self.name, job.key).get(scope) if scope else None
        return Progress(self.stored(session, job), mark.date() - self.overlap if mark else None)

    def listed(self, response: Response) -> Iterator[Any]:
        """Ask for the documents of a page that are not stored, and for the next page."""
        job = self.job_of(response)
        progress, page = self.progress[job.id], self.read(response)
        yield Listing(job=job.id, keys=tuple(document.key for document in page.documents))
        new = [document for document in page.documents if document.key not in progress.known | progress.keys]
        progress.see(page)
        job.stored.update(progress.known & {document.key for document in page.documents})
        for document in new:
            yield self.fetch(job, document)
        if not progress.is_read:
            yield self.request(job, response.urljoin(page.following), self.listed)

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Move the watermark to the newest document once everything is stored that the list shows."""
        super().conclude(session, job, failure)
        progress, scope = self.progress.get(job.id), self.scope(job)
        if failure or scope is None or progress is None or not (progress.is_read and progress.is_sorted):
            return
        if progress.newest is not None:
            # A day to come says nothing about the documents that will be published until then.
            day = min(progress.newest, datetime.now(ZoneInfo(self.time_zone)).date())
            advance(session, self.name, job.key, {scope: datetime.combine(day, time(), UTC)}, job.id)
