"""Sends the requests and browser flows of logins: not through the scheduler, and without retries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from middlewares.cookies import CookiesMiddleware, from_cookie
from scrapers.core.compat import cookie_jars
from scrapers.core.naming import name_failure
from scrapers.core.outcomes import Failure
from scrapers.core.requests import KEY, RequestState, own_state
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from scrapers.core.jobs import Job
    from scrapers.core.page import PortalPage
    from scrapers.logins.base import Login

T = TypeVar("T")


class PortalClient:
    """
    Implements the logins' PortalAccess for one job and one session or sign-in.

    key: of the cookie jar and the browser context. storage: cookies and storage to put into a new context.
    time_limit: seconds for a flow; 0 is LATCHKEY_FLOW_WAIT. deadlines: a flow's own deadline is added to them.
    """

    def __init__(
        self,
        crawler: Crawler,
        login: Login,
        job: Job,
        key: str,
        *,
        context: str = "",
        storage: dict[str, Any] | None = None,
        time_limit: float = 0,
        deadlines: list[asyncio.Timeout] | None = None,
    ) -> None:
        self.crawler = crawler
        self.login = login
        self.job = job
        self.key = key
        self._flows: dict[str, Any] = {
            "login": login.name,
            "context": context or key,
            "storage": storage or {},
            "time_limit": time_limit,
            "deadlines": deadlines,
        }

    async def send(self, request: Request) -> Response:
        """Send a request with the cookies of the session; every error is raised as a Failure."""
        meta = {**self._meta(), "cookiejar": self.key, **request.meta}
        return await self._download(request.replace(callback=NO_CALLBACK, dont_filter=True, meta=meta))

    async def run(self, flow: Callable[[PortalPage], Awaitable[T]], url: str) -> T:
        """Run a flow in a browser page of the session and return its result; *url* is named where it fails."""
        meta = self._meta(flow=flow, **self._flows)
        answer = await self._download(Request(url, callback=NO_CALLBACK, dont_filter=True, meta=meta))
        result: T = own_state(answer).result
        return result

    def take_cookies(self) -> list[dict[str, Any]]:
        """Return the cookies that the portal has set, as Playwright writes them, and forget the jar."""
        middleware = self.crawler.get_downloader_middleware(CookiesMiddleware)
        assert middleware is not None
        return [dict(from_cookie(cookie)) for cookie in cookie_jars(middleware).pop(self.key)]

    def _meta(self, **state: Any) -> dict[str, Any]:
        return {
            KEY: RequestState(self.job.id, own=True, **state),
            "dont_retry": True,
            "allow_offsite": True,
            "download_timeout": min(60, crawl_settings().sign_in_wait),
        }

    async def _download(self, request: Request) -> Response:
        try:
            return await self.crawler.engine.download_async(request)
        except Failure:
            raise
        except Exception as error:
            raise name_failure(error, request) from error
