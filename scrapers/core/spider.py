"""PortalSpider, the base of all spiders: arguments, jobs, requests, and what becomes of each."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from functools import partial
from getpass import getpass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import scrapy
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator
from scrapy import Request, signals
from scrapy.http import HtmlResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.engine import SchemaLacking, now
from database.jobs.claims import working
from database.models import FileStatus, ScraperJob, StoredFile
from database.schema import lacking
from scrapers.core.compat import OnCrawler, before_stop
from scrapers.core.jobs import ArgumentError, Job, Plan
from scrapers.core.logs import about
from scrapers.core.naming import name_failure, unexpected_error
from scrapers.core.outcomes import BadFile, Failure, PortalChanged, UnexpectedError
from scrapers.core.redaction import bare_url
from scrapers.core.requests import KEY, RequestState, own_state
from scrapers.core.runs import Work, mark_final
from scrapers.core.settings import check_portal, crawl_settings
from scrapers.core.stated import portal_of
from scrapers.core.tables import tables_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from scrapers.core.spool import PartFile
    from scrapers.core.visit import Visit

logger = logging.getLogger(__name__)

GENERATIONS = (700, 10, 10)  # Python's own thresholds of the garbage collector

RENDERINGS = ("http", "browser", "splash")
VISIT = "visit"  # scheme of the address that names a visit `by_client`, which is sent nowhere
Fence = Callable[[str, int, str], bool]  # host, port and IP address of a machine: may it be reached?

PLANS: OnCrawler[list[Plan]] = OnCrawler("plans")  # the jobs of a crawl, where they are known before its spider is made


class LoginFacts(Protocol):
    """The attributes of a login that the base of all spiders uses."""

    name: ClassVar[str]
    shared: ClassVar[bool]

    @classmethod
    def address(cls) -> str:
        """Return the sign-in address."""


class SpiderArguments(BaseModel):
    """Arguments of every spider (`-a name=value`)."""

    model_config = ConfigDict(extra="forbid")
    # Arguments that name targets or say how, and narrow no target; a family adds its own.
    aims: ClassVar[frozenset[str]] = frozenset({"job", "claim", "credential", "again", "visible", "prompt"})
    job: tuple[int, ...] = Field((), description="Ids of rows in scraper_jobs, separated by commas.")
    claim: str | None = Field(None, description="Set by a worker: the claim under which it holds these jobs.")
    credential: str | None = Field(None, description="User name, where the portal has several credentials.")
    again: bool = Field(False, description="yes: fetch also what is stored already.")
    visible: bool = Field(False, description="yes: show the browser, so that a person can finish the sign-in.")
    prompt: bool = Field(False, description="yes: ask at the terminal for a one-time code.")

    _narrowing: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("job", mode="before")
    @classmethod
    def split_jobs(cls, value: Any) -> Any:
        """Accept `17,18`."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @classmethod
    def parse(cls, given: dict[str, str]) -> Self:
        """
        Return the arguments; raise ArgumentError with one sentence that names the first invalid one.

        Names that begin with `_` are Scrapy's or Scrapyd's (`_job`, `_version`) and are passed over.
        """
        try:
            parsed = cls(**{name: value for name, value in given.items() if not name.startswith("_")})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else "arguments"
            if first["type"] == "extra_forbidden":
                known = ", ".join(field.alias or name for name, field in cls.model_fields.items())
                raise ArgumentError(f"-a {name}: this spider has no such argument; it knows {known}.") from None
            raise ArgumentError(f"-a {name}: {first['msg'].removeprefix('Value error, ')}.") from None
        parsed._narrowing = {name: value for name, value in given.items() if name not in cls.aims and name[0] != "_"}
        return parsed

    def narrowing(self) -> dict[str, str]:
        """Return the arguments that limit the targets to a part, as they were given."""
        return dict(self._narrowing)


