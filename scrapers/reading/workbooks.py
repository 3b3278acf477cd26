"""Workbooks as typed rows: the header is found, known columns are typed, what is not known is kept as it stands."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import itemgetter
from typing import Any

from scrapers.core.outcomes import BadFile, PortalChanged, WrongAccount
from scrapers.core.spool import CSV, TEXT, XLSX, ZIP, PartFile
from scrapers.reading.archive import check_zip
from scrapers.reading.values import UNITS, UNKNOWN, digits, known

HEADER_ROWS = 50  # titles, dates and addresses may stand above the header, but not a page of them
PHONE_MARKS = str.maketrans("", "", "+ -().")  # what stands between the digits of telephone numbers
UNREADABLE = (ValueError, TypeError, InvalidOperation)  # what reading a cell may raise
CENT = Decimal("0.01")
MONTHS = ("%b %Y", "%B %Y", "%Y-%m", "%m/%Y", "%Y-%m-%d")  # how reports write a billing month
DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%b %d, %Y", "%B %d, %Y", "%Y/%m/%d")

Cell = Any  # text, float, bool, date, datetime; "" for an empty one
Convert = Callable[[Cell], Any]  # None: the cell says nothing; ValueError: it cannot be read


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

    def __init__(self, lines: Callable[[], Iterable[Sequence[Cell]]], above: int, columns: Sequence[Column]) -> None:
        header = next(line for number, line in enumerate(lines()) if number == above)
        self._lines, self._above = lines, above
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
    def of(cls, part: PartFile, columns: Sequence[Column]) -> Sheet:
        """
        Return the first sheet of a part file (XLSX or CSV) that has every required column.

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
                    return cls(lines, number, columns)
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
            {plain(cell) if (value := _read(column.read, cell)) is None else value for cell in cells if cell != ""}
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
        at, key_column = self._column(key)
        for line in self._below(at, key_column.read):
            values: dict[str, Any] = {}
            rest: dict[str, Any] | None = None
            for place, name, read in readers:
                cell = line[place]
                try:
                    values[name] = None if cell == "" else read(cell)
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
                is_row = keys[cell] = _read(read, cell) is not None
            if is_row:
                yield line


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


def _read(read: Convert, cell: Cell) -> Any:
    try:
        return read(cell)
    except UNREADABLE:
        return None


def plain(cell: Cell) -> Any:
    """
    Return a cell as JSON has it; integers come from workbooks as floats.

    >>> plain(4.0), plain(4.5), plain(date(2026, 10, 1))
    (4, 4.5, '2026-10-01')
    """
    if isinstance(cell, str):
        return clean(cell)
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else cell
    return cell if isinstance(cell, int) else cell.isoformat() if isinstance(cell, date) else str(cell)


def clean(text: str) -> str:
    """Return a text without NUL characters, which databases refuse."""
    return text.replace("\x00", "") if "\x00" in text else text


# What the cells of a column are


def text(cell: Cell) -> str | None:
    """
    Return a text; numbers without a needless fraction, None where the portal writes that it knows nothing.

    >>> text(" Share 20 "), text(4.0), text("n/a")
    ('Share 20', '4', None)
    """
    said = (cell if isinstance(cell, str) else str(plain(cell))).strip()
    return None if said.casefold() in UNKNOWN else clean(said)


def text_up_to(length: int) -> Convert:
    """Return what reads texts for a column of so many characters; a longer one is a ValueError."""

    def read(cell: Cell) -> str | None:
        found = text(cell)
        if found is not None and len(found) > length:
            raise ValueError(f"longer than {length} characters")
        return found

    return read


def account_number(cell: Cell) -> str | None:
    """
    Return the digits of an account number, stored as text or as a number; None for a cell without any.

    >>> account_number(512345678.0), account_number("512 345 678"), account_number("Total")
    ('512345678', '512345678', None)
    """
    return digits(str(plain(cell))) or None


def phone_number(cell: Cell) -> str | None:
    """
    Return the digits of a telephone number, of a North American one without the 1 of its country.

    >>> phone_number("+1 (555) 010-0199"), phone_number(5550100199.0), phone_number("555-0199")
    ('5550100199', '5550100199', '5550199')
    """
    found = (cell if isinstance(cell, str) else str(plain(cell))).translate(PHONE_MARKS)
    if not (found.isascii() and found.isdecimal()):
        found = digits(found)
    if len(found) > 20:
        raise ValueError("too long for a telephone number")
    return (found[1:] if len(found) == 11 and found[0] == "1" else found) or None


def integer(cell: Cell) -> int | None:
    """
    Return a whole number.

    >>> integer(12.0), integer("1,204")
    (12, 1204)
    """
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return int(known(cell.replace(",", ""))) if known(cell) else None


def money(cell: Cell) -> str | None:
    """
    Return an amount in full cents, as text: JSON has no exact numbers.

    >>> money(45.0), money("$1,234.50"), money("(3.10)"), money(0.125)
    ('45.00', '1234.50', '-3.10', '0.13')
    """
    if isinstance(cell, float):
        # Full cents print as they are; the sum makes -0.0 a zero.
        return f"{cell + 0.0:.2f}" if round(cell, 2) == cell else str(exact(cell))
    said = re.sub(r"[,$\s]|CAD|USD", "", known(cell))
    if said.startswith("(") and said.endswith(")"):
        said = f"-{said[1:-1]}"
    return str(exact(said)) if said else None


def exact(number: float | str) -> Decimal:
    """
    Return an amount rounded to full cents, from the digits that are written.

    >>> exact(1.005)
    Decimal('1.01')
    """
    return Decimal(str(number)).quantize(CENT, "ROUND_HALF_UP")


def gigabytes(cell: Cell) -> int | None:
    """
    Return the bytes of a number of GB (of 1024 MB).

    >>> gigabytes(1.5), gigabytes("0.25 GB")
    (1610612736, 268435456)
    """
    return _bytes(cell, "GB")


def megabytes(cell: Cell) -> int | None:
    """
    Return the bytes of a number of MB (of 1024 KB).

    >>> megabytes(2.0)
    2097152
    """
    return _bytes(cell, "MB")


def _bytes(cell: Cell, unit: str) -> int | None:
    if isinstance(cell, float) and cell < 1e6:  # exact to the byte
        return round(cell * UNITS[unit])
    if isinstance(cell, str):
        cell = re.sub(rf"\s*{unit}$|,", "", known(cell), flags=re.I)
    return None if cell == "" else round(Decimal(str(cell)) * UNITS[unit])


def month(cell: Cell) -> str | None:
    """
    Return a billing month as YYYY-MM.

    >>> month("Oct 2026"), month(date(2026, 10, 31))
    ('2026-10', '2026-10')
    """
    found = _day(cell, MONTHS)
    return str(found)[:7] if found else None


def day(cell: Cell) -> str | None:
    """
    Return a day as YYYY-MM-DD.

    >>> day(date(2026, 10, 31)), day("10/31/2026"), day("—")
    ('2026-10-31', '2026-10-31', None)
    """
    found = _day(cell, DAYS)
    return str(found)[:10] if found else None


def _day(cell: Cell, forms: tuple[str, ...]) -> date | None:
    if isinstance(cell, date):
        return cell
    if not known(cell):
        return None
    for form in forms:
        try:
            return datetime.strptime(known(cell), form).date()  # noqa: DTZ007 - a day of a report has no time zone
        except ValueError:
            continue
    raise ValueError("no day or month")
