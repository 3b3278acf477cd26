"""Delays a visit and its sign-in until the browser has a free place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapers.core.requests import state_of
from scrapers.core.runs import work_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class BrowserPlacesMiddleware:
    """Takes a place for a visit before it signs in; the download handler gives it back when the visit has ended."""

    def __init__(self, crawler: Crawler) -> None:
        self.work = work_of(crawler, "This spider has no jobs: it has no visits.")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for a place, unless the job must stop."""
        state, job = state_of(request), self.work.job_of(request)
        if state is not None and state.visit and state.in_browser and job is not None:
            async with job.brake():
                await self.work.places.take(job.id)

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Give back the place of a visit that failed before it began."""
        state = state_of(request)
        if state is not None and state.visit:
            self.work.places.leave(state.job)
