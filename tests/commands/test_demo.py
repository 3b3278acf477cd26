"""The demo, as `make demo` and `DEMO=bell make demo` run it: twice."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from contextlib import closing
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from commands._demo_carriers import so_far
from commands._demo_shop import draw, sparkline
from database.models import Run
from database.models.base import utc_now
from tests.portals.test_carriers import SPIDERS as CARRIERS
from tests.project import ROOT, wait_for
from tests.terminal import READY, Terminal

SVG = "{http://www.w3.org/2000/svg}"
SPIDERS = ["bell_pdf_invoice", "bell_daily_usage", "bell_ereports", "bell_monthly_reports"]
TABLES = (
    "files",
    "billing_cycle_files",
    "billing_cycle_pdf_files",
    "invoices",
    "differences",
    "daily_usage_files",
    "pool_usage",
    "usage_records",
    "report_rows",
    "accounts",
)


def rows(data):
    with closing(sqlite3.connect(data / "demo" / "latchkey.db")) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def shopping(data):
    """Return what the shop's part has brought, and its chart."""
    return json.loads((data / "demo-prices.json").read_text()), ElementTree.parse(
        data / "demo" / "prices.svg"
    ).getroot()


@pytest.mark.matrix
@pytest.mark.figures  # the demo of the carriers is tried in its place
@pytest.mark.browser
@pytest.mark.timeout(600)
def test_bell_brings_everything_home_once(project, tmp_path):
    here = project(tmp_path, DEMO="bell")
    first = here.scrapy("demo", timeout=400, fresh=True)
    assert first.returncode == 0, first.stderr
    figures = json.loads((here.data / "demo-summary.json").read_text())
    shop, chart = shopping(here.data)
    stored = rows(here.data)
    second = here.scrapy("demo", timeout=150, fresh=True)
    assert second.returncode == 0, second.stderr
    again = json.loads((here.data / "demo-summary.json").read_text())

    assert [row["spider"] for row in figures] == [row["spider"] for row in again] == SPIDERS
    assert {row["outcome"] for row in figures + again} == {"success"}
    assert [row["files"] for row in figures] == [2, 2, 6, 8]
    assert [row["records"] for row in figures] == [4, 54, 6, 328]  # with the rows of the files
    assert [row["sign_ins"] for row in figures] == [1, 0, 0, 1]  # one for each login
    for name in ("files", "records", "sign_ins", "requests", "downloads"):
        assert sum(row[name] for row in again) == 0
    assert rows(here.data) == stored
    assert "scrapy test-login bell" in first.stdout

    again_shop, again_chart = shopping(here.data)
    prices = ["49.00", "39.00", "39.00", "29.00", "29.00", "35.00"]
    assert [len(each["prices"]) for each in shop["products"]] == [6] * 5
    assert (shop["products"][0]["prices"], shop["products"][0]["alerts"]) == (prices, 1)
    assert [mail.partition(": ")[0] for mail in shop["mails"]] == ["The price is below your threshold"]
    assert shop["mails"][0] in " ".join(first.stdout.split())
    assert (again_shop["mails"], again_shop["products"][0]["prices"]) == ([], [*prices, "35.00"])
    assert [text.text for text in chart.iter(f"{SVG}text") if text.get("class") is None][1:] == [
        "threshold 30.00",
        *prices,
    ]
    assert len(list(again_chart.iter(f"{SVG}polyline"))) == 1
    for said in (first.stdout, second.stdout):
        assert re.search(r"^Chart\s+\S+prices\.svg$", said, re.M)


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(600)
def test_the_carriers_bring_everything_home_once_side_by_side(project, tmp_path):
    here = project(tmp_path)
    terminal = Terminal({**here.env(), "TERM": "xterm-256color"})
    try:
        wait_for(lambda: terminal.sees(READY), 30)
        terminal.type(f'{sys.executable} -m scrapy demo; echo "left with" $?.')
        ended = wait_for(lambda: terminal.sees("left with 0.", "left with 1.", "left with 2."), 400, every=0.2)
    finally:
        terminal.close()
    first = terminal.shown
    assert ended == "left with 0.", first
    steps = set(re.findall(r"\d+ of \d+ jobs  [^\x1b\r\n]+", first))
    figures = json.loads((here.data / "demo-carriers.json").read_text())
    second = here.scrapy("demo", timeout=150, fresh=True)
    assert second.returncode == 0, second.stderr
    again = json.loads((here.data / "demo-carriers.json").read_text())

    portals = sorted({spider.portal for spider in CARRIERS.values() if (ROOT / "sandbox" / spider.portal).is_dir()})
    assert [row["portal"] for row in figures] == [row["portal"] for row in again] == portals
    assert len(portals) >= 4
    assert {row["outcome"] for row in figures} == {"success"}
    assert {row["outcome"] for row in again} == {"stored already"}
    for row in figures:
        assert row["signed_in"] == f"ok+demo@{row['portal']}.example"
        assert row["sign_ins"] >= 1
        assert row["files"] >= 1 + 1 + 3  # an invoice, a usage file, and the fewest monthly reports that a carrier has
        assert row["records"] > 0
    for name in ("files", "records", "sign_ins", "requests", "downloads"):
        assert sum(row[name] for row in again) == 0
    assert len(steps) >= 10  # the line has moved
    assert any(line.count(": ") >= 2 for line in steps)  # of several carriers at once
    assert "\x1b" not in second.stdout
    for spider in CARRIERS.values():
        if spider.portal in portals:
            assert re.search(rf"{spider.name} \S+ \S+: success, \d+ files", first), spider.name


