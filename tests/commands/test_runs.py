"""`scrapy runs`, `scrapy status` and `scrapy export`, on both databases."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from database.access.leases import Leases
from database.access.sessions import Sessions
from database.families.accounts import NewAccount, add_account
from database.families.cycles import cycle_for
from database.models import (
    Account,
    BillingCyclePdfFile,
    CarrierReport,
    Difference,
    FileStatus,
    Invoice,
    PoolUsage,
    ReportLine,
    Run,
    RunState,
    StoredFile,
    UsageRecord,
)
from database.processes import signature
from scrapers.core.exports import PAGE
from scrapers.core.outcomes import OUTCOMES
from tests.project import CARRIERS

BEGAN = datetime(2026, 10, 20, 6, 0, tzinfo=UTC)


def run(**values):
    about = {
        "crawl": "00000000-0000-0000-0000-000000000000",
        "spider": "bell_pdf_invoice",
        "portal": "bell",
        "report_type": "pdf_invoice",
        "started_at": BEGAN,
        "target": "500100200 2026-10",
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
    return Run(**(about | values))


def finished(outcome, **values):
    known = OUTCOMES[outcome]
    ended = {"state": RunState.FINISHED, "outcome": outcome, "actor": known.actor.value, "message": known.sentence}
    return run(**(ended | {"finished_at": BEGAN + timedelta(seconds=12.5)} | values))


@pytest.fixture
def account(store):
    with store.transaction() as session:
        account, _ = add_account(session, NewAccount("Acme", "Depot", "bell", "500100200"), CARRIERS)
        cycle = cycle_for(session, account, 2026, 10)
        return account.id, cycle.id


@pytest.fixture
def runs(store, account):
    of = {"account_id": account[0], "billing_cycle_id": account[1]}
    with store.transaction() as session:
        session.add_all(
            [
                finished("success", files=1, requests=9, sign_ins=1, **of),
                finished(
                    "cache_error",
                    spider="bell_ereports",
                    step="open e-reports",
                    selector="header",
                    bundle="bundles/2.zip",
                    message=OUTCOMES["cache_error"].sentence + " The header did not come within 30 s.",
                    missing=1,
                    missing_names=["cost_overview"],
                    **of,
                ),
                finished("bad_credentials", spider="bell_daily_usage", target="500100200 2026-10-20", **of),
            ]
        )
        session.flush()
        session.add(
            StoredFile(
                run_id=1,
                spider="bell_pdf_invoice",
                portal="bell",
                report_type="pdf_invoice",
                account_id=account[0],
                target_key="500100200/2026-10",
                key="invoice",
                path="bell/500100200/2026-10/invoice.pdf",
                sha256="0" * 64,
                size=123456,
                status=FileStatus.READY,
                stored_at=BEGAN,
            )
        )
        session.add(
            StoredFile(spider="bell_ereports", portal="bell", report_type="ereports", target_key="k", key="wanted")
        )


def test_runs_are_listed_newest_first_and_filtered(runs, command):
    assert [row["run"] for row in json.loads(command("runs", "--json").out)] == [3, 2, 1]
    for argv, ids in (
        (("--outcome", "cache_error"), [2]),
        (("--spider", "bell_pdf_invoice"), [1]),
        (("--account", "500100200", "--limit", "1"), [3]),
        (("--account", "7"), []),
    ):
        assert [row["run"] for row in json.loads(command("runs", *argv, "--json").out)] == ids
    (row,) = json.loads(command("runs", "--outcome", "success", "--json").out)
    assert (row["seconds"], row["files"], row["sign_ins"], row["requests"]) == (12.5, 1, 1, 9)


def test_a_run_tells_what_happened_and_what_to_do(runs, command):
    told = json.loads(command("runs", "2", "--json").out)
    assert told["what_happened"] == OUTCOMES["cache_error"].sentence
    assert told["seen"] == "The header did not come within 30 s."
    assert (told["step"], told["selector"], told["missing"]) == ("open e-reports", "header", ["cost_overview"])
    assert (told["who_must_act"], told["try_again"]) == ("operator", "soon")
    assert told["what_to_do"] == "Whoever runs Latchkey has to act; another run makes sense within the hour."
    assert told["next"] == ["look at bundles/2.zip", "scrapy crawl bell_ereports -a account=500100200 -a cycle=2026-10"]
    shown = command("runs", "1").out
    assert "bell/500100200/2026-10/invoice.pdf  120.6 KB  ready" in shown
    assert "who must act" not in shown
    assert "what to do     Nobody has to act; another run would bring nothing new." in shown
    refused = command("runs", "3").out
    assert f"what happened  {OUTCOMES['bad_credentials'].sentence}\n" in refused
    assert "what to do     The owner of the account has to act; run it again once that is done.\n" in refused
    assert "scrapy credentials add" in json.loads(command("runs", "3", "--json").out)["next"]


def test_an_unknown_run_or_outcome_is_named(store, command):
    assert command("runs", "9").err == "There is no run 9; `scrapy runs` lists the newest.\n"
    assert command("runs", "--outcome", "fine").code == 2
    assert command("runs", "nine").code == 2


def test_status_names_who_must_act(runs, store, command):
    Sessions(store).save("bell_self_serve", "owner", {"cookies": ["c00kie"]}, "agent", "owner", None)
    Leases(store).acquire("run/bell_self_serve/owner", "this test", 60)
    with store.transaction() as session:
        session.add(run())
        dead = subprocess.run(
            [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
        )
        session.add(run(pid=int(dead.stdout), target="killed"))
        # A container with this machine's name: under that number it has another process.
        machine = signature().partition("+")[0]
        session.add(run(pid=int(dead.stdout), target="a container's", process=f"{machine}0+{dead.stdout.strip()}+1"))
    said = command("status")
    assert "Operator: bell_ereports 500100200 2026-10: " in said.out
    assert "Owner: bell_daily_usage 500100200 2026-10-20: " in said.out
    assert "c00kie" not in said.out
    parts = json.loads(command("status", "--json").out)
    assert [row["process"] for row in parts["running"]] == [
        f"{socket.gethostname()} {os.getpid()}",
        "has ended",
        f"{socket.gethostname()} {dead.stdout.strip()}",
    ]
    assert [row["login"] for row in parts["sessions"]] == ["bell_self_serve"]
    assert [row["holder"] for row in parts["leases"]] == ["this test"]
    assert "without a word" in command("runs", "5").out
    assert "still running" in command("runs", "4").out


def test_status_shows_only_the_last_run_of_each_spider_and_account(runs, account, store, command):
    with store.transaction() as session:
        session.add(finished("success", spider="bell_ereports", account_id=account[0], target="500100200 2026-11"))
        session.add(finished("success", spider="bell_daily_usage", account_id=account[0]))
    last = json.loads(command("status", "--json").out)["last_runs"]
    assert {(row["spider"], row["outcome"]) for row in last} == {
        ("bell_pdf_invoice", "success"),
        ("bell_ereports", "success"),
        ("bell_daily_usage", "success"),
    }
    assert "Nobody has to do anything." in command("status").out


def test_stored_files_are_exported(runs, command, tmp_path):
    (row,) = csv.DictReader(io.StringIO(command("export", "files").out))
    assert (row["account"], row["name"], row["size"], row["sha256"]) == ("500100200", "invoice", "123456", "0" * 64)
    assert row["stored_at"] == "2026-10-20T06:00:00+00:00"
    assert json.loads(command("export", "files", "--format", "json").out)[0]["status"] == "ready"
    for argv in (("--type", "ereports"), ("--since", "2026-10-21")):
        assert json.loads(command("export", "files", "--format", "json", *argv).out) == []
    assert len(json.loads(command("export", "files", "--format", "json", "--since", "2026-10-20").out)) == 1
    target = tmp_path / "files.csv"
    assert command("export", "files", "--output", str(target)).out == f"Wrote 1 to {target}.\n"
    assert target.read_text().startswith("id,spider,")


def test_records_of_any_number_are_exported_in_pages(store, account, command):
    days = PAGE + 3
    with store.transaction() as session:
        session.add_all(
            PoolUsage(
                account_id=account[0], day=date(2000, 1, 1) + timedelta(days=n), pool_size=None, pool_used=2**40 + n
            )
            for n in range(days)
        )
    rows = json.loads(command("export", "records", "--format", "json", "--account", "500100200").out)
    assert len(rows) == len({row["id"] for row in rows}) == days
    assert (rows[0]["carrier"], rows[0]["pool_size"], rows[0]["pool_used"]) == ("bell", None, 2**40)
    since = json.loads(command("export", "records", "--format", "json", "--since", "2013-09-01").out)
    assert all(row["day"] >= "2013-09-01" for row in since)
    assert 0 < len(since) < days


def test_a_file_s_target_is_exported_also_where_there_is_no_account(store, command):
    with store.transaction() as session:
        about = {"portal": "iec", "report_type": "invoices", "status": FileStatus.READY}
        session.add(StoredFile(spider="iec_invoices", target_key="home", key="1/2026-10", **about))
    (row,) = csv.DictReader(io.StringIO(command("export", "files").out))
    assert (row["portal"], row["account"], row["target"], row["name"]) == ("iec", "", "home", "1/2026-10")


def test_rows_of_files_are_exported_with_carrier_and_account(runs, account, store, command):
    with store.transaction() as session:
        carrier = session.get_one(Account, account[0]).carrier_id
        report = CarrierReport(name="Cost", slug="cost_overview", carrier_id=carrier)
        session.add(report)
        session.flush()
        of = {"billing_cycle_id": account[1], "row": 1, "account_number": "500100200", "run_id": 1}
        session.add(UsageRecord(**of, day=date(2026, 10, 20), used=2**40))
        session.add(ReportLine(**of, carrier_report_id=report.id, data={"total": "1.10"}))

    def exported(*argv: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(command("export", "records", "--format", "json", "--type", *argv).out)
        return rows

    (usage,) = exported("usage_records", "--account", "500100200")
    assert (usage["carrier"], usage["account"], usage["day"], usage["used"]) == (
        "bell",
        "500100200",
        "2026-10-20",
        2**40,
    )
    (line,) = exported("report_rows")
    assert (line["account"], line["end"], line["report"], line["run"]) == (
        "500100200",
        "2026-10-15",
        "cost_overview",
        1,
    )
    assert line["data"] == {"total": "1.10"}
    assert exported("usage_records", "--since", "2026-10-21") == []


def test_invoices_are_exported_with_what_they_say_and_where_they_differ(runs, account, store, command):
    of = {"billing_cycle_id": account[1], "pdf_type": "invoice"}
    with store.transaction() as session:
        session.add(BillingCyclePdfFile(**of))
        session.add(BillingCyclePdfFile(**of | {"pdf_type": "invoice_2"}))  # stored before its like was read
        session.add(
            Invoice(**of, total=Decimal("12.50"), currency="CAD", unclear={"number": "cannot be read"}, run_id=1)
        )
        session.add(
            Difference(**of, compared="total", stated_by="portal", stated="12.00", said="12.50", run_id=1,
                       noticed_at=datetime(2026, 10, 21, tzinfo=UTC))
        )  # fmt: skip

    def exported(*argv: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(command("export", "records", "--format", "json", "--type", *argv).out)
        return rows

    said, unread = exported("invoices", "--account", "500100200")
    assert (said["pdf_type"], Decimal(str(said["total"])), said["currency"]) == ("invoice", Decimal("12.50"), "CAD")
    assert (said["unclear"], unread["total"]) == ({"number": "cannot be read"}, None)
    (difference,) = exported("differences", "--since", "2026-10-21")
    assert [difference[name] for name in ("account", "compared", "stated_by", "stated", "said", "run")] == [
        "500100200", "total", "portal", "12.00", "12.50", 1,
    ]  # fmt: skip
    assert exported("differences", "--since", "2026-10-22") == []


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (("records", "--type", "nothing"), "--type nothing"),
        (("records", "--account", "7"), "--account 7"),
        (("files", "--since", "yesterday"), "yesterday"),
        (("files", "--format", "xml"), "xml"),
        (("pictures",), "pictures"),
    ],
)
def test_a_wrong_argument_of_export_is_named(store, command, argv, word):
    said = command("export", *argv)
    assert said.code == 2
    assert word in said.err


def test_an_output_that_cannot_be_written_is_named(store, command, tmp_path):
    said = command("export", "files", "--output", str(tmp_path / "none" / "files.csv"))
    assert (said.code, "--output" in said.err) == (1, True)


def test_a_database_without_tables_is_one_sentence(encryption_key, monkeypatch, tmp_path, command):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    for word, *argv in (("status",), ("runs",), ("export", "files"), ("accounts", "list"), ("credentials", "list")):
        said = command(word, *argv)
        assert (said.code, said.err.count("\n"), "scrapy db upgrade" in said.err) == (1, 1, True)
