"""The charts' figures against values that were added up by hand: by API, as CSV and on the pages, and who may see which."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest

from database.models.electricity import ElectricityInvoice
from database.models.jobs import Breaker
from database.models.operators import Role
from database.models.prices import PriceCheckRun, WatchlistItem
from database.models.readings import Resolution
from tests.webhook.api.conftest import make_api
from tests.webhook.pages.conftest import words
from tests.webhook.room.charted import GIB, OF_METER, autumn, fleets, invoice, lines, pool, prices, ran, readings
from tests.webhook.room.test_overview import Room

__all__ = ["make_api"]
AUTUMN = "since=2026-10-24&until=2026-10-27"
OCTOBER = "since=2026-10-01&until=2026-10-04"


@pytest.fixture
def room(make_api, store, monkeypatch, tmp_path):
    """The room, over each kind of database."""
    return Room(make_api, monkeypatch, tmp_path)


def curves(room, path):
    """Return the points of a chart, and its curves by name and unit."""
    answer = room.get(f"/api/v1/charts/{path}")
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    return told["points"], {f"{each['name']} {each['unit']}": each["values"] for each in told["curves"]}


def drawn(room, path):
    """Return what the charts of a page draw."""
    page = room.get(f"/room/charts/{path}")
    assert page.status_code == 200, page.text
    return [json.loads(unescape(each)) for each in re.findall(r'data-drawn="([^"]*)"', page.text)]


@pytest.fixture
def billed(room):
    """Three accounts of two clients with invoices in two currencies, and one of which no currency is stated."""
    brook, _ = room.account("100", "Brook")
    second, _ = room.account("101", "Brook", "telus")
    meadow, _ = room.account("200", "Meadow")
    for account, month, total, currency in (
        (brook, 8, "999999999.99", "CAD"),
        (brook, 10, "0.10", "CAD"),
        (second, 10, "0.20", "CAD"),
        (second, 8, None, None),
        (meadow, 8, "0.01", "CAD"),
        (meadow, 9, "5", None),
        (meadow, 10, "19.99", "USD"),
    ):
        invoice(room, account, month, total, currency)
    invoice(room, brook, 10, "77", kind="statement")
    lines(room, brook, 10, ("555-1", "555-2", "555-3"))
    lines(room, meadow, 10, ("555-9",))
    return room


AUTUMN_MONTHS = "since=2026-08-01&until=2026-10-31"


def test_invoices_by_month_and_currency(billed):
    points, found = curves(billed, f"invoices?{AUTUMN_MONTHS}")
    assert points == ["2026-08", "2026-09", "2026-10"]
    assert found == {
        "total CAD": ["1000000000.00", None, "0.30"],
        "total USD": [None, None, "19.99"],
        "total currency not stated": [None, "5.00", None],
        "invoices invoices": [3, 1, 3],
        "without a total invoices": [1, 0, 0],
        "lines of reports lines of reports": [0, 0, 8],
    }
    points, found = curves(billed, "invoices?step=year&since=2025-01-01&until=2026-01-01&client=Brook")
    assert (points, found["total CAD"]) == (["2025", "2026"], [None, "1000000000.29"])
    _, found = curves(billed, f"invoices?{AUTUMN_MONTHS}&account=100")
    assert found["lines of reports lines of reports"] == [0, 0, 6]
    assert found["telephone lines telephone lines"] == [0, 0, 3]
    _, found = curves(billed, f"invoices?{AUTUMN_MONTHS}&portal=telus")
    assert (found["total CAD"], found["invoices invoices"]) == ([None, None, "0.20"], [1, 0, 1])


def test_the_same_invoices_as_csv_and_on_the_page(billed):
    told = "begins,total (CAD),total (USD),total (currency not stated),invoices,without a total (invoices),lines of reports"
    rows = ["2026-08,1000000000.00,,,3,1,0", "2026-09,,,5.00,1,0,0", "2026-10,0.30,19.99,,3,0,8"]
    for path in ("/api/v1/charts/invoices/csv", "/room/charts/invoices.csv"):
        answer = billed.get(f"{path}?{AUTUMN_MONTHS}")
        assert answer.text.splitlines() == [told, *rows], path
        assert answer.headers["Content-Disposition"] == 'attachment; filename="invoices.csv"'
    # A chart for each currency, and no line over a month without an invoice.
    shown = drawn(billed, f"invoices?{AUTUMN_MONTHS}")
    assert [each["unit"] for each in shown] == ["CAD", "USD", "currency not stated", "invoices", "lines of reports"]
    assert shown[0]["curves"] == [{"name": "total", "values": [1000000000.0, None, 0.3], "points": False}]
    assert shown[0]["times"] == [datetime(2026, month, 1, tzinfo=UTC).timestamp() for month in (8, 9, 10)]
    text = words(billed.get(f"/room/charts/invoices?{AUTUMN_MONTHS}"))
    assert "2026-10 0.30 19.99 – 3 0 8 2026-09 – – 5.00 1 0 0 2026-08 1000000000.00" in text
    assert "At most 366 points: 120 months, 30 years." in text


def test_invoices_for_electricity_where_all_are_seen(billed):
    """By the month of Jerusalem in which they were issued; other documents, and what a client's viewer asks for, are without them."""
    months = (
        datetime(2026, 8, 31, 21, tzinfo=UTC),
        datetime(2026, 9, 30, 20, 59, tzinfo=UTC),
        datetime(2026, 10, 5, tzinfo=UTC),
    )
    with billed.api.db.transaction() as session:
        for number, (issued_at, document) in enumerate(zip(months, ("1", "1", "7"), strict=True)):
            about = {"contract": "1", "invoice": str(number), "document": document, "amount": Decimal("100.0125")}
            session.add(ElectricityInvoice(issued_at=issued_at, **about))
    for more, is_there in (("", True), ("&portal=iec", True), ("&portal=bell", False), ("&client=Brook", False)):
        _, found = curves(billed, f"invoices?{AUTUMN_MONTHS}{more}")
        assert found.get("electricity ILS") == ([None, "200.0250", None] if is_there else None), more
        assert found.get("electricity invoices invoices") == ([0, 2, 0] if is_there else None), more
    billed.client = billed.house.member("nora@example.com", Role.CLIENT_VIEWER, "Brook").client
    assert "electricity ILS" not in curves(billed, f"invoices?{AUTUMN_MONTHS}")[1]


