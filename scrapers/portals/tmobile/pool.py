"""The use of an account's data pool, as the portal tells it to its own page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from scrapers.portals.tmobile.columns import LOCALE
from scrapers.reading.values.sizes import gigabytes

ASKED = "britebill/documents/query"  # in the address
HINTS, USAGE = "presentationHints", "recentUsageHistory"


def pool_used(answers: Iterable[Any], account: str, end: date) -> int | None:
    """
    Return the bytes used in the month in which a billing cycle ends; None where no answer about the account says so.

    answers: as parsed; one that names other accounts alone is not about this one. Where several entries are of the month they
    must say the same.

    >>> said = {"presentationHints": {"recentUsageHistory": [{"date": "2026-10-31", "data": "1.5"}]}}
    >>> pool_used([said], "123456782", date(2026, 10, 20)), pool_used([said], "123456782", date(2026, 11, 20))
    (1610612736, None)
    """
    found = {
        used
        for answer in answers
        if not (named := set(_accounts(answer, len(account)))) or account in named
        for entry in _entries(answer)
        if _month(entry.get("date")) == (end.year, end.month)
        for used in [_bytes(entry.get("data"))]
    }
    return found.pop() if len(found) == 1 else None


def _entries(answer: Any) -> Iterator[dict[str, Any]]:
    """Yield the entries of the usage history, wherever it is in an answer."""
    if isinstance(answer, dict):
        hints = answer.get(HINTS)
        history = hints.get(USAGE) if isinstance(hints, dict) else None
        if isinstance(history, list):
            yield from (entry for entry in history if isinstance(entry, dict))
    for inner in _inside(answer):
        yield from _entries(inner)


def _accounts(answer: Any, length: int) -> Iterator[str]:
    """Yield the account numbers that an answer names under a key that says so: those of as many digits."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            if re.search(r"account|\bban\b", key, re.I) and isinstance(value, str | int):
                number = re.sub(r"[\s.-]", "", str(value))
                if number.isdigit() and len(number) == length:
                    yield number
    for inner in _inside(answer):
        yield from _accounts(inner, length)


def _inside(answer: Any) -> Iterable[Any]:
    return answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ()


def _month(value: Any) -> tuple[int, int] | None:
    """Return year and month of a date YYYY-MM-DD; None for anything else."""
    try:
        said = date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if said is None else (said.year, said.month)


def _bytes(value: Any) -> int | None:
    """
    Return a number of GB, as text or number, in bytes; None for what is no size.

    >>> _bytes("0.25"), _bytes(Decimal("1.5")), _bytes("1.5 GB"), _bytes("unlimited"), _bytes(None), _bytes(True)
    (268435456, 1610612736, 1610612736, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        return gigabytes(format(value, "f") if isinstance(value, Decimal) else str(value), LOCALE)
    except ValueError:
        return None
