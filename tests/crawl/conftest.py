"""Crawls as their user starts them: real processes, a prepared database, a sandbox, and what each of them counted."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from database.engine import Database
from database.families.accounts import NewAccount, add_account
from database.models import CarrierPortalCredential, StoredCredential
from jobs.warm import AnyProcess
from sandbox import Admin, Running, default_password, phone, running
from sandbox.bell import accounts as bell_accounts
from tests.project import CARRIERS, ROOT, TEST_KEY, Project, clean_environment, wait_for

GATEWAY_TOKEN = "gateway-token-for-tests"  # what the sandboxes show to the webhook
MAKE_TABLES = "import sys; from tests.portals.plain.models import create; create(sys.argv[1])"


@pytest.fixture(scope="session")
def prepared_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite file with our tables and the plain portal's; made by another process, whose tables are not ours here."""
    path = tmp_path_factory.mktemp("prepared") / "latchkey.db"
    environment = {**clean_environment(), "LATCHKEY_ENCRYPTION_KEYS": TEST_KEY, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", MAKE_TABLES, f"sqlite:///{path}"], cwd=ROOT, env=environment, check=True)
    return path


@pytest.fixture(scope="session")
def plain_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("plain"), ("plain",), sms_token=GATEWAY_TOKEN) as sandbox:
        sandbox.defaults = sandbox.admin["plain"].configuration()  # type: ignore[attr-defined]
        yield sandbox


@pytest.fixture(scope="session")
def bell_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from _hasty(tmp_path_factory, "bell")


@pytest.fixture(scope="session")
def telus_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from _hasty(tmp_path_factory, "telus")


@pytest.fixture(scope="session")
def att_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from _hasty(tmp_path_factory, "att")


@pytest.fixture(scope="session")
def rogers_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from _hasty(tmp_path_factory, "rogers")


def _hasty(tmp_path_factory: pytest.TempPathFactory, word: str) -> Iterator[Running]:
    with running(
        tmp_path_factory.mktemp(word), (word,), sms_token=GATEWAY_TOKEN, load_ms=50, render_ms=[5, 30]
    ) as sandbox:
        sandbox.defaults = sandbox.admin[word].configuration()  # type: ignore[attr-defined]
        yield sandbox


@pytest.fixture
def plain(plain_sandbox: Running) -> Admin:
    """The admin pages of the plain portal, which has just been started as far as it remembers."""
    return _fresh(plain_sandbox, "plain")


@pytest.fixture
def bell(bell_sandbox: Running) -> Admin:
    """The admin pages of Bell's imitation, which has just been started as far as it remembers."""
    return _fresh(bell_sandbox, "bell")


@pytest.fixture
def telus(telus_sandbox: Running) -> Admin:
    """The same of TELUS."""
    return _fresh(telus_sandbox, "telus")


@pytest.fixture
def att(att_sandbox: Running) -> Admin:
    """The same of AT&T."""
    return _fresh(att_sandbox, "att")


@pytest.fixture
def rogers(rogers_sandbox: Running) -> Admin:
    """The same of Rogers."""
    return _fresh(rogers_sandbox, "rogers")


def _fresh(sandbox: Running, word: str) -> Admin:
    admin = sandbox.admin[word]
    admin.reset()
    admin.configure(**sandbox.defaults)  # type: ignore[attr-defined]
    return admin