def test_data_pools_by_day(room):
    """A day on which one of the accounts says nothing is no sum of all."""
    brook, _ = room.account("100", "Brook")
    meadow, _ = room.account("200", "Meadow")
    for account, day, used, size in (
        (brook, 1, 3, 10),
        (meadow, 1, 4, 20),
        (brook, 2, 5, 10),
        (brook, 4, 6, 10),
        (meadow, 4, 7, None),
    ):
        pool(room, account, day, used, size)
    pool(room, meadow, 3, None)
    points, found = curves(room, f"usage?{OCTOBER}")
    assert points == [f"2026-10-0{day}" for day in (1, 2, 3, 4)]
    assert found == {
        "used bytes": [7 * GIB, None, None, 13 * GIB],
        "used, incomplete bytes": [None, 5 * GIB, None, None],
        "size bytes": [30 * GIB, None, None, None],
        "accounts known accounts": [2, 1, 0, 2],
        "accounts accounts": [2, 2, 2, 2],
    }
    _, found = curves(room, f"usage?{OCTOBER}&account=100")
    assert found["used bytes"] == [3 * GIB, 5 * GIB, None, 6 * GIB]
    (shown,) = drawn(room, f"usage?{OCTOBER}")
    assert [(each["name"], each["points"]) for each in shown["curves"]] == [
        ("used", False), ("used, incomplete", True), ("size", False),
    ]  # fmt: skip


def test_a_meter_by_the_day(room):
    """A day of 25 hours that lacks a quarter, a day without readings, and one on which a reading was corrected twice."""
    autumn(room.api.db)
    points, found = curves(room, f"meters?{OF_METER}&{AUTUMN}")
    assert points == [f"2026-10-{day}" for day in (24, 25, 26, 27)]
    assert found == {
        "consumption kWh": ["24.0000", None, None, "48.5000"],
        "consumption, incomplete kWh": [None, "9.9000", None, None],
        "readings readings": [96, 99, 0, 96],
        "expected readings": [96, 100, 96, 96],
        "corrected readings": [0, 0, 0, 1],
    }
    (shown,) = drawn(room, f"meters?{OF_METER}&{AUTUMN}")
    assert (shown["zone"], shown["unit"]) == ("Asia/Jerusalem", "kWh")
    assert [each["values"] for each in shown["curves"]] == [[24, None, None, 48.5], [None, 9.9, None, None]]
    assert [each["points"] for each in shown["curves"]] == [False, True]
    # Without a last day it ends with the newest one that there is.
    points, _ = curves(room, f"meters?{OF_METER}")
    assert (points[-1], len(points)) == ("2026-10-27", 31)


