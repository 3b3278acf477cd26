"""The download handler: runs flows and loads pages in the browser, hands pages to Splash, and sends all others as plain HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit
from weakref import WeakSet

from scrapy import signals
from scrapy.http import HtmlResponse

from middlewares.download.streaming import StreamingDownloadHandler, check_session
from scrapers.core.compat import (
    OnCrawler,
    browser_gone,
    context_of,
    launch,
    new_page,
    playwright_handler,
)
from scrapers.core.logs import about
from scrapers.core.outcomes import PortalDown
from scrapers.core.requests import state_of
from scrapers.core.runs import find_work, work_of
from scrapers.core.settings import crawl_settings
from scrapers.core.visit import drive
from scrapers.logins.base import Login

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

    from middlewares.download.clients import ClientVisits
    from middlewares.download.fence import Fenced
    from middlewares.download.splash import Splash
    from scrapers.core.jobs import Job
    from scrapers.core.page import PortalPage
    from scrapers.core.requests import RequestState

logger = logging.getLogger(__name__)
T = TypeVar("T")

HANDLER: OnCrawler[Any] = OnCrawler("handler")  # the crawl's one FlowDownloadHandler
CLOSE_SECONDS = 10  # a healthy browser needs far less to close a page or itself
# Puts sessionStorage back into a new tab, once per tab, before the page's own scripts run.
RESTORE_STORAGE = """(saved) => {
  const mine = saved[location.origin];
  if (mine && !sessionStorage.length) for (const [name, value] of mine) sessionStorage.setItem(name, value);
}"""


class FlowDownloadHandler(StreamingDownloadHandler):
    """
    Runs flows and loads pages in the browser: owns the pages, the contexts (one per session) and their closing.

    The request's RequestState says which flow, and in which session; what the flow returned becomes its `result`. A page
    without a session is loaded in a context of its own. The browser is started by the first of them; a crawl without has none.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._browser: ScrapyPlaywrightDownloadHandler | None = None
        self._launch = asyncio.Lock()
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        # Of the requests of the crawl's pages, by address: long polls, and what was answered.
        self._endless: Counter[str] = Counter()
        self._answered: set[str] = set()
        self._restored: WeakSet[BrowserContext] = WeakSet()  # contexts in which new tabs get the saved sessionStorage
        self._loaded_at: defaultdict[str, float] = defaultdict(float)  # by host: when its last page was loaded
        self._fence: Fenced | None = None
        self._splash: Splash | None = None
        self._clients: ClientVisits | None = None
        self._closed = False
        crawler.signals.connect(self.close_browser, signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the crawler's one handler: http and https share browser, pool and limits."""
        handler: Self | None = HANDLER.get(crawler)
        if handler is None:
            handler = cls(crawler)
            HANDLER.set(crawler, handler)
        return handler

    async def close(self) -> None:
        """Close the connection pool, once."""
        if not self._closed:
            self._closed = True
            await super().close()

    async def close_browser(self) -> None:
        """Close every page, context and the browser."""
        if self._browser is not None:
            browser, self._browser = self._browser, None
            await in_time(browser.close())
        if self._fence is not None:
            await self._fence.close()
        # Refused downloads and the browser's profile; those of a killed crawl are swept by the next one.
        if (work := find_work(self.crawler)) is not None:
            await asyncio.to_thread(shutil.rmtree, work.spool, ignore_errors=True)

    async def download_request(self, request: Request) -> Response:
        """Run the request's flow, or send it."""
        work, state = find_work(self.crawler), state_of(request)
        job = work.job_of(request) if work is not None else None
        about.set(job)  # Scrapy sends what waited for a place in a task of another request
        async with job.brake() if job is not None else nullcontext():
            if state is not None and job is not None and state.by_client:
                return await self._by_client(request, job)
            if state is None or job is None or not (state.in_browser or state.rendering == "splash"):
                return await super().download_request(request)
            if state.rendering == "splash":
                return await self._by_splash(request)
            if not state.context:  # it has no session
                state.context = f"page {job.id} {state.ticket or id(state)}"
            async with self._place(state, job), self._one_at_a_time[state.context]:
                await self._pause.wait()
                check_session(request)
                return await self._run(request, state, job)

    async def _by_client(self, request: Request, job: Job) -> Response:
        """Run a visit with a client of the portal's own protocol."""
        from middlewares.download.clients import ClientVisits

        if self._clients is None:
            self._clients = ClientVisits(self.crawler)
        await self._pause.wait()
        return await self._clients.run(request, job)

    @asynccontextmanager
    async def _place(self, state: RequestState, job: Job) -> AsyncIterator[None]:
        """Take a place in the browser and give it back; a visit's sign-in uses the place of the visit."""
        places = work_of(self.crawler).places
        # A visit keeps its place until its request has come back for good: it may have to sign in again.
        is_kept = state.visit or job.id in places
        await places.take(job.id)
        try:
            yield
        finally:
            if not is_kept:
                places.leave(job.id)

    async def _run(self, request: Request, state: RequestState, job: Job) -> Response:
        from scrapers.core.page import PortalPage
        from scrapers.core.trail import Trail

        spider: Any = self.crawler.spider
        login = Login.registry[state.login] if state.login else next(iter(spider.logins), None)
        limit_seconds = state.time_limit or crawl_settings().flow_wait
        if is_load := not (state.visit or state.flow):
            limit_seconds = float(request.meta.get("download_timeout") or limit_seconds)
        async with self._page(request, state, is_load and login is None) as page:
            view = PortalPage(
                page,
                spool=work_of(self.crawler).spool,
                job=job,
                signed_out=() if state.own or login is None else login.credential_screens(),
                interruptions=login.interruptions if login else (),
                wall=login.wall if login else None,
                trail=Trail(
                    pauses=state.rate_tries,
                    pause=self._pause,
                    endless=self._endless,
                    answered=self._answered,
                    by_person=work_of(self.crawler).visible,
                ),
            )
            try:
                async with asyncio.timeout(limit_seconds) as limit:
                    if state.deadlines is not None:
                        state.deadlines.append(limit)
                    await view.prepare()
                    if not state.own and login is not None:
                        assert state.guard is not None
                        assert state.is_over is not None
                        await state.guard(view)
                        view.trail.is_over = partial(state.is_over, view)
                        view.trail.enter = state.enter
                    if is_load:
                        from middlewares.download.loading import load

                        await self._in_turn(request)
                        return await load(view, request, spider, self._fence)
                    if state.flow is not None:
                        state.result = await state.flow(view)
                    else:
                        await self._visit(view, limit)
                    body = await page.content()
            except Exception as error:
                named = await view.failure_of(error)
                if named is error:
                    raise
                raise named from error
            finally:
                job.counts.requests += view.trail.requests
                state.rate_tries = view.trail.pauses  # a request that is sent again does not begin anew
                await self._close_tabs(page)
                if is_load and login is None:
                    await self.drop_context(state.context)
                    del self._one_at_a_time[state.context]
                    state.context = ""
            return HtmlResponse(page.url or request.url, body=body, encoding="utf-8", request=request, flags=["flow"])

    async def _in_turn(self, request: Request) -> None:
        """Wait until DOWNLOAD_DELAY is over since the last page of this host was loaded: Scrapy counts it from before the browser's start."""
        loop, place = asyncio.get_running_loop(), urlsplit(request.url).netloc
        delay = self.crawler.settings.getfloat("DOWNLOAD_DELAY")
        now = loop.time()
        at = self._loaded_at[place] = max(now, self._loaded_at[place] + delay)
        await asyncio.sleep(at - now)

    async def _visit(self, view: PortalPage, limit: asyncio.Timeout) -> None:
        """Run the spider's visit; each stored item restarts its deadline."""
        spider: Any = self.crawler.spider
        loop = asyncio.get_running_loop()

        async def deliver(item: Any) -> None:
            await spider.work.deliveries.deliver(item)
            limit.reschedule(loop.time() + crawl_settings().flow_wait)

        await drive(spider.visit(view), deliver)

    @asynccontextmanager
    async def _page(self, request: Request, state: RequestState, is_alone: bool = False) -> AsyncIterator[Page]:
        """Give a page in the state's context; is_alone: one without a session."""
        from playwright.async_api import Error as PlaywrightError

        from middlewares.download.browser import not_started

        options = self._context_options(state)
        if is_alone:
            from middlewares.download.loading import context_options

            options |= context_options(request, await self._fenced())
        try:
            browser = await self._start()
            page = await new_page(browser, request, self.crawler.spider, state.context, options)
            saved = state.storage.get("session_storage")
            if saved and page.context not in self._restored:
                self._restored.add(page.context)
                await page.context.add_init_script(f"({RESTORE_STORAGE})({json.dumps(saved)})")
        except PlaywrightError as error:
            if (missing := not_started(error, work_of(self.crawler).visible)) is not None:
                raise missing from error
            raise PortalDown("The browser could not open a page.") from error
        yield page

    async def _close_tabs(self, page: Page) -> None:
        """Close every tab of the session; the context stays open and keeps its cookies."""
        from playwright.async_api import Error as PlaywrightError

        for tab in list(page.context.pages):
            try:
                await in_time(tab.close())
            except PlaywrightError as error:
                if not browser_gone(error):
                    raise

    def _context_options(self, state: RequestState) -> dict[str, Any]:
        options: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}, "accept_downloads": True}
        if saved := state.storage:
            options["storage_state"] = {"cookies": saved.get("cookies", []), "origins": saved.get("origins", [])}
        return options

    async def _fenced(self) -> Fenced | None:
        """Return the proxy through which rendered pages reach the machines that the spider lets them reach; None for all."""
        spider: Any = self.crawler.spider
        if self._fence is None and (may_reach := spider.fence()) is not None:
            from middlewares.download.fence import Fenced

            fence = self._fence = Fenced(may_reach)
            await fence.start()
        return self._fence

    async def _by_splash(self, request: Request) -> Response:
        """Return the page of a request as Splash renders it."""
        from middlewares.download.splash import Splash

        if self._splash is None:
            self._splash = Splash(self.crawler, super().download_request)
        return await self._splash.render(request, await self._fenced())

    async def _start(self) -> ScrapyPlaywrightDownloadHandler:
        from middlewares.download.browser import ENGINES, launch_options

        async with self._launch:
            if self._browser is None:
                # The browser keeps its profile and downloads below this folder: it is swept with the spool.
                temp = work_of(self.crawler).spool / "browser"
                temp.mkdir(parents=True, exist_ok=True, mode=0o700)
                changed = {
                    "PLAYWRIGHT_BROWSER_TYPE": ENGINES[crawl_settings().browser],
                    "PLAYWRIGHT_LAUNCH_OPTIONS": launch_options(temp, work_of(self.crawler).visible),
                }
                browser = playwright_handler(self.crawler, changed)
                with _temp_folder(temp):
                    await launch(browser)
                self._browser = browser
            return self._browser

    async def context(self, key: str) -> BrowserContext | None:
        """Return the browser context of a session, if it is open."""
        return context_of(self._browser, key) if self._browser else None

    async def drop_context(self, key: str) -> None:
        """Close a session's context: its cookies, storage and HTTP cache are gone with it."""
        if (context := await self.context(key)) is not None:
            await in_time(context.close())


async def in_time(closing: Awaitable[T]) -> T | None:
    """Await *closing* for at most CLOSE_SECONDS, so that a browser that hangs cannot block the crawl's end."""
    try:
        return await asyncio.wait_for(closing, CLOSE_SECONDS)
    except TimeoutError:
        logger.warning("The browser did not answer within %d s", CLOSE_SECONDS)
        return None


@contextmanager
def _temp_folder(folder: Path) -> Iterator[None]:
    """Let the browser's driver, which inherits our environment when it starts, make its profiles in *folder*."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
