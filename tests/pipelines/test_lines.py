"""Rows of a file: written with it, piece by piece, on both databases; a file published anew takes the old one's place."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from database import upsert
from database.accounts import NewAccount, add_account
from database.cycles import cycle_for, ensure
from database.models import CarrierReport, ReportLine, StoredFile
from pipelines import records
from scrapers.items.base import Lines
from scrapers.items.carriers import ReportFile
from scrapers.outcomes import BadFile
from scrapers.spool import describe


@pytest.fixture
def write(store, tmp_path, monkeypatch):
    """Give a function that stores a report with these amounts as rows; it returns how many rows changed, and there were."""
    monkeypatch.setattr(upsert, "BATCH", 4)  # several pieces
    with store.transaction() as session:
        account, _ = add_account(session, NewAccount("Acme", "Head office", "bell", "5"))
        key = {"carrier_id": account.carrier_id, "slug": "cost_overview"}
        report = ensure(session, CarrierReport, key, {"name": "Cost", "details": {}}).id
        cycle = cycle_for(session, account, 2026, 10).id
    job = SimpleNamespace(
        id=None, key="5/2026-10", fences={}, plan=SimpleNamespace(account_id=None, billing_cycle_id=cycle)
    )
    work = SimpleNamespace(spider="bell_monthly_reports", portal="bell", report_type="monthly_reports")

    def store_report(amounts, content=b"x", report=report):
        path = tmp_path / "part"
        path.write_bytes(content)

        def rows():
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
            part=describe(path, "x.xlsx"),
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
