"""The engine and its short transactions, on both databases."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from database.engine import Database, DatabaseAway, now
from database.models import Client
from database.settings import SettingsError
from tests.database.crowd import crowd


def count(store):
    with store.transaction() as session:
        return len(session.scalars(select(Client)).all())


def test_an_exception_rolls_back(store):
    def work(session):
        session.add(Client(name="Birch"))
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(store.run(work))
    assert count(store) == 0


def test_work_runs_in_a_thread_of_its_own(store):
    def work(session):
        session.add(Client(name="Birch"))
        return threading.current_thread()

    assert asyncio.run(store.run(work)) is not threading.main_thread()
    assert count(store) == 1


def test_the_clock_is_aware_and_goes_on_within_a_transaction(store):
    with store.transaction() as session:
        first, second = now(session), now(session)
    assert first.tzinfo is UTC
    assert first < second
    assert abs(datetime.now(UTC) - first) < timedelta(seconds=30)


def test_what_is_read_first_is_part_of_the_transaction(store, database_url):
    """Read, then write what was read plus one: nothing is lost when many do it at once."""
    with store.transaction() as session:
        session.add(Client(name="Birch", city="0"))
    program = """
from sqlalchemy import select
from database.models import Client
for _ in range(10):
    with db.transaction() as session:
        client = session.execute(select(Client).with_for_update()).scalar_one()
        client.city = str(int(client.city) + 1)
"""
    crowd(database_url, 6, program)
    with store.transaction() as session:
        assert session.scalar(select(Client.city)) == "60"


def test_every_thread_of_the_event_loop_finds_a_connection(store):
    """32 threads at once, each with a connection of its own; on SQLite without a transaction, because those take turns."""
    gate = threading.Barrier(32)

    def work(number):
        with store.engine.connect() as connection:
            if store.dialect == "postgresql":
                connection.execute(text("SELECT 1"))
            gate.wait(60)
        return number

    with ThreadPoolExecutor(32) as threads:
        assert sorted(threads.map(work, range(32))) == list(range(32))


def test_foreign_keys_are_watched(store):
    with pytest.raises(Exception, match=r"(?i)foreign key"), store.transaction() as session:
        session.execute(text("INSERT INTO workspaces (name, client_id) VALUES ('Lost', 999)"))


@pytest.mark.parametrize("url", ["nonsense", "oracle://nowhere/x", "sqlite:////dev/null/x.db"])
def test_an_impossible_url_is_one_sentence(url):
    with pytest.raises(SettingsError, match="LATCHKEY_DATABASE_URL"):
        Database(url)


def test_a_server_that_is_away_is_one_sentence_without_the_password():
    db = Database("postgresql+psycopg://u:canary-password@127.0.0.1:1/none")
    with pytest.raises(DatabaseAway, match="does not answer") as caught, db.transaction() as session:
        session.execute(text("SELECT 1"))
    assert "canary" not in str(caught.value)
    assert "LATCHKEY_DATABASE_URL" in str(caught.value)


def test_a_file_that_is_no_database_is_one_sentence(tmp_path):
    path = tmp_path / "test.db"
    path.write_text("Not a database, but long enough to look like the header of one. " * 20)
    db = Database(f"sqlite:///{path}")
    with pytest.raises(DatabaseAway, match="does not answer"), db.transaction() as session:
        session.execute(text("SELECT 1"))


def test_a_transaction_inside_another_one_is_told_at_once(sqlite_with_tables):
    store = Database(f"sqlite:///{sqlite_with_tables}")
    for _ in range(2):
        with store.transaction(), pytest.raises(RuntimeError, match="inside another one"), store.transaction():
            pass
