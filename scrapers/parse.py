"""Texts of portals as values: pure functions, each with its doctests."""

from __future__ import annotations

import re
from decimal import Decimal

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
