"""Rotation of the encryption key while crawls run: every value stays readable throughout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Row, Text, delete, literal, select, text, tuple_, type_coerce, update
from sqlalchemy.orm import Session

from database.access.encryption import Encrypted, KeyRing, fingerprint, key_ring, read_keys, replace_keys
from database.access.fingerprints import own_key
from database.access.ledger import told
from database.engine import Database
from database.models import FingerprintKey, LedgerEntry, all_tables
from database.models.notices import NoticeAddress

BATCH = 200  # rows in one transaction: the others wait for milliseconds at most
# Tables of which an unreadable row is of no use: without its fingerprint key an address is not even known again.
WHOLE = (FingerprintKey.__tablename__, NoticeAddress.__tablename__)
PASSES = 10  # looks at everything, until one finds nothing under an older key


class KeysInUse(Exception):
    """The old keys cannot be removed yet. The text is one sentence that says why."""


@dataclass
class Census:
    """How many values are under which key, by column; a key is its number in the ring, 0 the newest, None is none of them."""

    counts: dict[str, Counter[int | None]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)  # table, column and row of each

    @property
    def older(self) -> int:
        """How many values are under keys of the ring other than the newest."""
        return sum(count for column in self.counts.values() for key, count in column.items() if key)

    def under(self, key: int | None) -> int:
        """How many values are under one key."""
        return sum(column[key] for column in self.counts.values())


def encrypted_columns() -> list[Column[Any]]:
    """Return every encrypted column of every table, as the models have them."""
    return [
        column for table in all_tables().sorted_tables for column in table.columns if isinstance(column.type, Encrypted)
    ]


def count(db: Database) -> Census:
    """Count what is under which key."""
    census, ring = Census(), key_ring()
    for column in encrypted_columns():
        for batch in _batches(db, column):
            for row in batch:
                _note(census, ring, column, row)
    return census


def rotate(db: Database, progress: Callable[[str, int], None] | None = None) -> tuple[int, Census]:
    """
    Bring every value under the newest key; return how many were, and what is under which key afterwards.

    A value that another process changes meanwhile stays as that process wrote it; the next pass looks at it again. An
    interrupted rotation goes on where it stopped. progress: called with a column and how many of its values moved.
    """
    ring, brought = key_ring(), 0
    for _ in range(PASSES):
        moved = 0
        for column in encrypted_columns():
            here = sum(_rotate_batch(db, ring, column, batch) for batch in _batches(db, column))
            if progress is not None and here:
                progress(str(column), here)
            moved += here
        brought += moved
        if not moved:
            break
    return brought, count(db)


def retire(db: Database, path: Path) -> tuple[int, Census]:
    """
    Take every key but the newest out of a key file, once nothing is under them; return how many went.

    The tables are locked against writes during the count, so that no value can be stored under an old key meanwhile.
    Raises KeysInUse.
    """
    with db.transaction() as session:
        tables = sorted({f'"{column.table.name}"' for column in encrypted_columns()})
        if db.dialect == "postgresql":  # on SQLite the transaction is alone anyway
            session.execute(text(f"LOCK TABLE {', '.join(tables)} IN SHARE MODE"))
        else:
            session.connection()
        census, ring = Census(), key_ring()
        for column in encrypted_columns():
            for row in session.execute(_rows(column)):
                _note(census, ring, column, row)
        if census.older:
            raise KeysInUse(f"{census.older} values are still under older keys: run `scrapy keys rotate`.")
        keys = read_keys(path)
        if len(keys) > 1:
            replace_keys(path, keys[:1])
        return max(0, len(keys) - 1), census


def forget_unreadable(db: Database) -> dict[str, int]:
    """
    Forget what no key reads; return how many values, by column.

    What may be empty becomes so: sessions, messages, authenticator secrets. Of the fingerprint key, and of an address that
    is told, the row goes. A password stays, unreadable, until it is stored anew.
    """
    gone: Counter[str] = Counter()
    with db.transaction() as session:
        session.connection()
        ring = key_ring()
        for column in encrypted_columns():
            table, keys = column.table, list(column.table.primary_key.columns)
            for row in session.execute(_rows(column)).all():
                if ring.key_of(row[-1]) is not None:
                    continue
                here = [key == row[place] for place, key in enumerate(keys)]
                here.append(type_coerce(column, Text) == row[-1])
                same = {other: other for other in table.columns if other.onupdate is not None}
                if column.nullable:
                    session.execute(update(table).where(*here).values({column: None, **same}))
                elif table.name in WHOLE:
                    session.execute(delete(table).where(*here))
                else:
                    continue
                gone[str(column)] += 1
    return dict(gone)


def renew_fingerprints(session: Session, secrets: Iterable[tuple[str, str, str]]) -> int:
    """
    Bring what an earlier version wrote into the attempt ledger under the fingerprint key; return how many rows.

    secrets: login, user name and secret of what is known now. A block that was made for one of them holds without the old key.
    """
    changed = 0
    for login, username, secret in secrets:
        what = told(login, username, secret)
        statement = (
            update(LedgerEntry)
            .where(LedgerEntry.login == login, LedgerEntry.username == username)
            .where(LedgerEntry.secret_fingerprint.in_(key_ring().fingerprints(what)))
            .values(secret_fingerprint=fingerprint(own_key(session), what))
        )
        changed += len(session.execute(statement.returning(LedgerEntry.id)).all())
    return changed


def _rotate_batch(db: Database, ring: KeyRing, column: Column[Any], batch: list[Row[Any]]) -> int:
    """Bring a batch under the newest key, each value only if it is still what was read."""
    old = [row for row in batch if ring.key_of(row[-1])]
    if not old:
        return 0
    keys = list(column.table.primary_key.columns)
    # What the table changes by itself with each update (`changed_at`) says when a person changed something.
    same = {other: other for other in column.table.columns if other.onupdate is not None}
    moved = 0
    with db.transaction() as session:
        for row in old:
            statement = (
                update(column.table)
                .where(*(key == row[place] for place, key in enumerate(keys)))
                .where(type_coerce(column, Text) == row[-1])
                .values({column: literal(ring.rotate(row[-1]), Text), **same})
            )
            moved += session.connection().execute(statement).rowcount
    return moved


def _batches(db: Database, column: Column[Any]) -> Iterator[list[Row[Any]]]:
    """Give the rows that have a value, in batches, each in a transaction of its own: key columns, then the token."""
    keys = list(column.table.primary_key.columns)
    last: Row[Any] | None = None
    while True:
        rows = _rows(column).limit(BATCH)
        if last is not None:
            rows = rows.where(tuple_(*keys) > tuple_(*(literal(last[n], key.type) for n, key in enumerate(keys))))
        with db.transaction() as session:
            batch = list(session.execute(rows))
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        last = batch[-1]


def _rows(column: Column[Any]) -> Any:
    keys = list(column.table.primary_key.columns)
    token = type_coerce(column, Text).label("token")  # as it is stored
    return select(*keys, token).where(column.is_not(None)).order_by(*keys)


def _note(census: Census, ring: KeyRing, column: Column[Any], row: Row[Any]) -> None:
    key = ring.key_of(row[-1])
    census.counts.setdefault(str(column), Counter())[key] += 1
    if key is None:
        census.unreadable.append(f"{column} of row {' '.join(map(str, row[:-1]))}")