class PortalSpider(scrapy.Spider):
    """Base of all spiders: makes the Work, yields each job's requests, and records the failures of requests and items."""

    portal: ClassVar[str]
    report_type: ClassVar[str]
    time_zone: ClassVar[str]  # of the portal, IANA: it decides which day "today" is
    morning: ClassVar[int] = 6  # hour of that day from which the portal has what it had not the day before
    logins: ClassVar[tuple[type[LoginFacts], ...]] = ()
    rendering: ClassVar[str] = "http"  # how pages are fetched, after any sign-in: one of RENDERINGS
    Arguments: ClassVar[type[SpiderArguments]] = SpiderArguments
    in_sync: ClassVar[bool] = True  # `scrapy sync` runs it; False: another spider of the portal brings the same
    private: ClassVar[frozenset[str]] = frozenset()  # JSON keys; their values never go into evidence
    target_argument: ClassVar[str] = "credential"  # the argument that names targets, separated by commas
    only_stored: ClassVar[bool] = False  # it works in stored sessions alone, and signs in to none
    keeps_files: ClassVar[bool] = True  # False: it brings records alone, and needs no file store
    closes_early: ClassVar[bool] = False  # a job's run is closed with its last answer, not with the crawl
    # Its visits work with a client of the portal's own protocol, not in a browser page.
    by_client: ClassVar[bool] = False
    work: Work
    arguments: Any  # an instance of Arguments
    scrapyd: dict[str, str]  # arguments that begin with `_`, as Scrapyd passes them: `_job`, `_version`

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Set the attributes that a spider omits: from its portal's PORTAL, and the report type from its name."""
        super().__init_subclass__(**kwargs)
        if (stated := portal_of(cls.__module__)) is not None:
            cls.time_zone, cls.morning = stated.time_zone, stated.morning
            if "portal" not in vars(cls):
                cls.portal = stated.word
        if "name" in vars(cls) and "report_type" not in vars(cls):
            cls.report_type = cls.name.removeprefix(f"{cls.portal}_")

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider and its Work: arguments, jobs, credentials, what is done already."""
        spider = super().from_crawler(crawler)
        spider.arguments = cls.Arguments.parse(kwargs)
        spider.scrapyd = {name: value for name, value in kwargs.items() if name.startswith("_")}
        spider.work = cls.new_work()
        plans = PLANS.get(crawler)  # made already by the command that started the crawl
        if plans is None:
            with spider.work.db.transaction() as session:
                plans = cls.planned(session, spider.arguments)
        spider.work.visible = spider.arguments.visible or not crawl_settings().headless
        spider.work.prompt = getpass if spider.arguments.prompt else None
        spider.work.only_stored = cls.only_stored
        spider.work.conclude = spider.conclude
        spider.work.open(plans, spider.arguments.claim)
        before_stop(crawler, spider.work.stop)  # pulls the brakes
        crawler.signals.connect(_collect_again, signals.spider_opened)
        crawler.signals.connect(spider._on_error, signals.spider_error)
        crawler.signals.connect(spider._on_item_error, signals.item_error)
        crawler.signals.connect(spider._on_item_stored, signals.item_scraped)
        crawler.signals.connect(spider._on_item_dropped, signals.item_dropped)
        return spider

    @classmethod
    def new_work(cls) -> Work:
        """Return a Work for jobs of this spider."""
        zone = getattr(cls, "time_zone", "UTC")  # a spider outside of a portal's folder may state none
        return Work(cls.name, cls.portal, cls.report_type, time_zone=zone, morning=cls.morning)

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """
        Return a Plan for each job that the arguments ask for; raise ArgumentError for what does not exist.

        It is called once, before the crawl starts and before any sign-in, in one short transaction: only the database is
        asked here. A Plan says what the job is about (`target`, a model of the spider's own), under which `key` its files,
        notes and watermarks are kept (the same in every run), how people call it (`label`), whose `credential` opens it,
        and what is stored `already`. A plan that is `done` sends no request.
        """
        raise TypeError(f"{cls.__name__} must say what its jobs are.")

    @classmethod
    def planned(cls, session: Session, arguments: Any) -> list[Plan]:
        """
        Return `plans`, those of a period that the portal no longer offers marked as final unless asked for again.

        Raises SchemaLacking for a table that the spider may write to and the database does not have.
        """
        if missing := lacking(session, tables_of(cls)):
            raise SchemaLacking(f"The database lacks {', '.join(missing)}: run `scrapy db upgrade`.")
        plans = cls.plans(session, arguments)
        if arguments.job and arguments.claim is None and (busy := working(session, arguments.job, now(session))):
            raise ArgumentError(
                f"-a job={busy[0]}: another crawl works on it; `scrapy jobs show {busy[0]}` tells which."
            )
        narrowing = " ".join(f"{name}={value}" for name, value in sorted(arguments.narrowing().items()))
        for plan in plans:
            plan.identity = f"{cls.name} {plan.key} {narrowing}".strip()
        if not arguments.again:
            mark_final(session, cls.name, plans)
        return plans

    @classmethod
    def known_targets(cls, session: Session) -> list[str]:
        """Return all targets there are, as `target_argument` names them; empty where the spider finds them without it."""
        return []

    @classmethod
    def asked_for(
        cls,
        session: Session,
        today: date,
        *,
        names: Sequence[str] | None = None,
        client: str | None = None,
        month: str | None = None,
    ) -> list[dict[str, str]]:
        """
        Return the arguments by which the spider is asked for targets, once for each time it must be asked.

        *names* are targets as `target_argument` names them; None means all that are known. *client* and *month* narrow the
        targets of spiders that have them, others raise ArgumentError.
        """
        if client or month:
            raise ArgumentError(f"{cls.portal} has neither clients nor billing months.")
        given = cls.known_targets(session) if names is None else names
        return [{cls.target_argument: name} for name in given] or [{}]

    @classmethod
    def row(cls, session: Session, job: int) -> ScraperJob:
        """Return a row of scraper_jobs by its id; raise ArgumentError when it is none of this spider's."""
        found = session.get(ScraperJob, job)
        if found is None:
            raise ArgumentError(f"-a job={job}: there is no such job; `scrapy jobs list` shows all.")
        if (found.portal, found.report_type) != (cls.portal, cls.report_type):
            raise ArgumentError(f"-a job={job}: it is for {found.spider}, not for {cls.name}.")
        return found

    @classmethod
    def check_settings(cls) -> None:
        """Raise SettingsError for the portal's first malformed setting, before the crawl begins."""
        check_portal(cls.portal)

    async def start(self) -> AsyncIterator[Any]:
        """Yield the first requests of every job that is not done yet."""
        keeping = asyncio.ensure_future(self.work.queued.keep(self.work.db, self.work.jobs))

        def stop_keeping() -> None:
            keeping.cancel()

        self.crawler.signals.connect(stop_keeping, signals.spider_closed, weak=False)
        for job in self.work.jobs.values():
            if job.plan.done:
                continue
            if (stopped := job.brake.failure) is not None:
                if not job.failures:
                    job.fail(type(stopped)(stopped.detail, step="begin"))
                continue
            async for thing in self._guarded(job, self.requests(job)):
                yield thing
            job.has_begun = True
            self._close_if_ended(job)
        async for item in self.work.deliveries.items():
            yield item

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Yield the first requests of one job: here its visit; spiders over plain HTTP yield requests of their own."""
        if type(self).visit is PortalSpider.visit:
            raise TypeError(f"{type(self).__name__} must say how a job begins.")
        self.work.deliveries.open()
        address = f"{VISIT}://{self.portal}/{job.id}" if self.by_client else self.logins[0].address()
        yield self.request(job, address, self._visited, visit=True, dont_filter=True)

    def client(self, job: Job) -> AbstractAsyncContextManager[Any]:
        """
        Connect to the portal in a job's session, for spiders whose visits are `by_client`; the handler holds the session's run lease.

        What it gives is passed to `visit`. Errors of the client are raised as the failures that they are, those of the visit, too.
        """
        raise TypeError(f"{type(self).__name__} has no client.")

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Called in the transaction that closes a job's run; *failure* is why it failed, None on success."""

    def request(
        self,
        job: Job,
        url: str,
        callback: Callable[..., Any],
        *,
        stream: tuple[str, ...] = (),
        login: type[LoginFacts] | None = None,
        visit: bool = False,
        rendering: str | None = None,
        **kwargs: Any,
    ) -> Request:
        """
        Return a request of a job, sent in the job's session. The run is incomplete if it gets no response.

        stream: media types; a body of one of them is written to a part file. login: where not the spider's first.
        visit: `visit` is run in a browser page, instead of sending anything. rendering: how the page is fetched, where not as
        the spider's `rendering` says; files are always fetched over plain HTTP.
        """
        ticket = job.ticket(bare_url(url))
        state = RequestState(job.id, ticket, login=login.name if login else "", stream=stream, visit=visit)
        state.by_client = visit and self.by_client
        if not (stream or visit):
            state.rendering = rendering or self.rendering
        meta = {**kwargs.pop("meta", {}), KEY: state}
        if stream:
            meta.setdefault("download_timeout", 3600)  # a big file takes longer than a page
            # A transfer that was cut can go on where it ended only if it is not compressed.
            kwargs["headers"] = {"Accept-Encoding": "identity", **kwargs.get("headers", {})}
        return Request(url, callback=partial(self._answer, callback), errback=self._fail, meta=meta, **kwargs)

    def visit(self, page: Any) -> Visit:
        """
        Work in a browser page, for spiders that need one: an async generator that yields a Listing and items.

        `yield item` returns when the item is stored, and raises the failure when it is refused. A visit is started again
        after its session or browser ended, so it must fetch only what `page.job.missing()` names. Where the spider is `by_client`,
        *page* is what `client` gives (a PortalPage otherwise).
        """
        raise TypeError(f"{type(self).__name__} has no visit.")

    async def is_ready(self, response: HtmlResponse) -> bool:
        """Return whether a page that is being rendered shows what is wanted of it; else it is waited for until it is at rest."""
        return False

    def fence(self) -> Fence | None:
        """Return by what the machines are told apart that a rendered page may reach; None: it may reach every one."""
        return None

    def job_of(self, response: Response | Request) -> Job:
        """Return the job that an answer, or a request, belongs to."""
        return self.work.jobs[own_state(response).job]

    @staticmethod
    def part(response: Response) -> PartFile:
        """Return the part file of a streamed answer; raise BadFile when the body was of another type."""
        part = own_state(response).part
        if part is None:
            kind = (response.headers.get("Content-Type") or b"nothing").decode("latin-1").partition(";")[0]
            raise BadFile(f"The portal sent {kind if response.body else 'nothing'} in place of the file.")
        return part

    async def is_stored(self, job: Job, key: str, part: PartFile) -> bool:
        """Return whether a file with the same content is stored for the job: its rows are stored, too, and need not be read."""
        same = select(StoredFile.id).where(
            StoredFile.spider == self.name,
            StoredFile.target_key == job.key,
            StoredFile.key == key,
            StoredFile.status == FileStatus.READY,
            StoredFile.sha256 == part.sha256,
        )
        return not self.arguments.again and await self.work.db.run(lambda session: session.scalar(same) is not None)

    def _visited(self, response: Response) -> None:
        self.work.places.leave(self.job_of(response).id)
        self.work.deliveries.close()

    async def _answer(self, callback: Callable[..., Any], response: Response) -> AsyncIterator[Any]:
        job, ticket = self.job_of(response), own_state(response).ticket
        about.set(job)
        async for thing in self._guarded(job, callback(response), response):
            yield thing
        self.work.answered(job, ticket)
        self._close_if_ended(job)

    async def _guarded(self, job: Job, output: Any, response: Response | None = None) -> AsyncIterator[Any]:
        """Yield a callback's output; record a Failure that it raises in the job, with the response as evidence."""
        begun = False
        try:
            async for thing in _things(output):
                begun = True
                job.items += not isinstance(thing, Request)
                yield thing
        except Failure as failure:
            named = failure
            if response is not None:
                failure.evidence.setdefault("response", response)
                failure.step = failure.step or f"read {bare_url(response.url)}"
                if not begun and _is_unknown_page(failure, response):
                    try:
                        again = await self.work.in_new_session(response, failure)
                    except Failure as worse:
                        named, again = worse, None
                    if again is not None:
                        own_state(again).ticket = job.ticket(bare_url(again.url))
                        yield again
                        return
            job.fail(named)

    def _fail(self, error: Any) -> None:
        """Errback of every request: record the failure that the error maps to in the job."""
        request = error.request
        job = self.job_of(request)
        self.work.answered(job, own_state(request).ticket)
        if own_state(request).visit:
            self.work.places.leave(job.id)
            self.work.deliveries.close()
        failure = name_failure(error.value, request)
        if job.brake.failure is not None and any(str(known) == str(failure) for known in job.failures):
            return  # the failure that stopped the job is recorded once, not for every request that it cancelled
        failure.step = failure.step or f"{request.method} {bare_url(request.url)}"
        job.fail(failure)
        self._close_if_ended(job)

    def _on_error(self, failure: Any, response: Any, spider: Any) -> None:
        message = response if isinstance(response, Response) else getattr(response, "request", None)
        job = self.work.job_of(message) if message is not None else None
        if job is not None:
            at = f"read {bare_url(response.url)}" if hasattr(response, "url") else "begin"
            unexpected = UnexpectedError(f"{type(failure.value).__name__} in a callback.", step=at)
            unexpected.__cause__ = failure.value
            unexpected.evidence["response"] = response if isinstance(response, Response) else None
            job.fail(unexpected)

    def _on_item_error(self, item: Any, response: Any, spider: Any, failure: Any) -> None:
        job = self.work.jobs.get(getattr(item, "job", 0))
        if job is not None:
            named = failure.value if isinstance(failure.value, Failure) else unexpected_error(failure.value)
            named.step = named.step or f"store {getattr(item, 'name', type(item).__name__)}"
            if not self.work.deliveries.settle(item, named) and not job.was_told(named):
                job.fail(named)
            self._has_passed(job)

    def _on_item_stored(self, item: Any) -> None:
        self.work.deliveries.settle(item, None)
        if (job := self.work.jobs.get(getattr(item, "job", 0))) is not None:
            self._has_passed(job)

    def _on_item_dropped(self, item: Any, exception: Any) -> None:
        job = self.work.jobs.get(getattr(item, "job", 0))
        if job is not None:
            self.work.deliveries.settle(item, job.failure or unexpected_error(exception))
            self._has_passed(job)

    def _has_passed(self, job: Job) -> None:
        """Count an item of a job that has left the pipelines."""
        job.items -= 1
        self._close_if_ended(job)

    def _close_if_ended(self, job: Job) -> None:
        """Begin to close the run of a job of which nothing is under way, for spiders that do not wait for the crawl's end."""
        if self.closes_early and job.has_begun and not job.tickets and job.items <= 0 and not job.is_closing:
            self.work.begin_to_finish(job, "finished")


def _is_unknown_page(failure: Failure, response: Response) -> bool:
    """Return whether a failure means that a page came of which nothing is known, in place of another page or of a file."""
    return isinstance(failure, PortalChanged) or (isinstance(failure, BadFile) and isinstance(response, HtmlResponse))


async def _things(output: Any) -> AsyncIterator[Any]:
    """Yield what a callback has returned: nothing, one thing, an iterable, an awaitable or an async iterator of things."""
    if inspect.isawaitable(output):
        output = await output
    if hasattr(output, "__aiter__"):
        async for thing in output:
            yield thing
    elif isinstance(output, (BaseModel, Request)):
        yield output
    else:
        for thing in output or ():
            yield thing


def _collect_again() -> None:
    """Let the garbage collector run as usual, but never look at what was made until now (scrapers/settings.py)."""
    gc.freeze()
    gc.set_threshold(*GENERATIONS)
