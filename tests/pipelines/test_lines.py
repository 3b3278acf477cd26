"""Rows of a file: written with it, piece by piece, on both databases; a file published anew takes the old one's place."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from types import SimpleNamespace

import pytest
import xlsxwriter
from sqlalchemy import func, select

from database import upsert
from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for
from database.models import CarrierReport, ReportLine, StoredFile
from database.upsert import ensure
from pipelines import records
from sandbox.bell.monthly import REPORTS as IMITATED
from scrapers.core.items import Lines
from scrapers.core.outcomes import BadFile
from scrapers.core.spool import describe
from scrapers.families.carriers.items import ReportFile
from tests.project import CARRIERS, ROOT, TEST_KEY, clean_environment


@pytest.fixture
def write(store, tmp_path, monkeypatch):
    """Give a function that stores a report with these amounts as rows; it returns how many rows changed, and there were."""
    monkeypatch.setattr(upsert, "BATCH", 4)  # several pieces
    monkeypatch.setenv("LATCHKEY_FILES", str(tmp_path))
    with store.transaction() as session:
        account, _ = add_account(session, NewAccount("Acme", "Head office", "bell", "5"), CARRIERS)
        key = {"carrier_id": account.carrier_id, "slug": "cost_overview"}
        report = ensure(session, CarrierReport, key, {"name": "Cost", "details": {}}).id
        cycle = cycle_for(session, account, 2026, 10).id
    job = SimpleNamespace(
        id=None, key="5/2026-10", fences={}, plan=SimpleNamespace(account_id=None, billing_cycle_id=cycle, store="")
    )
    work = SimpleNamespace(spider="bell_monthly_reports", portal="bell", report_type="monthly_reports")

    def store_report(amounts, content=b"x", report=report):
        path = tmp_path / "part"
        path.write_bytes(content)
        part = describe(path, "x.xlsx")
        path.rename(tmp_path / "x")  # as the files pipeline does

        def rows(stored):
            assert stored.read() == content
            for number, amount in enumerate(amounts, 1):
                if amount is None:
                    raise BadFile("a row that cannot be read")
                yield {
                    "row": number,
                    "account_number": "5",
                    "phone_number": None,
                    "period": "2026-10",
                    "currency": "CAD",
                    "data": {"amount": amount},
                    "extra": None,
                }

        place = {"billing_cycle_id": cycle, "carrier_report_id": report}
        item = ReportFile(
            job=1,
            part=part,
            key="cost_overview",
            name="x.xlsx",
            billing_cycle_id=cycle,
            carrier_report_id=report,
            records=(Lines(job=1, table=ReportLine, place=place, rows=rows),),
            stored_path="x",
        )
        with store.transaction() as session:
            return records.write(session, work, job, item)

    return store_report


def amounts(store):
    with store.transaction() as session:
        return [data["amount"] for data in session.scalars(select(ReportLine.data).order_by(ReportLine.row))]


def test_only_what_differs_is_written_again(store, write):
    assert write(["1.00"] * 10) == (1, 11, 11)  # with the cycle's own row
    assert write(["1.00"] * 10) == (0, 0, 11)
    assert write([*["1.00"] * 9, "2.00"], b"y") == (1, 1, 11)
    assert amounts(store) == [*["1.00"] * 9, "2.00"]


def test_rows_that_are_no_longer_there_go(store, write):
    write([str(number) for number in range(10)])
    assert write(["a", "b"], b"y") == (1, 2, 3)
    assert amounts(store) == ["a", "b"]
    write([], b"z")
    assert amounts(store) == []


def test_a_file_whose_rows_cannot_all_be_written_leaves_nothing(store, write):
    write(["1.00"])
    with pytest.raises(BadFile):
        write([*["2.00"] * 9, None], b"y")
    assert amounts(store) == ["1.00"]
    with store.transaction() as session:
        assert session.scalar(select(func.count()).select_from(StoredFile)) == 1


def workbook_of(path, rows):
    """Write a cost overview of so many rows."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, IMITATED["cost_overview"].columns)
        for row in range(1, rows + 1):
            cells = (512345678, "Oct 2026", f"+155501{row:05d}", f"Avery Alder {row % 300}", f"{row % 9}00 Works")
            sheet.write_row(row, 0, (*cells, row * 37 % 9000 / 100, row * 31 % 3000 / 100, 1.5, row % 700 + 0.25))


def work(folder, how, rows, turn=0):
    """Read a workbook of so many rows in a process of its own; return its rows, CPU and other seconds, and megabytes."""
    path, stored = folder / f"{rows}.xlsx", folder / f"{how}-{rows}-{turn}"
    if not path.exists():
        workbook_of(path, rows)
    stored.mkdir()
    command = [sys.executable, "-m", "tests.pipelines.workbook", how, str(path), str(stored)]
    environment = {**clean_environment(), "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=200).stdout
    return json.loads(said)


@pytest.mark.matrix
@pytest.mark.timeout(600)
def test_a_workbook_of_100000_rows_is_read_in_flat_memory(tmp_path):
    """Memory beyond the library's own table does not grow with the rows."""
    ours, bare, small = (
        work(tmp_path, how, rows) for how, rows in (("ours", 100_000), ("bare", 100_000), ("ours", 20_000))
    )
    assert ours["rows"] == bare["rows"] == 100_000
    # A row costs what the library's own table of cells holds of it, 0.75 KB: 60 MB for 80,000 more; ours is on top of it.
    assert ours["memory"] - small["memory"] <= 60 + 15
    assert ours["memory"] < bare["memory"]


@pytest.mark.matrix
@pytest.mark.figures  # both take longer beside other work, and not by the same factor
@pytest.mark.timeout(600)
def test_a_workbook_of_100000_rows_is_read_half_as_fast_as_barely(tmp_path):
    """Half as many rows per second of CPU at least."""
    turns = [(work(tmp_path, "ours", 100_000, turn), work(tmp_path, "bare", 100_000, turn)) for turn in range(3)]
    cpu = median(bare["cpu"] / ours["cpu"] for ours, bare in turns)
    clock = median(bare["clock"] / ours["clock"] for ours, bare in turns)
    rate = 100_000 / median(ours["cpu"] for ours, _ in turns)
    print(f"\n100,000 rows: {rate:,.0f} a second of CPU; {cpu:.2f}x of barely by CPU, {clock:.2f}x by the clock")
    assert cpu >= 0.5
