"""Pauses between retries: Retry-After, else exponential backoff; and the pause that a whole crawl makes."""

from __future__ import annotations

import asyncio
import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RATE_TRIES = 6  # answers 429 to one request before we give up
ERROR_TRIES = 3  # answers 5xx to one page before we give up
FIRST_PAUSE = 0.5  # seconds; doubled with each try


def retry_after(text: str | None) -> float | None:
    """
    Return the seconds that a Retry-After header asks for, given as seconds or as a date in any form of HTTP.

    None where it asks for no pause: there is no header, it cannot be read, is 0, negative or in the past. A portal that has
    just refused a request is not asked again at once, so the caller makes a pause of its own then.

    >>> retry_after("120"), retry_after("soon"), retry_after("0"), retry_after("Sun Nov  6 08:49:37 1994"), retry_after(None)
    (120.0, None, None, None, None)
    """
    text = (text or "").strip()
    if re.fullmatch("[0-9]+", text):
        return float(text) or None
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo else date.replace(tzinfo=UTC)  # asctime names no zone; in HTTP it is UTC
        seconds = (date - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return seconds if seconds > 0 else None


class Pause:
    """A pause that a portal asked for; it holds for everything that a crawl sends."""

    def __init__(self) -> None:
        self._until = 0.0  # loop time

    def prolong(self, seconds: float) -> None:
        """Make the pause last at least *seconds* from now."""
        self._until = max(self._until, asyncio.get_running_loop().time() + seconds)

    @property
    def is_over(self) -> bool:
        """Whether there is no pause now."""
        return self._until <= asyncio.get_running_loop().time()

    async def wait(self) -> None:
        """Wait for the end of the pause; it may be prolonged meanwhile."""
        loop = asyncio.get_running_loop()
        while (remaining := self._until - loop.time()) > 0:  # noqa: ASYNC110 - a pause ends at a time
            await asyncio.sleep(remaining)


def backoff(tries: int) -> float:
    """Return a pause in seconds, with jitter, before try number *tries* + 1."""
    return float(FIRST_PAUSE * 2**tries * random.uniform(0.5, 1.0))
