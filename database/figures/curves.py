"""Curves: a value for each point of a period, and the expressions of SQL by which the database finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    cast,
    column,
    func,
    literal_column,
    values,
)
from sqlalchemy.orm import Session

from database.families.holdings import Chosen, accounts_of
from database.figures.spans import LENGTHS, Span, Step
from database.models import Account
from database.models.base import UtcDateTime

Value = Decimal | int | None
UNSTATED = "currency not stated"  # the unit of amounts beside which there is none


@dataclass(frozen=True, slots=True)
class Curve:
    """A value for each point of a period. None: nothing is known; a count of nothing is 0. unit: kWh, bytes, a currency, what is counted."""

    name: str
    unit: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Curves over one period."""

    span: Span
    curves: tuple[Curve, ...]


def curve(span: Span, name: str, unit: str, found: Mapping[str, Value], other: Value = None) -> Curve:
    """Return a curve of values by the labels of their points. other: what points have that are not among them."""
    return Curve(name, unit, tuple(found.get(label, other) for label in span.labels))


def label_of(session: Session, at: Any, step: Step) -> ColumnElement[str]:
    """Return the label of the point that a day, or an instant in UTC, belongs to. step: day, month or year."""
    length = LENGTHS[step]
    # The texts are written out, because PostgreSQL takes no two parameters for the same one where rows are grouped.
    if session.get_bind().dialect.name == "postgresql":
        local = at if isinstance(at.type, Date) else func.timezone(literal_column("'UTC'"), at)
        return func.to_char(local, literal_column(f"'{'YYYY-MM-DD'[:length]}'"))
    return func.substr(at, literal_column("1"), literal_column(str(length)))


def points_of(span: Span) -> CTE:
    """
    Return the points as a table: number, begins, ends, and both instants as text (ISO 8601).

    Join another table to it as an outer one: SQLite then looks each point up in an index, and not each row in the points.
    """
    instants, texts = UtcDateTime(), String()
    columns = (column("number", Integer), column("begins", instants), column("ends", instants))
    rows = [
        (number, begins, ends, begins.isoformat(), ends.isoformat())
        for number, (begins, ends) in enumerate(pairwise(span.edges))
    ]
    return (
        values(*columns, column("begins_text", texts), column("ends_text", texts), name="points")
        .data(rows)
        .cte("points")
    )


def exact_sum(amount: Any, decimals: int) -> ColumnElement[Any]:
    """Return the sum of decimals as a whole number of their last digits: SQLite adds them as floats, and these do not add up."""
    return func.sum(cast(func.round(amount * literal_column(str(10**decimals))), BigInteger))


def exact(total: Any, decimals: int) -> Decimal | None:
    """
    Return the sum that `exact_sum` has found.

    >>> exact(1999, 2), exact(None, 2)
    (Decimal('19.99'), None)
    """
    return None if total is None else Decimal(int(total)).scaleb(-decimals)


def ids_of(chosen: Chosen) -> Select[Any]:
    """Return the query for the ids of accounts."""
    return accounts_of(chosen).with_only_columns(Account.id).order_by(None)
