"""A carrier's file is stored even where its rows are not understood; one of another account is not."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scrapers.core.items import Listing
from scrapers.core.outcomes import WrongAccount
from scrapers.core.spool import describe
from scrapers.families.carriers.items import UsageFile, UsageLine
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.families.carriers.shown_usage import usage_workbook
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.portals.bell.columns import LOCALE, USAGE

TARGET = CarrierTarget(
    account_id=1, account="533122906", billing_cycle_id=2, start=date(2026, 11, 1), end=date(2026, 11, 30)
)


def visit(path: Path, text: str) -> tuple[list[Any], list[str]]:
    """Return the items and warnings of a visit that fetches a CSV with this text."""
    path.write_text(text)
    return visit_that_fetches(Usage(describe(path, "export"), 10, 5))


def visit_that_fetches(usage: Usage) -> tuple[list[Any], list[str]]:
    """Return the items and warnings of a visit."""

    class Fetched(DailyUsage):
        name, portal = "bell_daily_usage", "bell"
        columns, locale = USAGE, LOCALE

        async def fetch(self, page: Any) -> Usage:
            return usage

    warnings: list[str] = []
    job = SimpleNamespace(id=7, target=TARGET, key="533122906/2026-11-20", warn=warnings.append)

    async def collect() -> list[Any]:
        return [item async for item in Fetched().visit(SimpleNamespace(job=job))]

    return asyncio.run(collect()), warnings


def test_rows_that_are_understood_come_with_the_file(tmp_path):
    items, warnings = visit(tmp_path / "p", "Billing account,Phone number,Data used (GB)\n533122906,5145550101,1.5\n")
    assert warnings == []
    assert [len(item.records) for item in items if isinstance(item, UsageFile)] == [2]  # rows and pool


def test_a_file_with_unknown_columns_is_stored_with_a_warning_that_names_the_column(tmp_path):
    items, warnings = visit(tmp_path / "p", "Billing account,Mobile,Volume (Mo)\n533122906,5145550101,1.5\n")
    assert isinstance(items[0], Listing)
    (file,) = items[1:]
    assert (file.key, file.name) == ("usage", "bell_daily_usage_2026-11-20.csv")  # the type decides the name
    assert [type(record).__name__ for record in file.records] == ["PoolRecord"]
    (warning,) = warnings
    assert "used" in warning


def test_a_file_of_another_account_is_never_stored(tmp_path):
    with pytest.raises(WrongAccount):
        visit(tmp_path / "p", "Billing account,Phone number,Data used (GB)\n533122907,5145550101,1.5\n")


def test_nor_is_one_whose_columns_are_unknown(tmp_path):
    with pytest.raises(WrongAccount):
        visit(tmp_path / "p", "Customer,Mobile,Volume (Mo)\n533122907,5145550101,1.5\n")


def test_usage_that_is_shown_in_a_table_comes_with_the_file_that_was_made_of_it(tmp_path):
    shown = (
        UsageLine("Ann Birch", "5145550101", 1610612736, "1.5 GB"),
        UsageLine(None, "5145550102", None, "Unlimited"),
        UsageLine("Bo Cedar", "5145550103", 0, "0 MB"),
    )
    part = usage_workbook(tmp_path, "made.xlsx", shown)
    (_, file), warnings = visit_that_fetches(Usage(part, None, 5, shown))
    lines, pool = file.records
    assert (file.name, warnings, pool.pool_size, pool.pool_used) == ("bell_daily_usage_2026-11-20.xlsx", [], None, 5)
    assert [tuple(row.values()) for row in lines.rows(None)] == [
        (1, "533122906", "5145550101", "Ann Birch", None, 1610612736, None),
        (2, "533122906", "5145550102", None, None, None, {"data_used": "Unlimited"}),
        (3, "533122906", "5145550103", "Bo Cedar", None, 0, None),
    ]
