"""The locale of a portal: CLDR's data of its language, and the portal's own settings."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from scrapers.reading.values.marks import without_marks

if TYPE_CHECKING:
    from babel.core import Locale as Cldr


@dataclass(frozen=True, slots=True)
class Locale:
    """
    How a portal writes numbers, days and times.

    tag: CLDR's language and territory (en_CA). time_zone: IANA name, for times without an offset; with None such times
    raise ValueError. day_first: whether 03/10/2026 is in October; None: as CLDR's short dates, and where those begin
    with the year, such a day raises ValueError.
    """

    tag: str
    time_zone: str | None = None
    day_first: bool | None = None

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone, if there is one."""
        return ZoneInfo(self.time_zone) if self.time_zone else None  # zoneinfo caches zones

    @property
    def language(self) -> str:
        """The language, without the territory."""
        return self.tag.partition("_")[0]

    @property
    def decimal(self) -> str:
        """The decimal sign."""
        return _signs(self.tag)[0]

    @property
    def group(self) -> str:
        """The group sign."""
        return _signs(self.tag)[1]

    @property
    def puts_day_first(self) -> bool | None:
        """Whether 03/10/2026 is in October; None when unknown."""
        return _short_order(self.tag) if self.day_first is None else self.day_first

    def month_number(self, name: str) -> int | None:
        """
        Return the number of a month by its name in the locale's language, in full or abbreviated; None for other texts.

        >>> Locale("en_CA").month_number("Sept."), Locale("fr_CA").month_number("FÉVR"), Locale("fr_CA").month_number("jui")
        (9, 2, None)
        """
        wanted = _folded(name)
        found = [number for number, names in _months(self.tag) if wanted in names]
        if not found and len(wanted) >= 3:
            found = [number for number, names in _months(self.tag) if any(each.startswith(wanted) for each in names)]
        return found[0] if len(found) == 1 else None


@lru_cache(maxsize=32)
def _signs(tag: str) -> tuple[str, str]:
    symbols = _cldr(tag).number_symbols["latn"]
    return symbols["decimal"], symbols["group"]


@lru_cache(maxsize=32)
def _short_order(tag: str) -> bool | None:
    order = re.sub(r"[^dMy]|(.)(?=\1)", "", _cldr(tag).date_formats["short"].pattern)
    return {"dMy": True, "Mdy": False}.get(order)


@lru_cache(maxsize=32)
def _months(tag: str) -> tuple[tuple[int, frozenset[str]], ...]:
    names = _cldr(tag).months["format"]
    kinds = (names["wide"], names["abbreviated"])
    return tuple((number, frozenset(_folded(each[number]) for each in kinds)) for number in range(1, 13))


def _cldr(tag: str) -> Cldr:
    from babel.core import Locale as Known  # a tenth of the time that `babel.dates` takes to import

    return Known.parse(tag)


def _folded(name: str) -> str:
    """Return a name in lower case, without accents and dots."""
    parts = unicodedata.normalize("NFD", without_marks(name).casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign) and sign != ".").strip()
