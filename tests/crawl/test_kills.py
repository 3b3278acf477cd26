"""Crawls that are killed, and the run after: the same files and rows as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from database.processes import signature
from jobs.warm import AnyProcess
from pipelines.stores.base import INCOMING
from pipelines.stores.folder import FolderStore
from sandbox import totp_secret
from sandbox.att import accounts as att_accounts
from sandbox.rogers import accounts as rogers_accounts
from sandbox.telus import accounts as telus_accounts
from scrapers.core.spool import sweep
from tests.project import wait_for

SEED = 20261120
TABLES = (
    "files",
    "plain_documents",
    "billing_cycles",
    "billing_cycle_files",
    "billing_cycle_pdf_files",
    "invoices",
    "differences",
    "daily_usage_files",
    "pool_usage",
    "usage_records",
    "report_rows",
)


def visible(store: Path) -> dict[str, str]:
    """Return path and hash of every file that anybody who looks into the store sees."""
    seen = {}
    for path in store.rglob("*"):
        relative = path.relative_to(store)
        if relative.parts[0] != INCOMING and path.is_file():
            seen[str(relative)] = digest(path)
    return seen


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Watch:
    """Looks at the store again and again while a crawl runs, and remembers every state in which a file was seen."""

    def __init__(self, store: Path) -> None:
        self.seen: set[tuple[str, str]] = set()
        self.looks = 0
        self._store, self._stop = store, threading.Event()
        self._known: dict[Path, tuple[int, int, int]] = {}
        self._thread = threading.Thread(target=self._look_on)

    def _look_on(self) -> None:
        while not self._stop.wait(0.005):
            self.look()

    def look(self) -> None:
        for folder, folders, names in os.walk(self._store):
            folders[:] = [name for name in folders if name != INCOMING]
            for path in (Path(folder, name) for name in names):
                status = path.stat()
                now = (status.st_ino, status.st_size, status.st_mtime_ns)
                if self._known.get(path) != now:
                    self._known[path] = now
                    self.seen.add((str(path.relative_to(self._store)), digest(path)))
        self.looks += 1

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def processes_of(data: Path) -> list[int]:
    """Return the processes that were started for this data folder: crawls, drivers, browsers."""
    mark = f"LATCHKEY_DATA_DIR={data}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue  # it ended, or is somebody else's
    return found


@dataclass
class Killing:
    """One spider, killed at instants between the portal's first request and the end of a run that nobody disturbed."""

    crawls: Any
    admin: Any
    spider: str
    environment: dict[str, str] = field(default_factory=dict)
    span: float = 0.0
    missed: int = 0
    jobs: int = 0

    def __post_init__(self) -> None:
        self.data: Path = self.crawls.project.data
        self.crawls.db.engine.dispose()
        self.database = (self.data / "latchkey.db").read_bytes()
        self.fresh()
        process = self.start()
        said = process.communicate(timeout=200)[1]
        self.span = time.time() - self.counters["first_request_at"]
        assert process.returncode == 0, said
        self.files, self.rows, self.counted = visible(self.data / "files"), self.remembered(), self.counters
        self.jobs = len(self.crawls.outcomes)
        assert len(self.files) == len(self.rows["files"])
        assert self.files or self.rows["plain_documents"]

    def fresh(self) -> None:
        """Let portal, database and folders forget everything."""
        shutil.rmtree(self.data)
        self.data.mkdir(mode=0o700)
        (self.data / "latchkey.db").write_bytes(self.database)
        self.admin.reset()

    @property
    def counters(self) -> dict[str, Any]:
        return self.admin.counters()

    def start(self) -> AnyProcess:
        return self.crawls.start(self.spider, **self.environment)

    def remembered(self) -> dict[str, list[str]]:
        """Return all rows of items, files and cycle files, without their ids and times."""
        told = {}
        for table in TABLES:
            rows = [dict(row) for row in self.crawls.rows(f"SELECT * FROM {table}")]
            left_out = {"id", "run_id", "file_id", "stored_at"}
            told[table] = sorted(repr({name: row[name] for name in row if name not in left_out}) for row in rows)
        return told

    def at_share(self, share: float) -> list[str]:
        """Kill a run when a share of its time is over."""
        return self.kill(lambda began: time.time() >= began + share * self.span)

    def kill(self, due: Callable[[float], Any]) -> list[str]:
        """
        Kill a run when it is due, run once more, and say what is wrong.

        due: is given the time of the portal's first request.
        """
        self.fresh()
        with Watch(self.data / "files") as watch:
            process = self.start()
            began = wait_for(lambda: self.counters["first_request_at"])
            wait_for(lambda: due(began) or process.poll() is not None, 60 + self.span, every=0.001)
            instant = time.time() - began
            process.kill()  # SIGKILL, unless it is over
            process.communicate()
            if process.returncode == -signal.SIGKILL:
                return self.again(instant, watch)
            # It was over before: the machine is faster now than it was, and the next one is killed earlier.
            self.missed += 1
            self.span = min(time.time() - began, self.span * 0.95)
        return self.kill(due)

    def again(self, instant: float, watch: Watch) -> list[str]:
        """Run once more after a kill and say what is wrong."""
        orphans: list[int] = []
        try:
            wait_for(lambda: not processes_of(self.data), 15, every=0.1)
        except TimeoutError:
            orphans = processes_of(self.data)
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
        before = self.counters
        # The one export whose click the portal may or may not have heard.
        in_the_click = bool(self.crawls.rows("SELECT 1 FROM notes WHERE value LIKE '%\"heard\": false%'"))
        again = self.start()
        said = again.communicate(timeout=200)[1]
        watch.look()
        files, counted, outcomes = visible(self.data / "files"), self.counters, self.crawls.outcomes
        half = watch.seen - set(self.files.items())
        rows = self.remembered()
        incoming = self.data / "files" / INCOMING
        left = [path for folder in (incoming, self.data / "spool") for path in folder.rglob("*") if path.is_file()]
        wrong = {
            f"exit code {again.returncode}: {said.strip().splitlines()[-1:]}": again.returncode,
            # A run may have said its outcome just before it was killed.
            f"outcomes {outcomes}": len(outcomes) != 2 * self.jobs
            or not set(outcomes[: self.jobs]) <= {"interrupted", "success"}
            or set(outcomes[self.jobs :]) != {"success"},
            f"orphans {orphans}": orphans,
            f"seen and not whole: {sorted(half)}": half,
            f"files differ: {sorted(set(files.items()) ^ set(self.files.items()))}": files != self.files,
            f"rows differ: {[table for table in TABLES if rows[table] != self.rows[table]]}": rows != self.rows,
            f"sign-ins {counted['sign_ins']}": counted["sign_ins"] > self.counted["sign_ins"] + 1,
            f"passwords {counted['submissions']}": sum(counted["submissions"].values()) > 2,
            f"reports {counted.get('reports_asked')}": counted.get("reports_asked", 0)
            > self.counted.get("reports_asked", 0) + 1,
            f"exports {counted.get('exports_of')}": counted.get("exports_asked", 0)
            > self.counted.get("exports_asked", 0) + in_the_click,
            f"left behind: {left}": left,
            "the store was not watched": watch.looks < 3,
        }
        shown = f"{self.spider} at {instant:.3f} of {self.span:.3f} s (seed {SEED}; {before['requests']} requests)"
        told = [f"{shown}: {what}" for what, is_so in wrong.items() if is_so]
        print(shown, *told, sep="\n  ", flush=True)
        return told

    def at_instants(self, count: int) -> None:
        """Kill at so many instants, one drawn in each of as many equal parts of the run."""
        drawn = random.Random(f"{SEED} {self.spider}")
        print(f"{self.spider}: {count} instants within {self.span:.2f} s, seed {SEED}")
        wrong = [text for part in range(count) for text in self.at_share((part + drawn.random()) / count)]
        print(f"{self.spider}: {count} killed; {self.missed} others were over before their instant came")
        assert not wrong, "\n".join(wrong)


