"""Requests of a visit to Telegram: one at a time, pauses that it asks for are waited for, lost connections made again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from telethon import errors

from database.models.base import utc_now
from scrapers.core.outcomes import FloodWait, PortalDown
from scrapers.families.messaging.parts import STEP
from scrapers.portals.telegram.client import failure_of

if TYPE_CHECKING:
    from telethon import TelegramClient
    from telethon.tl import TLRequest

    from scrapers.core.jobs import Job

T = TypeVar("T")
progress = logging.getLogger("latchkey.progress")

REQUEST_WAIT = 90.0  # seconds for one answer, with the connection that Telethon may have to make again for it
MOST_LOST = 5  # times in a row that one request may lose its connection
MOST_WAITS = 5  # pauses in a row for one request
MARGIN = timedelta(seconds=1)  # Telegram counts whole seconds
FIRST_PAUSE = 0.5  # seconds before a lost connection is made again; doubled each time
EXPIRED = (
    errors.FileReferenceExpiredError,
    errors.FileReferenceInvalidError,
    errors.FileReferenceEmptyError,
    errors.FilerefUpgradeNeededError,
)


class Telegram:
    """
    A session at work in one visit.

    longest: seconds of a pause that is waited for; a longer one is raised as FloodWait. note_wait: writes down the end of a
    pause, before it begins.
    """

    def __init__(self, job: Job, longest: float, note_wait: Callable[[datetime], Awaitable[None]]) -> None:
        self.job = job
        self.client: TelegramClient | None = None
        self._longest = longest
        self._note_wait = note_wait
        self._one = asyncio.Lock()

    async def ask(self, request: TLRequest) -> Any:
        """Send a request and return its answer."""
        return await self._send(lambda: self._client(request))

    async def part(self, location: Any, data_centre: int, offset: int) -> bytes:
        """Return the STEP bytes of a file from *offset* on, fewer at its end. An expired reference is raised as Telethon has it."""

        async def fetch() -> bytes:
            parts = self._client.iter_download(
                location, offset=offset, limit=1, request_size=STEP, chunk_size=STEP, dc_id=data_centre
            )
            try:
                return bytes(await anext(parts, b""))
            finally:
                with suppress(AttributeError):  # of Telethon, where it could not begin
                    await parts.close()

        return await self._send(fetch)

    async def rest_until(self, until: datetime) -> None:
        """Wait for the end of a pause; raise FloodWait, before anything is sent, where that is too far away."""
        left = (until - utc_now()).total_seconds()
        if left <= 0:
            return
        if left > self._longest:
            raise FloodWait(f"It ends at {until:%Y-%m-%d %H:%M:%S} UTC.", until=until)
        progress.info(
            "%s %s: Telegram wants a pause of %d s, until %s UTC",
            *(self.job.spider, self.job.label, round(left), f"{until:%H:%M:%S}"),
        )
        step, self.job.step = self.job.step, f"waits until {until:%H:%M:%S} UTC, as Telegram asks"
        await asyncio.sleep(left)  # the brake ends it
        self.job.step = step

    @property
    def _client(self) -> TelegramClient:
        assert self.client is not None
        return self.client

    async def _send(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send a request; for it alone, as often as it is worth it."""
        async with self._one:
            lost = waits = 0
            while True:
                self.job.counts.requests += 1
                try:
                    async with asyncio.timeout(REQUEST_WAIT):
                        return await send()
                except EXPIRED:
                    raise
                except Exception as error:
                    failure = failure_of(error)
                    if isinstance(failure, FloodWait) and failure.until is not None:
                        waits += 1
                        until = failure.until + MARGIN
                        await self._note_wait(until)
                        if waits > MOST_WAITS:
                            raise failure from error
                        await self.rest_until(until)
                    elif isinstance(failure, PortalDown) and lost < MOST_LOST:
                        lost += 1
                        await self._connect(lost)
                    elif failure is None or failure is error:
                        raise
                    else:
                        raise failure from error

    async def _connect(self, lost: int) -> None:
        """Connect again where the connection is lost; later each time. A failure of that shows at the next request."""
        await asyncio.sleep(FIRST_PAUSE * 2 ** (lost - 1))
        with suppress(OSError):
            async with asyncio.timeout(REQUEST_WAIT):
                if not self._client.is_connected():
                    await self._client.connect()
