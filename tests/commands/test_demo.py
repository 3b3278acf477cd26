"""The demo, as `make demo` runs it: twice."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from commands._demo_shop import draw, sparkline

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
@pytest.mark.browser
@pytest.mark.timeout(600)
def test_the_demo_brings_everything_home_once(project, tmp_path):
    here = project(tmp_path)
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