SAMPLE_AND_ALL = pytest.mark.parametrize(
    "count",
    [
        pytest.param(3, id="sample"),
        pytest.param(8, id="many", marks=[pytest.mark.matrix]),
        pytest.param(50, id="all", marks=[pytest.mark.matrix, pytest.mark.figures]),
    ],
)


@pytest.mark.timeout(1800)
@SAMPLE_AND_ALL
def test_files_are_the_same_after_a_kill_at_any_instant(crawls, plain, count):
    user = "totp+kills@example.com"
    plain.configure(documents=20, latency_ms=20)
    crawls.give("plain", user, totp_secret=totp_secret(user))
    Killing(crawls, plain, "plain_files").at_instants(count)


@pytest.mark.timeout(1800)
@pytest.mark.matrix
@pytest.mark.parametrize("count", [5, pytest.param(10, marks=pytest.mark.figures)])
def test_records_are_the_same_after_a_kill_at_any_instant(crawls, plain, count):
    user = "totp+kills@example.com"
    plain.configure(documents=20, latency_ms=20)
    crawls.give("plain", user, totp_secret=totp_secret(user))
    Killing(crawls, plain, "plain_documents").at_instants(count)


# In this environment a dead run's lease would outlive all waiting.
LASTING_LEASES = {"LATCHKEY_LEASE_SECONDS": "90", "LATCHKEY_BUSY_WAIT": "5"}


def a_bell_user(crawls) -> dict[str, str]:
    """Store a user with an authenticator; return LASTING_LEASES."""
    user = "totp+kills@example.com"
    crawls.give_bell(user)
    crawls.change(user, totp_secret=totp_secret(user))
    return LASTING_LEASES


