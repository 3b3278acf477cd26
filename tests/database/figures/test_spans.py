"""Periods and their points: calendars and clocks of a zone, and the bound on how many points there are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from database.figures.spans import LONGEST, MOST, USUAL, Step, span_of

JERUSALEM = "Asia/Jerusalem"


def test_days_begin_at_the_midnight_of_the_zone():
    span = span_of(Step.DAY, date(2026, 10, 26), date(2026, 10, 25), JERUSALEM)
    assert span.labels == ("2026-10-25", "2026-10-26")
    # Summer time ends on the 25th, which has 25 hours.
    assert span.edges == tuple(
        datetime(2026, 10, day, hour, tzinfo=UTC) for day, hour in ((24, 21), (25, 22), (26, 22))
    )


@pytest.mark.parametrize(
    ("day", "count"), [(date(2026, 10, 24), 96), (date(2026, 10, 25), 100), (date(2026, 3, 27), 92)], ids=str
)
def test_a_day_has_the_quarters_that_its_clock_shows(day, count):
    span = span_of(Step.QUARTER, day, day, JERUSALEM)
    assert len(span.labels) == len(set(span.labels)) == count
    assert all(ends - begins == timedelta(minutes=15) for begins, ends in zip(span.edges, span.edges[1:], strict=False))


def test_months_and_years_are_whole():
    span = span_of(Step.MONTH, date(2028, 2, 10), date(2027, 12, 31))
    assert (span.since, span.until, span.labels) == (
        date(2027, 12, 1),
        date(2028, 2, 29),
        ("2027-12", "2028-01", "2028-02"),
    )
    span = span_of(Step.YEAR, date(2028, 2, 10), date(2027, 12, 31))
    assert (span.since, span.until, span.labels) == (date(2027, 1, 1), date(2028, 12, 31), ("2027", "2028"))


@pytest.mark.parametrize("step", list(Step))
def test_no_period_has_more_points_than_it_may(step):
    """Whatever is asked for: the newest are kept. The days on which clocks are changed are among them."""
    for zone in ("UTC", JERUSALEM):
        span = span_of(step, date(2026, 10, 26), date(2000, 1, 1), zone)
        # Thirty years are the most, and 26 are asked for.
        assert span.is_cut == (step is not Step.YEAR)
        assert len(span.labels) <= MOST
        assert span.edges[0] < datetime(2026, 10, 26, 12, tzinfo=UTC) < span.edges[-1]
        usual = span_of(step, date(2026, 10, 26), zone=zone)
        assert not usual.is_cut
        assert USUAL[step] <= LONGEST[step]


@pytest.mark.parametrize(
    ("step", "since", "until", "before"),
    [
        (Step.DAY, date(2026, 3, 1), date(2026, 3, 10), (date(2026, 2, 19), date(2026, 2, 28))),
        (Step.HOUR, date(2026, 3, 1), date(2026, 3, 2), (date(2026, 2, 27), date(2026, 2, 28))),
        (Step.MONTH, date(2026, 1, 1), date(2026, 3, 1), (date(2025, 10, 1), date(2025, 12, 31))),
        (Step.YEAR, date(2026, 5, 1), date(2026, 5, 1), (date(2025, 1, 1), date(2025, 12, 31))),
    ],
    ids=["days", "hours", "months", "years"],
)
def test_the_period_before_ends_where_this_one_begins(step, since, until, before):
    span = span_of(step, until, since)
    assert span.shifted(-1) == before
    assert span_of(step, before[1], before[0]).shifted(1) == (span.since, span.until)


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="since: it is after until"):
        span_of(Step.DAY, date(2026, 3, 1), date(2026, 3, 2))
