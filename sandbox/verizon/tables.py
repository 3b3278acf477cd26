"""The tables of reports and of the raw data: one row per wireless number, the same for the same account and time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sandbox.globys.tables import CHARGES, DEVICE, INSTALLMENT, MIXED_ROWS, USAGE, Table
from sandbox.invented import Line, Month, person
from sandbox.scripted.people import People
from sandbox.users import User
from sandbox.workbooks import Cell


def _change(line: Line) -> list[Cell]:
    return [("Activation", "Deactivation")[line.draw("change", 2)], line.day("change day").isoformat()]


def _suspended(line: Line) -> list[Cell]:
    return [("Lost", "Stolen", "Vacation")[line.draw("why", 3)], line.day("suspended").isoformat()]


TABLES = {
    "account_wireless": CHARGES,
    "wireless_charges_detail": CHARGES,
    "wireless_usage_detail": USAGE,
    "device_report": INSTALLMENT,
    "activation_and_deactivation": Table(("Change", "Changed on"), _change),
    "suspended_wireless_numbers": Table(("Reason", "Suspended on"), _suspended),
    "daily_usage": USAGE,
    "": DEVICE,
}


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a table is about: what its column says (None: it has no such column), and the month of its values."""

    said: str | None
    month: Month

    @classmethod
    def between(cls, first: date, last: date) -> Span:
        """Return the span of two days."""
        return cls(f"{first:%m/%d/%Y} - {last:%m/%d/%Y}", Month(last.year, last.month))


def table_of(
    user: User, people: People, slug: str, accounts: Iterable[str], span: Span, count: int
) -> list[list[Cell]]:
    """
    Return a table, head first, with so many rows of each account.

    It has rows of another account in the scenario `mixed-file`, and no column of accounts in `unnamed-file`.
    """
    table = TABLES[slug]
    rows: list[list[Cell]] = [["Account number", "Billing period", "Wireless number", "User name", *table.columns]]
    for account in accounts:
        rows += [_row(table, account, span, row) for row in range(count)]
    if user.says("mixed-file"):
        other = people.numbered(f"mixed file {user.name}", 1)[0]
        rows += [_row(table, other, span, row) for row in range(MIXED_ROWS)]
    if span.said is None:
        rows = [[row[0], *row[2:]] for row in rows]
    return [row[1:] for row in rows] if user.says("unnamed-file") else rows


def _row(table: Table, account: str, span: Span, row: int) -> list[Cell]:
    line = f"555-01{row % 100:02}-{row // 100:04}"
    return [account, span.said, line, person(account, row), *table.cells(Line(account, span.month, row))]


def as_text(rows: Sequence[Sequence[Cell]], delimiter: str) -> bytes:
    """Return rows as text with a delimiter."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()
