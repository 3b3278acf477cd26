"""
Copies of a whole database: into one file while others write, and out of it into an empty database.

SQLite is copied by its own backup, PostgreSQL by pg_dump and pg_restore, which must be of the server's release or a newer one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, func, inspect, select, table, text
from sqlalchemy.exc import DBAPIError

from database.engine import Database

FILES = {"sqlite": "database.sqlite", "postgresql": "database.dump"}  # by dialect
SHOWN = 300  # characters of what a program says


class BackupFailed(Exception):
    """A copy could not be made or used. The text is one sentence with the cure."""


def dump(db: Database, path: Path) -> dict[str, int]:
    """
    Write the database to a new file as it is at one moment, and return the number of rows of each table.

    Raises DatabaseAway or BackupFailed.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        return _dump_sqlite(db, path) if db.dialect == "sqlite" else _dump_postgresql(db, path)
    except DBAPIError as error:
        raise db.named(error) from error


def load(db: Database, path: Path, rows: dict[str, int]) -> None:
    """
    Fill an empty database from a file that `dump` has written, and compare the numbers of rows.

    Raises DatabaseAway or BackupFailed.
    """
    try:
        if db.dialect == "sqlite":
            _load_sqlite(db, path)
        else:
            given = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
            _run(db, "pg_restore", *given, str(path))
        with db.engine.connect() as connection:
            found = _counts(connection)
    except DBAPIError as error:
        raise db.named(error) from error
    if differing := sorted(name for name in rows.keys() | found.keys() if rows.get(name) != found.get(name)):
        raise BackupFailed(
            f"{path} was loaded, and {differing[0]} has {found.get(differing[0], 'no')} rows in the place of "
            f"{rows.get(differing[0], 'none')}: empty the database and load another backup."
        )


def _dump_sqlite(db: Database, path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as copy:
        with db.engine.connect() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        (found,) = copy.execute("PRAGMA quick_check").fetchone()
        if found != "ok":
            raise BackupFailed(f"The database is damaged ({found}): load the last backup that is sound.")
        names = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in _own(names)}


def _load_sqlite(db: Database, path: Path) -> None:
    with (
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
        db.engine.connect() as connection,
    ):
        target = connection.connection.driver_connection
        assert isinstance(target, sqlite3.Connection)
        source.backup(target)
    db.engine.dispose()  # the next connection turns the write-ahead log on again


def _dump_postgresql(db: Database, path: Path) -> dict[str, int]:
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        # The rows that are counted are those that are dumped, whatever is written meanwhile.
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        rows = _counts(connection)
        given = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        _run(db, "pg_dump", *given, f"--file={path}")
    return rows


def _counts(connection: Connection) -> dict[str, int]:
    names = _own(inspect(connection).get_table_names())
    return {name: connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in names}


def _own(names: Sequence[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith("sqlite_"))


def _run(db: Database, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL's on the database; its password is in the environment, not among the arguments."""
    if shutil.which(program) is None:
        raise BackupFailed(f"{program} is not there: install PostgreSQL's client programs (Debian: postgresql-client).")
    url, environment = db.engine.url, dict(os.environ)
    if secret := url.password or url.query.get("password"):
        environment["PGPASSWORD"] = str(secret)
    query = url.difference_update_query(["password"]).query
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    done = subprocess.run(
        [program, f"--dbname={bare.render_as_string()}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[:SHOWN]
        hint = " Use client programs of the server's release." if "version" in said else ""
        raise BackupFailed(f"{program} ended with {done.returncode}: {said}.{hint}")
