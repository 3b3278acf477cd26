"""
Values as Israeli portals write them, as types for pydantic: instants and days of Jerusalem, numbers, identifiers.

Empty text and the dates that stand for "never" (0001-01-01, 1900-01-01) are None. No error repeats a value.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

JERUSALEM = ZoneInfo("Asia/Jerusalem")
NEVER = 2000  # the last year of the dates that mean "never" or "not known"
DAY_FIRST = re.compile(r"(\d\d)/(\d\d)/(\d{4})")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def moment(value: Any) -> datetime | None:
    """
    Return a time as it is written, aware, in UTC. One without an offset is Jerusalem's wall clock.

    In the hour that comes twice when summer ends, a time without an offset is the first one (summer time).

    >>> moment("2028-01-17T00:00:00"), moment("2028-07-17T00:00:00")
    (datetime.datetime(2028, 1, 16, 22, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2028, 7, 16, 21, 0, tzinfo=datetime.timezone.utc))
    >>> moment("2028-05-18T11:00:00.1234567Z")
    datetime.datetime(2028, 5, 18, 11, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    >>> moment("0001-01-01T00:00:00Z"), moment(""), moment(None)
    (None, None, None)
    """
    local = _wall(value)
    if local is None:
        return None
    return (local if local.tzinfo else local.replace(tzinfo=JERUSALEM)).astimezone(UTC)


def calendar_day(value: Any) -> date | None:
    """
    Return a day as it is written, or the day of a time in Jerusalem.

    >>> calendar_day("2028-01-11"), calendar_day("01/02/2028"), calendar_day("2028-01-10T22:00:00Z")
    (datetime.date(2028, 1, 11), datetime.date(2028, 2, 1), datetime.date(2028, 1, 11))
    >>> calendar_day("1900-01-01")
    """
    local = _wall(value)
    if local is None:
        return None
    return (local.astimezone(JERUSALEM) if local.tzinfo else local).date()


def _wall(value: Any) -> datetime | None:
    """Return a time as it is written, with its offset if it says one; None for none or never."""
    if isinstance(value, datetime):
        read = value
    elif isinstance(value, date):
        read = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    elif value is None or (isinstance(value, str) and not value.strip()):
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


def words(value: Any) -> str | None:
    """
    Return a text without the blanks around it; None for an empty one. A number becomes its text.

    >>> words(" a "), words(503), words(""), words(None)
    ('a', '503', None, None)
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | float):
        raise ValueError("is no text")
    return str(value).strip() or None


def whole(value: Any) -> int | None:
    """
    Return a whole number, also one that is written as 3.0 or as text; None for an empty text.

    >>> whole(Decimal("107274.0")), whole("6"), whole("")
    (107274, 6, None)
    """
    exact = exactly(value)
    if exact is None:
        return None
    if exact != exact.to_integral_value():
        raise ValueError("is no whole number")
    return int(exact)


def exactly(value: Any) -> Decimal | None:
    """
    Return a number as it is written; None for an empty text.

    >>> exactly(0.1), exactly("-12.50"), exactly(None)
    (Decimal('0.1'), Decimal('-12.50'), None)
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("is no number")
    text = value.strip() if isinstance(value, str) else str(value)
    if not isinstance(value, str):
        exact = Decimal(text)
        if not exact.is_finite():
            raise ValueError("is no number")
        return exact
    if not NUMBER.fullmatch(text):
        raise ValueError("is no number")
    return Decimal(text)


def bare_number(value: Any) -> str:
    """
    Return an identifier of digits without its leading zeros, so that one thing has one name; ValueError when empty.

    >>> bare_number("000300000007"), bare_number(300000007), bare_number("000")
    ('300000007', '300000007', '0')
    """
    text = words(value)
    if text is None:
        raise ValueError("is empty")
    if not text.isascii() or not text.isdigit():
        raise ValueError("is no number")
    return text.lstrip("0") or "0"


def bare_number_or_none(value: Any) -> str | None:
    """Return an identifier like `bare_number`; None when there is none."""
    return None if words(value) is None else bare_number(value)


def filled(value: Any) -> str:
    """Return a text; raise ValueError for an empty one."""
    text = words(value)
    if text is None:
        raise ValueError("is empty")
    return text


def marked(value: Any) -> bool | None:
    """
    Return yes or no, also where a yes is written as X and a no is left empty.

    >>> marked("X"), marked(""), marked(True), marked(None)
    (True, False, True, None)
    """
    if value is None or isinstance(value, bool):
        return value
    if value in ("X", "x", "true", "True", 1):
        return True
    if value in ("", "false", "False", 0):
        return False
    raise ValueError("is neither yes nor no")


Instant = Annotated[datetime | None, BeforeValidator(moment)]
Day = Annotated[date | None, BeforeValidator(calendar_day)]
Text = Annotated[str | None, BeforeValidator(words)]
Whole = Annotated[int | None, BeforeValidator(whole)]
Amount = Annotated[Decimal | None, BeforeValidator(exactly)]
Flag = Annotated[bool | None, BeforeValidator(marked)]
Number = Annotated[str, BeforeValidator(bare_number)]  # an identifier, without leading zeros
NumberOrNone = Annotated[str | None, BeforeValidator(bare_number_or_none)]
Filled = Annotated[str, BeforeValidator(filled)]
