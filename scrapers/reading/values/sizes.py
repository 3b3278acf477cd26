"""Amounts of data, in bytes."""

from __future__ import annotations

import re
from decimal import Decimal

from scrapers.reading.values.locale import Locale
from scrapers.reading.values.texts import Cell, known

UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


def data_size(text: str, locale: Locale) -> int | None:
    """
    Return the bytes that a text names first, with 1024 bytes to the KB; None when it names none.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> data_size("Included 1,234.50 GB", canada)
    1325534281728
    >>> data_size("used 0 MB", canada), data_size("unlimited", canada)
    (0, None)
    """
    found = re.search(r"([\d,]+(?:\.\d+)?)\s*([KMGT]?B)\b", text, re.I)
    if found is None:
        return None
    return int(Decimal(found[1].replace(",", "")) * UNITS[found[2].upper()])


def gigabytes(cell: Cell, locale: Locale) -> int | None:
    """
    Return the bytes of a number of GB (of 1024 MB).

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> gigabytes(1.5, canada), gigabytes("0.25 GB", canada)
    (1610612736, 268435456)
    """
    return _bytes(cell, "GB")


def megabytes(cell: Cell, locale: Locale) -> int | None:
    """
    Return the bytes of a number of MB (of 1024 KB).

    >>> megabytes(2.0, Locale("en_CA", "America/Toronto"))
    2097152
    """
    return _bytes(cell, "MB")


def _bytes(cell: Cell, unit: str) -> int | None:
    if isinstance(cell, float) and cell < 1e6:  # exact to the byte
        return round(cell * UNITS[unit])
    if isinstance(cell, str):
        cell = re.sub(rf"\s*{unit}$|,", "", known(cell), flags=re.I)
    return None if cell == "" else round(Decimal(str(cell)) * UNITS[unit])
