"""Readings of meters as their user brings them home: whole days, both clock changes, corrections, gaps, every kind of meter."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from database.engine import Database
from database.migrate import upgrade
from sandbox.iec.account import first_day
from sandbox.iec.meters import day_values, quarters
from sandbox.iec.people import Customer
from scrapers.core.jobs import ArgumentError
from scrapers.portals.iec.meter_readings import ReadingsArguments
from scrapers.reading.values.texts import bare_number
from tests.portals.iec.conftest import Household
from tests.project import wait_for

SPIDER = "iec_meter_readings"
JERUSALEM = ZoneInfo("Asia/Jerusalem")
DAY = timedelta(days=1)


def today() -> date:
    return datetime.now(JERUSALEM).date()


def house(household: Household):
    """Return the person's contract with a meter that tells quarters."""
    return next(each for each in Customer(household.number).contracts if each.smart and not each.closed)


def asked(household: Household, before: Sequence[str] = ()) -> list[str]:
    """Return the days (and resolutions) that were asked for, as often as they were, without those of *before*."""
    counted = household.admin.counters().get("readings_asked", {})
    every = Counter({" ".join(name.split()[1:]): 0 for name in counted})
    for name, times in counted.items():
        every[" ".join(name.split()[1:])] += times
    return sorted((every - Counter(before)).elements())


def a_range(first: date, last: date) -> tuple[str, str]:
    return f"from={first}", f"to={last}"


def stored(
    household: Household, direction: str = "consumption", resolution: str = "daily"
) -> dict[str, Decimal | None]:
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


def warnings(household: Household) -> str:
    return str(household.value("SELECT warnings FROM runs ORDER BY id DESC LIMIT 1"))


def counts(household: Household) -> tuple[str, int, int]:
    """Return outcome, records and what was known already of the newest run."""
    return tuple(household.rows("SELECT outcome, records, already FROM runs ORDER BY id DESC LIMIT 1")[0])


def watermarks(household: Household) -> dict[str, str]:
    return {row["name"]: row["reached"][:19] for row in household.rows("SELECT name, reached FROM watermarks")}


def start_of(day: date) -> str:
    return quarters(day)[0].replace(tzinfo=None).isoformat(sep=" ")


def newest_change(count: int) -> date:
    """Return the newest day with so many quarters that is three days old at least."""
    return next(day for n in range(3, 400) if len(quarters(day := today() - n * DAY)) == count)


def test_the_second_run_asks_for_the_overlap_and_keeps_what_was_corrected(household):
    household.sign_in("ok")
    contract, now = house(household), today()
    week = {"IEC_READINGS_FIRST_DAYS": "6"}
    first = household.crawl(SPIDER, **week)
    assert first.returncode == 0, first.stderr
    assert asked(household) == [f"{now - n * DAY} 1" for n in range(6, 0, -1)]
    before = told(contract.serial, "in", now - 6 * DAY, now - DAY)
    assert stored(household) == before
    name = f"{bare_number(contract.number)}/{bare_number(contract.serial)}-{contract.code} daily consumption"
    assert watermarks(household) == {name: start_of(now)}
    registers = household.value("SELECT count(*) FROM register_readings")
    assert registers > 3

    # Two days are corrected, one of them too old to be asked for again.
    near, far = now - 2 * DAY, now - 5 * DAY
    household.admin.configure(
        corrections=[{"contract": contract.number, "day": str(day), "factor": 1.25} for day in (near, far)]
    )
    earlier = asked(household)
    second = household.crawl(SPIDER, **week)
    assert second.returncode == 0, second.stderr
    assert asked(household, earlier) == [f"{now - n * DAY} 1" for n in (3, 2, 1)]
    corrected = told(contract.serial, "in", near, near, 1.25)
    assert stored(household) == {**before, **corrected}
    assert household.value("SELECT count(*) FROM meter_readings") == len(before)

    changed = [at for at, kwh in corrected.items() if kwh != before[at]]
    assert len(changed) > 80
    versions = household.rows("SELECT * FROM versions WHERE table_name = 'meter_readings'")
    old = {json.loads(each["row"])["starts_at"][:19].replace("T", " "): each for each in versions}
    assert sorted(old) == sorted(changed)
    runs = [row["id"] for row in household.rows("SELECT id FROM runs ORDER BY id")]
    for at, version in old.items():
        assert Decimal(json.loads(version["row"])["kwh"]) == before[at]
        assert (version["number"], version["run_id"], version["replaced_by"]) == (1, *runs)
    # The day's total is another one, too; all the rest is untouched.
    assert counts(household) == (
        "success",
        len(changed) + 1,
        len(told(contract.serial, "in", now - 3 * DAY, now - DAY)) - len(changed) + 2 + registers,
    )
    by_run = Counter(row["run_id"] for row in household.rows("SELECT run_id FROM meter_readings"))
    assert by_run == {runs[0]: len(before) - len(changed), runs[1]: len(changed)}