def test_a_meter_from_a_quarter_of_an_hour_to_a_year(room):
    autumn(room.api.db)
    points, found = curves(room, f"meters?{OF_METER}&step=quarter&since=2026-10-27&until=2026-10-27")
    assert (len(points), points[8], found["consumption kWh"][7:9]) == (
        96,
        "2026-10-27 02:00+02:00",
        ["0.5000", "1.0000"],
    )
    before = [value and Decimal(value) for value in found["before correction kWh"]]
    assert before == [Decimal("1.5") if number == 8 else None for number in range(96)]
    points, found = curves(room, f"meters?{OF_METER}&step=hour&since=2026-10-25&until=2026-10-25")
    assert points[:4] == [
        "2026-10-25 00:00+03:00", "2026-10-25 01:00+03:00", "2026-10-25 01:00+02:00", "2026-10-25 02:00+02:00",
    ]  # fmt: skip
    assert found["consumption kWh"][:4] == ["0.4000", "0.4000", None, "0.4000"]
    assert found["consumption, incomplete kWh"][:4] == [None, None, "0.3000", None]
    assert "before correction kWh" not in found
    for step, point, expected in (("month", "2026-10", 31 * 96 + 4), ("year", "2026", 365 * 96)):
        points, found = curves(room, f"meters?{OF_METER}&step={step}&since=2026-10-01&until=2026-10-31")
        assert points == [point]
        assert (found["consumption kWh"], found["consumption, incomplete kWh"]) == ([None], ["82.4000"])
        assert (found["readings readings"], found["expected readings"]) == ([291], [expected])
        assert found["corrected readings"] == [1]
    answer = room.get(f"/api/v1/charts/meters/csv?{OF_METER}&{AUTUMN}")
    assert answer.text.splitlines()[1:3] == ["2026-10-24,24.0000,,96,96,0", "2026-10-25,,9.9000,99,100,0"]


def test_readings_of_days_are_another_series(room):
    autumn(room.api.db)
    for day, kwh in ((24, "20"), (25, "21")):
        readings(room.api.db, date(2026, 10, day), kwh, resolution=Resolution.MONTHLY)
    _, found = curves(room, f"meters?{OF_METER}&resolution=monthly&{AUTUMN}")
    assert found["consumption kWh"] == ["20.0000", "21.0000", None, None]
    assert found["expected readings"] == [1, 1, 1, 1]
    _, found = curves(room, f"meters?{OF_METER}&resolution=monthly&step=month&until=2026-10-31")
    assert (found["consumption, incomplete kWh"][-1], found["expected readings"][-1]) == ("41.0000", 31)
    refused = room.get(f"/api/v1/charts/meters?{OF_METER}&resolution=monthly&step=hour")
    assert refused.status_code == 422
    assert refused.get_json()["fields"] == {"step": "readings of the resolution monthly are of whole days"}


def test_meters_and_products_are_chosen_from_lists(room):
    autumn(room.api.db)
    answer = room.get("/room/charts/meters")
    (link,) = re.findall(r'<a href="(/room/charts/meters\?[^"]*)"', answer.text)
    assert "10000007-503" in words(room.get(f"{unescape(link)}&{AUTUMN}"))
    assert room.get("/room/charts/meters.csv").headers["Location"] == "/room/charts/meters"
    user = room.api.user()
    for _ in range(2):
        room.api.item(user)
    room.api.item(user, product_url="https://www.shop.example/products/1002-reverb", country="GB")
    (first, second) = room.get("/api/v1/charts/products").get_json()
    assert [(each["items"], each["country"]) for each in (first, second)] == [(2, None), (1, "GB")]
    answer = room.get("/api/v1/charts/products?limit=1")
    assert answer.get_json() == [first]
    assert answer.headers["Link"] == '</api/v1/charts/products?limit=1&offset=1>; rel="next"'
    assert f'href="/room/charts/prices?item={second["item"]}"' in room.get("/room/charts/prices").text


