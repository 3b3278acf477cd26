"""Sentences that name the right cure: which option, which browser, how many files."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from database.models import Account, FileStatus, Run, StoredCredential, StoredFile
from middlewares.download.browser import cure
from scrapers.core.compat import PlaywrightError
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


def test_test_login_names_its_own_option(store, command):
    with store.transaction() as session:
        for name in ("ana", "ben"):
            session.add(StoredCredential(portal="meadow", username=name, password="orchard-gate-7731"))
    said = command("test-login", "meadow")
    assert (said.code, said.err) == (2, "meadow has 2 credentials: say which one with --username USERNAME.\n")


INSTALL = {
    "chrome": "Install Chromium (Debian: apt-get install chromium-headless-shell).",
    "edge": "Install Microsoft Edge (packages.microsoft.com, microsoft-edge-stable); its own program is needed.",
    "firefox": "Run `playwright install firefox`: Playwright drives its own build of Firefox, and no other.",
    "safari": "Run `playwright install webkit`: Playwright drives its own build of WebKit in the place of Safari.",
}


@pytest.fixture
def asked_for(monkeypatch, tmp_path):
    """Give a function that sets a browser, on a machine that has none, and returns its cure."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def said(browser, path=None, error=None, **options):
        monkeypatch.setenv("LATCHKEY_BROWSER", browser)
        if path is not None:
            monkeypatch.setenv("LATCHKEY_BROWSER_PATH", str(path))
        crawl_settings.cache_clear()
        return cure(None if error is None else PlaywrightError(error), **options)

    return said


@pytest.mark.parametrize("browser", INSTALL)
def test_a_browser_that_is_not_there_has_its_own_cure(asked_for, browser):
    assert asked_for(browser) == INSTALL[browser]


@pytest.mark.parametrize("browser", INSTALL)
def test_a_path_without_a_program_is_named(asked_for, browser, tmp_path):
    assert asked_for(browser, tmp_path / "none") == (
        f"LATCHKEY_BROWSER_PATH names {tmp_path / 'none'}, which is not there or is no program."
    )


@pytest.mark.parametrize(
    ("browser", "words"),
    [
        ("chrome", "/bin/false does not start: run it by hand to see why"),
        ("edge", "/bin/false does not start: run it by hand to see why"),
        (
            "firefox",
            "which does not start as a build of Playwright's: leave it empty and run `playwright install firefox`.",
        ),
        (
            "safari",
            "which does not start as a build of Playwright's: leave it empty and run `playwright install webkit`.",
        ),
    ],
)
def test_a_program_that_cannot_be_driven_is_named(asked_for, browser, words):
    assert words in asked_for(browser, "/bin/false")


@pytest.mark.parametrize(("browser", "engine"), [("firefox", "firefox"), ("safari", "webkit")])
def test_libraries_that_are_missing_are_installed_by_their_own_command(asked_for, browser, engine):
    error = "BrowserType.launch: Host system is missing dependencies to run browsers."
    assert asked_for(browser, error=error) == (
        f"Libraries that {browser} needs are missing: run `playwright install-deps {engine}` as root."
    )


def test_a_window_needs_a_browser_that_has_one(asked_for, tmp_path):
    shell = tmp_path / "chromium-headless-shell"
    shell.touch(mode=0o755)
    assert "apt-get install chromium)" in asked_for("chrome", visible=True)
    assert (
        asked_for("chrome")
        == f"{shell} does not start: run it by hand to see why, or set LATCHKEY_BROWSER_PATH to another."
    )


def test_doctor_says_what_python_may_not_keep(store, command, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    said = command("doctor")
    assert "PYTHONDONTWRITEBYTECODE is set" in said.out
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    assert "PYTHONDONTWRITEBYTECODE" not in command("doctor").out
