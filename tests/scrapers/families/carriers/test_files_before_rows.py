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
from scrapers.families.carriers.items import UsageFile
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.portals.bell.columns import LOCALE, USAGE

TARGET = CarrierTarget(
    account_id=1, account="533122906", billing_cycle_id=2, start=date(2026, 11, 1), end=date(2026, 11, 30)
)


def visit(path: Path, text: str) -> tuple[list[Any], list[str]]:
    """Return the items and warnings of a visit that fetches a CSV with this text."""
    path.write_text(text)
    part = describe(path, "export")

    class Fetched(DailyUsage):
        name, portal = "bell_daily_usage", "bell"
        columns, locale = USAGE, LOCALE

        async def fetch(self, page: Any) -> Usage:
            return Usage(part, 10, 5)

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
