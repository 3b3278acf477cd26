"""`scrapy accounts` and `scrapy cycles`, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

ADD = ("add", "--client", "Acme", "--workspace", "Depot", "--carrier", "bell", "--number", "500100200")


def test_an_account_is_added_listed_and_brought_up_to_date(store, command):
    assert "scrapy accounts add" in command("accounts", "list").out
    assert command("accounts", *ADD).out == "Added: bell 500100200 (Acme / Depot).\n"
    assert command("accounts", *ADD, "--billing-day", "31", "--nickname", "Trucks").out.startswith("Brought up to date")
    (row,) = json.loads(command("accounts", "list", "--json").out)
    assert row == {
        "carrier": "bell",
        "number": "500100200",
        "nickname": "Trucks",
        "client": "Acme",
        "workspace": "Depot",
        "billing_day": 31,
        "username": None,
    }


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--billing-day", "32"), "--billing-day: it must be a day of the month, 1 to 31."),
        (("--carrier", "acme"), "--carrier: 'acme' is none of att, bell, rogers, telus, tmobile, verizon."),
        (
            ("--username", "x"),
            "--username: no credential of bell has this user name; store it first with `scrapy credentials add bell`.",
        ),
        (("--number", " "), "--number: it must have 1 to 200 characters."),
    ],
)
def test_a_wrong_option_is_named_in_one_sentence(store, command, more, sentence):
    said = command("accounts", *ADD, *more)
    assert (said.code, said.out, said.err) == (2, "", sentence + "\n")
    assert json.loads(command("accounts", "list", "--json").out) == []


def test_a_file_is_imported_whole_or_not_at_all(store, command, tmp_path):
    file = tmp_path / "accounts.csv"
    file.write_text(
        "client,workspace,carrier,number,billing_day\nAcme,Depot,bell,1,31\nAcme,Depot,bell,2,32\n,,bell,3,\n"
    )
    said = command("accounts", "import", str(file))
    assert said.code == 1
    assert said.err.splitlines() == [
        "Line 3: billing_day must be a day of the month, 1 to 31.",
        "Line 4: client is empty.",
        f"Nothing of {file} was imported.",
    ]
    assert json.loads(command("accounts", "list", "--json").out) == []
    file.write_text("client,workspace,carrier,number,billing_day\nAcme,Depot,bell,1,31\nAcme,Depot,BELL,2,\n")
    assert command("accounts", "import", str(file)).out == "Added 2, brought up to date 0.\n"
    assert command("accounts", "import", str(file)).out == "Added 0, brought up to date 2.\n"


def test_a_file_that_cannot_be_read_is_named(store, command, tmp_path):
    assert command("accounts", "import", str(tmp_path / "none.csv")).code == 2
    (tmp_path / "latin.csv").write_bytes(b"client\xe9,workspace\n")
    assert "not UTF-8" in command("accounts", "import", str(tmp_path / "latin.csv")).err


def test_cycles_are_opened_and_listed(store, command):
    assert command("cycles", "open").code == 2
    command("accounts", *ADD, "--billing-day", "31")
    assert "2026-02-01  2026-02-28  open" in command("cycles", "open", "--month", "2026-02").out
    assert command("cycles", "open", "--account", "500100200").code == 0
    newest, oldest = json.loads(command("cycles", "list", "--json").out)
    assert (oldest["month"], oldest["reports"], oldest["PDFs"], oldest["daily_files"]) == ("2026-02", "0 of 0", 0, 0)
    assert newest["month"] > oldest["month"]


@pytest.mark.parametrize(
    ("at", "newest"),
    [
        (datetime(2027, 1, 1, 4, 59, tzinfo=UTC), "2026-11-01  2026-11-30"),
        (datetime(2027, 1, 1, 5, tzinfo=UTC), "2026-12-01  2026-12-31"),
    ],
)
def test_the_newest_cycle_is_told_by_the_portal_s_date(store, command, monkeypatch, at, newest):
    """Toronto is five hours behind UTC."""
    monkeypatch.setattr("jobs.clock.utc_now", lambda: at)
    command("accounts", *ADD, "--billing-day", "31")
    assert newest in command("cycles", "open").out


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "october"])
def test_a_malformed_month_is_named(store, command, month):
    said = command("cycles", "open", "--month", month)
    assert (said.code, said.err) == (2, f"--month {month}: a billing month looks like 2026-10.\n")


def test_an_unknown_account_is_named(store, command):
    for act in ("open", "list"):
        said = command("cycles", act, "--account", "7")
        assert (said.code, said.err) == (
            2,
            "--account 7: no account has this number; `scrapy accounts list` shows all.\n",
        )
