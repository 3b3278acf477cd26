"""From an answer of remote readings to rows, on the days when the clock changes too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from database.models.readings import Direction, Resolution
from scrapers.families.electricity.clock import DAY, QUARTER, day_start, quarters
from scrapers.families.electricity.readings import Meter, Period, chosen, complete_days, counts_both_ways, periods, rows

JERUSALEM = ZoneInfo("Asia/Jerusalem")
METER = Meter("300000007", "10000007", "503")
WINTER, SPRING, AUTUMN = date(2028, 1, 17), date(2028, 3, 24), date(2028, 10, 29)
IN, OUT = Direction.CONSUMPTION, Direction.PRODUCTION


def instants(day: date) -> list[datetime]:
    return [day_start(day) + QUARTER * number for number in range(quarters(day))]


def offset(at: datetime) -> str:
    return at.isoformat()


def zulu(at: datetime) -> str:
    return at.isoformat().replace("+00:00", ".0000000Z")


def local(at: datetime) -> str:
    return at.astimezone(JERUSALEM).isoformat()


def wall(at: datetime) -> str:
    return at.astimezone(JERUSALEM).replace(tzinfo=None).isoformat()


def answer(day: date, write=offset, **changes):
    consumptions = [
        {"interval": write(at), "consumption": Decimal(number) / 1000, "backStream": 0, "status": 0}
        for number, at in enumerate(instants(day))
    ]
    return {"meterSerial": "10000007", "meterCode": "503", "periodConsumptions": consumptions, **changes}


def daily(day: date) -> Period:
    return Period(Resolution.DAILY, day, day)


@pytest.mark.parametrize("write", [offset, zulu, local, wall])
@pytest.mark.parametrize("day", [WINTER, SPRING, AUTUMN])
def test_every_quarter_of_a_day_is_one_row(day, write):
    made = rows(answer(day, write), [], METER, daily(day), [IN])
    assert [row["starts_at"] for row in made.readings] == instants(day)
    assert [row["kwh"] for row in made.readings] == [Decimal(n) / 1000 for n in range(quarters(day))]
    assert made.periods[0]["expected"] == made.periods[0]["found"] == {WINTER: 96, SPRING: 92, AUTUMN: 100}[day]
    assert made.periods[0]["complete"]
    assert complete_days(made, daily(day)) == [day]
    assert not made.odd


def test_rows_of_other_days_and_in_any_order():
    part = answer(WINTER)
    others = answer(WINTER + DAY)["periodConsumptions"] + answer(WINTER - DAY)["periodConsumptions"]
    part["periodConsumptions"] = others[:50] + part["periodConsumptions"][::-1] + others[50:]
    made = rows(part, [], METER, daily(WINTER), [IN])
    assert sorted(row["starts_at"] for row in made.readings) == instants(WINTER)


def test_a_zero_with_the_status_of_nothing_is_no_value():
    part = answer(WINTER)
    for row in part["periodConsumptions"][4:6]:
        row.update(consumption=Decimal("0.0"), status=8192)
    part["periodConsumptions"][6].update(consumption=Decimal("0.5"), status=8192)
    part["periodConsumptions"][7].update(consumption=0)
    made = rows(part, [], METER, daily(WINTER), [IN])
    assert [row["kwh"] for row in made.readings[4:8]] == [None, None, Decimal("0.5"), 0]
    assert [row["status"] for row in made.readings[4:8]] == [8192, 8192, 8192, 0]
    assert (made.found[IN], made.periods[0]["complete"]) == (94, False)
    assert complete_days(made, daily(WINTER)) == []


def test_what_is_missing_in_a_row_is_none_and_negative_amounts_stay():
    part = answer(WINTER)
    del part["periodConsumptions"][0]["consumption"], part["periodConsumptions"][0]["status"]
    part["periodConsumptions"][1]["consumption"] = Decimal("-1.25")
    part["periodConsumptions"][2]["status"] = None
    made = rows(part, [], METER, daily(WINTER), [IN])
    assert [row["kwh"] for row in made.readings[:3]] == [None, Decimal("-1.25"), Decimal("0.002")]
    assert not made.odd


def test_a_meter_that_counts_both_ways_gives_two_rows_a_quarter():
    part = answer(SPRING, totalConsumptionForPeriod=Decimal("4.186"), totalBackStreamForPeriod=None)
    for row in part["periodConsumptions"]:
        row["backStream"] = Decimal("0.2")
    made = rows(part, [], METER, daily(SPRING), [IN, OUT])
    assert len(made.readings) == 2 * 92
    assert {row["kwh"] for row in made.readings if row["direction"] is OUT} == {Decimal("0.2")}
    assert [(each["direction"], each["total_kwh"]) for each in made.periods] == [(IN, Decimal("4.186")), (OUT, None)]
    assert complete_days(made, daily(SPRING)) == [SPRING]
    del part["periodConsumptions"][5]["backStream"]  # nothing was fed in
    assert complete_days(rows(part, [], METER, daily(SPRING), [IN, OUT]), daily(SPRING)) == [SPRING]
    part["periodConsumptions"][5]["backStream"] = None
    assert complete_days(rows(part, [], METER, daily(SPRING), [IN, OUT]), daily(SPRING)) == []


def test_bands_belong_to_their_instant():
    bands = [{"interval": zulu(at), "taoz": 1 if number < 40 else 3} for number, at in enumerate(instants(WINTER))]
    made = rows(answer(WINTER), bands[::-1][:-1], METER, daily(WINTER), [IN])
    assert [row["band"] for row in made.readings] == [None, *[1] * 39, *[3] * 56]


def test_what_is_not_understood_is_named_and_the_rest_is_kept():
    part = answer(SPRING)
    good = len(part["periodConsumptions"])
    part["periodConsumptions"] += [
        {"consumption": 1},
        None,
        {"interval": "soon", "consumption": 1},
        {
            "interval": wall(day_start(SPRING) + timedelta(hours=1)).replace("01:", "02:"),
            "consumption": 1,
        },  # no such time
    ]
    made = rows(part, [{"taoz": 1}], METER, daily(SPRING), [IN])
    assert len(made.readings) == good
    assert made.odd == [
        "taozList: an interval or its taoz is missing or no such thing",
        "periodConsumptions: an interval or its amount is missing or no such thing",
    ]


@pytest.mark.parametrize(
    "interval", ["9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00"]
)
def test_a6_a_time_beyond_all_years_is_named_and_the_rest_is_kept(interval):
    part = answer(WINTER)
    part["periodConsumptions"].append({"interval": interval, "consumption": 1, "status": 0})
    made = rows(part, [{"interval": interval, "taoz": 1}], METER, daily(WINTER), [IN])
    assert len(made.readings) == 96
    assert len(made.odd) == 2


def test_an_instant_with_two_values_counts_once_and_is_told():
    part = answer(WINTER)
    part["periodConsumptions"].append({**part["periodConsumptions"][3], "consumption": 7})
    part["periodConsumptions"].append(dict(part["periodConsumptions"][4]))  # the same again says nothing new
    made = rows(part, [], METER, daily(WINTER), [IN])
    assert (len(made.readings), made.readings[3]["kwh"]) == (96, 7)
    assert made.odd == ["periodConsumptions: two values for 2028-01-16T22:45:00+00:00"]


def test_a_day_without_data_is_no_row_and_not_complete():
    for part in (answer(WINTER, periodConsumptions=[]), answer(WINTER, periodConsumptions=None)):
        made = rows(part, [], METER, daily(WINTER), [IN])
        assert (made.readings, made.periods, complete_days(made, daily(WINTER))) == ([], [], [])


def test_a_month_has_a_row_a_day():
    period = Period(Resolution.MONTHLY, date(2028, 3, 20), date(2028, 3, 31))
    days = [date(2028, 3, 1) + DAY * number for number in range(30)]  # the last day is not there yet
    part = answer(WINTER)
    part["periodConsumptions"] = [
        {"interval": offset(day_start(day)), "consumption": Decimal(day.day), "status": 0} for day in days
    ]
    made = rows(part, [], METER, period, [IN])
    assert [int(row["kwh"]) for row in made.readings] == list(range(20, 31))
    assert [(each["expected"], each["found"], each["complete"]) for each in made.periods] == [(12, 11, False)]
    assert complete_days(made, period) == [date(2028, 3, day) for day in range(20, 31)]


def test_a_year_in_periods():
    year = date(2027, 1, 1), date(2027, 12, 31)
    daily_ones = periods(Resolution.DAILY, *year)
    assert (len(daily_ones), sum(period.expected for period in daily_ones)) == (365, 35_040)
    assert len(periods(Resolution.MONTHLY, *year)) == 12
    weeks = periods(Resolution.WEEKLY, *year)
    assert sum(period.expected for period in weeks) == 365
    assert {period.first.isoweekday() for period in weeks[1:]} == {7}
    assert periods(Resolution.DAILY, date(2027, 1, 2), date(2027, 1, 1)) == []


@pytest.mark.parametrize(
    ("meters", "place"),
    [
        ([{"meterSerial": "10000007", "meterCode": "507"}, {"meterSerial": "010000007", "meterCode": "503"}], 1),
        ([{"meterSerial": "9", "meterCode": "503"}, {"meterSerial": "10000007", "meterCode": "507"}], 1),
        ([{"meterSerial": None, "meterCode": "503"}], 0),
        ([{"meterSerial": None, "meterCode": None}], 0),
        ([{"meterSerial": "9", "meterCode": "503"}], None),
        ([], None),
    ],
)
def test_which_part_of_an_answer_is_a_meters(meters, place):
    assert chosen(meters, METER) is (None if place is None else meters[place])


@pytest.mark.parametrize("kind", [2, "2", "BackStream", "backstream", "דו כיווני"])
def test_meters_that_count_both_ways_by_their_kind(kind):
    assert counts_both_ways({"meterKind": kind})


def test_meters_that_count_both_ways_by_what_they_count():
    assert counts_both_ways({"meterKind": 1, "totalExport": Decimal("3.5")})
    assert counts_both_ways({"meterKind": None, "futureConsumptionInfo": {"totalExport": Decimal(1)}})
    assert not counts_both_ways({"meterKind": 1, "totalExport": Decimal(0), "futureConsumptionInfo": None})
    assert not counts_both_ways({"meterKind": "Consumption"})
    assert instants(WINTER)[0].tzinfo is UTC
