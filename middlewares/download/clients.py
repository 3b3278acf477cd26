"""Runs visits that work with a client of their portal's own protocol: one at a time in each session, under its run lease."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from scrapy.http import Response

from database.access.leases import holder
from middlewares.access.leases import HeldLeases
from scrapers.core.outcomes import CredentialMissing, Failure, LeaseLost
from scrapers.core.runs import work_of
from scrapers.core.visit import drive

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from scrapers.core.jobs import Job


class ClientVisits:
    """
    The visits of a crawl whose spider is `by_client`.

    The client runs in the crawl's own event loop. A visit has no deadline as a whole: its requests have one each, and what it
    fetches may be large.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.work = work_of(crawler)
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, request: Request, job: Job) -> Response:
        """Run the visit of a job, and return when its last item is stored."""
        spider: Any = self.crawler.spider
        if job.credential is None:
            raise CredentialMissing(f"Portal: {spider.portal}.", step="find the session")
        name = f"{spider.portal}:{job.credential.username}"
        async with self._one_at_a_time[name]:
            lease = f"run:{name}"
            leases = HeldLeases(self.work.db, holder(self.work.crawl), lambda: job.halt(LeaseLost()))
            try:
                await leases.wait_for(lease, job)
                job.fences[lease] = leases.holder
                async with spider.client(job) as client:
                    await drive(spider.visit(client), self.work.deliveries.deliver)
            except Failure as failure:
                failure.step = failure.step or job.step
                raise
            finally:
                await leases.close()
                job.fences.pop(lease, None)
        return Response(request.url, request=request, flags=["visit"])
