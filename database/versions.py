"""
Versioned rows: the newest version stays in the row's own table, replaced ones are copied to `versions`.

New and unchanged rows cost one question for each thousand; only a row that really differs is copied before it is replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Table, func, insert, null, select, text, tuple_
from sqlalchemy.orm import Session

from database.engine import now
from database.models.base import Base
from database.models.versions import Version
from database.upsert import batches, distinct, put, table_of

LOCK = 4_105_223  # number of the PostgreSQL advisory lock that is held while versioned rows are written
FEW = 200  # keys a question about earlier versions
RUN = "run_id"  # the column that says which run wrote a row


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows are new, and how many were replaced."""

    new: int
    replaced: int


@dataclass(frozen=True, slots=True)
class State:
    """
    One version of a row.

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
    place = itemgetter(*key) if len(key) > 1 else lambda row: (row[key[0]],)
    says = itemgetter(*told) if len(told) > 1 else lambda row: tuple(row[name] for name in told)
    unique = {place(row): row for row in distinct(model, rows, key)}
    write_again: list[dict[str, Any]] = []
    before: list[dict[str, Any]] = []
    new = 0
    for some in batches(list(unique)):
        known = _known(session, table, key, some, told)
        for values in some:
            row = unique[values]
            if (old := known.get(values)) is None:
                new += 1
            elif says(row) == old[0]:
                continue
            else:
                before.append(
                    {**dict(zip(key, values, strict=True)), **dict(zip(told, old[0], strict=True)), RUN: old[1]}
                )
            write_again.append({**row, **origin})
    if before:
        _keep(session, table, key, before, origin.get(RUN))
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
    told = {name: value for name, value in row.items() if name not in ("id", RUN)}
    return [*states, State(states[-1].number + 1 if states else 1, told, row.get(RUN), None)]


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
    session: Session, table: Table, key: Sequence[str], keys: Sequence[tuple[Any, ...]], told: Sequence[str]
) -> dict[tuple[Any, ...], tuple[tuple[Any, ...], int | None]]:
    """Return what the stored rows with these keys say, and the run that wrote each."""
    shared = {n: keys[0][n] for n in range(len(key)) if len({values[n] for values in keys}) == 1}
    differing = [n for n in range(len(key)) if n not in shared]
    columns = [table.c[name] for name in (*(key[n] for n in differing), *told)]
    question = select(*columns, table.c[RUN] if RUN in table.c else null())
    # What all keys share is compared once.
    question = question.where(*(table.c[key[n]] == value for n, value in shared.items()))
    found = None
    if len(differing) == 1:
        column, values = table.c[key[differing[0]]], [each[differing[0]] for each in keys]
        if isinstance(values[0], date | int):  # both databases order these as Python does
            # Readings follow each other: a range is asked and answered faster than a thousand keys, unless much lies between.
            within = question.where(column.between(min(values), max(values))).limit(2 * len(keys))
            found = session.execute(within).all()
            if len(found) == 2 * len(keys):
                found = None
        question = question.where(column.in_(values))
    elif differing:
        among = tuple_(*(table.c[key[n]] for n in differing))
        question = question.where(among.in_([tuple(values[n] for n in differing) for values in keys]))
    if found is None:
        found = session.execute(question).all()
    ends = len(differing)
    if not shared:
        return {tuple(row[:ends]): (tuple(row[ends:-1]), row[-1]) for row in found}
    whole = list(keys[0])

    def all_of(values: Sequence[Any]) -> tuple[Any, ...]:
        for n, value in zip(differing, values, strict=True):
            whole[n] = value
        return tuple(whole)

    return {all_of(row[:ends]): (tuple(row[ends:-1]), row[-1]) for row in found}


def _keep(
    session: Session,
    table: Table,
    key: Sequence[str],
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
                "row": {name: _plain(value) for name, value in row.items() if name != RUN},
                "run_id": row[RUN],
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
