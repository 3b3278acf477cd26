"""Due times of cron expressions: as Debian's cron, by every zone's calendar, and the same from wherever one looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo

import pytest

from jobs.cron import BadCron, check_cron, check_zone, due_times, last_due, spread

YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "America/Toronto", "Europe/Zurich", "Asia/Jerusalem", "Australia/Lord_Howe", "Pacific/Chatham")


def first(cron: str, zone: str, after: str, count: int = 1) -> list[str]:
    begins = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone))
    return [f"{due.astimezone(ZoneInfo(zone)):%a %m-%d %H:%M}" for due in islice(due_times(cron, zone, begins), count)]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 6 * * 0", "UTC", "2026-11-30", ["Sun 12-06 06:00"]),
        ("0 0 13 * 5", "UTC", "2026-11-30", ["Fri 12-04 00:00", "Fri 12-11 00:00", "Sun 12-13 00:00"]),
        ("0 0 L * *", "UTC", "2027-02-01", ["Sun 02-28 00:00"]),
        ("0 0 * * MON#1", "UTC", "2026-11-30", ["Mon 12-07 00:00"]),
        ("@weekly", "UTC", "2026-11-30", ["Sun 12-06 00:00"]),
        ("@hourly", "UTC", "2026-11-30T00:30", ["Mon 11-30 01:00", "Mon 11-30 02:00"]),
        # The night on which an hour comes twice, and the one on which it is left out.
        ("30 2 * * *", "Europe/Zurich", "2026-10-25T00:00", ["Sun 10-25 02:30", "Mon 10-26 02:30"]),
        ("30 2 * * *", "Europe/Zurich", "2026-03-29T00:00", ["Sun 03-29 03:00", "Mon 03-30 02:30"]),
    ],
)
def test_due_times(cron, zone, after, expected):
    assert first(cron, zone, after, len(expected)) == expected


def test_a_doubled_hour_is_due_once_a_day_and_each_half_hour_twice():
    def on_that_day(cron: str) -> int:
        begins = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
        return len(list(due_times(cron, "Europe/Zurich", begins, begins + timedelta(hours=25))))

    assert on_that_day("30 2 * * *") == 1
    assert on_that_day("*/30 * * * *") == 50


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", ["30 2 * * *", "15 1,2,3 * * *", "*/30 1-3 * * *", "0 0 * * *", "0 */2 * * 6,0"])
def test_looking_in_pieces_sees_what_the_whole_year_has(cron, zone):
    """So `schedules next`, a tick each second, and one after a week of sleep agree."""
    whole = list(due_times(cron, zone, *YEAR))
    assert whole == sorted(set(whole))
    random, at, pieces, last = Random(f"{cron}{zone}"), YEAR[0], [], []
    while at < YEAR[1]:
        # Short pieces around the nights of a change, longer ones elsewhere.
        until = min(at + timedelta(minutes=random.choice((7, 41, 600, 20_000))), YEAR[1])
        pieces += due_times(cron, zone, at, until)
        last.append(last_due(cron, zone, at, until) == max(due_times(cron, zone, at, until), default=None))
        at = until
    assert pieces == whole
    assert all(last)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 0 31 2 *", "is no cron expression"),
        ("61 * * * *", "Bad minute"),
        ("* * * *", "has not 5 fields"),
        ("0 0 0 * * *", "has not 5 fields"),
        ("@often", "@often is none of @hourly"),
        ("", "has not 5 fields"),
    ],
)
def test_what_is_no_expression_is_refused(cron, said):
    with pytest.raises(BadCron, match=said):
        check_cron(cron)


def test_time_zones_have_names():
    assert check_zone("Asia/Jerusalem") == "Asia/Jerusalem"
    for name in ("CET+1", "", "../etc/passwd", "Zurich"):
        with pytest.raises(BadCron, match="is no time zone"):
            check_zone(name)


def test_jobs_are_spread_and_always_alike():
    due = YEAR[0]
    offsets = [spread(str(number), due, 600) for number in range(200)]
    assert offsets == [spread(str(number), due, 600) for number in range(200)]
    assert min(offsets) < timedelta(seconds=60)
    assert timedelta(seconds=540) < max(offsets) <= timedelta(seconds=600)
    assert spread("a", due, 0) == timedelta(0)
