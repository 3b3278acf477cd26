"""`scrapy startportal`: what it writes is in order as it stands, works at once, and is filled in within its own folders."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from commands import startportal
from database.engine import Database
from database.families.accounts import NewAccount, add_account
from database.models import BillingCycle, ReportLine, Run, StoredFile, UsageRecord
from sandbox import PASSWORD
from sandbox.simple import accounts
from tests.project import ROOT, TEST_KEY, clean_environment, copy_project, wait_for

LONGEST = "north_tel_of_the_far_isle"[: startportal.LONGEST_WORD]  # characters, all there may be
EVERY_CARRIER_REPORT = "pdf_invoice,daily_usage,monthly_reports,ordered_reports"
CASES = (
    ("acme", "carriers"),
    ("acme_two", "carriers", "--reports", EVERY_CARRIER_REPORT, "--name", "Acme's Zweites Gerät & Söhne"),
    (LONGEST, "carriers", "--reports", EVERY_CARRIER_REPORT, "--name", "N" * startportal.LONGEST_NAME),
    ("acme_three", "carriers", "--reports", "ordered_reports"),
    ("acme_four", "carriers", "--reports", "pdf_invoice"),
    ("acme_five", "carriers", "--reports", "daily_usage"),
    ("far_trucks", "fleet"),
    (f"f{LONGEST[1:]}", "fleet", "--rendering", "browser"),
    ("far_trucks_two", "fleet", "--reports", "vehicles", "--rendering", "browser"),
    ("far_trucks_three", "fleet", "--reports", "faults"),
    ("near_power", "electricity"),
    (f"e{LONGEST[1:]}", "electricity", "--rendering", "browser"),
    ("near_power_two", "electricity", "--reports", "account", "--rendering", "browser"),
    ("near_power_three", "electricity", "--reports", "invoices"),
)
TRIED = (1, 6, 7, 10)  # of them, those that have everything that others have a part of


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> tuple[Path, str]:
    """A copy of the project under git, and its one commit."""
    copy = copy_project(tmp_path_factory.mktemp("house") / "house")
    git(copy, "init", "--quiet")
    git(copy, "add", ".")
    git(copy, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "house")
    return copy, git(copy, "rev-parse", "HEAD").strip()


@pytest.fixture
def house(committed) -> Path:
    """The same with nothing to commit, whatever the test before wrote into it."""
    copy, commit = committed
    git(copy, "reset", "--quiet", "--hard", commit)
    git(copy, "clean", "-d", "--force", "--quiet")
    # What was compiled of a portal is ignored by git, and would keep its folder.
    git(copy, "clean", "-d", "-x", "--force", "--quiet", "scrapers/portals", "tests/portals", "sandbox")
    assert git(copy, "status", "--porcelain") == ""
    return copy


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(("git", *arguments), cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def in_house(house: Path, *command: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a Python module in a copy of the project."""
    environment = {**clean_environment(), "PYTHONPATH": str(house)}
    return subprocess.run(
        (sys.executable, "-m", *command),
        cwd=house,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def start(command: Callable, into: Path, word: str, family: str, *options: str) -> list[str]:
    """Write a portal; return the paths that the command names."""
    said = command("startportal", word, "--family", family, *options, "--into", str(into))
    assert (said.code, said.err) == (0, "")
    return re.findall(r"^  (\S+)$", said.out, re.M)


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ("2nd --family carriers", "'2nd' is no word for a portal"),
        ("north-tel --family carriers", "'north-tel' is no word for a portal"),
        ("Acme --family carriers", "'Acme' is no word for a portal"),
        ("class --family carriers", "'class' is no word for a portal"),
        ("../acme --family carriers", "'../acme' is no word for a portal"),
        (f"{LONGEST}s --family carriers", "is too long"),
        ("acme --family banks", "--family banks: there is no such family; they are carriers, electricity, fleet."),
        ("acme --family carriers --reports pdf_invoice,faults", "--reports pdf_invoice,faults: carriers have no such"),
        ("acme --family carriers --reports ,", "--reports ,: carriers have no such report type; they are daily_usage,"),
        ('acme --family carriers --name a"b', "--name: use 1 to 60 characters"),
        ("acme --family carriers --name {acme}", "--name: use 1 to 60 characters"),
        ("acme --family carriers --rendering http", "--rendering http: the reports of carriers are collected in a"),
        ("bell --family carriers", "'bell' is taken: there is a portal of that word."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(command, tmp_path, argv, sentence):
    said = command("startportal", *argv.split(), "--into", str(tmp_path))
    assert said.code == 2
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", " acme", "a\nb", "a\\", "\u200b", "N" * 61])
def test_a_name_that_would_break_the_text_is_refused(command, tmp_path, name):
    said = command("startportal", "acme", "--family", "fleet", "--name", name, "--into", str(tmp_path))
    assert (said.code, list(tmp_path.iterdir())) == (2, [])


@pytest.mark.parametrize("taken", ["plain", "state", "acme"])
def test_what_has_the_word_already_is_left_as_it_is(command, tmp_path, taken):
    """A folder of the sandbox, a module of the sandbox, and a portal that was started before."""
    for path in ("sandbox/plain/app.py", "sandbox/state.py", "tests/sandbox/test_acme.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    said = command("startportal", taken, "--family", "fleet", "--into", str(tmp_path))
    assert (said.code, said.err.startswith(f"{taken!r} is taken: ")) == (2, True)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_none_is_named(command, tmp_path):
    said = command("startportal", "acme", "--family", "fleet", "--into", str(tmp_path / "away"))
    assert (said.code, said.err) == (2, f"--into {tmp_path / 'away'}: there is no such folder.\n")


def test_what_cannot_be_written_leaves_nothing(command, tmp_path):
    """The tests' folder is a file: what was written before it came to that is removed, and only that."""
    (tmp_path / "tests").write_text("kept")
    (tmp_path / "sandbox").mkdir()
    said = command("startportal", "acme", "--family", "fleet", "--into", str(tmp_path))
    assert said.code == 1
    assert "nothing was made" in said.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["sandbox", "tests"]


def test_the_word_is_asked_for(command):
    assert command("startportal", "--family", "fleet").code == 2
    assert command("startportal", "acme").code == 2


# --- What is written --------------------------------------------------------------------------------------------------


def test_every_template_is_in_the_package():
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["*"]
    kinds = {path.suffix for path in startportal.TEMPLATES.rglob("*") if path.is_file()}
    assert {f"*{kind}" for kind in kinds} <= set(patterns)


def test_what_is_written_is_in_order_and_in_its_own_folders(command, house):
    """Every family, rendering and choice of reports: as ruff formats it, with the house's marks, and no file beside."""
    python = []
    for word, family, *options in CASES:
        written = start(command, house, word, family, *options)
        python += [path for path in written if path.endswith(".py")]
        own = (
            f"scrapers/portals/{word}/",
            f"sandbox/{word}/",
            f"tests/portals/{word}/",
            f"tests/sandbox/test_{word}.py",
        )
        status = git(house, "status", "--porcelain", "--untracked-files=all").splitlines()
        assert sorted(status) == [f"?? {path}" for path in sorted(written)]
        assert all(path.startswith(own) for path in written)
        git(house, "add", ".")
        git(house, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", word)
        spiders = [house / path for path in written if path.startswith("scrapers/")]
        for report in (path for path in spiders if f'name = "{word}_{path.stem}"' in path.read_text()):
            assert re.search(r'"""\n    Portal\n      .+\n    Caveats\n      .+', report.read_text())
        assert any("guess" in path.read_text() for path in spiders)
    for check in (("check",), ("format", "--check")):
        done = in_house(house, "ruff", *check, "--no-cache", *python)
        assert done.returncode == 0, done.stdout


# --- It works ---------------------------------------------------------------------------------------------------------

# A portal that is not what the templates guess: other addresses, labels, months, columns and marks.
FAR_PORTAL = """
from sandbox.files import pdf
from sandbox.simple import Download, SimplePortal
from sandbox.workbooks import workbook

def bill(account, month):
    return pdf(f"{month} {account}", 9_000)

def calls(account, month):
    return f"Rechnungskonto,Rufnummer,Datenvolumen (MB)\\n{account},5550150001,12.5\\n".encode()

def sums(account, month):
    return workbook("Sums", [("Konto", "Abrechnungsmonat", "Betrag"), (account, month, "17.25")])

class FarPortal(SimplePortal):
    word, title, origins = "acme", "Acme", {"": "ACME_URL"}
    pages = {
        "bills": Download("Rechnungen", "rechnung.pdf", bill),
        "today": Download("Verbrauch heute", "verbrauch.csv", calls),
        "sums": Download("Summen", "summen.xlsx", sums),
    }

PORTAL = FarPortal
"""
FILLED_IN = {
    "pdf_invoice.py": [('TITLE = "Invoices"', 'TITLE = "Rechnungen"')],
    "daily_usage.py": [('TITLE = "Usage"', 'TITLE = "Verbrauch heute"')],
    "monthly_reports.py": [
        ('Report("cost_overview", "Cost overview", COSTS, by="fetch")', 'Report("sums", "Summen", COSTS, by="fetch")'),
        ('        Report("line_overview", "Line overview", LINES, by="fetch"),\n', ""),
        ("COSTS, LINES, LOCALE", "COSTS, LOCALE"),
    ],
    "columns.py": [
        ('r"account number"', 'r"(rechnungs)?konto"'),
        ('r"phone number"', 'r"rufnummer"'),
        ('"used", r"data used', '"used", r"datenvolumen'),
        ('"period", r"month"', '"period", r"abrechnungsmonat"'),
        ('r"total charges"', 'r"betrag"'),
    ],
}


def fill_in(house: Path) -> None:
    """Do what a person does: make the sandbox what the portal is, then replace the guesses."""
    (house / "sandbox/acme/app.py").write_text(FAR_PORTAL)
    for name, changes in FILLED_IN.items():
        path = house / "scrapers/portals/acme" / name
        text = path.read_text()
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        path.write_text(text)


@contextmanager
def served(house: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Serve the new portal from the copy; give the variables that point at it."""
    environment = {**clean_environment(), "PYTHONPATH": str(house)}
    command = (sys.executable, "-m", "sandbox", "--state", str(folder), "--portals", "acme")
    with (folder.parent / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=house, env=environment, stdout=log, stderr=log)
    try:
        ready = folder / "ready.json"
        wait_for(lambda: ready.exists() or process.poll() is not None)
        assert ready.exists(), (folder.parent / "sandbox.log").read_text()
        yield json.loads(ready.read_text())["environment"]
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_a_portal_that_is_filled_in_brings_three_report_types(
    command, house, tmp_path, sqlite_with_tables, encryption_key
):
    """One crawl process, one browser at a time; and the only files that differ are the portal's own."""
    start(command, house, "acme", "carriers")
    fill_in(house)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    shutil.copy(sqlite_with_tables, data / "latchkey.db")
    db = Database(f"sqlite:///{data / 'latchkey.db'}")
    number = accounts("ok")[0]
    with db.transaction() as session:
        add_account(session, NewAccount("Example", "Main", "acme", number, billing_day=31), {"acme": "Acme"})
    with served(house, tmp_path / "sandbox") as environment:
        done = subprocess.run(
            (sys.executable, "-m", "scrapy", "sync", "acme", "-o", str(data / "result.json")),
            cwd=house,
            env={
                **clean_environment(),
                **environment,
                "PYTHONPATH": str(house),
                "LATCHKEY_DATA_DIR": str(data),
                "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY,
                "ACME_USERNAME": "ok",
                "ACME_PASSWORD": PASSWORD,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    with db.transaction() as session:
        outcomes = dict(session.execute(select(Run.report_type, Run.outcome)).all())
        assert outcomes == dict.fromkeys(("daily_usage", "monthly_reports", "pdf_invoice"), "success"), done.stderr
        files = {file.report_type: file for file in session.scalars(select(StoredFile))}
        contents = {kind: (data / "files" / str(file.path)).read_bytes() for kind, file in files.items()}
        (usage,) = session.scalars(select(UsageRecord))
        (line,) = session.scalars(select(ReportLine))
        assert (usage.account_number, usage.phone_number, usage.used) == (number, "5550150001", int(12.5 * 1024**2))
        assert (line.account_number, line.data) == (number, {"total_charges": "17.25"})
        cycle = session.get(BillingCycle, line.billing_cycle_id)
        assert line.period == f"{cycle.end_date:%Y-%m}"
    assert (done.returncode, json.loads((data / "result.json").read_text())["files"]) == (0, 3)
    assert contents["pdf_invoice"].startswith(b"%PDF-")
    assert len(contents["pdf_invoice"]) == 9_000
    assert contents["daily_usage"].startswith(b"Rechnungskonto,")
    assert contents["monthly_reports"].startswith(b"PK")
    changed = git(house, "status", "--porcelain").splitlines()
    assert sorted(changed) == [
        *("?? sandbox/acme/", "?? scrapers/portals/acme/", "?? tests/portals/acme/", "?? tests/sandbox/test_acme.py"),
    ]
    db.engine.dispose()


@pytest.mark.matrix
@pytest.mark.figures
@pytest.mark.browser
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("tried", [pytest.param(TRIED, id="some"), pytest.param(range(len(CASES)), id="all")])
def test_what_is_written_passes_the_house_and_its_own_tests(command, house, tried):
    """Types and the rules of the house; of some portals the tests that were written with them, against their sandboxes."""
    for word, family, *options in CASES:
        start(command, house, word, family, *options)
    words = [CASES[number][0] for number in tried]
    done = in_house(house, "mypy", "--cache-dir", os.devnull, timeout=900)
    assert done.returncode == 0, done.stdout
    tests = [f"tests/portals/{word}" for word in words] + [f"tests/sandbox/test_{word}.py" for word in words]
    done = in_house(house, "pytest", "tests/test_house.py", *tests, timeout=1500)
    assert done.returncode == 0, done.stdout[-6000:]
    assert re.search(r"\d+ passed", done.stdout)
