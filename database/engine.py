"""One engine per process, and short transactions on it: from coroutines those that wait together are one."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from database.settings import DatabaseSettings, SettingsError, database_settings
from database.writer import Writer

T = TypeVar("T")

BUSY_SECONDS = 30  # wait for another process's lock on SQLite's file, and for another thread of this process
THREADS = 3  # of coroutines' work on PostgreSQL: one that takes long does not hold up the others


class DatabaseAway(Exception):
    """The database does not answer, or lacks its schema. The text is one sentence that names the cure."""


class SchemaLacking(DatabaseAway):
    """The database answers, and lacks tables or columns that are needed."""


class Database:
    """
    An engine and the one way to use it: short transactions, from a thread when the caller is a coroutine.

    SQLite has one writer at a time: the threads of a process take turns by a lock, because waiting for each other in SQLite
    itself means to sleep and look again. So coroutines have one thread there, and a few on PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            options: dict[str, Any] = {}
            if parsed.database not in (None, "", ":memory:"):
                options["max_overflow"] = 27  # with the pool's 5: one for each thread of asyncio's default executor
            if parsed.get_backend_name() == "sqlite":
                _make_private_file(parsed.database)
            elif "connect_timeout" not in parsed.query:
                options["connect_args"] = {"connect_timeout": 10}  # seconds; the driver would wait for minutes
            self.engine: Engine = create_engine(
                parsed,
                pool_pre_ping=parsed.get_backend_name() != "sqlite",  # a file does not hang up
                hide_parameters=True,  # an error's text would quote the values
                # Sorted, because equal values must be equal texts on SQLite; PostgreSQL refuses NaN.
                json_serializer=partial(json.dumps, allow_nan=False, sort_keys=True),
                **options,
            )
        except (ArgumentError, ImportError):
            variable = DatabaseSettings.given("database_url").variable
            raise SettingsError(f"{variable} is not a database URL that Latchkey can use.") from None
        except OSError as error:
            raise SettingsError(
                f"The database file {parsed.database} cannot be made ({error.strerror}): "
                "check LATCHKEY_DATABASE_URL and LATCHKEY_DATA_DIR."
            ) from None
        self.dialect: str = self.engine.dialect.name
        if self.dialect == "sqlite":
            event.listen(self.engine, "connect", _tune_sqlite)
            event.listen(self.engine, "begin", _begin_immediate)
        _use_plain_savepoints(self.engine.dialect)
        self._turn = threading.Lock() if self.dialect == "sqlite" else None
        self._turn_of: int | None = None  # the thread that has the turn
        self._writer = Writer(self, 1 if self.dialect == "sqlite" else THREADS)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Give a session for one short transaction: committed at the end, rolled back on an exception."""
        try:
            with self._alone(), Session(self.engine, expire_on_commit=False) as session, session.begin():
                yield session
        except DBAPIError as error:
            if (named := self.named(error)) is error:
                raise
            raise named from error

    @contextmanager
    def together(self) -> Iterator[Connection]:
        """Give a connection for one transaction of several pieces of work; used by the writer."""
        with self._alone(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait for the other threads of this process, on SQLite."""
        if self._turn is None:
            yield
            return
        if self._turn_of == threading.get_ident():
            raise RuntimeError(
                "A transaction was begun inside another one of the same thread: SQLite has one at a time."
            )
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise DatabaseAway(f"The database {self._where} is kept busy by this process itself.")
        self._turn_of = threading.get_ident()
        try:
            yield
        finally:
            self._turn_of = None
            self._turn.release()

    def named(self, error: BaseException) -> BaseException:
        """Return SchemaLacking or DatabaseAway for a driver's error that means it, any other error as it is."""
        if isinstance(error, DBAPIError) and (_lacks_schema(error) or _is_away(error)):
            named = (SchemaLacking if _lacks_schema(error) else DatabaseAway)(self.explain(error))
            named.__cause__ = error
            return named
        return error

    def explain(self, error: DBAPIError) -> str:
        """Return one sentence for a person, without the statement, its values or the URL's password."""
        where = self._where
        if _lacks_schema(error):
            return f"The database {where} lacks our tables or has old ones: run `scrapy db upgrade`."
        return f"The database {where} does not answer ({type(error.orig).__name__}): check LATCHKEY_DATABASE_URL and the server."

    @property
    def _where(self) -> str:
        return self.engine.url.render_as_string(hide_password=True)

    async def run(self, work: Callable[[Session], T], *, patience: float = 0.0, alone: bool = False) -> T:
        """
        Run *work* in a worker thread, so that the event loop goes on; return its result once it is committed.

        What waits at the same time is one transaction; what a piece raises undoes its own writes alone and is raised here.
        A piece may be run again, when another one of its transaction has failed: it changes nothing but the database.
        patience: seconds that it may wait for others. alone: in a transaction of its own, because it takes long.
        """
        return await self.queue(work, patience=patience, alone=alone)

    def queue(self, work: Callable[[Session], T], *, patience: float = 0.0, alone: bool = False) -> asyncio.Future[T]:
        """Do what `run` does, and return the future of the result: the work has its place in the order from now on."""
        return self._writer.queue(work, patience, alone)

    def hurry(self) -> None:
        """Let what waits in `run` wait no longer."""
        self._writer.hurry()