def test_prices_by_currency(room):
    """Of all who watch a product; an amount is never compared with one of another currency."""
    user = room.api.user()
    first, second = room.api.item(user), room.api.item(user)
    prices(room, first)
    check = room.api.read(second, Decimal("12"), "GBP")
    with room.api.db.transaction() as session:
        session.get_one(PriceCheckRun, check).created_at = datetime(2026, 10, 4, 23, 59, tzinfo=UTC)
        session.get_one(WatchlistItem, first).title = "Tape Echo"
    points, found = curves(room, f"prices?item={second}&{OCTOBER}")
    assert points == [f"2026-10-0{day}" for day in (1, 2, 3, 4)]
    assert found == {
        "lowest EUR": [None, None, None, "21.000"],
        "highest EUR": [None, None, None, "21.000"],
        "lowest GBP": ["15.500", None, None, "12.000"],
        "highest GBP": ["19.990", None, None, "18.000"],
        "checks checks": [2, 1, 0, 3],
        "failed checks checks": [0, 1, 0, 0],
    }
    assert "Tape Echo" in words(room.get(f"/room/charts/prices?item={second}&{OCTOBER}"))
    assert room.get("/api/v1/charts/prices?item=999").status_code == 404
    assert room.get("/room/charts/prices?item=999").status_code == 404


def test_faults_over_time(room):
    """What was open is known where a complete sync was made, whatever came later; elsewhere it is a gap."""
    fleets(room.api.db)
    points, found = curves(room, f"faults?{OCTOBER}")
    assert points == [f"2026-10-0{day}" for day in (1, 2, 3, 4)]
    assert found == {
        "open faults": [2, None, 2, None],
        "open, incomplete faults": [None, None, None, None],
        "opened faults": [2, None, 1, None],
        "closed faults": [0, None, 1, None],
        "fleets read fleets": [1, 0, 1, 0],
        "fleets fleets": [1, 1, 1, 1],
    }
    _, found = curves(room, "faults?step=month&since=2026-09-01&until=2026-10-31&vehicle=V1&tenant=Meadow")
    assert (found["open faults"], found["opened faults"], found["closed faults"]) == ([None, 0], [None, 3], [None, 3])
    _, found = curves(room, f"faults?{OCTOBER}&vehicle=V2")
    assert found["open faults"] == [0, None, 0, None]
    _, found = curves(room, f"faults?{OCTOBER}&tenant=Brook")
    assert found["open faults"] == [None] * 4


def test_runs_by_outcome(room):
    account, _ = room.account("100", "Brook")
    ran(room, account, 0, "success", "success", "portal_down", None)
    ran(room, account, 2, "success", portal="telus")
    ran(room, None, 2, "bad_file", portal="iec")
    today = datetime.now(UTC).date()
    three = f"since={today - timedelta(days=2)}&until={today}"
    points, found = curves(room, f"runs?{three}")
    assert points == [str(today - timedelta(days=back)) for back in (2, 1, 0)]
    assert found == {
        "success runs": [1, 0, 2],
        "bad_file runs": [1, 0, 0],
        "portal_down runs": [0, 0, 1],
        "running runs": [0, 0, 1],
    }
    assert curves(room, f"runs?{three}&portal=telus")[1] == {"success runs": [1, 0, 0]}
    assert set(curves(room, f"runs?{three}&client=Brook")[1]) == {"success runs", "portal_down runs", "running runs"}
    assert curves(room, f"runs?{three}&account=999")[1] == {}
    assert "Nothing is known of this period." in words(room.get(f"/room/charts/runs?{three}&account=999"))
    # No more curves than one can tell apart; the CSV has each.
    for number in range(12):
        ran(room, account, 1, f"outcome_{number:02d}")
    (shown,) = drawn(room, f"runs?{three}")
    assert [each["name"] for each in shown["curves"]][-1] == "9 others"
    assert shown["curves"][-1]["values"] == [0, 7, 2]
    assert "outcome_11 (runs)" in room.get(f"/room/charts/runs.csv?{three}").text.splitlines()[0]