@pytest.mark.parametrize("word", ["belle", "BELL"])
def test_a_demo_that_there_is_not_is_named(project, tmp_path, word):
    done = project(tmp_path, DEMO=word).scrapy("demo")
    assert done.returncode == 2
    assert f"DEMO={word}: there is no such demo" in done.stderr


def test_there_is_no_room_before_the_demo(project, tmp_path):
    done = project(tmp_path).scrapy("demo", "--room")
    assert (done.returncode, done.stderr) == (1, "There is nothing to show yet: `make demo` comes first.\n")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_line_says_how_many_jobs_have_ended_and_where_the_others_are(store):
    with store.transaction() as session:
        for name, step, outcome in (("att_pdf_invoice", "export", "success"), ("telus_pdf_invoice", "x" * 99, None), ("bell_ereports", None, None)):  # fmt: skip
            portal, _, kind = name.partition("_")
            ended = {"outcome": outcome, "finished_at": utc_now()} if outcome else {}
            session.add(Run(crawl="1", spider=name, portal=portal, report_type=kind, step=step, **ended))
    assert so_far(store, 0, 16) == f"1 of 16 jobs  telus_pdf_invoice: {'x' * 40}  bell_ereports: begins"
    assert so_far(store, 2, 16) == "0 of 16 jobs  bell_ereports: begins"


@pytest.mark.parametrize(("prices", "bars"), [((49, 39, 29), "█▅▁"), ((5, 5), "▄▄"), ((), "")])
def test_a_line_of_bars(prices, bars):
    assert sparkline(list(map(Decimal, prices))) == bars


def test_a_chart_is_a_whole_picture_whatever_the_product_is_called():
    root = ElementTree.fromstring(draw("<script>&", [Decimal("0.00"), Decimal("12.5")], Decimal(30)))
    assert [text.text for text in root.iter(f"{SVG}text")] == [
        "<script>&",
        "threshold 30.00",
        "0.00",
        "check 1",
        "12.50",
        "check 2",
    ]
    points = [tuple(map(float, point.split(","))) for point in root.find(f"{SVG}polyline").get("points").split()]
    assert len(points) == 4
    # The higher the price, the higher the line; all of it within the picture.
    assert points[0][1] == points[1][1] > points[2][1] == points[3][1] > 0
    assert max(x for x, _ in points) < 640