class Transacting(Protocol):
    """What repositories need: a database, or a transaction of it that is under way."""

    dialect: str  # sqlite or postgresql

    def transaction(self) -> AbstractContextManager[Session]:
        """Give the session in which to read and write."""


class Within:
    """A transaction that is under way, for what takes a database: so several calls are one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.dialect = session.get_bind().dialect.name

    def transaction(self) -> AbstractContextManager[Session]:
        """Give the session; who has begun the transaction ends it."""
        return nullcontext(self.session)


def now(session: Session) -> datetime:
    """Return the time by which leases and deadlines are judged: the server's on PostgreSQL, ours on SQLite."""
    if session.get_bind().dialect.name == "postgresql":
        # clock_timestamp, not now(): now() stands still for the length of a transaction.
        value: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return value.astimezone(UTC)
    session.connection()  # begins the transaction: the clock is read after the wait for SQLite's lock, not before
    return datetime.now(UTC)


def _is_away(error: DBAPIError) -> bool:
    """Tell whether an error is the server's or the file's; False for a statement of ours that cannot be right."""
    if isinstance(error, OperationalError):
        # SQLite's driver calls every error of a statement operational, as a constraint that does not exist.
        return getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
    return type(error.orig) is sqlite3.DatabaseError


def _lacks_schema(error: DBAPIError) -> bool:
    if type(error.orig).__name__ in ("UndefinedTable", "UndefinedColumn"):  # psycopg
        return True
    return any(words in str(error.orig) for words in ("no such table", "no such column", "has no column named"))


def _make_private_file(name: str | None) -> None:
    # Private, as it holds user names and fetched data; SQLite's journal files take over the mode.
    if name and name != ":memory:" and not name.startswith("file:") and not Path(name).exists():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(name, os.O_CREAT | os.O_RDWR, 0o600))


def _tune_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, see _begin_immediate
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    _use_wal(cursor)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Turn on the write-ahead log; tried again while another process does the same, for which SQLite does not wait."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        threading.Event().wait(0.02)


def _use_plain_savepoints(dialect: Any) -> None:
    """Send SAVEPOINT as text: SQLAlchemy would compile each one anew, which takes as long as the write of a row."""

    def sends(words: str) -> Callable[[Connection, str], None]:
        def send(connection: Connection, name: str) -> None:
            connection.exec_driver_sql(f"{words} {name}")  # a name of SQLAlchemy's own

        return send

    dialect.do_savepoint = sends("SAVEPOINT")
    dialect.do_release_savepoint = sends("RELEASE SAVEPOINT")
    dialect.do_rollback_to_savepoint = sends("ROLLBACK TO SAVEPOINT")


def _begin_immediate(connection: Any) -> None:
    # Without it a SELECT before the first write is not part of the transaction.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@cache
def database() -> Database:
    """Return the database of this process, as the settings name it."""
    db = Database(database_settings().url)
    # Closing the last connection checkpoints SQLite's write-ahead log, so that a copy of the file is complete.
    atexit.register(db.engine.dispose)
    return db
