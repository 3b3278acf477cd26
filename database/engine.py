"""One engine per process, and short transactions on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from database.settings import SettingsError, database_settings

T = TypeVar("T")


class DatabaseAway(Exception):
    """The database does not answer, or lacks its schema. The text is one sentence that names the cure."""


class Database:
    """An engine and the one way to use it: short transactions, from a thread when the caller is a coroutine."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
                Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
            self.engine: Engine = create_engine(parsed, pool_pre_ping=True)
        except (ArgumentError, ImportError):
            raise SettingsError("LATCHKEY_DATABASE_URL is not a database URL that Latchkey can use.") from None
        self.dialect = self.engine.dialect.name
        if self.dialect == "sqlite":
            event.listen(self.engine, "connect", _tune_sqlite)
            event.listen(self.engine, "begin", _begin_immediate)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session for one short transaction: committed at the end, rolled back on an exception."""
        try:
            with Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except OperationalError as error:
            raise DatabaseAway(self.explain(error)) from error
        except DBAPIError as error:
            if "no such table" in str(error.orig) or "UndefinedTable" in type(error.orig).__name__:
                raise DatabaseAway(self.explain(error)) from error
            raise

    def explain(self, error: DBAPIError) -> str:
        """Return one sentence for a person, without the statement, its values or the URL's password."""
        where = self.engine.url.render_as_string(hide_password=True)
        if (
            "no such table" in str(error.orig)
            or "no such column" in str(error.orig)
            or "Undefined" in type(error.orig).__name__
        ):
            return f"The database {where} lacks our tables: run `scrapy db upgrade`."
        return f"The database {where} does not answer ({type(error.orig).__name__}): check LATCHKEY_DATABASE_URL and the server."

    async def run(self, work: Callable[[Session], T]) -> T:
        """Run *work* in a transaction of its own in a worker thread, so that the event loop goes on."""

        def in_transaction() -> T:
            with self.transaction() as session:
                return work(session)

        return await asyncio.to_thread(in_transaction)


def now(session: Session) -> datetime:
    """Return the time by which leases and deadlines are judged: the server's on PostgreSQL, ours on SQLite."""
    if session.get_bind().dialect.name == "postgresql":
        # clock_timestamp, not now(): now() stands still for the length of a transaction.
        value: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return value.astimezone(UTC)
    return datetime.now(UTC)


def _tune_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, see _begin_immediate
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    # Without it a SELECT before the first write is not part of the transaction.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@cache
def database() -> Database:
    """Return the database of this process, as the settings name it."""
    return Database(database_settings().url)
