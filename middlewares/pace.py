"""Sends requests at the pace that all processes together may ask a portal: LATCHKEY_PORTAL_PACE in a minute."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.exceptions import NotConfigured
from sqlalchemy.orm import Session

from database.engine import now
from database.jobs.pace import reserve
from database.jobs.settings import QueueSettings
from scrapers.core.runs import work_of

if TYPE_CHECKING:
    from datetime import timedelta

    from scrapy.crawler import Crawler


class PaceMiddleware:
    """Holds each request back until its moment; a visit or sign-in in the browser counts as one request."""

    def __init__(self, crawler: Crawler) -> None:
        self.per_minute = QueueSettings.current().portal_pace
        if not self.per_minute:
            raise NotConfigured  # the usual case, and nothing to tell of: a text would be a warning
        self.work = work_of(crawler, "This spider has no jobs: it has no portal whose pace is known.")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for the request's moment, or for what stops its job."""
        pause = await self.work.db.run(partial(_reserve, portal=self.work.portal, per_minute=self.per_minute))
        job = self.work.job_of(request)
        if job is None:
            await asyncio.sleep(pause.total_seconds())
        else:
            async with job.brake():
                await asyncio.sleep(pause.total_seconds())


def _reserve(session: Session, portal: str, per_minute: int) -> timedelta:
    return reserve(session, portal, now(session), per_minute)