def test_a_day_that_fails_keeps_the_others_and_the_watermark_waits(household):
    household.sign_in("ok")
    fault = {"path": "/api/Consumption/RemoteReadingRange/.*", "answer": "html-200", "ordinals": [3]}
    household.admin.configure(answers=[fault])
    week = {"IEC_READINGS_FIRST_DAYS": "6"}
    done = household.crawl(SPIDER, **week)
    assert done.returncode != 0
    assert counts(household)[0] == "unexpected_answer"
    assert len(stored(household)) in range(5 * 92, 5 * 100 + 1)
    assert watermarks(household) == {}
    household.admin.configure(answers=[])
    assert household.crawl(SPIDER, **week).returncode == 0
    assert stored(household) == told(house(household).serial, "in", today() - 6 * DAY, today() - DAY)
    assert len(watermarks(household)) == 1


def test_meters_that_count_both_ways_and_only_what_is_fed_in(household):
    household.sign_in("prosumer")
    autumn = newest_change(100)
    first, last = autumn - DAY, autumn + DAY
    done = household.crawl(SPIDER, *a_range(first, last))
    assert done.returncode == 0, done.stderr
    both, solar = (
        next(each for each in Customer(household.number).contracts if each.meter == meter)
        for meter in ("both-ways", "solar")
    )
    rows = household.rows("SELECT meter, direction, starts_at, kwh FROM meter_readings")
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for row in rows:
        found.setdefault((row["meter"], row["direction"]), {})[row["starts_at"][:19]] = Decimal(str(row["kwh"]))
    assert found == {
        (bare_number(both.serial), "consumption"): told(both.serial, "in", first, last),
        (bare_number(both.serial), "production"): told(both.serial, "out", first, last),
        (bare_number(solar.serial), "production"): told(solar.serial, "out", first, last),
    }
    assert len(rows) == 3 * (96 + 100 + 96)
    # A range that begins later than what the company has is no ground for a watermark: nobody has asked for the rest.
    assert watermarks(household) == {}


def test_a_meter_that_is_not_smart_has_its_readings_for_invoices(household):
    household.sign_in("dumb-only")
    done = household.crawl(SPIDER)
    assert done.returncode == 0, done.stderr
    assert asked(household) == []
    rows = household.rows("SELECT * FROM register_readings")
    assert len(rows) >= 3
    assert all(row["reading"] > 0 and row["usage"] > 0 and row["register_number"] == "001" for row in rows)
    assert "1 readings for invoices have no date" in warnings(household)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "scenario", ["naive-times", "local-times", "zulu-times", "unsorted", "no-forecast", "extra-fields"]
)
def test_times_and_orders_of_every_kind(household, scenario):
    household.sign_in(scenario)
    for count in (92, 100):
        day = newest_change(count)
        assert household.crawl(SPIDER, *a_range(day - DAY, day + DAY)).returncode == 0
    expected = {}
    for count in (92, 100):
        day = newest_change(count)
        expected |= told(house(household).serial, "in", day - DAY, day + DAY)
    assert stored(household) == expected
    assert household.value("SELECT sum(complete), count(*) FROM meter_periods") == 6


@pytest.mark.matrix
@pytest.mark.parametrize("scenario", ["incomplete-day", "status-8192"])
def test_a_day_that_is_not_full_is_marked_and_asked_for_again(household, scenario):
    household.sign_in(scenario)
    week = {"IEC_READINGS_FIRST_DAYS": "6"}
    assert household.crawl(SPIDER, **week).returncode == 0
    now = today()
    last = household.rows("SELECT * FROM meter_periods ORDER BY first_day DESC LIMIT 1")[0]
    assert (last["first_day"], last["complete"]) == (str(now - DAY), 0)
    assert last["found"] == last["expected"] - 36
    assert f"1 days lack some readings: {now - DAY}." in warnings(household)
    values = [kwh for at, kwh in stored(household).items() if at >= start_of(now - DAY)]
    assert values.count(None) == (36 if scenario == "status-8192" else 0)
    assert list(watermarks(household).values()) == [start_of(now - DAY)]  # up to the last full day
    household.admin.configure(incomplete_filled=True)
    assert household.crawl(SPIDER, **week).returncode == 0
    assert stored(household) == told(house(household).serial, "in", now - 6 * DAY, now - DAY)
    assert list(watermarks(household).values()) == [start_of(now)]
    assert household.value("SELECT count(*) FROM versions") == (36 if scenario == "status-8192" else 0)


