"""Limits the jobs that use the browser at once, each from its sign-in to the end of its visit."""

from __future__ import annotations

import asyncio


class Places:
    """
    A limited number of places in the browser, held by jobs.

    A job takes its place before it signs in: a sign-in that waited for other visits could time out between its row in
    the ledger and its first page.
    """

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)
        self._holders: set[int] = set()

    def __contains__(self, job: int) -> bool:
        return job in self._holders

    async def take(self, job: int) -> None:
        """Wait for a place; returns at once for a job that holds one."""
        if job not in self._holders:
            await self._free.acquire()
            self._holders.add(job)

    def leave(self, job: int) -> None:
        """Give a job's place back, if it holds one."""
        if job in self._holders:
            self._holders.discard(job)
            self._free.release()
