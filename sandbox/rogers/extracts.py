"""The files of reports: text with a delimiter, and the ZIP of an extract, whose columns are in a file of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from sandbox.invented import Month
from sandbox.workbooks import Cell, archive

TEXT_TYPE = "text/plain"


def as_text(rows: Sequence[Sequence[Cell]], delimiter: str = ",", quote: str = "") -> bytes:
    """Return rows as text: each value between quotes, or none between any."""
    if not quote:
        return "".join(f"{delimiter.join(map(_said, row))}\r\n" for row in rows).encode()
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quotechar=quote, quoting=csv.QUOTE_ALL).writerows(map(_all_said, rows))
    return out.getvalue().encode()


def _said(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _all_said(row: Sequence[Cell]) -> list[str]:
    return [_said(cell) for cell in row]


def extract_zip(
    name: str, month: Month, rows: Sequence[Sequence[Cell]], with_header: bool = True, columns: int | None = None
) -> bytes:
    """
    Return a ZIP of a header file (period, an empty line, then name, width and type of each column) and of rows without heads.

    rows: head first. columns: how many of them the header file names; None for all.
    """
    heads, *data = rows
    first = date(month.year, month.number, 1)
    lines = [f"{first:%m/%d/%Y} - {month.last_day:%m/%d/%Y}", ""]
    for place, head in list(enumerate(heads))[:columns]:
        cells = [row[place] for row in data]
        width = max((len(_said(cell)) for cell in cells), default=1)
        lines.append(f"{head},{width},{_kind(cells)}")
    members = [(f"{name}_header.txt", "\r\n".join([*lines, ""]).encode()), (f"{name}.csv", as_text(data, quote='"'))]
    return archive(members if with_header else members[1:])


def _kind(cells: Sequence[Cell]) -> str:
    return "NUMBER" if cells and all(isinstance(cell, int | Decimal) for cell in cells) else "CHAR"
