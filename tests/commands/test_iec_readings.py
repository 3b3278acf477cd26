"""`scrapy iec readings` and `scrapy iec appliance`: sums, charts and costs of what is stored."""

from __future__ import annotations

import argparse
import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from commands._terminal import Refused, WrongArgument
from commands.export import Command
from commands.iec import appliance as appliance_act
from commands.iec import readings as readings_act
from database.models import electricity as models
from database.models.readings import MeterReading
from database.versions import write
from scrapers.families.electricity.clock import DAY, QUARTER, By, day_start, days, quarters, sums
from scrapers.families.electricity.readings import KEY

AUTUMN = date(2026, 10, 25)
FIRST, LAST = date(2026, 9, 28), date(2026, 10, 26)
GAP = date(2026, 10, 3)


def rows(first: date, last: date, kwh: str, **changed):
    values = {
        "contract": "300000007",
        "meter": "10000007",
        "meter_code": "503",
        "direction": "consumption",
        "resolution": "daily",
        **changed,
    }
    daily = values["resolution"] == "daily"
    return [
        {**values, "starts_at": day_start(day) + QUARTER * n, "kwh": Decimal(kwh), "status": 0, "band": None}
        for day in days(first, last)
        for n in range(quarters(day) if daily else 1)
        if day != GAP
    ]


@pytest.fixture
def stored(store):
    with store.transaction() as session:
        write(session, MeterReading, rows(FIRST, LAST, "0.25")[:-20], KEY)
        write(session, MeterReading, rows(FIRST, LAST, "0.5", direction="production"), KEY)
        write(session, MeterReading, rows(FIRST, LAST, "24", resolution="monthly"), KEY)
        write(session, MeterReading, rows(FIRST, LAST, "7", resolution="weekly", contract="300000015"), KEY)
    return store


def told(module, capsys, *words: str) -> str:
    parser = argparse.ArgumentParser()
    module.options(parser)
    assert module.run(parser.parse_args(words)) == 0
    return capsys.readouterr().out


def readings(capsys, *words: str) -> str:
    return told(readings_act, capsys, *words)