@pytest.mark.timeout(1800)
@pytest.mark.browser
@pytest.mark.matrix
@pytest.mark.parametrize(
    ("spider", "count"),
    [
        ("bell_ereports", 2),
        pytest.param("bell_pdf_invoice", 2, marks=pytest.mark.figures),
        *(pytest.param(spider, 6, marks=pytest.mark.figures) for spider in ("bell_ereports", "bell_pdf_invoice")),
    ],
)
def test_a_browser_s_files_are_the_same_after_a_kill_at_any_instant(crawls, bell, spider, count):
    Killing(crawls, bell, spider, a_bell_user(crawls)).at_instants(count)


KINDS = ("daily_usage", "pdf_invoice", "monthly_reports")
CARRIERS_SPIDERS = [f"{portal}_{kind}" for portal in ("telus", "att", "rogers") for kind in KINDS]


@pytest.mark.timeout(1800)
@pytest.mark.browser
@pytest.mark.matrix
@pytest.mark.parametrize(
    ("spider", "count"),
    [
        ("telus_monthly_reports", 2),
        *(
            pytest.param(spider, 2, marks=pytest.mark.figures)
            for spider in ("att_pdf_invoice", "rogers_monthly_reports")
        ),
        *(pytest.param(spider, 5, marks=pytest.mark.figures) for spider in CARRIERS_SPIDERS),
    ],
)
def test_files_of_two_accounts_are_the_same_after_a_kill_at_any_instant(crawls, telus, att, rogers, spider, count):
    """At most one report of a queue is ordered twice: the one whose click the portal may or may not have heard."""
    portal, user = spider.partition("_")[0], "multi+multi-2+no-code+kills@example.com"
    here = {"telus": (telus, telus_accounts), "att": (att, att_accounts), "rogers": (rogers, rogers_accounts)}
    admin, accounts = here[portal]
    crawls.give_accounts(portal, user, accounts(user))
    # A killed sign-in to which a code may still come keeps its receiver to itself for the code's life.
    crawls.change(user, receiver=None)
    Killing(crawls, admin, spider, LASTING_LEASES).at_instants(count)


MOMENTS = {
    "noted": lambda here: here.crawls.rows("SELECT 1 FROM notes WHERE name LIKE 'asked %'"),  # the click comes next
    "asked": lambda here: here.counters["reports_asked"] == 2,
    "waiting": lambda here: here.counters["reports_asked"] == 3,
    "collected": lambda here: here.counters.get("files", {}).get("report") == 1,
}
AMONG = ("asked", "collected")  # moments between others


@pytest.mark.timeout(400)
@pytest.mark.browser
@pytest.mark.matrix
@pytest.mark.parametrize(
    "moment", [pytest.param(each, marks=pytest.mark.figures if each in AMONG else ()) for each in MOMENTS]
)
def test_a_killed_run_s_reports_are_collected_and_not_asked_for_again(crawls, bell, moment):
    """At most one report is asked for twice: the one whose click the portal may or may not have heard."""
    bell.configure(report_seconds=2)
    here = Killing(crawls, bell, "bell_ereports", a_bell_user(crawls))
    assert here.counted["reports_asked"] == 3
    wrong = here.kill(lambda began: MOMENTS[moment](here))
    assert not wrong, "\n".join(wrong)


def test_crawls_that_start_together_sweep_the_same_leftovers(tmp_path):
    """Of a process that was killed and whose parent has not asked yet; what belongs to a living one stays."""
    killed = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    began = Path(f"/proc/{killed.pid}/stat").read_text().rpartition(")")[2].split()[19]
    machine = signature().partition("+")[0]
    folders = [tmp_path / f"{number}@{machine}+{killed.pid}+{began}" for number in range(30)]
    ours = tmp_path / f"ours@{signature()}"
    for folder in (*folders, ours):
        for number in range(20):
            (folder / "browser" / str(number)).mkdir(parents=True)
            (folder / "browser" / str(number) / "part").touch()
    killed.kill()
    wait_for(lambda: Path(f"/proc/{killed.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    with ThreadPoolExecutor(4) as pool:
        for swept in [pool.submit(sweep, tmp_path) for _ in range(4)]:
            swept.result()
    killed.communicate()
    assert list(tmp_path.iterdir()) == [ours]
    assert len(list((ours / "browser").iterdir())) == 20


def test_what_a_kill_left_on_its_way_into_the_store_is_swept(tmp_path):
    """Of processes of this machine that have ended; a living one's, and another machine's, stay."""
    incoming = tmp_path / INCOMING
    incoming.mkdir()
    machine, pid, began = signature().split("+")
    ours, elsewhere = incoming / f"1@{signature()}", incoming / f"2@elsewhere+{pid}+{began}"
    for path in (ours, elsewhere, incoming / f"3@{machine}+{pid}+1"):
        path.touch()
    FolderStore(tmp_path, 0).sweep()
    assert sorted(incoming.iterdir()) == [ours, elsewhere]
    FolderStore(tmp_path / "missing", 0).sweep()
