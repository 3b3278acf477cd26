"""
Rows that the portal may correct: the newest version stays in its own table, what it said before goes to `versions`.

New and unchanged rows cost one SELECT for each thousand; only a row that really differs is copied before it is replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, insert, select, text, tuple_
from sqlalchemy.orm import Session

from database.engine import now
from database.models.base import Base
from database.models.versions import Version
from database.upsert import batches, distinct, put, table_of

LOCK = 4_105_223  # a number of our own among PostgreSQL's advisory locks: whoever writes versioned rows holds it
FEW = 200  # keys a question about earlier versions


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows are new, and how many were replaced."""

    new: int
    replaced: int


@dataclass(frozen=True, slots=True)
class State:
    """
    What a row said in one of its versions.

    number: 1 is the oldest. row: its columns. replaced_at: None for the newest. run_id: the run that wrote it, None if forgotten.
    """

    number: int
    row: dict[str, Any]
    run_id: int | None
    replaced_at: datetime | None


def write(
    session: Session,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    *,
    origin: Mapping[str, Any] | None = None,
) -> Written:
    """
    Insert *rows*, or replace the ones that differ, keeping what they said before; all in the caller's transaction.

    rows: all with the same columns; of two with the same key the last one counts. Values are normalised.
    key: the columns of a unique constraint, none of them empty.
    origin: further columns that say where a row came from (`run_id`): written with it, but no reason to write it again.
    """
    if not rows:
        return Written(0, 0)
    _wait_for_other_writers(session)
    origin = dict(origin or {})
    table = table_of(model)
    told = [name for name in rows[0] if name not in key]
    unique = {tuple(row[name] for name in key): row for row in distinct(model, rows, key)}
    write_again: list[dict[str, Any]] = []
    before: list[Mapping[str, Any]] = []
    new = 0
    for some in batches(list(unique)):
        known = _known(session, table, key, some, [*told, *(name for name in ("run_id",) if name in table.c)])
        for values in some:
            row, old = unique[values], known.get(values)
            if old is None:
                new += 1
            elif all(row[name] == old[name] for name in told):
                continue
            else:
                before.append(old)
            write_again.append({**row, **origin})
    if before:
        _keep(session, table, key, told, before, origin.get("run_id"))
    put(session, model, write_again, key)
    return Written(new, len(before))


def history(session: Session, model: type[Base], key: Mapping[str, Any]) -> list[State]:
    """
    Return all versions of a row, oldest first; the last one is the row as it stands. Empty: there is no such row.

    key: every column of the natural key that the row was written with. Decimals, days and instants of replaced versions are texts.
    """
    table = table_of(model)
    stands = session.execute(select(table).where(*(table.c[name] == value for name, value in key.items()))).mappings()
    if (row := stands.one_or_none()) is None:
        return []
    named = key_text({name: row[name] for name in key})
    earlier = session.scalars(
        select(Version).where(Version.table_name == table.name, Version.key == named).order_by(Version.number)
    ).all()
    states = [State(each.number, each.row, each.run_id, each.replaced_at) for each in earlier]
    told = {name: value for name, value in row.items() if name not in ("id", "run_id")}
    return [*states, State(len(states) + 1, told, row.get("run_id"), None)]


def key_text(key: Mapping[str, Any]) -> str:
    """
    Return a natural key as the text under which its versions are found.

    >>> key_text({"meter": "10000007", "contract": "300000007"})
    '{"contract":"300000007","meter":"10000007"}'
    """
    plain = {name: _plain(value) for name, value in key.items()}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _wait_for_other_writers(session: Session) -> None:
    # On PostgreSQL another transaction could replace a row between our look at it and our write, and what it wrote
    # would be lost. One lock for all tables, because two locks can be taken in two orders. SQLite has one writer anyway.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _known(
    session: Session, table: Table, key: Sequence[str], keys: Sequence[tuple[Any, ...]], columns: Sequence[str]
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """Return the stored rows that have these keys."""
    question = select(*(table.c[name] for name in (*key, *columns))).where(_among(table, key, keys))
    return {tuple(row[name] for name in key): row for row in session.execute(question).mappings()}


def _among(table: Table, key: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    """Return the condition that a row has one of the keys: what all of them share is compared once."""
    shared = [place for place in range(len(key)) if len({values[place] for values in keys}) == 1]
    conditions: list[ColumnElement[bool]] = [table.c[key[place]] == keys[0][place] for place in shared]
    differing = [place for place in range(len(key)) if place not in shared]
    if len(differing) == 1:
        conditions.append(table.c[key[differing[0]]].in_([values[differing[0]] for values in keys]))
    elif differing:
        columns = tuple_(*(table.c[key[place]] for place in differing))
        conditions.append(columns.in_([tuple(values[place] for place in differing) for values in keys]))
    return and_(*conditions)


def _keep(
    session: Session,
    table: Table,
    key: Sequence[str],
    told: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    run_id: int | None,
) -> None:
    """Copy rows that are about to be replaced."""
    at = now(session)
    texts = [key_text({name: row[name] for name in key}) for row in rows]
    numbers: dict[str, int] = {}
    for some in batches(texts, FEW):
        question = select(Version.key, func.max(Version.number)).where(
            Version.table_name == table.name, Version.key.in_(some)
        )
        numbers.update((found, number) for found, number in session.execute(question.group_by(Version.key)))
    session.execute(
        insert(Version),
        [
            {
                "table_name": table.name,
                "key": each,
                "number": numbers.get(each, 0) + 1,
                "row": {name: _plain(row[name]) for name in (*key, *told)},
                "run_id": row.get("run_id"),
                "replaced_by": run_id,
                "replaced_at": at,
            }
            for each, row in zip(texts, rows, strict=True)
        ],
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    if value is None or isinstance(value, str | int | float | dict | list):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
