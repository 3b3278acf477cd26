"""Commands with a Telegram of their own."""

from __future__ import annotations

import shutil

import pytest

from database.families.telegram import sessions
from scrapers.portals.telegram.client import SessionKey
from scrapers.portals.telegram.signing import prove
from scrapers.portals.telegram.using import ask
from tests.telegram import API_HASH, API_ID, telegram_running


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with telegram_running(tmp_path_factory.mktemp("telegram")) as server:
        yield server


@pytest.fixture
def telegram(server, monkeypatch):
    """The server, to which the commands of this process connect too."""
    for name in ("TELEGRAM_SERVER", "TELEGRAM_SERVER_KEY"):
        monkeypatch.setenv(name, server.environment[name])
    monkeypatch.setenv("TELEGRAM_BUSY_WAIT", "0.2")
    before = server.admin.configuration()
    yield server
    server.admin.configure(**before)


@pytest.fixture
def stored(telegram, store):
    """Give a function that stores a session of a new phone number, and returns number and id."""

    def add(name="Main", scenario="ok", user_id=None):
        number = telegram.number(scenario)
        key = SessionKey(API_ID, API_HASH, telegram.string(number))
        proved = ask(prove(key, telegram.settings()), telegram.settings())
        with store.transaction() as session:
            row, _ = sessions.store(session, proved, name, user_id)
            return number, row.id

    return add


@pytest.fixture
def signing(project, tmp_path, server, sqlite_with_tables):
    """The project pointed at the server, with an empty database."""
    made = project(tmp_path, **{name: server.environment[name] for name in ("TELEGRAM_SERVER", "TELEGRAM_SERVER_KEY")})
    made.environment["TELEGRAM_CODE_SECONDS"] = "0"
    made.data.mkdir()
    shutil.copy(sqlite_with_tables, made.data / "latchkey.db")
    return made
