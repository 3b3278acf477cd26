"""Perturbed files: the columns of a table, their heads and values, and a CSV file in the place of a workbook."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sandbox.perturb import Perturbation
from sandbox.workbooks import Cell

FURTHER = {"Region": "Ontario", "Cost centre": "4711", "Plan name": "Business 40", "Notes": ""}
# Head of a column: others of the same meaning.
HEADS: dict[str, tuple[str, ...]] = {
    "Billing account number": ("Account number", "BAN", "Account"),
    "Mobile number": ("Phone number", "Wireless number", "Number"),
    "User": ("User name", "Subscriber", "Name"),
    "Usage type": ("Type", "Category"),
    "Data used (GB)": ("Data usage (GB)", "Usage GB", "Data (GB)"),
    "As of": ("Date", "Usage date"),
    "Report": ("Report name",),
    "Month": ("Billing month", "Period"),
    "Amount (CAD)": ("Charges (CAD)", "Total (CAD)"),
}
DATES = ("%b %d, %Y", "%Y/%m/%d", "%d-%b-%Y", "%B %d, %Y")


def changed(perturbation: Perturbation, rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    """Return the rows of a table, head first, with columns, heads and values as the perturbation wants them."""
    table = [list(row) for row in rows]
    if perturbation.touches("notations", "files"):
        table = [table[0], *([_noted(perturbation, cell) for cell in row] for row in table[1:])]
    if perturbation.touches("heads", "files"):
        table[0] = [perturbation.choose("heads", str(head), HEADS.get(str(head), (str(head),))) for head in table[0]]
    if perturbation.touches("columns", "files"):
        table = [[*row, *(FURTHER.values() if number else FURTHER)] for number, row in enumerate(table)]
        places = perturbation.shuffled("columns", "files", range(len(table[0])))
        table = [[row[place] for place in places] for row in table]
    return table


def _noted(perturbation: Perturbation, cell: Cell) -> Cell:
    if isinstance(cell, Decimal):
        return f"{cell:,.2f}"
    text = str(cell)
    if text.count("-") != 2:  # fromisoformat takes account numbers such as 32511127 for days, too
        return cell
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return cell
    return day.strftime(perturbation.choose("notations", "dates", DATES))


def as_csv(rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return rows as CSV, in UTF-8 with a byte order mark, as Canadian portals write it."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")
