"""
The bare client that does not give up: it waits when it is told to, asks again, and signs in again.

All users wait when the portal asks for a pause, as our spiders do. Run as `python -m benchmarks.robust JSON`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from benchmarks.floor import Client, Person, Refused, main

TRIES = 20
T = TypeVar("T")


class RobustPerson(Person):
    """One user, who asks again until there is an answer."""

    def __init__(self, client: Client, name: str) -> None:
        super().__init__(client, name)
        self._signing_in = asyncio.Lock()
        self._sessions = 0

    async def new_documents(self, known: set[str]) -> list[str]:
        """Return the new documents, from the first page again when one fails."""
        return await self._until_answered(lambda: super(RobustPerson, self).new_documents(known))

    async def fetch(self, path: str, file: Path) -> tuple[str, str, str, int]:
        """Stream an answer to a file, from its first byte again when it breaks off."""
        return await self._until_answered(lambda: super(RobustPerson, self).fetch(path, file))

    async def check(self) -> None:
        """Wait for the end of a pause and of a sign-in, as soon as it is this request's turn."""
        loop = asyncio.get_running_loop()
        while (remaining := self.client.resume_at - loop.time()) > 0:  # noqa: ASYNC110 - a pause ends at a time
            await asyncio.sleep(remaining)
        async with self._signing_in:
            pass

    async def _until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        for _ in range(TRIES):
            session = self._sessions
            try:
                return await ask()
            except Refused as refused:
                if refused.status == 302:
                    await self._sign_in_again(session)
                elif refused.status == 429:
                    resume_at = asyncio.get_running_loop().time() + refused.retry_after
                    self.client.resume_at = max(self.client.resume_at, resume_at)
            except aiohttp.ClientError:
                pass  # the answer broke off: ask again
        raise SystemExit(f"No answer in {TRIES} tries.")

    async def _sign_in_again(self, seen: int) -> None:
        async with self._signing_in:
            if seen == self._sessions:
                self.saved.unlink()
                self.session.cookie_jar.clear()
                await self.sign_in()
                self._sessions += 1


class RobustClient(Client):
    """All users, and the pause that the portal has asked for."""

    def person(self, name: str) -> Any:
        """Return a user of this client."""
        return RobustPerson(self, name)


if __name__ == "__main__":
    asyncio.run(main(RobustClient))
