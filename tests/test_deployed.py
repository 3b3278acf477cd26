"""
docs/deployment at work: `serve` and `worker` by the very command lines and settings of the compose file and of the units.

Read out of these files, not copied from them. No container engine and no systemd run here: the commands run as they would inside,
and only places (folders, the address of the database, a port) are this test's.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest
from sqlalchemy import func, select, text

import sandbox
from database.access.ledger import SIGNED_IN
from database.engine import Database
from database.models import Invoice, LedgerEntry, Message, Run, RunState, ScraperJob, StoredFile
from database.models.codes import CodeRequest, CodeRequestState
from sandbox.bell import accounts
from tests.commands.test_backup import everything, programs
from tests.conftest import new_postgresql
from tests.project import ROOT, TEST_KEY, Project, free_port, wait_for
from tests.test_deployment import CONTAINER, FOLDER, SCRAPY, dockerfile, ours
from tests.visitor import Visitor
from tests.webhook.conftest import GATEWAY_TOKEN, READER_TOKEN

__all__ = ["programs"]

GUIDE = (ROOT / "docs" / "deployment.md").read_text()
CLIENT, USERNAME = "Northwind Traders", "sms+multi-2+deployed@example.com"
# What a person puts into the settings file; the password stands in an address that is this test's.
FILLED = {
    "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY,
    "LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN,
    "LATCHKEY_CODE_READER_TOKEN": READER_TOKEN,
    "LATCHKEY_METRICS_TOKEN": "metrics-token-for-tests",
    "LATCHKEY_LOG_FORMAT": "json",
    "LATCHKEY_DATABASE_URL": "",
    "POSTGRES_PASSWORD": "",
}


@dataclass(frozen=True)
class Way:
    """How an installation is run. The lists are arguments of `scrapy`; environment: of each of its commands."""

    environment: dict[str, str]
    before: list[list[str]]  # what ends before the services begin
    serve: list[str]
    worker: list[str]
    worker_environment: dict[str, str]
    backup: list[str]


def pairs(lines: str) -> dict[str, str]:
    """Return the NAME=VALUE of some lines, as a file of settings has them."""
    return dict(line.split("=", 1) for line in lines.splitlines() if re.match(r"[A-Z_]+=", line))


def exec_line(unit: str, what: str = "ExecStart") -> list[str]:
    """Return the arguments of `scrapy` in a line of a unit."""
    (line,) = re.findall(rf"^{what}=(.+)$", (FOLDER / "systemd" / unit).read_text(), re.M)
    program, *words = shlex.split(line)
    assert program == SCRAPY
    return words


def of_compose() -> Way:
    """Return what the compose file, the image and `.env` say."""
    services = ours()
    (image,) = re.findall(r"^ENV (.+)$", dockerfile(), re.M)
    (entry,) = re.findall(r'^ENTRYPOINT \["(\w+)"\]$', dockerfile(), re.M)
    assert entry == "scrapy"
    common = dict(word.split("=", 1) for word in shlex.split(image))
    common |= {name: FILLED[name] for name in pairs((CONTAINER / "env.example").read_text())}
    own = {name: {**common, **service["environment"]} for name, service in services.items()}
    return Way(
        own["serve"],
        [services["migrate"]["command"]],
        services["serve"]["command"],
        services["worker"]["command"],
        own["worker"],
        exec_line("latchkey-backup.service"),  # the same folder, from inside a container or not
    )


def of_units() -> Way:
    """Return what the units, what they share, and the settings file of the guide say."""
    (settings,) = re.findall(r"```text\n(LATCHKEY_.+?)```", GUIDE, re.S)
    shared = (FOLDER / "systemd" / "latchkey-.service.d" / "hardening.conf").read_text()
    (line,) = re.findall(r"^Environment=(.+)$", shared, re.M)
    environment = {name: FILLED[name] for name in pairs(settings)}
    environment |= dict(word.split("=", 1) for word in shlex.split(line))
    (upgrade,) = re.findall(rf"^sudo systemd-run .* {SCRAPY} (.+)$", GUIDE, re.M)
    checks = [exec_line(f"latchkey-{name}.service", "ExecStartPre") for name in ("serve", "worker")]
    lines = {name: exec_line(f"latchkey-{name}.service") for name in ("serve", "worker", "backup")}
    return Way(environment, [upgrade.split(), *checks], lines["serve"], lines["worker"], environment, lines["backup"])


WAYS: dict[str, Callable[[], Way]] = {"compose": of_compose, "units": of_units}
PLACES = ("/data", "/var/lib/latchkey")  # of the data folder
NOT_OURS = ("PATH", "HOME")  # of the image and the unit: here they are the machine's


@dataclass
class Installation:
    """One that runs, on folders and a database of the test."""

    way: Way
    project: Project
    folder: Path
    url: str
    drain: str

    def environment(self, given: dict[str, str]) -> dict[str, str]:
        """Return settings of the way with this test's places."""
        found = {name: value for name, value in given.items() if name not in NOT_OURS}
        found["LATCHKEY_DATA_DIR"] = str(self.folder / "data")
        assert given["LATCHKEY_DATA_DIR"] in PLACES
        found |= {"LATCHKEY_DATABASE_URL": self.url, "LATCHKEY_WEBHOOK_HOST": "127.0.0.1"}
        found |= {"LATCHKEY_WEBHOOK_PORT": str(self.port), "LATCHKEY_WORKER_DRAIN": self.drain}
        return {**found, "LATCHKEY_WORKER_HEALTH": str(self.folder / "worker.json")}

    def __post_init__(self) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.db = Database(self.url)

    def scrapy(self, *words: str, given: str | None = None, **more: str) -> str:
        """Run a command to its end, as it would run beside the services; it must end well."""
        done = self.project.scrapy(
            *words, env={**self.environment(self.way.environment), **more}, input=given, timeout=120
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def start(self) -> list:
        """Start both services and wait until they are well."""
        started = []
        for words, given in ((self.way.serve, self.way.environment), (self.way.worker, self.way.worker_environment)):
            log = (self.folder / f"{words[0]}.log").open("a")
            started.append(self.project.start(*words, env=self.environment(given), fresh=True, stdout=log, stderr=log))
        wait_for(self.is_well, 240)
        return started

    def is_well(self) -> bool:
        try:
            with build_opener(ProxyHandler({})).open(f"{self.address}/health", timeout=5) as answer:
                return answer.status == 200 and (self.folder / "worker.json").exists()
        except OSError:
            return False

    def stop(self, processes: list) -> None:
        """Send SIGTERM to both, as `docker stop` and systemd do, and wait for their good end."""
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(150) for process in processes] == [0, 0], self.said()
        (self.folder / "worker.json").unlink(missing_ok=True)

    def said(self) -> str:
        return "".join(path.read_text()[-3000:] for path in self.folder.glob("*.log"))

    def ask(self, query):
        with self.db.transaction() as session:
            return session.scalars(query).all()

    def statuses(self) -> list[str]:
        return sorted(status.value for status in self.ask(select(ScraperJob.status)))


