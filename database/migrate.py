"""Creating and migrating the schema: `scrapy db upgrade` and `scrapy db check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import OperationalError

from database.engine import Database, DatabaseAway
from database.models import all_tables

FOLDER = Path(__file__).parent / "migrations"
SHOWN = 3  # differences that a sentence names
LOCK = 0x1A7C4  # of PostgreSQL's advisory locks; any number that no other program of the database uses


class SchemaDiffers(Exception):
    """The schema is not what the models need. The text is one sentence with the cure."""


def upgrade(db: Database, revision: str = "head") -> None:
    """Bring the schema up to *revision*; several at once wait for each other. Raises DatabaseAway."""
    _move(db, command.upgrade, revision)


def create_if_empty(db: Database) -> bool:
    """
    Make the tables of a database that has none of ours; return whether there were none. Raises DatabaseAway.

    An older schema is left as it is: to move one is `scrapy db upgrade`'s, after a backup.
    """
    if has_tables(db):
        return False
    upgrade(db)
    return True


def has_tables(db: Database) -> bool:
    """Tell whether a database has any table of ours. Raises DatabaseAway."""
    with _explained(db):
        return bool(set(inspect(db.engine).get_table_names()) & set(all_tables().tables))


def downgrade(db: Database, revision: str) -> None:
    """Take the schema down to *revision* (`base`: nothing is left). Raises DatabaseAway."""
    _move(db, command.downgrade, revision)


def check(db: Database) -> None:
    """
    Raise SchemaDiffers unless our tables are at the newest revision and are what the models say. Raises DatabaseAway.

    Tables of other programs in the same database are not looked at.
    """
    where = db.engine.url.render_as_string(hide_password=True)
    with _explained(db), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_ours})
        if set(context.get_current_heads()) != set(ScriptDirectory.from_config(_config()).get_heads()):
            raise SchemaDiffers(f"The database {where} is not at the newest revision: run `scrapy db upgrade`.")
        if found := compare_metadata(context, all_tables()):
            named = "; ".join(map(_named, found[:SHOWN]))
            raise SchemaDiffers(
                f"The database {where} differs from the models ({named}, {len(found)} in all): "
                'make a revision with `alembic revision --autogenerate -m "what changed"`, then run `scrapy db upgrade`.'
            )


def why_lacking(db: Database) -> tuple[str, bool]:
    """Return why tables or columns are missing, in one sentence, and whether a developer has to act."""
    try:
        check(db)
    except SchemaDiffers as error:
        return str(error), "db upgrade" not in str(error) or "revision --autogenerate" in str(error)
    where = db.engine.url.render_as_string(hide_password=True)
    return f"The database {where} lacks tables that are outside of database.models: no revision makes them.", True


@contextmanager
def alone(db: Database) -> Iterator[Connection]:
    """Give a connection in one transaction that no other migration shares; committed at the end."""
    with db.engine.connect() as connection:
        # Making a table anew drops the old one, and with foreign keys on, that would delete what refers to it.
        if db.dialect == "sqlite":
            _sqlite_pragma(connection, "foreign_keys=OFF")
        try:
            with connection.begin():
                if db.dialect == "postgresql":
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
                yield connection
                if db.dialect == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                    raise SchemaDiffers(
                        f"The move would leave rows of {lost[0]} without the row they refer to; nothing was changed."
                    )
        finally:
            if db.dialect == "sqlite":
                _sqlite_pragma(connection, "foreign_keys=ON")


def _move(db: Database, act: Any, revision: str) -> None:
    with _explained(db), alone(db) as connection:
        config = _config()
        config.attributes["connection"] = connection
        act(config, revision)


def _config() -> Config:
    config = Config()
    # The parser behind it takes a single % for a reference.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _explained(db: Database) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise DatabaseAway(db.explain(error)) from error


def _sqlite_pragma(connection: Connection, pragma: str) -> None:
    # Past SQLAlchemy, which would begin a transaction; inside one this pragma does nothing.
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA {pragma}")


def _is_ours(name: str | None, kind: str, parents: Mapping[str, str | None]) -> bool:
    """Tell whether Alembic looks at something that the database has: tables of ours, and all that is in them."""
    return kind != "table" or name in all_tables().tables


def _named(difference: Any) -> str:
    while isinstance(difference, list):
        difference = difference[0]
    act, *things = difference
    names = [str(getattr(thing, "name", thing)) for thing in things if isinstance(thing, str) or hasattr(thing, "name")]
    return " ".join([act.replace("_", " "), *names])
