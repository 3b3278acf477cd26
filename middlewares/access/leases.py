"""The leases that a crawl holds: acquires, renews (one task, every third of their life) and releases them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from database.access.leases import Leases
from database.engine import Database, DatabaseAway
from database.settings import database_settings
from scrapers.core.outcomes import CredentialBusy
from scrapers.core.settings import crawl_settings

progress = logging.getLogger("latchkey.progress")

if TYPE_CHECKING:
    from scrapers.core.jobs import Job


class HeldLeases:
    """The leases of one holder. *on_lost* is called when a renewal finds that another holder has taken a lease."""

    def __init__(self, db: Database, holder: str, on_lost: Callable[[], None]) -> None:
        self._leases = Leases(db)
        self.holder = holder
        self._on_lost = on_lost
        self._held: set[str] = set()
        self._renewal: asyncio.Task[None] | None = None

    def __contains__(self, lease: str) -> bool:
        return lease in self._held

    async def take(self, lease: str) -> bool:
        """Take a lease if it is free."""
        seconds = database_settings().lease_seconds
        if await asyncio.to_thread(self._leases.acquire, lease, self.holder, seconds) is None:
            return False
        self._held.add(lease)
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.ensure_future(self._renew())
        return True

    async def wait_for(self, lease: str, job: Job) -> None:
        """Take a lease as soon as it is free; raise CredentialBusy after LATCHKEY_BUSY_WAIT."""
        deadline = asyncio.get_running_loop().time() + crawl_settings().busy_wait
        said = False
        while not await self.take(lease):
            job.brake.check()
            if not said:
                said = True
                progress.info(
                    "%s %s: waits up to %g s for the session in which another run works (scrapy status)",
                    *(job.spider, job.label, crawl_settings().busy_wait),
                )
            if asyncio.get_running_loop().time() > deadline:
                raise CredentialBusy
            await asyncio.sleep(0.2)  # between two attempts to take the lease

    async def release(self, lease: str) -> None:
        """Release a lease."""
        if lease in self._held:
            self._held.discard(lease)
            await asyncio.to_thread(self._leases.release, lease, self.holder)

    async def close(self) -> None:
        """Stop the renewals and release every lease."""
        if self._renewal is not None:
            self._renewal.cancel()
        for lease in list(self._held):
            await self.release(lease)

    async def _renew(self) -> None:
        seconds = database_settings().lease_seconds
        while self._held:
            await asyncio.sleep(seconds / 3)
            for lease in list(self._held):
                try:
                    kept = await asyncio.to_thread(self._leases.renew, lease, self.holder, seconds)
                except DatabaseAway:
                    continue  # the lease is valid for another two thirds of its life; the next renewal may reach the database
                if not kept and lease in self._held:
                    self._held.discard(lease)
                    self._on_lost()
