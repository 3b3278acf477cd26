"""
A crawl and a browser that show how the libraries behave where Latchkey needs what they do not document.

`python -m tests.scrapers.core.contracts crawl FOLDER`, or `browser FOLDER`, prints what was seen as JSON. A process of
its own, because a Twisted reactor is installed once and for all.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import scrapy
from scrapy.crawler import Crawler
from scrapy.extensions.feedexport import FeedExporter
from scrapy.statscollectors import StatsCollector
from scrapy.utils.reactor import install_reactor

from middlewares.cookies import CookiesMiddleware
from scrapers.core import compat

SEEN: dict[str, Any] = {"called": []}
NOTE: compat.OnCrawler[str] = compat.OnCrawler("note")


class Portal(BaseHTTPRequestHandler):
    """Answers everything with a small page and a cookie."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "12")
        self.send_header("Set-Cookie", "session=abc; Path=/")
        self.end_headers()
        self.wfile.write(b"<p>hello</p>")

    def log_message(self, format: str, *args: Any) -> None:
        """Keep standard error clean."""


class Handler(compat.AiohttpDownloadHandler):
    """Overrides what `middlewares/download/streaming.py` overrides."""

    experimental = False

    @asynccontextmanager
    async def _make_request(self, request: scrapy.Request, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109 - the parent's signature
        SEEN["called"].append("_make_request")
        SEEN["timeout"] = timeout
        async with super()._make_request(request, timeout) as response:
            yield response

    @staticmethod
    def _request_headers(request: scrapy.Request) -> scrapy.http.Headers:
        SEEN["called"].append("_request_headers")
        return compat.AiohttpDownloadHandler._request_headers(request)

    async def _read_response(self, response: Any, request: scrapy.Request) -> scrapy.http.Response:
        SEEN["called"].append("_read_response")
        assert (b"Content-Length", b"12") in response.raw_headers
        SEEN["length"] = int(self._extract_headers(response).get("Content-Length") or 0)
        SEEN["streams"] = response.status == 200 and hasattr(response.content.iter_any(), "__aiter__")
        return await super()._read_response(response, request)


class Exporter(FeedExporter):
    """Overrides what `pipelines/feeds.py` overrides: two records for each item, after a wait."""

    async def item_scraped(self, item: Any, spider: scrapy.Spider) -> None:  # type: ignore[override]
        for number in (1, 2):
            await asyncio.sleep(0)
            super().item_scraped({**item, "number": number}, spider)


class Spider(scrapy.Spider):
    """One request, one item."""

    name = "contract"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Spider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        compat.before_stop(crawler, lambda: SEEN["called"].append("stop"))
        SEEN["note"] = NOTE.get(crawler)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        yield scrapy.Request(self.settings["ADDRESS"], meta={"cookiejar": "one"})

    def parse(self, response: Any, **kwargs: Any) -> Any:
        middleware = self.crawler.get_downloader_middleware(CookiesMiddleware)
        assert middleware is not None
        jars = compat.cookie_jars(middleware)
        SEEN["jars"] = {key: [cookie.name for cookie in jar] for key, jar in jars.items()}
        yield {"text": response.css("p::text").get()}


async def crawl(folder: Path) -> None:
    """Crawl a page, with the overrides in place."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    Thread(target=server.serve_forever, daemon=True).start()
    feed = folder / "items.json"
    settings = {
        "ADDRESS": f"http://127.0.0.1:{server.server_port}/",
        "TWISTED_REACTOR_ENABLED": False,
        "LOG_LEVEL": "WARNING",
        "DOWNLOAD_TIMEOUT": 77,
        "DOWNLOAD_HANDLERS": {"http": Handler, "https": Handler},
        "DOWNLOADER_MIDDLEWARES": {
            "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
            "middlewares.cookies.CookiesMiddleware": 700,
        },
        "EXTENSIONS": {"scrapy.extensions.feedexport.FeedExporter": None, Exporter: 0},
        "FEEDS": {str(feed): {"format": "json"}},
    }
    crawler = Crawler(Spider, settings)
    NOTE.set(crawler, "kept")
    await crawler.crawl_async()
    server.shutdown()
    SEEN["feed"] = json.loads(feed.read_text())
    assert crawler.stats is not None
    SEEN["stats"] = [name for name in crawler.stats.get_stats() if name.startswith("feedexport/")]
    SEEN["finish_reason"] = crawler.stats.get_value("finish_reason")


async def hang(_route: Any) -> None:
    """Leave a request without an answer."""


async def error_of(action: Awaitable[Any]) -> compat.PlaywrightError:
    """Return the Playwright error that an action ends with."""
    try:
        await action
    except compat.PlaywrightError as error:
        return error
    raise AssertionError("no error came")


async def browser(folder: Path) -> None:
    """Open pages in contexts, and provoke the errors that are told apart by what they say."""
    from middlewares.download.browser import find_browser

    crawler = Crawler(scrapy.Spider, {"PLAYWRIGHT_LAUNCH_OPTIONS": {"headless": False}})
    crawler.stats = StatsCollector(crawler)
    crawler.settings.freeze()
    options: dict[str, Any] = {"headless": True}
    if program := find_browser():
        options["executable_path"] = program
    handler = compat.playwright_handler(crawler, {"PLAYWRIGHT_LAUNCH_OPTIONS": options})
    SEEN["retries"] = handler.config.target_closed_max_retries
    SEEN["headless"] = [handler.config.launch_options["headless"], crawler.settings["PLAYWRIGHT_LAUNCH_OPTIONS"]]
    SEEN["before"] = compat.context_of(handler, "one") is None
    await compat.launch(handler)
    try:
        request = scrapy.Request("http://127.0.0.1/")
        page = await compat.new_page(handler, request, None, "one", {"locale": "fr-CA"})
        again = await compat.new_page(handler, request, None, "one", {"locale": "en-CA"})
        other = await compat.new_page(handler, request, None, "two", {"locale": "en-CA"})
        SEEN["same"] = page.context is again.context is compat.context_of(handler, "one")
        SEEN["other"] = other.context is not page.context
        SEEN["locales"] = [await each.evaluate("navigator.language") for each in (page, again, other)]

        await page.set_content("<button>go</button><div style='position:fixed;inset:0'>over</div>")
        error = await error_of(page.click("button", timeout=1000))
        SEEN["timeout"] = isinstance(error, compat.PlaywrightTimeout)
        SEEN["covered"] = compat.is_covered(error)
        await page.set_content("<button>go</button>")
        handle = await page.query_selector("button")
        assert handle is not None
        await page.set_content("")
        SEEN["detached"] = compat.detached(await error_of(handle.click(timeout=1000)))
        pending = asyncio.ensure_future(error_of(again.evaluate("new Promise(() => {})")))
        await again.goto("data:text/html,elsewhere")
        SEEN["navigated"] = compat.navigated(await pending)
        await again.route("http://portal.example/**", hang)
        await again.evaluate("void fetch('http://portal.example/news')")
        async with again.expect_event("requestfailed") as failed:
            await again.goto("data:text/html,here")
        SEEN["left"] = compat.was_left(await failed.value)
        await page.close()
        SEEN["closed"] = compat.browser_gone(await error_of(page.title()))
        context = compat.context_of(handler, "one")
        assert context is not None
        await context.close()
        SEEN["after"] = compat.context_of(handler, "one") is None
    finally:
        await handler.close()
    SEEN["program"] = compat.program_missing(await start(crawler, {"executable_path": str(folder / "none")}))
    SEEN["channel"] = compat.program_missing(await start(crawler, {"channel": "chrome-canary"}))
    SEEN["launched"] = compat.not_launched(await start(crawler, {"executable_path": "/bin/false"}))


async def start(crawler: Crawler, options: dict[str, Any]) -> compat.PlaywrightError:
    """Return the error of a browser that cannot start."""
    handler = compat.playwright_handler(crawler, {"PLAYWRIGHT_LAUNCH_OPTIONS": options})
    await compat.launch(handler)
    try:
        return await error_of(compat.new_page(handler, scrapy.Request("http://127.0.0.1/"), None, "one", {}))
    finally:
        await handler.close()


def main(act: str, folder: str) -> None:
    """Act, and print what was seen."""
    try:
        look(act, folder)
    finally:
        print(json.dumps(SEEN))


def look(act: str, folder: str) -> None:
    """Run one of the two in an event loop."""
    if act == "crawl":
        asyncio.run(crawl(Path(folder)))
    else:
        install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
        # A browser in trouble may never answer; what was seen by then tells where it stopped.
        asyncio.get_event_loop().run_until_complete(asyncio.wait_for(browser(Path(folder)), 120))


if __name__ == "__main__":
    main(*sys.argv[1:])
