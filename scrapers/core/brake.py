"""Brake: cancels the long operations of a job when the job must stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.outcomes import Failure


class Brake:
    """Cancels the operations of a job. Pulled with the failure that ends it: a stop signal, or a lost lease."""

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self._running: set[asyncio.Timeout] = set()

    def pull(self, failure: Failure) -> None:
        """Cancel the operations that run in `async with brake()`, and make every later one raise *failure*. Only the first pull counts."""
        if self.failure is not None:
            return  # every running operation is cancelled already; a timeout that expires must not be moved again
        self.failure = failure
        for limit in self._running:
            limit.reschedule(0)  # a time in the past: expires at once

    def check(self) -> None:
        """Raise the failure if the brake was pulled."""
        if self.failure is not None:
            # A new exception for each caller: raising the same one again would append to its traceback.
            raise type(self.failure)(self.failure.detail)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Run the block; when the brake is pulled it is cancelled and the brake's failure is raised."""
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
