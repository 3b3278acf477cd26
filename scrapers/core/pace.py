"""Pauses between retries: Retry-After, else exponential backoff."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RATE_TRIES = 6  # answers 429 to one request before we give up
ERROR_TRIES = 3  # answers 5xx to one page before we give up
FIRST_PAUSE = 0.5  # seconds; doubled with each try


def retry_after(text: str | None) -> float | None:
    """
    Return the seconds that a Retry-After header asks for, given as seconds or as a date; None where there is none.

    >>> retry_after("120"), retry_after("soon"), retry_after(None)
    (120.0, None, None)
    """
    text = (text or "").strip()
    if not text:
        return None
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def backoff(tries: int) -> float:
    """Return a pause in seconds, with jitter, before try number *tries* + 1."""
    return float(FIRST_PAUSE * 2**tries * random.uniform(0.5, 1.0))
