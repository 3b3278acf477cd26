"""A job's brake: what takes long in it ends as soon as the job must stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.outcomes import Failure


class Brake:
    """Pulled once, with the failure that ends the job: by a signal from outside, or when a lease is lost."""

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self._running: set[asyncio.Timeout] = set()

    def pull(self, failure: Failure) -> None:
        """End everything that runs under the brake, now and from now on."""
        self.failure = self.failure or failure
        for limit in self._running:
            limit.reschedule(0)  # a time that has passed

    def check(self) -> None:
        """Raise the failure if the brake was pulled."""
        if self.failure is not None:
            # One for each who hears of it: an exception collects the traceback of everybody who raises it.
            raise type(self.failure)(self.failure.detail)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Run what may take long; it is cancelled, and the failure raised, when the brake is pulled."""
        self.check()
        try:
            async with asyncio.timeout(None) as limit:
                self._running.add(limit)
                try:
                    yield
                finally:
                    self._running.discard(limit)
        except TimeoutError:
            if limit.expired():
                self.check()
            raise