@pytest.mark.matrix
def test_readings_that_are_late_are_no_gap_and_hold_the_watermark(household):
    household.sign_in("data-lag")  # by nine days
    done = household.crawl(SPIDER, IEC_READINGS_FIRST_DAYS="14")
    assert done.returncode == 0
    newest = today() - 9 * DAY
    assert stored(household) == told(house(household).serial, "in", today() - 14 * DAY, newest)
    assert list(watermarks(household).values()) == [start_of(newest + DAY)]
    assert "have no readings" not in warnings(household)
    earlier = asked(household)
    assert household.crawl(SPIDER).returncode == 0
    assert asked(household, earlier) == [
        f"{today() - n * DAY} 1" for n in range(11, 0, -1)
    ]  # three days before, and all since
    assert list(watermarks(household).values()) == [start_of(newest + DAY)]
    assert household.crawl(SPIDER, IEC_READINGS_LATE_DAYS="5").returncode == 0
    assert list(watermarks(household).values()) == [start_of(today() - 5 * DAY)]  # nobody waits for them any more


@pytest.mark.matrix
@pytest.mark.parametrize(("resolution", "code"), [("weekly", 2), ("monthly", 3)])
def test_days_by_the_week_and_by_the_month(household, resolution, code):
    household.sign_in("prosumer")
    both = next(each for each in Customer(household.number).contracts if each.meter == "both-ways")
    last, first = today() - DAY, today() - 40 * DAY
    arguments = (*a_range(first, last), f"resolution={resolution}", f"contract={both.number}")
    assert household.crawl(SPIDER, *arguments).returncode == 0
    for direction, word in (("consumption", "in"), ("production", "out")):
        days = [first + DAY * n for n in range(40)]
        expected = {start_of(day): sum(told(both.serial, word, day, day).values()) for day in days}
        assert stored(household, direction, resolution) == expected
    requests = Counter(each.split()[1] for each in asked(household))
    assert set(requests) == {str(code)}
    assert requests[str(code)] <= {"weekly": 8, "monthly": 4}[resolution]  # the newest one twice: it tells the kind
    assert household.value("SELECT min(complete) FROM meter_periods") == 1


@pytest.mark.matrix
def test_what_is_fed_in_can_be_left_out(household):
    household.sign_in("prosumer")
    both = next(each for each in Customer(household.number).contracts if each.meter == "both-ways")
    day = today() - 3 * DAY
    arguments = (*a_range(day, day), f"contract={both.number}")
    assert household.crawl(SPIDER, *arguments, "production=no").returncode == 0
    assert (len(stored(household)), len(stored(household, "production"))) == (len(quarters(day)), 0)
    assert household.crawl(SPIDER, *arguments, "production=yes").returncode == 0
    assert stored(household, "production") == told(both.serial, "out", day, day)
    assert household.value("SELECT count(*) FROM versions") == 0


@pytest.mark.matrix
def test_again_asks_for_everything_and_a_range_inside_moves_the_mark_on(household):
    household.sign_in("ok")
    now = today()
    assert household.crawl(SPIDER, f"to={now - 10 * DAY}", IEC_READINGS_FIRST_DAYS="14").returncode == 0
    assert list(watermarks(household).values()) == [start_of(now - 9 * DAY)]
    for first, reached in ((5, 9), (9, 2)):  # with a hole before it, and without one
        assert household.crawl(SPIDER, *a_range(now - first * DAY, now - 3 * DAY)).returncode == 0
        assert list(watermarks(household).values()) == [start_of(now - reached * DAY)]
    earlier = asked(household)
    assert household.crawl(SPIDER, "again=yes", IEC_READINGS_FIRST_DAYS="14").returncode == 0
    assert len(asked(household, earlier)) == 14
    assert counts(household)[1] == sum(len(quarters(now - n * DAY)) + 1 for n in (1, 2))  # the two newest days


