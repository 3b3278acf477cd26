"""The hours of a day in which jobs may start: `06:00-22:00` in a time zone; over midnight where the end is the earlier one."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@cache
def parse_hours(given: str) -> tuple[time, time]:
    """
    Return begin and end; raise ValueError with a sentence for anything but HH:MM-HH:MM.

    >>> parse_hours("22:00-06:00")
    (datetime.time(22, 0), datetime.time(6, 0))
    """
    begin, _, end = given.partition("-")
    found = parse_time(begin), parse_time(end)
    if found[0] == found[1]:
        raise ValueError("hours look like 06:00-22:00, with an end that is not the begin")
    return found


def parse_time(given: str) -> time:
    """Return the time of day of HH:MM; raise ValueError with a sentence for anything else."""
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", given.strip())
    if match is None:
        raise ValueError("a time of day looks like 06:00")
    return time(int(match[1]), int(match[2]))


def into_hours(at: datetime, hours: str | None, time_zone: str | None) -> datetime:
    """
    Return *at* if it lies in the hours, else the moment at which they begin next; without hours *at* itself.

    >>> into_hours(datetime(2026, 7, 1, 3, 0, tzinfo=UTC), "06:00-22:00", "Europe/Zurich").isoformat()
    '2026-07-01T04:00:00+00:00'
    """
    if not hours:
        return at
    begin, end = parse_hours(hours)
    zone = ZoneInfo(time_zone or "UTC")
    day = at.astimezone(zone).date()
    openings = []
    for each in (day - DAY, day, day + DAY):
        opens, closes = _moment(each, begin, zone), _moment(each if begin < end else each + DAY, end, zone)
        if opens <= at < closes:
            return at
        openings.append(opens)
    return min(opens for opens in openings if opens > at)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
