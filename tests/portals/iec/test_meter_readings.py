"""Readings of meters as their user brings them home: whole days, both clock changes, corrections, gaps, every kind of meter."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from sandbox.iec.meters import day_values, quarters
from sandbox.iec.people import Customer
from tests.portals.iec.conftest import Household

SPIDER = "iec_meter_readings"
JERUSALEM = ZoneInfo("Asia/Jerusalem")
DAY = timedelta(days=1)


def today() -> date:
    return datetime.now(JERUSALEM).date()


def house(household: Household):
    """Return the person's contract with a meter that tells quarters."""
    return next(each for each in Customer(household.number).contracts if each.smart and not each.closed)


def asked(household: Household) -> list[str]:
    """Return the days (and resolutions) that were asked for, as often as they were."""
    counted = household.admin.counters().get("readings_asked", {})
    return sorted(" ".join(name.split()[1:]) for name, times in counted.items() for _ in range(times))


def a_range(first: date, last: date) -> tuple[str, str]:
    return f"from={first}", f"to={last}"


def stored(household: Household, direction: str = "consumption", resolution: str = "daily") -> dict[str, Decimal | None]:
    rows = household.rows(
        "SELECT starts_at, kwh FROM meter_readings WHERE direction = ? AND resolution = ? ORDER BY starts_at",
        direction,
        resolution,
    )
    return {row["starts_at"][:19]: None if row["kwh"] is None else Decimal(str(row["kwh"])) for row in rows}


def told(serial: str, direction: str, first: date, last: date, factor: float = 1.0) -> dict[str, Decimal]:
    """Return what the meter has counted, as the table should have it."""
    days = [first + DAY * n for n in range((last - first).days + 1)]
    return {
        f"{at.replace(tzinfo=None).isoformat(sep=' ')}": Decimal(wh) / 1000
        for day in days
        for at, wh in zip(quarters(day), day_values(serial, direction, day, factor), strict=True)
    }


def test_a_few_days(household):
    household.sign_in("ok")
    first, last = today() - 5 * DAY, today() - 2 * DAY
    done = household.crawl(SPIDER, *a_range(first, last))
    print(done.stderr[-3000:])
    print(household.rows("select * from runs")[0]["message"], household.rows("select warnings from runs")[0][0])
    assert done.returncode == 0, done.stderr
    assert stored(household) == told(house(household).serial, "in", first, last)
    assert asked(household) == [f"{first + DAY * n} 1" for n in range(4)]
