"""
Instants at which spiders are asked, with the portal's date and the billing cycle that has ended last: a table, and a calendar.

The table has New Year, leap days, the last of February, month ends, changes of the clock, and every billing day; at some
instants UTC has a later date than the portal. The calendar walks from day to day, and shares nothing with the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

ONE = timedelta(days=1)
# The zones of the table's dates. A portal of another zone needs a column of its own.
EASTERN = {"America/New_York", "America/Toronto"}
# Instant in UTC, date at the portal, billing day, first and last day of the newest cycle that has ended.
TABLE = """
2024-02-29T12:00 2024-02-29 17 2024-01-18 2024-02-17
2024-03-01T12:00 2024-03-01 31 2024-02-01 2024-02-29
2026-02-17T05:00 2026-02-17 16 2026-01-17 2026-02-16
2026-02-28T12:00 2026-02-28 28 2025-12-29 2026-01-28
2026-02-28T12:00 2026-02-28 29 2025-12-30 2026-01-29
2026-03-01T04:59 2026-02-28 28 2025-12-29 2026-01-28
2026-03-01T04:59 2026-02-28 31 2026-01-01 2026-01-31
2026-03-01T05:00 2026-03-01 28 2026-01-29 2026-02-28
2026-03-01T05:00 2026-03-01 31 2026-02-01 2026-02-28
2026-03-08T04:59 2026-03-07 7 2026-01-08 2026-02-07
2026-03-08T05:00 2026-03-08 7 2026-02-08 2026-03-07
2026-03-09T03:59 2026-03-08 8 2026-01-09 2026-02-08
2026-03-09T04:00 2026-03-09 8 2026-02-09 2026-03-08
2026-04-19T03:59 2026-04-18 18 2026-02-19 2026-03-18
2026-04-30T12:00 2026-04-30 31 2026-03-01 2026-03-31
2026-05-01T03:59 2026-04-30 31 2026-03-01 2026-03-31
2026-05-01T04:00 2026-05-01 31 2026-04-01 2026-04-30
2026-06-30T12:00 2026-06-30 30 2026-05-01 2026-05-30
2026-07-01T03:59 2026-06-30 30 2026-05-01 2026-05-30
2026-07-01T04:00 2026-07-01 30 2026-05-31 2026-06-30
2026-07-16T03:59 2026-07-15 15 2026-05-16 2026-06-15
2026-08-10T03:59 2026-08-09 9 2026-06-10 2026-07-09
2026-08-31T12:00 2026-08-31 2 2026-07-03 2026-08-02
2026-09-20T04:00 2026-09-20 19 2026-08-20 2026-09-19
2026-09-30T12:00 2026-09-30 22 2026-08-23 2026-09-22
2026-10-11T04:00 2026-10-11 10 2026-09-11 2026-10-10
2026-11-01T03:59 2026-10-31 31 2026-09-01 2026-09-30
2026-11-01T04:00 2026-11-01 31 2026-10-01 2026-10-31
2026-11-02T04:59 2026-11-01 1 2026-09-02 2026-10-01
2026-11-02T05:00 2026-11-02 1 2026-10-02 2026-11-01
2026-11-21T12:00 2026-11-21 20 2026-10-21 2026-11-20
2026-12-05T04:59 2026-12-04 4 2026-10-05 2026-11-04
2026-12-07T05:00 2026-12-07 6 2026-11-07 2026-12-06
2026-12-22T04:59 2026-12-21 21 2026-10-22 2026-11-21
2026-12-25T04:59 2026-12-24 24 2026-10-25 2026-11-24
2026-12-31T05:00 2026-12-31 30 2026-12-01 2026-12-30
2026-12-31T17:00 2026-12-31 31 2026-11-01 2026-11-30
2027-01-01T03:00 2026-12-31 31 2026-11-01 2026-11-30
2027-01-01T04:30 2026-12-31 29 2026-11-30 2026-12-29
2027-01-01T04:59 2026-12-31 30 2026-12-01 2026-12-30
2027-01-01T04:59 2026-12-31 31 2026-11-01 2026-11-30
2027-01-01T05:00 2027-01-01 31 2026-12-01 2026-12-31
2027-01-01T12:00 2027-01-01 1 2026-11-02 2026-12-01
2027-01-02T04:59 2027-01-01 1 2026-11-02 2026-12-01
2027-01-02T05:00 2027-01-02 1 2026-12-02 2027-01-01
2027-01-04T05:00 2027-01-04 3 2026-12-04 2027-01-03
2027-01-06T04:59 2027-01-05 5 2026-11-06 2026-12-05
2027-01-16T04:30 2027-01-15 15 2026-11-16 2026-12-15
2027-01-24T05:00 2027-01-24 23 2026-12-24 2027-01-23
2027-01-31T12:00 2027-01-31 31 2026-12-01 2026-12-31
2027-02-01T05:00 2027-02-01 31 2027-01-01 2027-01-31
2027-02-28T12:00 2027-02-28 27 2027-01-28 2027-02-27
2027-03-26T04:00 2027-03-26 25 2027-02-26 2027-03-25
2027-06-12T03:59 2027-06-11 11 2027-04-12 2027-05-11
2027-12-13T05:00 2027-12-13 12 2027-11-13 2027-12-12
2028-02-14T04:59 2028-02-13 13 2027-12-14 2028-01-13
2028-02-27T05:00 2028-02-27 26 2028-01-27 2028-02-26
2028-02-28T12:00 2028-02-28 28 2027-12-29 2028-01-28
2028-02-29T04:59 2028-02-28 28 2027-12-29 2028-01-28
2028-02-29T05:00 2028-02-29 28 2028-01-29 2028-02-28
2028-02-29T12:00 2028-02-29 1 2028-01-02 2028-02-01
2028-02-29T12:00 2028-02-29 29 2027-12-30 2028-01-29
2028-02-29T12:00 2028-02-29 30 2027-12-31 2028-01-30
2028-03-01T04:59 2028-02-29 29 2027-12-30 2028-01-29
2028-03-01T04:59 2028-02-29 31 2028-01-01 2028-01-31
2028-03-01T05:00 2028-03-01 29 2028-01-30 2028-02-29
2028-03-01T05:00 2028-03-01 30 2028-01-31 2028-02-29
2028-03-01T05:00 2028-03-01 31 2028-02-01 2028-02-29
2028-03-15T04:00 2028-03-15 14 2028-02-15 2028-03-14
2028-03-29T12:00 2028-03-29 29 2028-01-30 2028-02-29
2028-03-31T12:00 2028-03-31 30 2028-03-01 2028-03-30
"""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A billing cycle: its first and last day."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the table."""

    at: datetime
    today: date
    billing_day: int
    newest: Cycle


def _moment(line: str) -> Moment:
    at, today, billing_day, start, end = line.split()
    newest = Cycle(date.fromisoformat(start), date.fromisoformat(end))
    return Moment(datetime.fromisoformat(at).replace(tzinfo=UTC), date.fromisoformat(today), int(billing_day), newest)


MOMENTS = [_moment(line) for line in TABLE.strip().splitlines()]


def closes(day: date, billing_day: int) -> bool:
    """Return whether a cycle ends on a day: the billing day, or the last day of a month that has none."""
    return day.day == billing_day or (day.day < billing_day and (day + ONE).month != day.month)


def closed(before: date, billing_day: int, count: int) -> list[Cycle]:
    """Return the newest cycles that have ended before a day, the newest first."""
    ends: list[date] = []
    day = before
    while len(ends) <= count:
        day -= ONE
        if closes(day, billing_day):
            ends.append(day)
    return [Cycle(earlier + ONE, end) for end, earlier in pairwise(ends)]


def present(today: date, billing_day: int) -> Cycle:
    """Return the cycle that a day falls in."""
    end = today
    while not closes(end, billing_day):
        end += ONE
    return closed(end + ONE, billing_day, 1)[0]
