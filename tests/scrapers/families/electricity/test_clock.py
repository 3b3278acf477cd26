"""Readings summed by the calendar of Jerusalem, gaps shown as gaps; and what an appliance costs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from scrapers.families.electricity.clock import (
    DAY,
    QUARTER,
    Appliance,
    By,
    Rate,
    UnknownUnit,
    day_start,
    days,
    kilowatts,
    quarters,
    sums,
    use,
)

SPRING, AUTUMN = date(2028, 3, 24), date(2028, 10, 29)
TENTH = Decimal("0.1")


def full(first: date, last: date, kwh: Decimal | None = TENTH):
    at, end = day_start(first), day_start(last + DAY)
    return [(at + QUARTER * number, kwh) for number in range((end - at) // QUARTER)]


def test_a_day_by_hour():
    found = sums(full(SPRING, SPRING)[:9], By.HOUR, SPRING, SPRING)
    assert len(found) == 23
    assert [(each.total, each.found, each.complete) for each in found[:4]] == [
        (4 * TENTH, 4, True),
        (4 * TENTH, 4, True),
        (TENTH, 1, False),
        (None, 0, False),
    ]
    assert len(sums([], By.HOUR, AUTUMN, AUTUMN)) == 25


def test_days_have_as_many_quarters_as_the_clock_gives_them():
    found = sums(full(date(2028, 3, 1), date(2028, 10, 31)), By.DAY, SPRING, AUTUMN)
    assert len(found) == len(list(days(SPRING, AUTUMN)))
    assert [(each.expected, each.total) for each in (found[0], found[1], found[-1])] == [
        (92, 92 * TENTH),
        (96, 96 * TENTH),
        (100, 100 * TENTH),
    ]
    assert all(each.complete for each in found)


def test_a_gap_is_a_gap_and_never_a_zero():
    first, last = date(2028, 1, 1), date(2028, 1, 3)
    readings = [*full(first, first), *full(date(2028, 1, 2), date(2028, 1, 2), None), *full(last, last)[:-1]]
    before, gap, after = sums(readings, By.DAY, first, last)
    assert (before.total, before.average, before.smallest, before.largest) == (96 * TENTH, TENTH, TENTH, TENTH)
    assert (gap.total, gap.average, gap.smallest, gap.found, gap.complete) == (None, None, None, 0, False)
    assert (after.found, after.expected, after.complete) == (95, 96, False)


def test_months_and_what_of_them_is_asked_for():
    first, last = date(2028, 1, 30), date(2028, 3, 31)
    found = sums(full(date(2028, 1, 1), date(2028, 4, 30)), By.MONTH, first, last)
    assert [each.expected for each in found] == [2 * 96, 29 * 96, 31 * 96 - 4]
    assert [each.total for each in found] == [each.expected * TENTH for each in found]
    whole = sums([(day_start(day), Decimal(9)) for day in days(first, last)], By.MONTH, first, last, step=DAY)
    assert [(each.expected, each.total) for each in whole] == [(2, Decimal(18)), (29, Decimal(261)), (31, Decimal(279))]


def test_averages_and_extremes_with_negative_readings():
    at = day_start(SPRING)
    amounts = [Decimal(2), Decimal("-1"), Decimal("0.5")]
    [found] = sums([(at + QUARTER * n, kwh) for n, kwh in enumerate(amounts)], By.DAY, SPRING, SPRING)
    assert (found.total, found.average, found.smallest, found.largest) == (
        Decimal("1.5"),
        Decimal("0.5"),
        Decimal(-1),
        Decimal(2),
    )


def test_days_have_no_hours():
    with pytest.raises(ValueError, match="cannot be summed by hour"):
        sums([], By.HOUR, SPRING, SPRING, step=DAY)
    assert sums([], By.DAY, SPRING, SPRING - DAY) == []


def test_a_leap_year_has_its_rows():
    assert sum(quarters(day) for day in days(date(2028, 1, 1), date(2028, 12, 31))) == 35_136


RATE = Rate(Decimal("0.5425"), Decimal(18))
KETTLE = Appliance("kettle", Decimal("2.2"), 4, Decimal(3))
LAMP = Appliance("lamp", Decimal(60), 3, Decimal(360))


def test_an_appliance_costs_kilowatts_times_hours_with_vat_once():
    three, hour = use(KETTLE, RATE), use(KETTLE, RATE, Decimal(60))
    assert (three.kwh, hour.kwh) == (Decimal("0.11"), Decimal("2.2"))
    assert hour.cost == Decimal("2.2") * Decimal("0.5425") * Decimal("1.18")
    assert use(LAMP, RATE).kwh == Decimal("0.36")  # 60 W for six hours
    assert use(LAMP, RATE, Decimal(60), power=Decimal(100)).kwh == Decimal("0.1")  # still watts
    assert use(LAMP, RATE, Decimal(60), power=Decimal(1), unit="kW").kwh == 1


def test_units():
    assert [kilowatts(Decimal(1), unit) for unit in ("kW", "W", "HP", "A")] == [
        1,
        Decimal("0.001"),
        Decimal("0.736"),
        Decimal("0.23"),
    ]
    with pytest.raises(UnknownUnit, match="BTU is no unit of power"):
        kilowatts(Decimal(1), "BTU")


@pytest.mark.parametrize("code", [1, 2, 9, None])
def test_a_unit_that_nobody_has_seen_is_not_guessed(code):
    cooler = Appliance("cooler", Decimal("1.5"), code, Decimal(60))
    with pytest.raises(UnknownUnit, match="The unit of the power of cooler is not known"):
        use(cooler, RATE)
    assert use(cooler, RATE, unit="HP").kwh == Decimal("1.104")


@pytest.mark.parametrize(
    ("appliance", "given", "sentence"),
    [
        (Appliance("fan", Decimal(40), 3), {}, "does not say how long fan runs"),
        (Appliance("fan", None, 3, Decimal(1)), {}, "does not say the power of fan"),
        (KETTLE, {"minutes": Decimal(-1)}, "minutes must not be less than 0"),
        (KETTLE, {"power": Decimal(-1)}, "power must not be less than 0"),
    ],
)
def test_what_is_not_known_is_said_in_a_sentence(appliance, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        use(appliance, RATE, **given)
