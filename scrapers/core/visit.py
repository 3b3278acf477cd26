"""Visits: a coroutine generator that works in a browser page and yields items, each stored before it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from scrapers.core.outcomes import Failure

if TYPE_CHECKING:
    from scrapers.core.items import Item

Visit = AsyncGenerator[Any, None]


class Deliveries:
    """
    Passes the items of visits to the pipelines, and the result of each back to its visit.

    In Scrapy, an item that no callback yields can only come from the spider's `start()`. So visits put their items into
    a queue from which `start()` yields them, and wait for the signal that an item was stored, dropped or failed.
    """

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future[None]] = {}  # by id() of an item that is in the pipelines
        self._visits = 0

    def open(self) -> None:
        """Register a visit that will run."""
        self._visits += 1

    def close(self) -> None:
        """Unregister a visit that has ended; after the last one `items` ends."""
        self._visits -= 1
        self._queue.put_nowait(None)  # `items` looks again whether there are any

    async def items(self) -> AsyncIterator[Item]:
        """Yield the items of all visits, until the last of them has ended."""
        while self._visits:
            if (item := await self._queue.get()) is not None:
                yield item

    async def deliver(self, item: Item) -> None:
        """Put an item into the pipelines and return when it is stored; raise the failure when it is refused."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[id(item)] = future
        self._queue.put_nowait(item)
        try:
            await future
        finally:
            del self._waiting[id(item)]

    def awaits(self, item: object) -> bool:
        """Return whether a visit waits until an item is stored."""
        return id(item) in self._waiting

    def settle(self, item: object, failure: Failure | None) -> bool:
        """Resolve the wait for an item, with its failure or None when stored; return False when no visit waits for it."""
        future = self._waiting.get(id(item))
        if future is None:
            return False
        if not future.done():  # a cancelled visit does not wait
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)
        return True


async def drive(visit: Visit, deliver: Callable[[Any], Awaitable[None]]) -> None:
    """Run a visit to its end; *deliver* stores an item, and what it raises is raised at the visit's `yield`."""
    try:
        item = await anext(visit)
        while True:
            try:
                await deliver(item)
            except Failure as failure:
                item = await visit.athrow(failure)
            else:
                item = await visit.asend(None)
    except StopAsyncIteration:
        return
    finally:
        await visit.aclose()