@pytest.mark.matrix
@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("way", "drain"), [("compose", "1"), ("units", "120")])
def test_what_is_deployed_crawls_takes_codes_shows_pages_and_loses_nothing(
    project, tmp_path, postgresql_server, encryption_key, programs, way, drain
):
    """
    A sign-in takes its code from the route of codes; SIGTERM to both services comes while the crawl runs.

    drain: seconds that a worker lets its crawls go on. With 120 the jobs end whole, with one second they may go back to the queue;
    the services are started again and finish what is left, nothing twice. A backup by the unit's line is restored and compared.
    """
    with (
        new_postgresql(postgresql_server) as url,
        new_postgresql(postgresql_server) as empty_url,
        sandbox.running(
            tmp_path / "sandbox", ("bell",), sms_token=GATEWAY_TOKEN, load_ms=50, render_ms=[5, 30]
        ) as bell,
    ):
        made = Installation(WAYS[way](), project(tmp_path, **bell.environment), tmp_path, url, drain)
        for words in made.way.before:
            made.scrapy(*words)
        numbers = accounts(USERNAME)
        who = ("--client", CLIENT, "--username", USERNAME)
        made.scrapy(
            *("credentials", "add", "bell", *who, "--receiver", sandbox.phone(USERNAME), "--stdin"),
            given=f"{sandbox.PASSWORD}\n\n",
        )
        for number in numbers:
            account = ("--workspace", "Main", "--carrier", "bell", "--number", number, "--billing-day", "31")
            made.scrapy("accounts", "add", *who, *account)
        services = made.start()
        bell.admin["bell"].configure(sms_url=f"{made.address}/sms")
        made.scrapy("jobs", "create", "bell_pdf_invoice")
        wait_for(lambda: made.ask(select(LedgerEntry.id).where(LedgerEntry.result == SIGNED_IN)), 120)
        made.stop(services)

        # The code came in by the route, and was used. What was stopped is whole, or waits to be begun anew.
        assert CodeRequestState.ANSWERED in made.ask(select(CodeRequest.state))
        after_stop = made.statuses()
        assert set(after_stop) <= {"pending", "success"}, made.said()
        assert made.ask(select(Run.id).where(Run.state == RunState.RUNNING)) == []
        if drain == "120":
            assert after_stop == ["success"] * len(numbers)

        services = made.start()
        wait_for(lambda: made.statuses() == ["success"] * len(numbers), 120)
        (link,) = re.findall(r"http://\S+/room/link#\S+", made.scrapy("users", "add", "--operator"))
        visitor = Visitor()
        assert "You are signed in." in visitor.use(link)
        grid, files = (visitor.open(f"{made.address}/room/{page}")[0] for page in ("missing", "files"))
        for number in numbers:
            assert number in grid
            assert number in files
        assert CLIENT in grid
        made.stop(services)

        # Nothing is doubled.
        stored = made.ask(select(StoredFile))
        names = [(file.account_id, file.key) for file in stored]
        assert len(set(names)) == len(names) >= len(numbers)
        in_store = [path for path in (tmp_path / "data" / "files").rglob("*") if path.is_file()]
        assert len(in_store) == len(stored)
        assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in in_store} == {file.sha256 for file in stored}
        assert made.ask(select(func.count(Invoice.id))) == [len(numbers)]
        assert made.ask(select(Message.text).where(Message.text.is_not(None))) == []  # used, so it is gone

        # The backup, by the unit's line, restored beside.
        backups, place = tmp_path / "backups", "/var/backups/latchkey"
        made.scrapy(*(word.replace(place, str(backups)) for word in made.way.backup))
        before = everything(made.db)
        (backup,) = backups.glob("latchkey-*Z")
        restored = Installation(made.way, made.project, tmp_path, empty_url, drain)
        restored.scrapy("restore", str(backup), "--files", str(tmp_path / "restored"))
        with restored.db.transaction() as session:
            session.execute(text("UPDATE files SET store = :store"), {"store": str(tmp_path / "data" / "files")})
        assert everything(restored.db) == before
        for path_in_store in in_store:
            copied = tmp_path / "restored" / path_in_store.relative_to(tmp_path / "data" / "files")
            assert copied.read_bytes() == path_in_store.read_bytes()
        for each in (made, restored):
            each.db.engine.dispose()
