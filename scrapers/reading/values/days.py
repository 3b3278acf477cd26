"""Instants, days and billing months."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from scrapers.reading.values.locale import Locale
from scrapers.reading.values.marks import without_marks
from scrapers.reading.values.texts import Cell, known

NEVER = 2000  # dates up to this year mean "never" or "unknown"
FOR_EVER = 9999  # dates of this year mean "without an end"; with an offset they may leave datetime's range
SAYS_NOTHING = re.compile(r"0000-00-00(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?|00/00/0000|00000000")
YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
MIDNIGHT = re.compile(r"(?<=\d)[ T]00:00(?::00(?:\.0{1,9})?)?\Z")  # how a day is written by what knows only times
NAMED = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th|er)?[\s-]+)?([^\W\d]+)[.׳]?(?:[\s-]+(\d{1,2})(?:st|nd|rd|th)?,)?[\s,-]+(\d{4})", re.I
)
CLOCK = re.compile(  # a day and a time of day; a zone with a name of its own is not understood
    r"(.+?)(?:,|,?\s+at|,?\s+à)?\s+(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:\s*([ap])\.?m\.?)?"
    r"(?:\s*(UTC|GMT|Z|[+-]\d\d:?\d\d))?",
    re.I,
)
MONTH_NUMBER = re.compile(r"(?:(\d{4})[-/]?(\d{2})|(\d{1,2})/(\d{4}))")


def instant(value: Any, locale: Locale) -> datetime | None:
    """
    Return a time as an aware datetime in UTC. One without an offset is in the locale's time zone, if it has one.

    In the hour that is repeated when summer time ends, a time without an offset is the first one (summer time). Empty
    texts and the dates that mean "never" (0001-01-01, 1900-01-01, 9999-12-31) are None.

    >>> israel = Locale("he_IL", "Asia/Jerusalem")
    >>> instant("2028-01-17T00:00:00", israel)
    datetime.datetime(2028, 1, 16, 22, 0, tzinfo=datetime.timezone.utc)
    >>> instant("2028-05-18T11:00:00.1234567Z", israel)
    datetime.datetime(2028, 5, 18, 11, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    >>> instant("Nov 3, 2026 at 10:22 PM UTC", Locale("en_US")), instant("2026-11-03 10:22 GMT", Locale("en_US"))
    (datetime.datetime(2026, 11, 3, 22, 22, tzinfo=datetime.timezone.utc), datetime.datetime(2026, 11, 3, 10, 22, tzinfo=datetime.timezone.utc))
    >>> instant("0001-01-01T00:00:00Z", israel), instant("—", israel), instant(None, israel)
    (None, None, None)
    """
    local = _wall(value, locale)
    if local is None:
        return None
    if local.tzinfo is None and locale.zone is None:
        raise ValueError("is a time without its zone")
    return (local if local.tzinfo else local.replace(tzinfo=locale.zone)).astimezone(UTC)


def calendar_day(value: Any, locale: Locale) -> date | None:
    """
    Return a day, or the day of a time in the locale's time zone.

    >>> israel = Locale("he_IL", "Asia/Jerusalem")
    >>> calendar_day("2028-01-11", israel), calendar_day("01/02/2028", israel)
    (datetime.date(2028, 1, 11), datetime.date(2028, 2, 1))
    >>> calendar_day("2028-01-10T22:00:00Z", israel), calendar_day("1900-01-01", israel)
    (datetime.date(2028, 1, 11), None)
    """
    local = _wall(value, locale)
    if local is None:
        return None
    return (local.astimezone(locale.zone) if local.tzinfo else local).date()


def _wall(value: Any, locale: Locale) -> datetime | None:
    """Return a time with its offset if it has one; None for an empty one or never."""
    if isinstance(value, datetime):
        read = value
    elif isinstance(value, date):
        read = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    elif value is None or (isinstance(value, str) and not known(value)):
        return None
    elif not isinstance(value, str):
        raise ValueError("is no date")
    else:
        said = known(without_marks(value))
        if SAYS_NOTHING.fullmatch(said):
            return None
        try:
            read = _written_time(said, locale)
        except ValueError:
            raise ValueError("is no date") from None
    return read if NEVER < read.year < FOR_EVER else None


def _written_time(said: str, locale: Locale) -> datetime:
    """Return the time that a text says: in ISO 8601, or a day as people write it, with or without a time of day."""
    if not YEAR_LAST.fullmatch(said):
        with suppress(ValueError):
            return datetime.fromisoformat(said)
    if found := CLOCK.fullmatch(said):
        at, hour, half = _written_day(found[1], locale), int(found[2]), (found[5] or "").casefold()
        if half and not 1 <= hour <= 12:
            _refuse("time")
        hour = hour % 12 + (12 if half == "p" else 0) if half else hour
        zone = (found[6] or "").upper()
        named = {"": None, "UTC": UTC, "GMT": UTC}
        zoned = named[zone] if zone in named else datetime.strptime(zone, "%z").tzinfo
        return datetime(at.year, at.month, at.day, hour, int(found[3]), int(found[4] or 0), tzinfo=zoned)
    at = _written_day(said, locale)
    return datetime(at.year, at.month, at.day)  # noqa: DTZ001 - a day has no zone


def month(cell: Cell, locale: Locale) -> str | None:
    """
    Return a billing month as YYYY-MM.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> month("Oct 2026", canada), month(date(2026, 10, 31), canada), month(202610.0, canada)
    ('2026-10', '2026-10', '2026-10')
    """
    if isinstance(cell, date):
        return str(cell)[:7]
    said = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else cell
    if not isinstance(said, str):
        return _refuse("month")
    if not (said := known(without_marks(said))):
        return None
    if found := MONTH_NUMBER.fullmatch(said):
        year, number = int(found[1] or found[4]), int(found[2] or found[3])
    elif (found := NAMED.fullmatch(said)) and not found[1] and not found[3]:
        year, number = int(found[4]), locale.month_number(found[2]) or 0
    else:
        at = _written_day(said, locale) if YEAR_FIRST.fullmatch(said) else _refuse("month")
        year, number = at.year, at.month
    return f"{year:04d}-{number:02d}" if 1 <= number <= 12 and 1900 <= year < FOR_EVER else _refuse("month")


def day(cell: Cell, locale: Locale) -> str | None:
    """
    Return a day as YYYY-MM-DD. Raises ValueError when the order of day and month is unknown, and for a serial number.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> day(date(2026, 10, 31), canada), day("Oct 31, 2026", canada), day("—", canada)
    ('2026-10-31', '2026-10-31', None)
    """
    if isinstance(cell, date):
        return str(cell)[:10]
    if not isinstance(cell, str):
        return _refuse("day")
    said = known(without_marks(cell))
    return str(_written_day(MIDNIGHT.sub("", said), locale)) if said else None


def _written_day(said: str, locale: Locale) -> date:
    """Return the day that a text says: year first, in the locale's order, or with the name of the month."""
    if found := YEAR_FIRST.fullmatch(said):
        year, month, day = int(found[1]), int(found[3]), int(found[4])
    elif found := YEAR_LAST.fullmatch(said):
        if (day_first := locale.puts_day_first) is None:
            _refuse("day")
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        day, month = (first, second) if day_first else (second, first)
    elif (found := NAMED.fullmatch(said)) and bool(found[1]) != bool(found[3]):
        year, month, day = int(found[4]), locale.month_number(found[2]) or 0, int(found[1] or found[3])
    else:
        _refuse("day")
    return date(year, month, day)


def _refuse(what: str) -> NoReturn:
    raise ValueError(f"is no {what}")
