"""Texts of portals as values: pure functions, each with its doctests."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

UNKNOWN = ("", "-", "–", "—", "n/a", "null", "unknown")  # what portals write where they know nothing
UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


def data_size(text: str) -> int | None:
    """
    Return the bytes that a text names first, with 1024 bytes to the KB; None when it names none.

    >>> data_size("Included 1,234.50 GB")
    1325534281728
    >>> data_size("used 0 MB"), data_size("unlimited")
    (0, None)
    """
    found = re.search(r"([\d,]+(?:\.\d+)?)\s*([KMGT]?B)\b", text, re.I)
    if found is None:
        return None
    return int(Decimal(found[1].replace(",", "")) * UNITS[found[2].upper()])


def digits(text: str) -> str:
    """
    Return the digits of a text: account numbers are compared by them.

    >>> digits("Account #123-456 789")
    '123456789'
    """
    return re.sub(r"\D", "", text)


def known(text: str) -> str:
    """
    Return a text, or "" for one that says that nothing is known.

    >>> known("—"), known(" T-1001 ")
    ('', 'T-1001')
    """
    return "" if text.strip().casefold() in UNKNOWN else text.strip()


def number(text: str) -> int | None:
    """
    Return the number that a text begins with; None for an unknown one.

    >>> number("11 (Brakes)"), number("1,204"), number("—")
    (11, 1204, None)
    """
    if not known(text):
        return None
    if (found := re.match(r"\d[\d,]*", known(text))) is None:
        raise ValueError(f"no number: {text}")
    return int(found[0].replace(",", ""))


def instant(text: str) -> datetime | None:
    """
    Return an ISO 8601 time with its zone, in UTC; None for an unknown one.

    >>> instant("2025-11-25T22:48:43Z"), instant("—")
    (datetime.datetime(2025, 11, 25, 22, 48, 43, tzinfo=datetime.timezone.utc), None)
    """
    if not known(text):
        return None
    time = datetime.fromisoformat(known(text))
    if time.tzinfo is None:
        raise ValueError(f"a time without its zone: {text}")
    return time.astimezone(UTC)
