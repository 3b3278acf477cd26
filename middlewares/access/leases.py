"""The leases that a crawl holds: acquires, renews (one task, every third of their life) and releases them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from database.access.leases import Leases
from database.engine import Database, DatabaseAway, Within
from database.settings import database_settings
from scrapers.core.outcomes import CredentialBusy
from scrapers.core.settings import crawl_settings

progress = logging.getLogger("latchkey.progress")

if TYPE_CHECKING:
    from scrapers.core.jobs import Job


class HeldLeases:
    """The leases of one holder. *on_lost* is called when a renewal finds that another holder has taken a lease."""

    def __init__(self, db: Database, holder: str, on_lost: Callable[[], None]) -> None:
        self._db = db
        self.holder = holder
        self._on_lost = on_lost
        self._held: set[str] = set()
        self._renewal: asyncio.Task[None] | None = None

    def __contains__(self, lease: str) -> bool:
        return lease in self._held

    async def take(self, lease: str) -> bool:
        """Take a lease if it is free."""
        if not await self._db.run(lambda session: self.take_within(session, lease)):
            return False
        self.hold(lease)
        return True

    def take_within(self, session: Session, lease: str) -> bool:
        """Take a lease if it is free, in a transaction that is under way; after its commit `hold` it."""
        seconds = database_settings().lease_seconds
        return Leases(Within(session)).acquire(lease, self.holder, seconds) is not None

    def hold(self, lease: str) -> None:
        """Renew a lease that was taken, from now on."""
        self._held.add(lease)
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.ensure_future(self._renew())

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
            self.let_go(lease)
            await self._db.run(lambda session: self.release_within(session, lease))

    def release_within(self, session: Session, *leases: str) -> None:
        """Release leases in a transaction that is under way; `let_go` of them, too."""
        for lease in leases:
            Leases(Within(session)).release(lease, self.holder)

    def let_go(self, lease: str) -> None:
        """Renew a lease no longer."""
        self._held.discard(lease)

    async def close(self, before: Callable[[Session], object] | None = None) -> None:
        """Stop the renewals and release every lease; *before* is done first, in the same transaction."""
        if self._renewal is not None:
            self._renewal.cancel()
        held = list(self._held)
        self._held.clear()

        def end(session: Session) -> None:
            if before is not None:
                before(session)
            self.release_within(session, *held)

        if held or before is not None:
            await self._db.run(end)

    async def _renew(self) -> None:
        seconds = database_settings().lease_seconds
        while self._held:
            await asyncio.sleep(seconds / 3)
            held = list(self._held)

            def renew(session: Session, held: list[str] = held) -> list[str]:
                leases = Leases(Within(session))
                return [lease for lease in held if not leases.renew(lease, self.holder, seconds)]

            try:
                lost = await self._db.run(renew)
            except DatabaseAway:
                continue  # the leases are valid for another two thirds of their life; the next renewal may reach the database
            for lease in lost:
                if lease in self._held:
                    self._held.discard(lease)
                    self._on_lost()
