"""Writes workbooks, of what a portal shows or sends in another form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

from scrapers.core.spool import PartFile, PartWriter
from scrapers.reading.values.texts import EXACT

NewCell = str | int | Decimal | date | None
LONGEST = 32_767  # characters of a cell
MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - workbooks state no zone; always the same, so that equal lines make equal files


def write_workbook(folder: Path, name: str, lines: Iterable[Sequence[NewCell]]) -> PartFile:
    """
    Write the lines as the one sheet of a workbook, and return it as a part file. Equal lines make equal bytes.

    Texts stay texts, whatever they look like. Raises ValueError for what a workbook cannot hold exactly. Blocks: call it
    from a worker thread.
    """
    import xlsxwriter

    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        book.set_properties({"created": MADE})
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for row, line in enumerate(lines):
            for column, cell in enumerate(line):
                if cell is None or cell == "":
                    continue
                if isinstance(cell, str):
                    if len(cell) > LONGEST:
                        raise ValueError("is longer than a cell")
                    sheet.write_string(row, column, cell)
                elif isinstance(cell, date):
                    sheet.write_datetime(row, column, cell, day)
                elif -EXACT < cell < EXACT and Decimal(str(float(cell))) == cell:
                    sheet.write_number(row, column, float(cell))
                else:
                    raise ValueError("has more digits than a cell holds")
    writer = PartWriter(folder)
    return writer.finish(name, made.getvalue())
