"""Amounts of data, in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from scrapers.reading.values.locale import Locale
from scrapers.reading.values.marks import without_marks
from scrapers.reading.values.numbers import BLANK, MINUS, decimal
from scrapers.reading.values.texts import EXACT, Cell, known

UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
UNIT = re.compile(r"([KMGT]?)(i?)B\b", re.I)
OCTETS = re.compile(r"([KkMGT]?)(i?)(?:o\b|octets?\b|B\b|b\b)")  # in French; elsewhere "5 to 10 GB" is no 5 TB
RUN = rf"(?<![\w.,])([{''.join(MINUS)}]?\d(?:[\d.,{BLANK}]*\d)?)\s*"


def _unit(locale: Locale) -> re.Pattern[str]:
    return OCTETS if locale.language == "fr" else UNIT


def data_size(text: str, locale: Locale) -> int | None:
    """
    Return the first amount of data in a text, in bytes, with 1024 bytes to the KB; None when there is none.

    Raises ValueError when the number before the unit is ambiguous.

    >>> data_size("Included 1,234.50 GB", Locale("en_CA"))
    1325534281728
    >>> data_size("used 0 MB", Locale("en_CA")), data_size("unlimited", Locale("en_CA"))
    (0, None)
    >>> data_size("1,5 Go", Locale("fr_CA"))
    1610612736
    """
    unit = _unit(locale)
    found = re.search(RUN + f"({unit.pattern})", without_marks(text), unit.flags)
    if found is None:
        return None
    return _bytes(decimal(found[1], locale), _scale(found[3]))


def total_size(texts: Iterable[str], locale: Locale) -> int | None:
    """
    Return the sum of the amounts in bytes; None when there is none or one is unknown.

    >>> total_size(["1 GB", "0.5 GB of 2"], Locale("en_CA")), total_size(["1 GB", "unlimited"], Locale("en_CA"))
    (1610612736, None)
    """
    try:
        sizes = [data_size(text, locale) for text in texts]
    except ValueError:
        return None
    known_sizes = [size for size in sizes if size is not None]
    return sum(known_sizes) if known_sizes and len(known_sizes) == len(sizes) else None


def gigabytes(cell: Cell, locale: Locale) -> int | None:
    """
    Return a number of GB (of 1024 MB) in bytes; a unit in the cell takes precedence.

    >>> gigabytes(1.5, Locale("en_CA")), gigabytes("0.25 GB", Locale("en_CA"))
    (1610612736, 268435456)
    """
    return _size(cell, locale, UNITS["GB"])


def megabytes(cell: Cell, locale: Locale) -> int | None:
    """
    Return a number of MB (of 1024 KB) in bytes; a unit in the cell takes precedence.

    >>> megabytes(2.0, Locale("en_CA"))
    2097152
    """
    return _size(cell, locale, UNITS["MB"])


def _size(cell: Cell, locale: Locale, scale: int) -> int | None:
    if isinstance(cell, float):
        if 0 <= cell < 1e6:  # exact to the byte
            return round(cell * scale)
        if not 0 <= cell < EXACT:
            raise ValueError("is no size")
        return _bytes(Decimal(str(cell)), scale)
    if not isinstance(cell, str):
        raise ValueError("is no size")
    if not (said := known(without_marks(cell))):
        return None
    unit = _unit(locale)
    named = re.search(f"({unit.pattern})$", said, unit.flags)
    return _bytes(decimal(said[: named.start()] if named else said, locale), _scale(named[2]) if named else scale)


def _scale(prefix: str) -> int:
    return UNITS[f"{prefix.upper()}B"]


def _bytes(number: Decimal, scale: int) -> int:
    """Return the nearest whole number of bytes."""
    if number < 0:
        raise ValueError("is no size")
    return round(number * scale)
