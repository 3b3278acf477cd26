"""Workbooks as typed rows: the header is found, known columns are typed, what is not known is kept as it stands."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import InvalidOperation
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any

from scrapers.core.outcomes import BadFile, PortalChanged, WrongAccount
from scrapers.core.spool import CSV, TEXT, XLSX, ZIP, PartFile, encoding_of
from scrapers.reading.archive import check_zip
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.marks import without_marks
from scrapers.reading.values.texts import Cell, Convert, clean, digits, plain

HEADER_ROWS = 50  # titles, dates and addresses may stand above the header, but not a page of them
UNREADABLE = (ValueError, TypeError, InvalidOperation)  # what reading a cell may raise
DELIMITERS = ",;\t|"
PAGE_DIGITS = 4  # a number that stands alone in a line and is no longer than this counts pages

# How lines begin that stand between or below the rows, in English and French.
REMARK = re.compile(
    r"[\W_]*(?:"
    r"(?:(?:grand|sub|sous|account|report|overall|final|net)[\s-]*)?(?:totals?|totaux|total[ei]?s?)\b"
    r"|sum\b|sums\b|somme\b|sommaire\b|summary\b|count\b|nombre d|average\b|moyenne\b|balance\b|solde\b"
    r"|notes?\b|nota\b|n\.\s?b\.|remarks?\b|remarques?\b|disclaimer\b|avis\b|avertissement\b|legend\b|légende\b"
    r"|pages?\b|copyright\b|©|\(c\)|all rights\b|tous droits\b|droits d|confidential|confidentiel"
    r"|(?:report |rapport )?(?:generated|created|printed|prepared|exported|produced|as of|run on)\b"
    r"|(?:rapport )?(?:généré|créé|imprimé|préparé|exporté|produit|en date d|établi)"
    r"|end of\b|fin d[eu]\b|continued\b|suite\b|\d+\s+(?:lines?|rows?|records?|lignes?|enregistrements?|entrées?|entries)\b"
    r"|\d+\s*(?:of|de|sur|/)\s*\d+\W*$)",
    re.I,
)
TOTAL = re.compile(
    r"\W*(?:(?:grand|sub|sous)[\s-]*)?(?:total|totals|totaux|somme|sum)(?: (?:général|generale?|partiel))?\W*", re.I
)
COPYRIGHT = re.compile(r"©|\bcopyright\b|\btotal\b|\btotaux\b|\bsous-total\b|\bsubtotal\b", re.I)


class RowsNotUnderstood(PortalChanged):
    """PortalChanged for the rows of a file alone: the file itself may be kept, see `read_sheet`."""


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
        return isinstance(cell, str) and re.fullmatch(self.header, title_of(cell), re.I) is not None


@dataclass(frozen=True, slots=True)
class Header:
    """
    The line of headings, or two lines of which the upper one spans several columns of the lower one.

    last: number of the last line. names: for each column what may name it: its own heading, and the one that spans it.
    """

    last: int
    names: tuple[tuple[str, ...], ...]

    @property
    def titles(self) -> list[str]:
        """A title for each column, "" for none; one that comes again has a number."""
        titles: list[str] = []
        for names in self.names:
            title, count = names[0], 1
            while title and title in titles:
                count += 1
                title = f"{names[0]} ({count})"
            titles.append(title)
        return titles


@dataclass(frozen=True, slots=True)
class Source:
    """One sheet of a file. lines: gives its lines from the beginning, of the same width. is_typed: not CSV."""

    lines: Callable[[], Iterable[Sequence[Cell]]]
    is_typed: bool = True
    spans: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()  # merged cells: upper left, lower right


class Sheet:
    """
    The rows below a workbook's header. They can be gone through any number of times; each time they are made anew.

    A row without a value in `key` (an empty one, a total, a remark) is none, and neither are totals, notes and page numbers
    that hold digits.
    """

    def __init__(self, source: Source, header: Header, columns: Sequence[Column], locale: Locale) -> None:
        self._source, self._header, self._locale = source, header, locale
        self.account: str | None = None  # of all rows, in its full length, once `check` has seen that
        self._known: list[tuple[int, Column]] = []
        self._titles = header.titles
        self._others: list[int] = []
        free = list(columns)
        for place, names in enumerate(header.names):
            column = next((each for each in free if any(each.is_headed(name) for name in names)), None)
            if column is not None:
                free = [each for each in free if each.name != column.name]
                self._known.append((place, column))
            elif self._titles[place]:
                self._others.append(place)
        said = [re.search(r"\((CAD|USD)\)", name) for names in header.names for name in names]
        self.currency = next((found[1] for found in said if found), None)

    @classmethod
    def of(cls, part: PartFile, columns: Sequence[Column], locale: Locale) -> Sheet:
        """
        Return the first visible sheet of a part file (XLSX or CSV) that has every required column. locale: how it writes values.

        Raises BadFile for what is no workbook, PortalChanged with the columns that no sheet has.
        """
        headers: dict[str, list[Column]] = {column.name: [] for column in columns if column.required}
        for column in columns:
            headers.get(column.name, []).append(column)
        missing = list(headers)
        for source in _sources(part):
            for header in _headers(source):
                absent = [
                    name
                    for name, either in headers.items()
                    if not any(column.is_headed(said) for column in either for names in header.names for said in names)
                ]
                if not absent:
                    return cls(source, header, columns, locale)
                missing = min(missing, absent, key=len)
        selector = headers[missing[0]][0].header
        raise RowsNotUnderstood(
            f"The file has no column for {', '.join(missing)}.", step="read the file", selector=selector
        )

    def cells(self, *names: str, key: str) -> list[set[Cell]]:
        """Return the different cells of some columns, over all rows, as they stand; empty ones are left out."""
        places = [self._column(name)[0] for name in names]
        seen = set(map(itemgetter(*places), self._below(key)))
        lists = zip(*seen, strict=True) if len(names) > 1 else [seen]
        found = [{cell for cell in cells if cell != ""} for cells in lists]
        return found or [set() for _ in names]

    def rows(self, key: str) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        """
        Yield each row as the values of its known columns and, by their titles, those of all others as JSON, or None.

        A cell of a known column that cannot be read is None, and stands under its title among the others. Once the rows are
        known to be of one account (`check`), that is what stands in `account_number`.
        """
        account, locale = self.account, self._locale
        readers = [
            (place, column.name, lru_cache(1000)(column.read) if column.repeats else column.read)
            for place, column in self._known
            if account is None or column.name != "account_number"
        ]
        # A total may be labelled beside the key, too: in a column of other values, or in the first one.
        at_first = None if self._column(key)[0] == 0 else 0
        for line in self._below(key):
            if at_first is not None and is_total(line[at_first]):
                continue
            values: dict[str, Any] = {} if account is None else {"account_number": account}
            rest: dict[str, Any] = {}
            for place, name, read in readers:
                cell = line[place]
                try:
                    values[name] = None if cell == "" else read(cell, locale)
                except UNREADABLE:
                    if is_total(cell):
                        break
                    values[name] = None
                    rest[self._titles[place]] = plain(cell)
            else:
                for place in self._others:
                    if (cell := line[place]) != "":
                        rest[self._titles[place]] = plain(cell)
                yield values, rest or None

    def has(self, name: str) -> bool:
        """Tell whether the sheet has a column."""
        return any(column.name == name for _, column in self._known)

    def read(self, name: str, cell: Cell) -> Any:
        """Return the value of a cell of a known column; None for one that says nothing or cannot be read."""
        try:
            return self._column(name)[1].read(cell, self._locale)
        except UNREADABLE:
            return None

    def is_same(self, account: str, cell: Cell) -> bool:
        """
        Tell whether a cell of `account_number` is an account.

        A number has lost its leading zeros, in a workbook by its type and in a CSV by the program that wrote it: the known
        length brings them back. A text of a workbook has lost nothing.
        """
        found, wanted = self.read("account_number", cell), digits(account)
        is_number = not isinstance(cell, str) or (not self._source.is_typed and cell.strip().isdecimal())
        return found is not None and (found == wanted or (is_number and found.zfill(len(wanted)) == wanted))

    def _column(self, name: str) -> tuple[int, Column]:
        return next((place, column) for place, column in self._known if column.name == name)

    def _below(self, key: str) -> Iterator[Sequence[Cell]]:
        """Yield the lines below the header that are rows."""
        at, column = self._column(key)
        width = 0 if self._source.is_typed else max(at for at, title in enumerate(self._titles, 1) if title)
        kinds: dict[Cell, bool | None] = {}  # of few different keys
        below = islice(self._source.lines(), self._header.last + 1, None)
        for number, line in enumerate(below, self._header.last + 2):
            if (cell := line[at]) == "":
                continue
            try:
                is_row = kinds[cell]
            except KeyError:
                is_row = kinds[cell] = self._is_row(column, cell)
            if not is_row and (is_row is False or not any(other != "" for other in (*line[:at], *line[at + 1 :]))):
                continue
            if width and any(line[width:]):
                raise RowsNotUnderstood(
                    f"Line {number} of the file has more cells than the header: where they belong is not certain.",
                    step="read the file",
                    selector=self._titles[width - 1],
                )
            yield line

    def _is_row(self, column: Column, cell: Cell) -> bool | None:
        """Tell whether a line with this key is a row: True, False, or None where the rest of the line decides."""
        try:
            value = column.read(cell, self._locale)
        except UNREADABLE:
            is_remark = isinstance(cell, str) and (REMARK.match(without_marks(cell)) or COPYRIGHT.search(cell))
            return False if is_remark else None
        if value is None:
            return False
        return None if len(str(value)) <= PAGE_DIGITS else True


def check(sheet: Sheet, account: str, month: str = "") -> None:
    """
    Raise unless every row is of this account (WrongAccount) and, where one is given, of this month (PortalChanged).

    They are in the columns `account_number` and `period` (YYYY-MM).
    """
    names = ("account_number", "period") if month else ("account_number",)
    accounts, *months = sheet.cells(*names, key="account_number")
    others = {sheet.read("account_number", cell) for cell in accounts if not sheet.is_same(account, cell)}
    if others - {None}:
        raise WrongAccount(f"The file holds rows of {len(others)} other accounts.", step="read the file")
    if others:
        raise RowsNotUnderstood(
            "The file holds account numbers that cannot be read.", step="read the file", selector="account_number"
        )
    read = {cell: sheet.read("period", cell) for cell in (months[0] if months else ())}
    if wrong := {cell: value for cell, value in read.items() if value != month}:
        shown = ", ".join(sorted({str(plain(cell) if value is None else value) for cell, value in wrong.items()})[:3])
        kind = PortalChanged if any(wrong.values()) else RowsNotUnderstood
        raise kind(f"The file holds rows of {shown}, not of {month}.", step="read the file", selector="period")
    sheet.account = digits(account)


def read_sheet(
    part: PartFile, columns: Sequence[Column], locale: Locale, account: str, month: str = ""
) -> tuple[Sheet | None, str]:
    """
    Return a part file's rows, checked, and ""; or None and a warning that names the column, where only the rows are lost.

    Raises WrongAccount and PortalChanged for rows that are another account's or month's, BadFile for what is no workbook:
    such a file is not to be kept.
    """
    try:
        sheet = Sheet.of(part, columns, locale)
        check(sheet, account, month)
    except RowsNotUnderstood as failure:
        return None, f"The rows were not read: {failure.detail} (column {failure.selector})"
    return sheet, ""


def is_total(cell: Cell) -> bool:
    """
    Tell whether a cell says that its line is a total, and nothing else.

    >>> is_total("Sous-total :"), is_total("Total Recall"), is_total(4.0)
    (True, False, False)
    """
    return isinstance(cell, str) and TOTAL.fullmatch(cell) is not None


def title_of(cell: Cell) -> str:
    r"""
    Return a heading on one line, without invisible characters.

    >>> title_of("\ufeffAccount\u200b \n number\x00")
    'Account number'
    """
    return " ".join(without_marks(clean(str(cell))).split())


def _headers(source: Source) -> Iterator[Header]:
    """Yield what may be the header: each of the first lines, and each together with a line above that spans its columns."""
    above: Sequence[Cell] | None = None
    for number, line in enumerate(islice(source.lines(), HEADER_ROWS)):
        own = [title_of(cell) for cell in line]
        yield Header(number, tuple((title,) for title in own))
        if above is not None:
            over = [title_of(cell) for cell in above]
            for (top, left), (_bottom, right) in source.spans:
                if top == number - 1:
                    over[left : right + 1] = [over[left]] * (right + 1 - left)
            names = zip(own, over, strict=True)
            yield Header(
                number,
                tuple((f"{high} {low}".strip(), low or high) for low, high in names),
            )
        above = line


def _sources(part: PartFile) -> Iterator[Source]:
    """Yield the sheets of a file that a person can see; a CSV once for each delimiter that it may have."""
    if part.media_type in (CSV, TEXT):
        yield from _csv_sources(part)
        return
    if part.media_type not in (XLSX, ZIP):
        raise BadFile(f"The file is {part.media_type}, not a workbook.", step="read the file")
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    check_zip(part.path, every_byte=False)
    try:
        with CalamineWorkbook.from_path(part.path) as workbook:
            for each in workbook.sheets_metadata:
                if each.visible is SheetVisibleEnum.Visible and each.typ is SheetTypeEnum.WorkSheet:
                    sheet = workbook.get_sheet_by_name(each.name)
                    yield Source(sheet.iter_rows, spans=tuple(sheet.merged_cell_ranges or ()))
    except CalamineError as error:
        raise BadFile(f"The workbook cannot be read ({type(error).__name__}).", step="read the file") from None


def _csv_sources(part: PartFile) -> Iterator[Source]:
    data = part.path.read_bytes()
    encoding = encoding_of(data)
    if encoding is None:
        raise BadFile("The CSV is in no known encoding, or in two.", step="read the file")
    text = data.decode(encoding)
    del data
    head = text[:4096]
    if stated := re.match(r"\ufeff?sep=([,;\t|])\r?\n", head, re.I):
        text, delimiters = text[stated.end() :], [stated[1]]
    else:
        delimiters = sorted((each for each in DELIMITERS if each in head), key=head.count, reverse=True) or [","]
    failed: BadFile | None = None
    for delimiter in delimiters:
        try:
            lines = _csv_lines(text, delimiter)
        except csv.Error as error:
            failed = failed or BadFile(f"The CSV cannot be read ({error}).", step="read the file")
            continue
        # Kept: the part file moves on before its rows are written.
        yield Source(lambda lines=lines: lines, is_typed=False)  # type: ignore[misc]
    if failed is not None:
        raise failed


def _csv_lines(text: str, delimiter: str) -> list[list[str]]:
    # Strict: a quote that is never closed would swallow the rows behind it.
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    width = max(map(len, lines), default=0)
    return [line + [""] * (width - len(line)) for line in lines]
