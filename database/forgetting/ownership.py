"""
Which rows of which table belong to an owner: by the foreign keys of the models, and by the links that have none.

A row belongs to the row that its foreign key names, unless the key is only emptied when that one goes (SET NULL). What hangs on
a user name, a contract or a target's key instead is in `Links`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, false, func, literal, or_, select

from database.forgetting.owners import Owner
from database.models import all_tables

# Foreign keys that are emptied when what they name goes, and whose rows belong to it all the same.
BELONG_TOO = {
    ("files", "account_id"),
    ("files", "billing_cycle_id"),
    ("runs", "account_id"),
    ("runs", "billing_cycle_id"),
    ("runs", "job_id"),
    ("uploads", "client_id"),
}
CATALOGUES = {"carriers", "carrier_reports"}  # what many owners share: nothing belongs to it


@dataclass(frozen=True)
class Link:
    """
    The column by which rows of a table belong to an owner, and a select or list of its values.

    without_zeros: leading zeros of both do not count.
    """

    column: Column[Any]
    values: Any
    without_zeros: bool = False

    def holds(self, of: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
        """Return the condition, on another expression in the column's place if given."""
        given = self.column if of is None else of
        return (func.ltrim(given, "0") if self.without_zeros else given).in_(self.values)


@dataclass
class Held:
    """Rows of a table that belong to the owner, and the tables that have to be there still to find them."""

    condition: ColumnElement[bool] | None = None
    links: list[Link] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)


Rule = Callable[["Ownership", Table], Iterator["Link | ColumnElement[bool]"]]


class Ownership:
    """The conditions on all tables for one owner. Those of a table may ask others, which are then erased after it."""

    def __init__(self, owner: Owner, rules: Mapping[str, Rule]) -> None:
        self.owner = owner
        self.tables = all_tables().tables
        self._rules = rules
        self._held: dict[str, Held] = {}
        self._asking: list[str] = []
        for name in self.tables:
            self.held(name)

    def condition(self, name: str) -> ColumnElement[bool] | None:
        """Return the condition of the owner's rows in a table; None: there can be none."""
        return self.held(name).condition

    def certain(self, name: str) -> ColumnElement[bool]:
        """Return the condition of the owner's rows in a table; where there can be none, one that no row fulfils."""
        condition = self.condition(name)
        return false() if condition is None else condition

    def values(self, table: str, column: str, *, alone: bool = False) -> Any:
        """
        Select a column of the owner's rows of a table, None where there can be none.

        alone: without the values that rows of others have too.
        """
        condition = self.condition(table)
        if condition is None:
            return None
        of = self.tables[table]
        own = select(of.c[column]).where(condition, of.c[column].is_not(None)).correlate(None)
        if not alone:
            return own
        return own.except_(
            select(of.c[column]).where(condition.is_not(True), of.c[column].is_not(None)).correlate(None)
        )

    def held(self, name: str) -> Held:
        """Return what is held of a table, worked out at the first call."""
        if self._asking:
            self._held[self._asking[-1]].needs.add(name)
        if name in self._asking:
            raise RecursionError(f"The rules of {' and '.join(self._asking)} ask each other.")
        if name in self._held:
            return self._held[name]
        held = self._held[name] = Held()
        table = self.tables[name]
        self._asking.append(name)
        parts: list[ColumnElement[bool]] = []
        for found in self._found(table):
            if isinstance(found, Link):
                held.links.append(found)
                parts.append(found.holds())
            else:
                parts.append(found)
        self._asking.pop()
        held.condition = or_(*parts) if parts else None
        return held

    def order(self) -> list[Table]:
        """Return the tables with rows of the owner in an order in which they can be erased: what is asked goes last."""
        wanted = {name: held.needs for name, held in self._held.items() if held.condition is not None}
        ordered: list[str] = []
        while wanted:
            asked = set().union(*wanted.values())
            free = sorted(set(wanted) - asked)
            if not free:
                raise RecursionError(f"The rules of {', '.join(sorted(wanted))} ask each other.")
            ordered += free
            for name in free:
                del wanted[name]
        return [self.tables[name] for name in ordered]

    def _found(self, table: Table) -> Iterator[Link | ColumnElement[bool]]:
        for column, parent in belongs_to(table):
            values = self.values(parent.table.name, parent.name)
            if values is not None:
                yield Link(column, values)
        if (rule := self._rules.get(table.name)) is not None:
            yield from rule(self, table)


def belongs_to(table: Table) -> Iterator[tuple[Column[Any], Column[Any]]]:
    """Give the columns by which a row belongs to one of another table, each with the column that it names."""
    for key in table.foreign_keys:
        belongs = (key.ondelete or "").upper() != "SET NULL" or (table.name, key.parent.name) in BELONG_TOO
        if belongs and key.column.table.name not in CATALOGUES:
            yield key.parent, key.column


def begins(column: ColumnElement[str], with_: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a text begins with another one, in which no character is a wildcard."""
    return func.substr(column, 1, func.length(with_)) == with_


def text(value: str) -> ColumnElement[str]:
    """Return a text as an expression."""
    return literal(value)
