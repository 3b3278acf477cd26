"""Rate limits: obeys Retry-After, backs off with jitter, and stops the crawl when the portal is down."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from scrapers.core.outcomes import PortalDown, RateLimited
from scrapers.core.pace import RATE_TRIES, backoff, retry_after
from scrapers.core.redaction import bare_url
from scrapers.core.requests import KEY, RequestState, state_of
from scrapers.core.runs import find_work
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

BREAKS_AFTER = 20  # failures in a row, over all requests, after which the portal counts as down


class LimitsMiddleware:
    """Delays all requests during a pause that the portal asked for, and fails them once the portal counts as down."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._resume_at = 0.0  # loop time
        self._failures = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for the end of a pause; raise PortalDown after BREAKS_AFTER failures in a row."""
        if self._failures >= BREAKS_AFTER:
            raise PortalDown(f"{self._failures} failures in a row; {bare_url(request.url)} was not asked any more.")
        if self._resume_at <= asyncio.get_running_loop().time():
            return
        work = find_work(self.crawler)
        job = work.job_of(request) if work is not None else None
        async with job.brake() if job is not None else nullcontext():
            await self._pause()

    async def _pause(self) -> None:
        loop = asyncio.get_running_loop()
        while (remaining := self._resume_at - loop.time()) > 0:  # noqa: ASYNC110 - a pause ends at a time; it may be prolonged meanwhile
            await asyncio.sleep(remaining)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """After 429, or 503 with Retry-After, pause all requests and send this one again."""
        state = state_of(request) or RequestState(0)
        if state.resent:
            return response  # seen again as the response that AuthMiddleware returns for the original request
        wanted = retry_after((response.headers.get("Retry-After") or b"").decode("latin-1"))
        limited = response.status == 429 or (response.status == 503 and wanted is not None)
        if not limited:
            if response.status >= 500:
                self._count_failure()
            else:
                self._failures = 0
            return response
        if state.own and request.method != "GET":
            return response  # a password or code is never sent twice
        tries = state.rate_tries + 1
        ceiling = crawl_settings().retry_wait
        pause = backoff(tries) if wanted is None else wanted
        if tries > RATE_TRIES or pause > max(ceiling, 0):
            text = (
                f"it asks for {pause:.0f} s, more than LATCHKEY_RETRY_WAIT" if tries <= RATE_TRIES else f"{tries} times"
            )
            raise RateLimited(f"{bare_url(request.url)}: {text}.")
        self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + pause)
        logger.info("The portal asks for a pause of %.1f s", pause)
        self.crawler.stats.inc_value("limits/pauses")
        state.rate_tries = tries
        return request.replace(dont_filter=True, priority=request.priority + 50, meta={**request.meta, KEY: state})

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Count network errors for the breaker."""
        if not isinstance(exception, IgnoreRequest):
            self._count_failure()

    def _count_failure(self) -> None:
        self._failures += 1
        self.crawler.stats.inc_value("limits/failures")
