"""The demo, as `make demo` runs it: twice."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

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


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(600)
def test_the_demo_brings_everything_home_once(project, tmp_path):
    here = project(tmp_path)
    first = here.scrapy("demo", timeout=400, fresh=True)
    assert first.returncode == 0, first.stderr
    figures = json.loads((here.data / "demo-summary.json").read_text())
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
