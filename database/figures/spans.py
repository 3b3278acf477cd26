"""Periods of time that are cut into points, a bounded number of them, by the calendar of a time zone. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Step(StrEnum):
    """What one point stands for."""

    QUARTER = "quarter"  # of an hour
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


SHORT = {Step.QUARTER: timedelta(minutes=15), Step.HOUR: timedelta(hours=1)}  # steps that are shorter than a day
# Years, months or days (of shorter steps too): as many as a period has at most, and as many as it has where no first day is given.
LONGEST = {Step.QUARTER: 3, Step.HOUR: 14, Step.DAY: 366, Step.MONTH: 120, Step.YEAR: 30}
USUAL = {Step.QUARTER: 1, Step.HOUR: 7, Step.DAY: 31, Step.MONTH: 12, Step.YEAR: 10}
MOST = 366  # points that a period has at most, whatever the step


@dataclass(frozen=True, slots=True)
class Span:
    """
    A period. since, until: its first and its last day in the zone; a month or year belongs to it as a whole.

    is_cut: more was asked for than LONGEST allows, and the beginning was left out.
    edges: instants (UTC) at which points begin, and at which the last one ends. labels: a name for each point, in order.
    """

    step: Step
    zone: str
    since: date
    until: date
    is_cut: bool
    edges: tuple[datetime, ...]
    labels: tuple[str, ...]

    def shifted(self, periods: int) -> tuple[date, date]:
        """Return the first and last day of the period of the same length that is so many periods later; earlier for < 0."""
        first, last = _number(self.since, self.step), _number(self.until, self.step)
        by = periods * (last - first + 1)
        return _day(first + by, self.step), _day(last + by + 1, self.step) - timedelta(days=1)


def span_of(step: Step, until: date, since: date | None = None, zone: str = "UTC") -> Span:
    """
    Return the period from *since* to *until*, both included; without *since* it is of the USUAL length.

    Raises ValueError where *since* is after *until*.

    >>> span_of(Step.MONTH, date(2026, 2, 3), date(2025, 12, 24)).labels
    ('2025-12', '2026-01', '2026-02')
    >>> span_of(Step.HOUR, date(2026, 10, 25), date(2026, 10, 25), "Europe/Berlin").labels[1:5]
    ('2026-10-25 01:00+02:00', '2026-10-25 02:00+02:00', '2026-10-25 02:00+01:00', '2026-10-25 03:00+01:00')
    """
    last = _number(until, step)
    asked = last - USUAL[step] + 1 if since is None else _number(since, step)
    if asked > last:
        raise ValueError("since: it is after until")
    first = max(asked, last - LONGEST[step] + 1)
    days = [_day(number, step) for number in range(first, last + 2)]
    local = ZoneInfo(zone)
    edges = [datetime(day.year, day.month, day.day, tzinfo=local).astimezone(UTC) for day in days]
    if step in SHORT:
        count = (edges[-1] - edges[0]) // SHORT[step]
        edges = [edges[0] + SHORT[step] * number for number in range(count + 1)]
        labels = [edge.astimezone(local).isoformat(" ", "minutes") for edge in edges[:-1]]
    else:
        labels = [day.isoformat()[: LENGTHS[step]] for day in days[:-1]]
    return Span(step, zone, days[0], days[-1] - timedelta(days=1), first > asked, tuple(edges), tuple(labels))


LENGTHS = {Step.DAY: 10, Step.MONTH: 7, Step.YEAR: 4}  # characters of YYYY-MM-DD that name a point


def _number(day: date, step: Step) -> int:
    """Return the number of a day's year, month or day, which is one more for the next."""
    return {Step.YEAR: day.year, Step.MONTH: day.year * 12 + day.month - 1}.get(step, day.toordinal())


def _day(number: int, step: Step) -> date:
    """Return the first day of a year, month or day by its number."""
    if step is Step.YEAR:
        return date(number, 1, 1)
    return date(number // 12, number % 12 + 1, 1) if step is Step.MONTH else date.fromordinal(number)
