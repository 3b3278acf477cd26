"""Workbooks as typed rows: the header is found, known columns are typed, what is not known is kept as it stands."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import InvalidOperation
from functools import lru_cache
from operator import itemgetter
from typing import Any

from scrapers.core.outcomes import BadFile, PortalChanged, WrongAccount
from scrapers.core.spool import CSV, TEXT, XLSX, ZIP, PartFile
from scrapers.reading.archive import check_zip
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.texts import Cell, Convert, clean, digits, plain

HEADER_ROWS = 50  # titles, dates and addresses may stand above the header, but not a page of them
UNREADABLE = (ValueError, TypeError, InvalidOperation)  # what reading a cell may raise


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is known: the name it is kept under, how its header reads (a regular expression), what its cells are."""

    name: str
    header: str
    read: Convert
    required: bool = False
    repeats: bool = False  # a few values over and over: each is read once

    def is_headed(self, cell: Cell) -> bool:
        """Tell whether a header's cell names this column."""
        return isinstance(cell, str) and re.fullmatch(self.header, " ".join(cell.split()), re.I) is not None


class Sheet:
    """
    The rows below a workbook's header. They can be gone through any number of times; each time they are made anew.

    A row without a value in `key` (an empty one, a total, a remark) is none.
    """

    def __init__(
        self, lines: Callable[[], Iterable[Sequence[Cell]]], above: int, columns: Sequence[Column], locale: Locale
    ) -> None:
        header = next(line for number, line in enumerate(lines()) if number == above)
        self._lines, self._above, self._locale = lines, above, locale
        self._known: list[tuple[int, Column]] = []
        self._titles = [" ".join(clean(str(cell)).split()) for cell in header]
        self._others: list[int] = []
        free = list(columns)
        for place, cell in enumerate(header):
            column = next((each for each in free if each.is_headed(cell)), None)
            if column is not None:
                free = [each for each in free if each.name != column.name]
                self._known.append((place, column))
            elif self._titles[place]:
                self._others.append(place)
        self.currency = next((found[1] for cell in header if (found := re.search(r"\((CAD|USD)\)", str(cell)))), None)

    @classmethod
    def of(cls, part: PartFile, columns: Sequence[Column], locale: Locale) -> Sheet:
        """
        Return the first sheet of a part file (XLSX or CSV) that has every required column. locale: how it writes values.

        Raises BadFile for what is no workbook, PortalChanged with the columns that no sheet has.
        """
        headers: dict[str, list[Column]] = {column.name: [] for column in columns if column.required}
        for column in columns:
            headers.get(column.name, []).append(column)
        missing = list(headers)
        for lines in _sheets(part):
            for number, line in enumerate(lines()):
                if number == HEADER_ROWS:
                    break
                absent = [
                    name
                    for name, either in headers.items()
                    if not any(column.is_headed(cell) for column in either for cell in line)
                ]
                if not absent:
                    return cls(lines, number, columns, locale)
                missing = min(missing, absent, key=len)
        selector = headers[missing[0]][0].header
        raise PortalChanged(
            f"The file has no column for {', '.join(missing)}.", step="read the file", selector=selector
        )

    def values(self, *names: str, key: str) -> list[set[Any]]:
        """Return the different values of some columns, over all rows; a cell that cannot be read as it stands."""
        found = [self._column(name) for name in names]
        at, key_column = self._column(key)
        seen = set(map(itemgetter(*(place for place, _ in found)), self._below(at, key_column.read)))
        return [
            {plain(cell) if (value := self._read(column.read, cell)) is None else value for cell in cells if cell != ""}
            for (_, column), cells in zip(found, zip(*seen, strict=True) if len(names) > 1 else [seen], strict=False)
        ]

    def rows(self, key: str) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        """
        Yield each row as the values of its known columns and, by their titles, those of all others as JSON, or None.

        A cell of a known column that cannot be read is None, and stands under its title among the others.
        """
        readers = [
            (place, column.name, lru_cache(1000)(column.read) if column.repeats else column.read)
            for place, column in self._known
        ]
        locale = self._locale
        at, key_column = self._column(key)
        for line in self._below(at, key_column.read):
            values: dict[str, Any] = {}
            rest: dict[str, Any] | None = None
            for place, name, read in readers:
                cell = line[place]
                try:
                    values[name] = None if cell == "" else read(cell, locale)
                except UNREADABLE:
                    values[name] = None
                    rest = (rest or {}) | {self._titles[place]: plain(cell)}
            for place in self._others:
                if (cell := line[place]) != "":
                    rest = rest or {}
                    rest[self._titles[place]] = plain(cell)
            yield values, rest

    def has(self, name: str) -> bool:
        """Tell whether the sheet has a column."""
        return any(column.name == name for _, column in self._known)

    def _column(self, name: str) -> tuple[int, Column]:
        return next((place, column) for place, column in self._known if column.name == name)

    def _below(self, at: int, read: Convert) -> Iterator[Sequence[Cell]]:
        """Yield the lines below the header whose key says something."""
        keys: dict[Cell, bool] = {}  # few different ones, and each is read once
        for number, line in enumerate(self._lines()):
            if number <= self._above or (cell := line[at]) == "":
                continue
            if (is_row := keys.get(cell)) is None:
                is_row = keys[cell] = self._read(read, cell) is not None
            if is_row:
                yield line

    def _read(self, read: Convert, cell: Cell) -> Any:
        try:
            return read(cell, self._locale)
        except UNREADABLE:
            return None


def check(sheet: Sheet, account: str, month: str = "") -> None:
    """
    Raise unless every row is of this account (WrongAccount) and, where one is given, of this month (PortalChanged).

    They are in the columns `account_number` and `period` (YYYY-MM).
    """
    names = ("account_number", "period") if month else ("account_number",)
    accounts, *months = sheet.values(*names, key="account_number") or [set()]
    if others := accounts - {digits(account)}:
        raise WrongAccount(f"The file holds rows of {len(others)} other accounts.", step="read the file")
    if others := (months[0] if months else set()) - {month}:
        shown = ", ".join(sorted(map(str, others))[:3])
        raise PortalChanged(f"The file holds rows of {shown}, not of {month}.", step="read the file", selector="period")


def _sheets(part: PartFile) -> Iterator[Callable[[], Iterable[Sequence[Cell]]]]:
    """Yield a function for each sheet that gives its lines from the beginning, all of the same width."""
    if part.media_type in (CSV, TEXT):
        lines = _csv_lines(part)  # kept: the part file moves on before its rows are written
        yield lambda: lines
        return
    if part.media_type not in (XLSX, ZIP):
        raise BadFile(f"The file is {part.media_type}, not a workbook.", step="read the file")
    from python_calamine import CalamineError, CalamineWorkbook

    check_zip(part.path, every_byte=False)
    try:
        with CalamineWorkbook.from_path(part.path) as workbook:
            for name in workbook.sheet_names:
                yield workbook.get_sheet_by_name(name).iter_rows
    except CalamineError as error:
        raise BadFile(f"The workbook cannot be read ({type(error).__name__}).", step="read the file") from None


def _csv_lines(part: PartFile) -> list[list[str]]:
    with part.path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        head = file.read(4096)
        file.seek(0)
        lines = list(csv.reader(file, delimiter=";" if head.count(";") > head.count(",") else ","))
    width = max(map(len, lines), default=0)
    return [line + [""] * (width - len(line)) for line in lines]