def test_days_with_gaps_and_both_directions(stored, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    said = readings(capsys, "--from", "2026-10-01", "--to", "2026-10-04", "--contract", "000300000007")
    consumed, produced = said.strip().split("\n\n")
    lines = consumed.splitlines()
    assert lines[0] == "Contract 300000007, meter 10000007, consumption: 72.000 kWh, 96 of 384 readings missing"
    assert lines[1].split() == ["kWh", "average", "smallest", "largest", "readings"]
    assert lines[2].split() == ["2026-10-01", "Thu", "24.000", "0.250", "0.250", "0.250", "96/96", "█" * 40]
    assert lines[4].split() == ["2026-10-03", "Sat", "-", "-", "-", "-", "0/96", "!"]
    assert "production: 144.000 kWh" in produced
    assert max(map(len, said.splitlines())) <= 110


def test_without_a_range_the_newest_week(stored, capsys):
    said = readings(capsys, "--contract", "300000007", "--direction", "consumption")
    assert [line.split()[0] for line in said.splitlines()[2:]] == [f"2026-10-{day}" for day in range(20, 27)]
    assert "20 of 676 readings missing" in said


def test_a_meter_with_days_only(stored, capsys):
    said = readings(capsys, "--contract", "300000015", "--by", "month", "--csv")
    found = list(csv.DictReader(io.StringIO(said)))
    assert [(row["from"], row["kwh"], row["found"], row["expected"]) for row in found] == [
        ("2026-09-28T00:00:00+03:00", "21.0000", "3", "3"),
        ("2026-10-01T00:00:00+03:00", "175.0000", "25", "26"),
    ]
    with pytest.raises(WrongArgument, match="only readings of whole days are stored"):
        readings(capsys, "--contract", "300000015", "--by", "hour")


def test_hours_of_the_day_on_which_the_clock_goes_back(stored, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")  # too narrow for more than the sum
    said = readings(
        capsys, "--by", "hour", "--from", str(AUTUMN), "--direction", "consumption", "--contract", "300000007"
    )
    lines = said.splitlines()
    assert lines[1].split() == ["kWh", "readings"]
    assert len(lines) == 2 + 25
    assert [line[:22].rstrip() for line in lines[3:5]] == ["2026-10-25 01:00 +0300", "2026-10-25 01:00 +0200"]
    assert {line.split()[-2] for line in lines[2:]} == {"4/4"}
    assert max(map(len, lines[1:])) <= 50


def test_json_says_what_is_missing(stored, capsys):
    said = json.loads(readings(capsys, "--from", str(GAP), "--to", str(GAP), "--contract", "300000007", "--json"))
    assert said[0] == {
        "contract": "300000007",
        "meter": "10000007",
        "direction": "consumption",
        "from": "2026-10-03T00:00:00+03:00",
        "to": "2026-10-04T00:00:00+03:00",
        "kwh": None,
        "average": None,
        "smallest": None,
        "largest": None,
        "found": 0,
        "expected": 96,
        "complete": False,
    }


def test_what_is_not_there_is_said(stored, capsys):
    with pytest.raises(
        WrongArgument, match="--contract 5: no readings of it are stored; there are 300000007, 300000015"
    ):
        readings(capsys, "--contract", "5")
    with pytest.raises(WrongArgument, match="--from 2027-01-01: it is after the last day"):
        readings(capsys, "--from", "2027-01-01")
    with pytest.raises(Refused, match="no such readings"):
        readings(capsys, "--contract", "300000015", "--direction", "production")


@pytest.mark.parametrize("range", [("--from", "0001-01-01"), ("--to", "9999-12-31")])
def test_a6_a_day_without_one_before_or_after_it_is_refused(stored, capsys, range):
    with pytest.raises(SystemExit):
        readings(capsys, *range)
    assert "is not a date like 2026-10-31" in capsys.readouterr().err


def test_nothing_stored_names_the_cure(store, capsys):
    with pytest.raises(Refused, match="scrapy crawl iec_meter_readings"):
        readings(capsys)
    with pytest.raises(Refused, match="scrapy crawl iec_tariffs"):
        appliance(capsys)


def test_negative_sums_have_no_bar():
    at = day_start(FIRST)
    found = sums([(at, Decimal(-2)), (at + DAY, Decimal(1))], By.DAY, FIRST, FIRST + DAY)
    lines = readings_act.lines(found, "day", 80)
    assert lines[1].split()[2:] == ["-2.000", "-2.000", "-2.000", "-2.000", "1/96", "!"]
    assert lines[2].endswith("█")
    assert "█" not in "".join(readings_act.lines(found, "day", 20))  # no room


# Other programs


def exported(capsys, kind: str, form: str, since: datetime | None = None, account: str | None = None) -> str:
    limits = {"account": account, "client": None, "since": since, "until": None}
    Command().records(argparse.Namespace(type=kind, format=form, output=None, **limits))
    return capsys.readouterr().out


def test_readings_and_what_they_said_before_can_be_exported(stored, capsys):
    [changed] = rows(LAST, LAST, "0.75")[:1]
    with stored.transaction() as session:
        write(session, MeterReading, [changed], KEY)
    newest = list(csv.DictReader(io.StringIO(exported(capsys, "readings", "csv", since=day_start(LAST)))))
    at = changed["starts_at"].isoformat()
    quarter = next(row for row in newest if (row["starts_at"], row["direction"]) == (at, "consumption"))
    assert (quarter["kwh"], quarter["contract"]) == ("0.7500", "300000007")
    [version] = json.loads(exported(capsys, "versions", "json"))
    assert (version["table"], version["number"], version["row"]["kwh"]) == ("meter_readings", 1, "0.2500")
    assert json.loads(version["key"])["starts_at"] == at
    [line] = csv.DictReader(io.StringIO(exported(capsys, "versions", "csv")))
    assert json.loads(line["row"]) == version["row"]
    assert json.loads(exported(capsys, "versions", "json", since=datetime.now(UTC) + DAY)) == []
    with pytest.raises(WrongArgument, match="belong to no account"):
        exported(capsys, "versions", "csv", account="5")


# Appliances


@pytest.fixture
def priced(store):
    with store.transaction() as session:
        session.add_all(
            models.Appliance(name=name, power=power, power_unit=unit, minutes=minutes)
            for name, power, unit, minutes in (
                ("קומקום", Decimal("2.2"), 4, 3),
                ("מנורה", Decimal(60), 3, 360),
                ("מנורת לד", Decimal(15), 3, None),
                ("מזגן", Decimal("1.5"), 1, 60),
            )
        )
        for kind, value in (("kwh", "0.5425"), ("vat", "18")):
            session.add(
                models.ElectricityTariff(source="gadget", kind=kind, phases=0, unit="", without_vat=Decimal(value))
            )


def appliance(capsys, *words: str) -> str:
    return told(appliance_act, capsys, *words)


def test_an_appliance_costs_its_hours(priced, capsys):
    said = json.loads(appliance(capsys, "קומקום", "--minutes", "90", "--json"))
    assert (said["kwh"], said["cost"], said["price_of_a_kwh"]) == ("3.3", "2.11", "0.6402")
    usual = appliance(capsys, "קומק")  # a part of the name
    assert usual.splitlines()[1].split() == ["2.2", "3", "0.11", "0.07", "קומקום"]
    lamp = json.loads(appliance(capsys, "מנורה", "--power", "100", "--json"))
    assert (lamp["kilowatts"], lamp["kwh"]) == ("0.1", "0.6")


def test_all_appliances(priced, capsys):
    said = appliance(capsys)
    assert len(said.splitlines()) == 5
    assert "1.5    -     60       מזגן" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("מזגן",), "--unit: The unit of the power of מזגן is not known"),
        (("מנורת לד",), "--minutes: The company does not say how long"),
        (("מנור",), "name: several appliances are called so: מנורה, מנורת לד"),
        (("toaster",), "name: there is no such appliance: "),
    ],
)
def test_what_is_not_known_of_an_appliance_is_asked_for(priced, capsys, words, sentence):
    with pytest.raises(WrongArgument, match=sentence):
        appliance(capsys, *words)


@pytest.mark.parametrize("words", [("x", "--minutes", "-1"), ("x", "--minutes", "soon"), ("x", "--power", "nan")])
def test_numbers_that_are_none(words, capsys):
    with pytest.raises(SystemExit):
        appliance(capsys, *words)
    assert "is no number of 0 or more" in capsys.readouterr().err
