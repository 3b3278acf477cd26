"""Rate limits: obeys Retry-After, backs off with jitter, and stops the crawl when the portal is down."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.exceptions import IgnoreRequest

from scrapers.core.compat import OnCrawler
from scrapers.core.logs import about
from scrapers.core.outcomes import PortalDown, RateLimited
from scrapers.core.pace import RATE_TRIES, Pause, backoff, retry_after
from scrapers.core.redaction import bare_url
from scrapers.core.requests import KEY, RequestState, state_of
from scrapers.core.runs import find_work
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

BREAKS_AFTER = 20  # failures in a row, over all requests, after which the portal counts as down


PAUSE: OnCrawler[Pause] = OnCrawler("pause")


def pause_of(crawler: Crawler) -> Pause:
    """Return the crawl's pause, which middlewares and download handler share."""
    pause = PAUSE.get(crawler)
    if pause is None:
        pause = Pause()
        PAUSE.set(crawler, pause)
    return pause


class LimitsMiddleware:
    """Delays all requests during a pause that the portal asked for, and fails them once the portal counts as down."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._pause = pause_of(crawler)
        self._failures = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for the end of a pause; raise PortalDown after BREAKS_AFTER failures in a row."""
        work = find_work(self.crawler)
        job = work.job_of(request) if work is not None else None
        about.set(job)  # in the task of this request: what follows in it is about its job
        if self._failures >= BREAKS_AFTER:
            raise PortalDown(f"{self._failures} failures in a row; {bare_url(request.url)} was not asked any more.")
        if self._pause.is_over:
            return
        async with job.brake() if job is not None else nullcontext():
            await self._pause.wait()

    def process_response(self, request: Request, response: Response) -> Response:
        """Count errors of the server for the breaker."""
        state = state_of(request)
        if state is not None and state.resent:
            return response  # seen again as the response that AuthMiddleware returns for the original request
        if response.status >= 500:
            self._count_failure()
        elif response.status != 429:
            self._failures = 0
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Count network errors for the breaker."""
        if not isinstance(exception, IgnoreRequest):
            self._count_failure()

    def _count_failure(self) -> None:
        self._failures += 1
        self.crawler.stats.inc_value("limits/failures")


class RetryAfterMiddleware:
    """Pauses the crawl after 429, or 503 with Retry-After, and sends that request again."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._pause = pause_of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Send a request again after the pause; raise RateLimited after RATE_TRIES, or when the pause would be too long."""
        state = state_of(request) or RequestState(0)
        if state.resent or response.status not in (429, 503):
            return response
        header = response.headers.get("Retry-After")
        if response.status == 503 and header is None:
            return response  # RetryMiddleware's
        if state.own and request.method != "GET":
            return response  # a password or code is never sent twice
        state.rate_tries += 1
        wanted = retry_after((header or b"").decode("latin-1"))
        pause = backoff(state.rate_tries) if wanted is None else wanted
        if state.rate_tries > RATE_TRIES:
            raise RateLimited(f"{bare_url(request.url)}: {state.rate_tries} times.")
        if wanted is not None and wanted > crawl_settings().retry_wait:
            raise RateLimited(f"{bare_url(request.url)}: it asks for {wanted:.0f} s, more than LATCHKEY_RETRY_WAIT.")
        pause = min(pause, crawl_settings().retry_wait)
        self._pause.prolong(pause)
        logger.info("The portal asks for a pause of %.1f s", pause)
        self.crawler.stats.inc_value("limits/pauses")
        return request.replace(dont_filter=True, priority=request.priority + 50, meta={**request.meta, KEY: state})