def test_the_health_of_portals(room):
    account, _ = room.account("100", "Brook")
    ran(room, account, 29, "success")
    ran(room, account, 31, "bad_file")
    ran(room, account, 1, "success", "success", "portal_down")
    ran(room, account, 0, None)
    ran(room, None, 3, "success", portal="iec")
    with room.api.db.transaction() as session:
        at = datetime(2026, 10, 1, tzinfo=UTC)
        session.add(Breaker(portal="telus", outcome="rate_limited", changed_at=at, tripped_at=at))
    today = datetime.now(UTC).date()
    bell, iec, telus = room.get("/api/v1/charts/health").get_json()
    assert (bell["portal"], iec["portal"], telus["portal"]) == ("bell", "iec", "telus")
    assert len(bell["days"]) == len(telus["days"]) == 30
    assert {day: counts for day, counts in bell["days"].items() if counts} == {
        str(today - timedelta(days=29)): {"success": 1},
        str(today - timedelta(days=1)): {"success": 2, "portal_down": 1},
        str(today): {"running": 1},
    }
    assert (bell["running"], bell["trouble"], telus["trouble"]) == (1, None, "rate_limited")
    assert (iec["last_outcome"], telus["last_outcome"]) == ("success", None)
    text = words(room.get("/room/charts"))
    assert "bell 1 running Last:" in text
    assert "1 running 2 ok 1 portal down – – –" in text
    assert "telus In trouble: rate limited – –" in text
    answer = room.get("/api/v1/charts/health?limit=2")
    assert [each["portal"] for each in answer.get_json()] == ["bell", "iec"]
    assert answer.headers["Link"] == '</api/v1/charts/health?limit=2&offset=2>; rel="next"'


def test_a_viewer_of_one_client_sees_that_client_alone(billed):
    room = billed
    mine, _ = room.account("100", "Brook")
    theirs, _ = room.account("200", "Meadow")
    for account, used in ((mine, 1), (theirs, 2)):
        pool(room, account, 1, used)
    ran(room, mine, 0, "success")
    ran(room, theirs, 0, "bad_file", portal="rogers")
    ran(room, None, 0, "bad_file", portal="iec")
    room.client = room.house.member("nora@example.com", Role.CLIENT_VIEWER, "Brook").client
    for more in ("", "&client=Meadow"):
        _, found = curves(room, f"invoices?{AUTUMN_MONTHS}{more}")
        assert found.get("total CAD") == (None if more else ["999999999.99", None, "0.30"])
        assert "total USD" not in found
        _, found = curves(room, f"usage?{OCTOBER}{more}")
        assert found["used bytes"][0] == (None if more else GIB)
        _, found = curves(room, f"runs?{more}")
        assert list(found) == ([] if more else ["success runs"])
    assert [each["portal"] for each in room.get("/api/v1/charts/health").get_json()] == ["bell"]
    text = words(room.get("/room/charts"))
    assert "bell" in text
    assert not re.search("rogers|iec|bad file|Meters", text)
    assert "19.99" not in room.get(f"/room/charts/invoices.csv?{AUTUMN_MONTHS}").text
    for path in (
        "/room/charts/meters",
        "/room/charts/faults.csv",
        "/api/v1/charts/prices?item=1",
        "/api/v1/charts/products",
    ):
        assert room.get(path).status_code == 403, path


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("runs?since=2026-10-02&until=2026-10-01", "until"),
        ("runs?since=1700000000", "since"),
        ("runs?until=1999-12-31", "until"),
        ("runs?until=2026-02-30", "until"),
        ("runs?step=hour", "step"),
        ("usage?step=month", "step"),
        ("meters?meter=1", "contract"),
        (f"meters?{OF_METER}&direction=up", "direction"),
        ("faults?vehicle=123456789012345678", "vehicle"),
        ("prices?item=0", "item"),
    ],
)
def test_what_no_chart_has_is_refused_by_name_and_left_out_on_a_page(make_api, monkeypatch, tmp_path, path, field):
    room = Room(make_api, monkeypatch, tmp_path)
    answer = room.get(f"/api/v1/charts/{path}")
    assert answer.status_code == 422
    assert field in answer.get_json()["fields"]
    assert room.get(f"/room/charts/{path}").status_code == 200


def test_a_period_that_is_too_long_is_cut_and_says_so(make_api, monkeypatch, tmp_path):
    room = Room(make_api, monkeypatch, tmp_path)
    told = room.get("/api/v1/charts/runs?since=2010-01-01&until=2022-10-31").get_json()
    assert (told["is_cut"], len(told["points"]), told["most"], told["until"]) == (True, 366, 366, "2022-10-31")
    page = room.get("/room/charts/runs?since=2010-01-01&until=2022-10-31")
    assert "its beginning was left out" in words(page)
    # The period before ends where this one begins.
    links = [unescape(link) for link in re.findall(r'rel="(?:prev|next)" href="([^"]*)"', page.text)]
    assert links == [
        "/room/charts/runs?since=2020-10-30&until=2021-10-30",
        "/room/charts/runs?since=2022-11-01&until=2023-11-01",
    ]
