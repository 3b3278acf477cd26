"""Sentences that name the right cure: which option, which browser, how many files."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from commands.export import record_types
from database.models import Account, FileStatus, Run, StoredCredential, StoredFile, all_tables
from middlewares.download.handler import cure
from scrapers.core.settings import crawl_settings

COMMON = {"portal": "bell", "report_type": "pdf_invoice", "spider": "bell_pdf_invoice"}


def test_a_run_shows_ten_files_and_how_many_more(store, command):
    with store.transaction() as session:
        run = Run(
            crawl="c", **COMMON, outcome="success", state="finished", warnings=[f"warning {n}" for n in range(30)]
        )
        session.add(run)
        session.flush()
        ready = {"run_id": run.id, "target_key": "t", "status": FileStatus.READY, "path": None}
        session.execute(insert(StoredFile), [{**COMMON, **ready, "key": f"file {number:03}"} for number in range(200)])
    said = command("runs", "1")
    shown = [line for line in said.out.splitlines() if "file 0" in line or "file 1" in line]
    assert len(shown) == 10
    assert "and 190 more of 200 (--json shows all)" in said.out
    assert "and 20 more of 30" in said.out
    assert command("runs", "1", "--json").out.count('"file ') == 200


def test_files_of_portals_that_are_no_carriers_have_no_account(store, command):
    ready = {"target_key": "t", "status": FileStatus.READY}
    with store.transaction() as session:
        session.execute(insert(StoredFile), [{**COMMON, **ready, "portal": "iec", "key": "a"}])
    said = command("export", "files", "--portal", "iec")
    assert (said.code, "account" in said.out.splitlines()[0], "target" in said.out.splitlines()[0]) == (0, False, True)
    assert command("accounts", "add", *"--client A --workspace B --carrier bell --number 7".split()).code == 0
    with store.transaction() as session:
        account = session.query(Account).one().id
        session.execute(insert(StoredFile), [{**COMMON, **ready, "account_id": account, "key": "b"}])
    lines = command("export", "files").out.splitlines()
    assert lines[0].split(",")[4] == "account"
    assert [line.split(",")[4] for line in lines[1:]] == ["", "7"]
    assert command("export", "files", "--portal", "iec").out.count("\n") == 2
    assert "account" not in command("export", "files", "--portal", "iec").out.splitlines()[0]


def test_every_table_that_runs_write_records_to_is_a_type_of_record():
    types = record_types()
    kept = {"attempts", "code_requests", "files", "uploads", "watermarks"}  # what we remember of the runs themselves
    with_run = {name for name, table in all_tables().tables.items() if "run_id" in table.columns}
    assert with_run - kept <= set(types)
    assert kept & set(types) == set()


def test_test_login_names_its_own_option(store, command):
    with store.transaction() as session:
        for name in ("ana", "ben"):
            session.add(StoredCredential(portal="meadow", username=name, password="orchard-gate-7731"))
    said = command("test-login", "meadow")
    assert (said.code, said.err) == (2, "meadow has 2 credentials: say which one with --username USERNAME.\n")


@pytest.mark.parametrize(
    ("browser", "words"),
    [("chrome", "Chromium"), ("firefox", "playwright install firefox"), ("edge", "Edge"), ("safari", "webkit")],
)
def test_a_missing_browser_has_its_own_cure(monkeypatch, browser, words):
    monkeypatch.setenv("LATCHKEY_BROWSER", browser)
    crawl_settings.cache_clear()
    assert words in cure()
    assert browser == "chrome" or "Chromium" not in cure()


def test_doctor_says_what_python_may_not_keep(store, command, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    said = command("doctor")
    assert "PYTHONDONTWRITEBYTECODE is set" in said.out
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    assert "PYTHONDONTWRITEBYTECODE" not in command("doctor").out
