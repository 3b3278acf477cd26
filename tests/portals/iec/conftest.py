"""Households of the electric company: a database, a sandbox, and somebody who is signed in without spending a code each time."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse

from database.access.credentials import Credential
from database.access.sessions import Sessions
from database.engine import Database
from database.migrate import upgrade
from database.models import StoredCredential
from sandbox import Admin, Running, running
from sandbox.iec import id_number
from sandbox.iec.people import Customer
from scrapers.logins.conversation import AskCode, Choose, Step, Tokens
from scrapers.portals.iec.login import IecLogin
from tests.crawl.conftest import GATEWAY_TOKEN
from tests.project import Project

LABEL = "home"  # what the owner calls the credential: the ID number stands in no row in clear
NEXT_CODE = "314159"


@pytest.fixture(scope="session")
def iec_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("iec"), ("iec",), sms_token=GATEWAY_TOKEN) as sandbox:
        sandbox.defaults = sandbox.admin["iec"].configuration()  # type: ignore[attr-defined]
        yield sandbox


@pytest.fixture
def iec(iec_sandbox: Running) -> Admin:
    """The admin pages of the company's imitation, which has just been started as far as it remembers."""
    admin = iec_sandbox.admin["iec"]
    admin.reset()
    admin.configure(**iec_sandbox.defaults)  # type: ignore[attr-defined]
    return admin


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "latchkey.db"
    db = Database(f"sqlite:///{path}")
    upgrade(db)
    db.engine.dispose()
    return path


class Household:
    """A data folder, the credential in it, and the company's answers."""

    def __init__(self, project: Project, db: Database, sandbox: Running) -> None:
        self.project = project
        self.db = db
        self.sandbox = sandbox
        self.admin = sandbox.admin["iec"]
        self.number = ""
        project.environment.update(sandbox.environment)

    def give(self, scenario: str = "ok", n: int = 0, receiver: str | None = None) -> str:
        """Store the credential of a person of the sandbox; return the ID number."""
        self.number = id_number(scenario, n)
        with self.db.transaction() as session:
            session.add(
                StoredCredential(kind="portal", portal="iec", username=LABEL, password=self.number, receiver=receiver)
            )
        return self.number

    def sign_in(self, scenario: str = "ok", n: int = 0) -> Tokens:
        """Store a credential and a live session of it: the login's own conversation, held over plain urllib."""
        number = self.give(scenario, n)
        self.admin.user(number, next_codes=[NEXT_CODE])
        tokens = converse(Credential("iec", LABEL, number))
        self.keep(tokens)
        return tokens

    @property
    def active(self) -> list[str]:
        """Return the numbers of the person's own contracts that are in force."""
        return [one.number for one in Customer(self.number).contracts if not (one.closed or one.shared)]

    def keep(self, tokens: Tokens) -> None:
        Sessions(self.db).save("iec", LABEL, tokens.state(), "", tokens.subject)

    def crawl(
        self, spider: str, *arguments: str, timeout: float = 250, fresh: bool = False, **env: str | None
    ) -> subprocess.CompletedProcess[str]:
        words = [word for argument in arguments for word in ("-a", argument)]
        return self.project.scrapy("crawl", spider, *words, env=env, timeout=timeout, fresh=fresh)

    def crawl_all(self, *crawls: tuple[str, dict[str, str]], timeout: float = 250, **settings: str) -> str:
        """Crawl one after the other in one process, with Scrapy's settings; return what was said."""
        words = ("-m", "tests.portals.iec.several", json.dumps(crawls), json.dumps(settings))
        done = self.project.run(sys.executable, *words, timeout=timeout)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stderr

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(self.project.data / "latchkey.db", timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def value(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    @property
    def outcomes(self) -> list[str]:
        """Return the outcomes of all runs, oldest first."""
        return [row["outcome"] for row in self.rows("SELECT outcome FROM runs ORDER BY id")]


def converse(credential: Credential) -> Tokens:
    """Hold the sign-in's conversation, typing the code that the sandbox was told to send next."""
    conversation = IecLogin().converse(credential)
    answer: Any = None
    try:
        while True:
            act = conversation.send(answer)
            if isinstance(act, Step):
                answer = fetch(act.request)
            elif isinstance(act, Choose):
                answer = "sms"
            else:
                assert isinstance(act, AskCode)
                answer = NEXT_CODE
    except StopIteration as end:
        tokens: Tokens = end.value
        return tokens


def fetch(request: Request) -> Response:
    headers = {name.decode(): values[0].decode() for name, values in request.headers.items()}
    asked = urllib.request.Request(request.url, data=request.body or None, headers=headers, method=request.method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as got:
            status, kind, body = got.status, got.headers.get("Content-Type", ""), got.read()
    except urllib.error.HTTPError as error:
        status, kind, body = error.code, error.headers.get("Content-Type", ""), error.read()
    build = HtmlResponse if "html" in kind else TextResponse
    return build(request.url, status=status, body=body, encoding="utf-8", request=request)


@pytest.fixture
def household(
    tmp_path: Path,
    project: Callable[..., Project],
    empty_database: Path,
    encryption_key: str,
    iec: Admin,
    iec_sandbox: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Household]:
    """Give a household on a database of its own, pointed at the sandbox."""
    made = project(tmp_path)
    made.data.mkdir(mode=0o700)
    (made.data / "latchkey.db").write_bytes(empty_database.read_bytes())
    for name, value in iec_sandbox.environment.items():
        monkeypatch.setenv(name, value)
    db = Database(f"sqlite:///{made.data / 'latchkey.db'}")
    yield Household(made, db, iec_sandbox)
    db.engine.dispose()
