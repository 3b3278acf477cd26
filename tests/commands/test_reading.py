"""docs/reading-the-data.md: its commands are typed, its SQL is asked on both databases, its Python is run where its packages are."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for
from database.models import (
    BillingCyclePdfFile,
    CarrierReport,
    FileStatus,
    Invoice,
    PoolUsage,
    ReportLine,
    StoredFile,
    UsageRecord,
)
from tests.project import CARRIERS, ROOT

PAGE = (ROOT / "docs" / "reading-the-data.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture
def stored(store, monkeypatch, tmp_path):
    """What the page reads, and the folder in which it writes."""
    monkeypatch.chdir(tmp_path)
    with store.transaction() as session:
        account, _ = add_account(session, NewAccount("Acme", "Depot", "bell", "500100200"), CARRIERS)
        cycle = cycle_for(session, account, 2026, 10)
        report = CarrierReport(name="Cost", slug="cost_overview", carrier_id=account.carrier_id)
        session.add(report)
        session.flush()
        for day, used in ((date(2026, 10, 14), 5), (date(2026, 10, 15), 7)):
            session.add(PoolUsage(account_id=account.id, day=day, pool_used=used, pool_size=2**40))
            row = {"billing_cycle_id": cycle.id, "day": day, "account_number": "500100200"}
            session.add(UsageRecord(**row, row=1, phone_number="4165550100", used=used))
            session.add(UsageRecord(**row, row=2, phone_number="4165550101", used=None))
        for kind, total in (("invoice", Decimal("12.50")), ("invoice_2", None)):
            session.add(BillingCyclePdfFile(billing_cycle_id=cycle.id, pdf_type=kind))
            session.add(Invoice(billing_cycle_id=cycle.id, pdf_type=kind, total=total, currency="CAD"))
        for number, amount in enumerate(("1.10", "2.20"), 1):
            about = {"billing_cycle_id": cycle.id, "carrier_report_id": report.id, "account_number": "500100200"}
            session.add(ReportLine(**about, row=number, data={"total": amount}))
        file = {"spider": "bell_pdf_invoice", "portal": "bell", "report_type": "pdf_invoice", "target_key": "t"}
        session.add(
            StoredFile(
                **file, key="invoice", size=9, status=FileStatus.READY, stored_at=datetime(2026, 10, 20, tzinfo=UTC)
            )
        )
    return store


def exports(command):
    for line in blocks("sh")[0].splitlines():
        said = command(*shlex.split(line)[1:])
        assert said.code == 0, (line, said.err)


def test_the_commands_are_typed(stored, command, tmp_path):
    exports(command)
    assert {path.name for path in tmp_path.iterdir()} >= {
        "usage.parquet",
        "invoices.csv",
        "reports.parquet",
        "files.jsonl",
    }


def test_the_sql_is_asked(stored):
    pool, invoices = blocks("sql")
    with stored.transaction() as session:
        assert [tuple(row)[2:] for row in session.execute(text(pool))] == [(7, 2**40)]
        ((client, _, currency, total),) = session.execute(text(invoices)).all()
    assert (client, currency, Decimal(str(total))) == ("Acme", "CAD", Decimal("12.5"))


@pytest.mark.analysis
def test_the_python_is_run(stored, command):
    exports(command)
    said: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block, "docs/reading-the-data.md", "exec"), said)
    assert said["used"] == [("500100200", date(2026, 10, 14), 5), ("500100200", date(2026, 10, 15), 7)]
    assert [row[2] for row in said["totals"]] == [Decimal("3.30")]
    assert said["largest"] == [("invoice", 9)]
    assert said["by_line"].to_dict()["4165550100"] == 7
    assert list(said["unread"]["pdf_type"]) == ["invoice_2"]
