"""Bulk upserts: insert many rows, or update those that differ; repeating one changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache
from itertools import chain, islice
from math import isfinite
from operator import itemgetter
from sys import maxsize
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import JSON, Connection, Dialect, Index, Numeric, String, Table, UniqueConstraint, inspect, or_, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from database.dialects import postgresql, sqlite
from database.models.audit import note_added
from database.models.base import Base, Json

T = TypeVar("T")
Row = TypeVar("Row", bound=Base)


class WrongKey(TypeError):
    """A natural key does not fit its table. The text is one sentence for the developer."""


BATCH = 1000  # rows a statement; more gains nothing on either database


def upsert(
    session: Session,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    update: Sequence[str] | None = None,
    also: Sequence[str] = (),
) -> int:
    """
    Insert *rows*, or update those with an existing *key*; return how many were inserted or really changed.

    rows: all with the same columns; of two with the same key the last one counts. Values are normalised.
    key: the columns of a unique constraint.
    update: the columns that an existing row takes over; by default all others of the rows, none with an empty list.
    also: columns that a row takes over when it changes, and that are no reason to change it: which run has written it.
    Encrypted columns always differ, because no text is encrypted alike twice: leave them out of *update* or expect the write.
    Objects that the session holds already are not refreshed.
    """
    if not rows:
        return 0
    return put(session, model, distinct(model, rows, key), key, update, also)


def distinct(model: type[Base], rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> list[dict[str, Any]]:
    """
    Return *rows* as both databases can hold them, the last one of those with the same key; raise ValueError for misfits.

    rows: at least one, all with the same columns, those of *key* among them.
    """
    table = table_of(model)
    columns = set(rows[0])
    if any(row.keys() != columns for row in rows):
        raise ValueError("rows: all must have the same columns")
    if unknown := columns - set(table.columns.keys()) | set(key) - columns:
        raise ValueError(f"rows or key: {', '.join(sorted(unknown))} does not fit {model.__name__}")
    change = _row_normaliser(table, frozenset(columns))
    # The same key twice: the last one wins on SQLite and is an error on PostgreSQL.
    return list({tuple(row[name] for name in key): row for row in map(change, rows)}.values())


def put(
    session: Session,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    update: Sequence[str] | None = None,
    also: Sequence[str] = (),
) -> int:
    """Do what `upsert` does with rows that `distinct` has returned."""
    if not rows:
        return 0
    connection = session.connection()
    written = _compiled(connection, model, list(rows[0]), key, update, also)
    return sum(written.execute(connection, batch) for batch in batches(rows))


def add(session: Session, model: type[Base], row: Mapping[str, Any], key: Sequence[str]) -> int | None:
    """Insert a row and return its id; None where there is one with its *key*, which stays as it is. Values are not normalised."""
    connection = session.connection()
    found: int | None = _compiled(connection, model, list(row), key, (), (), returns="id").first(connection, row)
    return found


def put_stream(
    session: Session,
    model: type[Base],
    rows: Iterable[dict[str, Any]],
    shared: Mapping[str, Any],
    key: Sequence[str],
    update: Sequence[str] | None = None,
    also: Sequence[str] = (),
) -> tuple[int, int]:
    """
    Do what `put` does with rows that are made on the way; return how many were inserted or changed, and how many there were.

    rows: none with a key that another one has, all with the same columns, their texts normalised.
    shared: the columns that all rows have alike.
    """
    rows = iter(rows)
    if (first := next(rows, None)) is None:
        return 0, 0
    connection = session.connection()
    written = _compiled(connection, model, [*first, *shared], key, update, also)
    changed = number = 0
    for piece in _pieces(chain([first], rows)):
        number += len(piece)
        changed += written.execute(connection, piece, shared)
    return changed, number


def _pieces(rows: Iterable[T]) -> Iterator[list[T]]:
    rows = iter(rows)
    while piece := list(islice(rows, BATCH)):
        yield piece


def ensure(session: Session, model: type[Row], key: dict[str, Any], values: dict[str, Any] | None = None) -> Row:
    """Return the row with this natural key, inserted with *values* if it is missing; several runs may do so at once."""
    of_key = select(model).filter_by(**key)
    row = session.scalars(of_key).one_or_none()
    if row is None:
        session.flush()
        insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        # The second of two runs finds the first one's row.
        statement = insert(model).values(**key, **(values or {})).on_conflict_do_nothing()
        made = session.execute(statement.returning(*inspect(model).primary_key)).first()
        row = session.scalars(of_key).one()
        if made is not None:
            note_added(session.connection(), row)
    return row


class _Compiled:
    """
    An upsert as text, and what makes parameters of a row: compiled once, and executed past SQLAlchemy.

    SQLAlchemy compiles an INSERT … ON CONFLICT anew for every execution, and takes as long for a row as the database does.
    """

    def __init__(self, statement: Any, table: Table, names: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=names)
        self.text = str(compiled)
        names_in_order: list[str] | None = compiled.positiontup
        self._in_order = None if names_in_order is None else _tuple_of(names_in_order)
        defaults = {column.name: column.default for column in compiled.insert_prefetch}
        self._constants = {name: default.arg for name, default in defaults.items() if default.is_scalar}
        self._makers = {name: default.arg for name, default in defaults.items() if default.is_callable}
        self._bound = {
            name: change
            for name in (*names, *defaults)
            if (change := table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        self._names = [name for name in names if name in self._bound]

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]], shared: Mapping[str, Any] = {}) -> int:
        """Write rows, and the columns that they have alike; return how many were inserted or changed."""
        try:
            parameters = self._parameters(rows, shared)
        except Exception as error:
            raise StatementError(str(error), self.text, None, error, hide_parameters=True) from error
        return connection.exec_driver_sql(self.text, parameters if len(rows) > 1 else parameters[0]).rowcount

    def first(self, connection: Connection, row: Mapping[str, Any]) -> Any:
        """Write a row; return the value that the statement returns, None where it returns nothing."""
        return connection.exec_driver_sql(self.text, self._parameters([row], {})[0]).scalar()

    def _parameters(self, rows: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]) -> list[Any]:
        alike = {name: self._as_parameter(name, value) for name, value in {**self._constants, **shared}.items()}
        changes = [(name, self._bound[name]) for name in self._names if name not in shared]
        in_order, made = self._in_order, []
        for given in rows:
            row = {**given, **alike}
            for name, change in changes:
                if row[name] is not None:
                    row[name] = change(row[name])
            for name, make in self._makers.items():
                row[name] = self._as_parameter(name, make(None))
            made.append(in_order(row) if in_order else row)
        return made

    def _as_parameter(self, name: str, value: Any) -> Any:
        change = self._bound.get(name)
        return value if value is None or change is None else change(value)


def _tuple_of(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    return itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)


# By dialect, which lives as long as its engine: the key holds everything else that a statement is made of.
_STATEMENTS: WeakKeyDictionary[Dialect, dict[Any, _Compiled]] = WeakKeyDictionary()


def _compiled(
    connection: Connection,
    model: type[Base],
    columns: Sequence[str],
    key: Sequence[str],
    update: Sequence[str] | None,
    also: Sequence[str],
    returns: str = "",
) -> _Compiled:
    known = _STATEMENTS.setdefault(connection.dialect, {})
    made_of = (model, tuple(columns), tuple(key), None if update is None else tuple(update), tuple(also), returns)
    if (found := known.get(made_of)) is None:
        statement = _statement(connection.dialect, model, columns, key, update, also)
        if returns:
            statement = statement.returning(table_of(model).c[returns])
        found = known[made_of] = _Compiled(statement, table_of(model), columns, connection.dialect)
    return found


def _statement(
    dialect: Dialect,
    model: type[Base],
    columns: Sequence[str],
    key: Sequence[str],
    update: Sequence[str] | None,
    also: Sequence[str],
) -> Any:
    check_key(model, tuple(key))
    table = table_of(model)
    if unknown := set(update or ()) - set(table.columns.keys()):
        raise ValueError(f"update: {', '.join(sorted(unknown))} does not fit {model.__name__}")
    make_insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement: Any = make_insert(table)
    taken_over = [name for name in columns if name not in key] if update is None else list(update)
    if not taken_over:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    taken: dict[str, Any] = {name: statement.excluded[name] for name in (*taken_over, *also)}
    # SQLAlchemy does not apply onupdate here.
    for column in table.columns:
        if column.onupdate is not None and column.name not in columns:
            taken[column.name] = statement.excluded[column.name]
    differs = or_(*(table.c[name].is_distinct_from(statement.excluded[name]) for name in taken_over))
    return statement.on_conflict_do_update(index_elements=list(key), set_=taken, where=differs)


@cache
def check_key(model: type[Base], key: tuple[str, ...]) -> None:
    """Raise WrongKey unless the columns of a natural key are those of a unique constraint, by which a row is found again."""
    table = table_of(model)
    named = ", ".join(key)
    if unknown := [name for name in key if name not in table.columns]:
        raise WrongKey(f"{model.__name__} has no column {unknown[0]}, which its natural key ({named}) names.")
    unique = [table.primary_key.columns]
    unique += [each.columns for each in table.constraints if isinstance(each, UniqueConstraint)]
    # A unique index with a condition holds for some of the rows only.
    unique += [each.columns for each in table.indexes if each.unique and not _is_partial(each)]
    if not key or set(key) not in [set(columns.keys()) for columns in unique]:
        quoted = ", ".join(f'"{name}"' for name in key)
        raise WrongKey(
            f"{model.__name__} has no unique constraint on its natural key ({named}): add UniqueConstraint({quoted}) "
            "to its __table_args__, and a revision."
        )


def _is_partial(index: Index) -> bool:
    return any(index.dialect_options[name]["where"] is not None for name in ("sqlite", "postgresql"))


def table_of(model: type[Base]) -> Table:
    """Return the table of a model."""
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not mapped to a table")
    return table


def batches(rows: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Yield *rows* in pieces of at most *size*."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def normalise(value: Any) -> Any:
    """
    Return *value* as both databases can hold it.

    NUL characters go and lone surrogates become U+FFFD in every text, also inside lists and mappings; a number that is none
    (NaN, infinity) becomes None.
    """
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, Mapping):
        return {normalise(name): normalise(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [normalise(inner) for inner in value]
    return value


def _clean_text(text: str) -> str:
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():  # known without looking
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@lru_cache(maxsize=500)
def _row_normaliser(table: Table, names: frozenset[str]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    changes = {name: change for name in names if (change := _column_normaliser(table.name, name, table.c[name].type))}
    texts = [
        (name, getattr(table.c[name].type, "length", None) or maxsize, changes.pop(name))
        for name in sorted(changes)
        if isinstance(table.c[name].type, String)
    ]
    others = list(changes.items())

    def normalised(row: Mapping[str, Any]) -> dict[str, Any]:
        row = dict(row)
        for name, length, change in texts:
            value = row[name]
            # Most texts are known to be good without a call.
            if value.__class__ is not str or not value.isascii() or "\x00" in value or len(value) > length:
                row[name] = change(value)
        for name, change in others:
            row[name] = change(row[name])
        return row

    return normalised


def _column_normaliser(table: str, name: str, kind: Any) -> Callable[[Any], Any] | None:
    """Return what makes a value fit a column, or None where any does; it raises ValueError with the column's name."""
    if isinstance(kind, Numeric) and kind.asdecimal and kind.precision and kind.scale is not None:
        unit, limit = Decimal(1).scaleb(-kind.scale), Decimal(10) ** (kind.precision - kind.scale)

        def number(value: Any) -> Decimal | None:
            if value is None:
                return None
            exact = value if isinstance(value, Decimal) else Decimal(str(value))
            if not exact.is_finite():
                return None
            # SQLite rounds 1.005 down and PostgreSQL up; SQLite also cuts what is too long.
            try:
                rounded = exact.quantize(unit, ROUND_HALF_UP)
            except InvalidOperation:  # far too many digits
                rounded = limit
            if abs(rounded) >= limit:
                raise ValueError(f"{table}.{name}: the number has more than {kind.precision} digits")
            return rounded

        return number
    if isinstance(kind, String) and kind.length:
        length = kind.length

        def text(value: Any) -> Any:
            value = _clean_text(value) if isinstance(value, str) else value
            if isinstance(value, str) and len(value) > length:
                raise ValueError(f"{table}.{name}: the text is longer than {length} characters")
            return value

        return text
    if isinstance(kind, (JSON, Json)) or kind.python_type in (str, float):
        return normalise
    return None