@pytest.mark.matrix
def test_before_the_meters_first_day_nothing_is_asked(household):
    household.sign_in("ok")
    begins = first_day(today())
    assert household.crawl(SPIDER, *a_range(begins - 20 * DAY, begins + DAY)).returncode == 0
    assert asked(household) == [f"{begins} 1", f"{begins + DAY} 1"]
    assert stored(household) == told(house(household).serial, "in", begins, begins + DAY)


@pytest.mark.matrix
def test_a_killed_run_leaves_nothing_half_and_the_next_one_completes_it(household):
    household.sign_in("ok")
    months = {"IEC_READINGS_FIRST_DAYS": "60"}
    process = household.project.start("crawl", SPIDER, env=months)
    wait_for(lambda: household.value("SELECT count(*) FROM meter_readings") > 0, seconds=60)
    process.kill()
    process.wait()
    some = household.rows("SELECT count(*), count(DISTINCT starts_at) FROM meter_readings")[0]
    assert 0 < some[0] == some[1] < 59 * 96
    assert watermarks(household) == {}
    assert household.crawl(SPIDER, **months).returncode == 0
    assert stored(household) == told(house(household).serial, "in", today() - 60 * DAY, today() - DAY)
    assert household.value("SELECT count(*) FROM versions") == 0


@pytest.mark.matrix
def test_two_runs_at_once_double_nothing(household):
    household.sign_in("ok")
    now = today()
    assert household.crawl(SPIDER, IEC_READINGS_FIRST_DAYS="20").returncode == 0
    corrections = [{"contract": house(household).number, "day": str(now - 2 * DAY), "factor": 0.5}]
    household.admin.configure(corrections=corrections)
    both = [household.project.start("crawl", SPIDER, "-a", f"from={now - 20 * DAY}") for _ in range(2)]
    assert [process.wait(100) for process in both] == [0, 0]
    corrected = told(house(household).serial, "in", now - 2 * DAY, now - 2 * DAY, 0.5)
    before = told(house(household).serial, "in", now - 20 * DAY, now - DAY)
    assert stored(household) == {**before, **corrected}
    changed = sum(before[at] != kwh for at, kwh in corrected.items())
    assert household.value("SELECT count(*) FROM versions") == changed
    assert sum(row["records"] for row in household.rows("SELECT records FROM runs WHERE id > 1")) == changed + 1


@pytest.mark.matrix
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_year_of_quarters_in_one_run(household, kind, request):
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql_url")
        household.db.engine.dispose()
        household.db = Database(url)
        upgrade(household.db)
        household.project.environment["LATCHKEY_DATABASE_URL"] = url
    household.sign_in("ok")
    year = today().year - 1
    done = household.crawl(SPIDER, *a_range(date(year, 1, 1), date(year, 12, 31)), timeout=250)
    assert done.returncode == 0, done.stderr
    with household.db.transaction() as session:
        rows = session.execute(text("SELECT starts_at, kwh FROM meter_readings")).all()
        runs = session.execute(text("SELECT count(*) FROM runs")).scalar_one()
    household.db.engine.dispose()
    found = {str(at)[:19] if kind == "sqlite" else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}": kwh for at, kwh in rows}
    assert len(rows) == len(found) == 96 * (366 if year % 4 == 0 else 365)
    expected = told(house(household).serial, "in", date(year, 1, 1), date(year, 12, 31))
    assert {at: Decimal(str(kwh)) for at, kwh in found.items()} == expected
    assert runs == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"from": "2028-13-01"}, "-a from: Input should be a valid date"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "to: that day is before the one of from"),
        ({"from": "2999-01-01"}, "from: that day has not come yet"),
        ({"from": "0001-01-01"}, "-a from: Input should be greater than or equal to 2001-01-01"),
        ({"to": "0001-01-01"}, "-a to: Input should be greater than or equal to 2001-01-01"),
        ({"resolution": "hourly"}, "-a resolution: Input should be 'daily', 'weekly' or 'monthly'"),
        (
            {"until": "2026-02-02"},
            "-a until: this spider has no such argument; it knows job, claim, credential, again, ",
        ),
        ({"since": "2026-02-02"}, "contract, from, to, resolution, production."),
        ({"production": "maybe"}, "-a production: Input should be 'auto', 'yes' or 'no'"),
    ],
)
def test_arguments_at_fault_are_named(given, sentence):
    with pytest.raises(ArgumentError, match=re.escape(sentence)):
        ReadingsArguments.parse(given)
