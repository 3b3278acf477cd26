"""`scrapy missing`, as it is typed."""

from __future__ import annotations

import csv
import io
import json

import pytest

from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for
from database.models import BillingCyclePdfFile, FileStatus
from tests.project import CARRIERS


@pytest.fixture
def accounts(store):
    with store.transaction() as session:
        for number, client, carrier in (("100", "Acme", "bell"), ("200", "Brook", "telus")):
            account, _ = add_account(session, NewAccount(client, "Main", carrier, number), CARRIERS)
            cycle = cycle_for(session, account, 2025, 10)
            if client == "Acme":
                session.add(BillingCyclePdfFile(billing_cycle_id=cycle.id, status=FileStatus.READY))


def test_what_is_missing(accounts, command):
    rows = list(csv.DictReader(io.StringIO(command("missing", "--month", "2025-10", "--csv").out)))
    assert [(row["account"], row["report_type"], row["state"]) for row in rows] == [
        ("100", "monthly_reports", "never_asked"), ("100", "daily_usage", "never_asked"),
        *(("200", kind, "never_asked") for kind in ("pdf_invoice", "monthly_reports", "daily_usage")),
    ]  # fmt: skip
    everything = command("missing", "--month", "2025-10", "--all", "--csv", "--client", "Acme").out
    assert "Acme,bell,100,2025-10,pdf_invoice,stored,1,1,,,,,\n" in everything
    assert command("missing", "--carrier", "bell", "--state", "failed").out == "Nothing is missing.\n"
    assert command("missing", "--account", "100", "--month", "2025-10", "--state", "stored").out.splitlines()[1].split() == [
        "Acme", "bell", "100", "2025-10", "pdf_invoice", "stored", "1", "of", "1", "-", "-", "-",
    ]  # fmt: skip
    told = json.loads(command("missing", "--json").out)
    assert set(told) == {"accounts", "freshness", "fleets", "meters", "prices", "channels"}
    assert {cell["account"] for cell in told["accounts"]} == {"100", "200"}


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (("--client", "Nobody"), "--client Nobody: no active client's account"),
        (("--carrier", "acme"), "--carrier acme: "),
        (("--month", "2026-13"), "--month 2026-13: a billing month looks like 2026-10."),
        (("--state", "lost"), "--state: the states are stored, coming"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_named(accounts, command, argv, named):
    said = command("missing", *argv)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(named)
