"""Instants, days and billing months."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from scrapers.reading.values.locale import Locale
from scrapers.reading.values.texts import Cell, known

NEVER = 2000  # the last year of the dates that mean "never" or "not known"
DAY_FIRST = re.compile(r"(\d\d)/(\d\d)/(\d{4})")
MONTHS = ("%b %Y", "%B %Y", "%Y-%m", "%m/%Y", "%Y-%m-%d")  # how reports write a billing month
DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%b %d, %Y", "%B %d, %Y", "%Y/%m/%d")


def instant(value: Any, locale: Locale) -> datetime | None:
    """
    Return a time as it is written, aware, in UTC. One without an offset is the wall clock of the locale's zone, if it states one.

    In the hour that comes twice when summer ends, a time without an offset is the first one (summer time). Empty texts
    and the dates that stand for "never" (0001-01-01, 1900-01-01) are None.

    >>> israel = Locale("he_IL", "Asia/Jerusalem")
    >>> instant("2028-01-17T00:00:00", israel)
    datetime.datetime(2028, 1, 16, 22, 0, tzinfo=datetime.timezone.utc)
    >>> instant("2028-05-18T11:00:00.1234567Z", israel)
    datetime.datetime(2028, 5, 18, 11, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    >>> instant("0001-01-01T00:00:00Z", israel), instant("—", israel), instant(None, israel)
    (None, None, None)
    """
    local = _wall(value)
    if local is None:
        return None
    if local.tzinfo is None and locale.zone is None:
        raise ValueError("is a time without its zone")
    return (local if local.tzinfo else local.replace(tzinfo=locale.zone)).astimezone(UTC)


def calendar_day(value: Any, locale: Locale) -> date | None:
    """
    Return a day as it is written, or the day of a time in the locale's zone.

    >>> israel = Locale("he_IL", "Asia/Jerusalem")
    >>> calendar_day("2028-01-11", israel), calendar_day("01/02/2028", israel)
    (datetime.date(2028, 1, 11), datetime.date(2028, 2, 1))
    >>> calendar_day("2028-01-10T22:00:00Z", israel), calendar_day("1900-01-01", israel)
    (datetime.date(2028, 1, 11), None)
    """
    local = _wall(value)
    if local is None:
        return None
    return (local.astimezone(locale.zone) if local.tzinfo else local).date()


def _wall(value: Any) -> datetime | None:
    """Return a time as it is written, with its offset if it says one; None for none or never."""
    if isinstance(value, datetime):
        read = value
    elif isinstance(value, date):
        read = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    elif value is None or (isinstance(value, str) and not known(value)):
        return None
    elif not isinstance(value, str):
        raise ValueError("is no date")
    else:
        try:
            if found := DAY_FIRST.fullmatch(value.strip()):
                read = datetime(int(found[3]), int(found[2]), int(found[1]))  # noqa: DTZ001 - the same
            else:
                read = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("is no date") from None
    return read if read.year > NEVER else None


def month(cell: Cell, locale: Locale) -> str | None:
    """
    Return a billing month as YYYY-MM.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> month("Oct 2026", canada), month(date(2026, 10, 31), canada)
    ('2026-10', '2026-10')
    """
    found = _day(cell, MONTHS)
    return str(found)[:7] if found else None


def day(cell: Cell, locale: Locale) -> str | None:
    """
    Return a day as YYYY-MM-DD.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> day(date(2026, 10, 31), canada), day("10/31/2026", canada), day("—", canada)
    ('2026-10-31', '2026-10-31', None)
    """
    found = _day(cell, DAYS)
    return str(found)[:10] if found else None


def _day(cell: Cell, forms: tuple[str, ...]) -> date | None:
    if isinstance(cell, date):
        return cell
    if not known(cell):
        return None
    for form in forms:
        try:
            return datetime.strptime(known(cell), form).date()  # noqa: DTZ007 - a day of a report has no time zone
        except ValueError:
            continue
    raise ValueError("no day or month")