class Crawls:
    """The project on a database of its own, pointed at a sandbox."""

    def __init__(self, project: Project, db: Database) -> None:
        self.project = project
        self.db = db

    def point_at(self, sandbox: Running) -> None:
        self.project.environment.update(sandbox.environment)

    def give(
        self,
        portal: str,
        username: str,
        password: str = "",
        totp_secret: str | None = None,
    ) -> None:
        """Store a credential; its codes go to the user's telephone at the sandbox."""
        kind = StoredCredential if portal == "plain" else CarrierPortalCredential
        with self.db.transaction() as session:
            password = password or default_password(username)
            session.add(
                kind(
                    portal=portal,
                    username=username,
                    password=password,
                    totp_secret=totp_secret,
                    receiver=phone(username),
                )
            )

    def change(self, username: str, **values: str | None) -> None:
        """Change a stored credential."""
        with self.db.transaction() as session:
            credential = session.scalars(select(StoredCredential).where(StoredCredential.username == username)).one()
            for name, value in values.items():
                setattr(credential, name, value)

    def give_bell(
        self, username: str, password: str = "", numbers: Sequence[str] = (), totp_secret: str | None = None
    ) -> tuple[str, ...]:
        """Store a credential of Bell with its accounts; return their numbers."""
        return self.give_accounts("bell", username, numbers or bell_accounts(username), password, totp_secret)

    def give_accounts(
        self, portal: str, username: str, numbers: Sequence[str], password: str = "", totp_secret: str | None = None
    ) -> tuple[str, ...]:
        """Store a credential of a carrier with accounts (billing day 31, as the imitations have it); return their numbers."""
        self.give(portal, username, password, totp_secret)
        with self.db.transaction() as session:
            for number in numbers:
                add_account(
                    session,
                    NewAccount("Example Ltd", "Head office", portal, number, username, billing_day=31),
                    CARRIERS,
                )
        return tuple(numbers)

    def command(self, spider: str, *arguments: str) -> list[str]:
        """Return `scrapy …` for a spider: `-a` before each argument, the plain portal's modules where they are needed."""
        words = ["crawl", spider, *(word for argument in arguments for word in ("-a", argument))]
        return [*words, "-s", "SPIDER_MODULES=tests.portals.plain"] if spider.startswith("plain_") else words

    def run(
        self, spider: str, *arguments: str, timeout: float = 250, fresh: bool = False, **env: str | None
    ) -> subprocess.CompletedProcess[str]:
        return self.project.scrapy(*self.command(spider, *arguments), env=env, timeout=timeout, fresh=fresh)

    def start(self, spider: str, *arguments: str, fresh: bool = False, **env: str | None) -> AnyProcess:
        return self.project.start(*self.command(spider, *arguments), env=env, fresh=fresh)

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Ask the database as anybody can."""
        with closing(sqlite3.connect(self.project.data / "latchkey.db", timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    @property
    def outcomes(self) -> list[str]:
        """Return the outcomes of all runs, oldest first."""
        return [row["outcome"] for row in self.rows("SELECT outcome FROM runs ORDER BY id")]

    def stored(self) -> dict[str, int]:
        """Return how much is stored: rows of files and records, and files in the store."""
        files = [path for path in (self.project.data / "files").rglob("*") if path.is_file()]
        return {
            "files": self.value("SELECT count(*) FROM files"),
            "records": self.value("SELECT count(*) FROM plain_documents"),
            "in the store": len(files),
        }


@pytest.fixture
def crawls(
    tmp_path: Path,
    project: Callable[..., Project],
    prepared_database: Path,
    encryption_key: str,
    request: pytest.FixtureRequest,
) -> Iterator[Crawls]:
    """Give crawls on a database of their own, pointed at the sandboxes that the test asks for."""
    made = project(tmp_path)
    made.data.mkdir(mode=0o700)
    (made.data / "latchkey.db").write_bytes(prepared_database.read_bytes())
    db = Database(f"sqlite:///{made.data / 'latchkey.db'}")
    crawls = Crawls(made, db)
    for name in ("plain", "bell", "telus", "att", "rogers"):
        if name in request.fixturenames:
            crawls.point_at(request.getfixturevalue(f"{name}_sandbox"))
    yield crawls
    db.engine.dispose()


@pytest.fixture
def webhook(crawls: Crawls, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Address of a webhook (`scrapy serve`) on the crawls' database, to which the test's sandboxes send their codes."""
    ready = tmp_path / "webhook.json"
    tokens = {"LATCHKEY_WEBHOOK_TOKEN": GATEWAY_TOKEN}
    crawls.project.start("serve", "--port", "0", "--ready-file", str(ready), env=tokens)
    url = wait_for(lambda: ready.exists() and json.loads(ready.read_text()), seconds=40)["url"]
    for name in ("plain", "bell"):
        if name in request.fixturenames:
            request.getfixturevalue(name).configure(sms_url=f"{url}/sms")
    return str(url)
