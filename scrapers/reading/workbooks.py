"""Reads workbooks as typed rows: finds the header, converts known columns, and keeps the others unconverted."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import InvalidOperation
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any

from scrapers.core.outcomes import BadFile, NotListed, PortalChanged, WrongAccount
from scrapers.core.spool import CSV, TEXT, XLSX, ZIP, PartFile, encoding_of
from scrapers.reading.archive import check_zip
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.marks import without_marks
from scrapers.reading.values.numbers import currency_of, money
from scrapers.reading.values.texts import Cell, Convert, clean, digits, plain

HEADER_ROWS = 50  # lines that are searched for the header, below titles, dates and addresses
UNREADABLE = (ValueError, TypeError, InvalidOperation)  # raised when a cell cannot be read
DELIMITERS = ",;\t|"
OWN = "phone_number"  # the column that names what a row is about beside its account
PAGE_DIGITS = 4  # a line with only a number of up to so many digits is a page number

# First words of lines between or below the rows that are no rows, in English and French.
REMARK = re.compile(
    r"[\W_]*(?:"
    r"(?:(?:grand|sub|sous|account|report|overall|final|net)[\s-]*)?(?:totals?|totaux|total[ei]?s?)\b"
    r"|sum\b|sums\b|somme\b|sommaire\b|summary\b|count\b|nombre d|average\b|moyenne\b|balance\b|solde\b"
    r"|notes?\b|nota\b|n\.\s?b\.|remarks?\b|remarques?\b|disclaimer\b|avis\b|avertissement\b|legend\b|légende\b"
    r"|pages?\b|copyright\b|©|\(c\)|all rights\b|tous droits\b|droits d|confidential|confidentiel"
    r"|(?:report |rapport )?(?:generated|created|printed|prepared|exported|produced|as of|run on)\b"
    r"|(?:rapport )?(?:généré|créé|imprimé|préparé|exporté|produit|en date d|établi)"
    r"|end of\b|fin d[eu]\b|continued\b|suite\b|\d{1,6}\s+(?:lines?|rows?|records?|lignes?|enregistrements?|entrées?|entries)\b"
    r"|\d{1,4}\s*(?:of|de|sur|/)\s*\d{1,4}\W*$)",
    re.I,
)
TOTAL = re.compile(
    r"\W*(?:(?:grand|sub|sous)[\s-]*)?(?:total|totals|totaux|somme|sum)(?: (?:général|generale?|partiel))?\W*", re.I
)
COPYRIGHT = re.compile(r"©|\bcopyright\b|\btotal\b|\btotaux\b|\bsous-total\b|\bsubtotal\b", re.I)


class RowsNotUnderstood(PortalChanged):
    """PortalChanged that concerns only the rows of a file: the file may be stored, see `read_sheet`."""


@dataclass(frozen=True, slots=True)
class Column:
    """A known column: its name in our tables, the regular expression of its header, the converter of its cells."""

    name: str
    header: str
    read: Convert
    required: bool = False
    repeats: bool = False  # has few different values: each is converted once

    def is_headed(self, cell: Cell) -> bool:
        """Return whether a header's cell matches this column."""
        return isinstance(cell, str) and re.fullmatch(self.header, title_of(cell), re.I) is not None


@dataclass(frozen=True, slots=True)
class Header:
    """
    The header: one line of headings, or two, of which the upper one spans columns of the lower one.

    last: number of the last line. names: for each column its own heading, and the one that spans it.
    """

    last: int
    names: tuple[tuple[str, ...], ...]

    @property
    def titles(self) -> list[str]:
        """The title of each column, "" for none; a repeated one has a number."""
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
    """One sheet of a file. lines: returns an iterator over its lines, all of the same width. is_typed: not CSV."""

    lines: Callable[[], Iterable[Sequence[Cell]]]
    is_typed: bool = True
    spans: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()  # merged cells: upper left, lower right


class Sheet:
    """
    The rows below a workbook's header. They can be iterated any number of times; the file is read each time.

    Lines without a value in `key` (empty lines, totals, remarks) are no rows, and neither are totals, notes and page
    numbers that have one.
    """

    def __init__(self, source: Source, header: Header, columns: Sequence[Column], locale: Locale) -> None:
        self._source, self._header, self._locale = source, header, locale
        self.account: str | None = None  # account number of all rows, with leading zeros; set by `check`
        self.is_mixed = False  # rows of other accounts are passed over; set by `check`
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
        Return the first visible sheet of a part file (XLSX or CSV) that has every required column. locale: of its values.

        Raises BadFile for a file that is no workbook, PortalChanged with the required columns that are missing.
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
        """Return the distinct non-empty cells of some columns over all rows, unconverted."""
        places = [self._column(name)[0] for name in names]
        seen = set(map(itemgetter(*places), self._below(key)))
        lists = zip(*seen, strict=True) if len(names) > 1 else [seen]
        found = [{cell for cell in cells if cell != ""} for cells in lists]
        return found or [set() for _ in names]

    def rows(self, key: str) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        """
        Yield each row: the values of its known columns, and those of all others as JSON by title, or None.

        A cell of a known column that cannot be read is None, and is kept by its title with the others. After `check`,
        `account_number` is the checked account in every row.
        """
        account, locale, at = self.account, self._locale, self._column(key)[0]
        readers = [
            (place, column.name, lru_cache(1000)(read) if column.repeats else read)
            for place, column in self._known
            if account is None or column.name != "account_number"
            for read in (self._in_currency if column.read is money else column.read,)
        ]
        # A total may be labelled in a column other than the key: one of the unknown ones, or the first one.
        at_first = None if self._column(key)[0] == 0 else 0
        for line in self._below(key):
            if at_first is not None and is_total(line[at_first]):
                continue
            if account is not None and self.is_mixed and not self.is_same(account, line[at]):
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
        """Return whether the sheet has a column."""
        return any(column.name == name for _, column in self._known)

    def read(self, name: str, cell: Cell) -> Any:
        """Return the value of a cell of a known column; None for one that is empty or cannot be read."""
        try:
            return self._column(name)[1].read(cell, self._locale)
        except UNREADABLE:
            return None

    def is_same(self, account: str, cell: Cell) -> bool:
        """
        Return whether a cell of `account_number` is *account*.

        Leading zeros are lost in numeric cells of a workbook, and possibly in a CSV: such a cell is padded to the length
        of *account*. A text cell of a workbook is compared as it is.
        """
        found, wanted = self.read("account_number", cell), digits(account)
        is_number = not isinstance(cell, str) or (not self._source.is_typed and cell.strip().isdecimal())
        return found is not None and (found == wanted or (is_number and found.zfill(len(wanted)) == wanted))

    def _in_currency(self, cell: Cell, locale: Locale) -> str | None:
        """Return an amount as `money` does; raise ValueError where the cell names another currency than the headings."""
        if self.currency and currency_of(cell) not in (None, self.currency):
            raise ValueError("is in another currency")
        return money(cell, locale)

    def _column(self, name: str) -> tuple[int, Column]:
        return next((place, column) for place, column in self._known if column.name == name)

    def _below(self, key: str) -> Iterator[Sequence[Cell]]:
        """Yield the lines below the header that are rows, without totals, notes and page numbers."""
        at, column = self._column(key)
        width = 0 if self._source.is_typed else max(at for at, title in enumerate(self._titles, 1) if title)
        kinds: dict[Cell, bool | None] = {}  # cache, for columns with few different values
        own = next((place for place, each in self._known if each.name == OWN and place != at), None)
        for number, line in enumerate(self._filled(), self._header.last + 2):
            if (cell := line[at]) == "":
                if own is not None and line[own] != "" and self._is_of_a_line(line, own):
                    raise RowsNotUnderstood(
                        f"Line {number} of the file has a telephone number and no {key}.",
                        step="read the file",
                        selector=column.name,
                    )
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

    def _filled(self) -> Iterator[Sequence[Cell]]:
        """Yield the lines below the header, with the cell of a merged range in each line that it covers."""
        first = self._header.last + 1
        lines = islice(self._source.lines(), first, None)
        tall = [span for span in self._source.spans if span[1][0] > max(span[0][0], self._header.last)]
        if not tall:
            yield from lines
            return
        covering: dict[int, list[tuple[int, int]]] = {}  # by line: column, line of the range's cell
        for (top, left), (bottom, _right) in tall:
            for number in range(max(top + 1, first), bottom + 1):
                covering.setdefault(number, []).append((left, top))
        cells: dict[tuple[int, int], Cell] = {}
        for number, line in enumerate(lines, first):
            for (top, left), _ in tall:
                if top == number:
                    cells[left, top] = line[left]
            if number in covering:
                filled = list(line)
                for place in covering[number]:
                    filled[place[0]] = cells.get(place, filled[place[0]])
                yield filled
            else:
                yield line

    def _is_of_a_line(self, line: Sequence[Cell], own: int) -> bool:
        """Return whether a line without its key has a telephone number, and is neither a total nor a remark."""
        if any(is_total(cell) or (isinstance(cell, str) and REMARK.match(without_marks(cell))) for cell in line):
            return False
        return self.read(OWN, line[own]) is not None

    def _is_row(self, column: Column, cell: Cell) -> bool | None:
        """Return whether a line with this key is a row: True, False, or None when the rest of the line decides."""
        try:
            value = column.read(cell, self._locale)
        except UNREADABLE:
            is_remark = isinstance(cell, str) and (REMARK.match(without_marks(cell)) or COPYRIGHT.search(cell))
            return False if is_remark else None
        if value is None:
            return False
        return None if len(str(value)) <= PAGE_DIGITS else True


def check(sheet: Sheet, account: str, month: str = "", beside: Collection[str] = ()) -> None:
    """
    Raise unless every row is of this account (WrongAccount) and, where one is given, of this month (PortalChanged).

    beside: further accounts of the same user that a file may hold, too; their rows are passed over, and NotListed is raised
    where there are no others.

    They are in the columns `account_number` and `period` (YYYY-MM); a sheet without the latter does not say its month.
    """
    names = ("account_number", "period") if month and sheet.has("period") else ("account_number",)
    accounts, *months = sheet.cells(*names, key="account_number")
    of_others = {cell for cell in accounts if not sheet.is_same(account, cell)}
    of_user = {cell for cell in of_others if any(sheet.is_same(each, cell) for each in beside)}
    others = {sheet.read("account_number", cell) for cell in of_others - of_user}
    if others - {None}:
        raise WrongAccount(f"The file holds rows of {len(others)} other accounts.", step="read the file")
    if of_user and accounts == of_others:
        raise NotListed("The file holds rows of the user's other accounts, and none of this one.", step="read the file")
    sheet.is_mixed = bool(of_user)
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
    part: PartFile,
    columns: Sequence[Column],
    locale: Locale,
    account: str,
    month: str = "",
    beside: Collection[str] = (),
) -> tuple[Sheet | None, str]:
    """
    Return a part file's checked rows and ""; or None and a warning with the column, when the rows cannot be read.

    beside: see `check`. Raises WrongAccount or PortalChanged for rows of another account or month, and BadFile for a file that
    is no workbook: such a file must not be stored.
    """
    try:
        sheet = Sheet.of(part, columns, locale)
        check(sheet, account, month, beside)
    except RowsNotUnderstood as failure:
        return None, f"The rows were not read: {failure.detail} (column {failure.selector})"
    return sheet, ""


def lines_of(part: PartFile) -> Iterator[Sequence[Cell]]:
    """Yield all lines of the visible sheets of a workbook or CSV, of which nothing else is known."""
    sources = _sources(part)
    for source in islice(sources, 1) if part.media_type in (CSV, TEXT) else sources:
        yield from source.lines()


def is_total(cell: Cell) -> bool:
    """
    Return whether a cell labels its line as a total.

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
    """Yield candidates for the header: each of the first lines, alone and with a line above that spans its columns."""
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
    """Yield the visible sheets of a file; a CSV once for each possible delimiter."""
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
        delimiters = sorted((each for each in DELIMITERS if each in head), key=text.count, reverse=True) or [","]
    failed: BadFile | None = None
    for delimiter in delimiters:
        try:
            lines = _csv_lines(text, delimiter)
        except csv.Error as error:
            if delimiter == delimiters[0]:  # by another, quotes may stand in any place of a good file
                failed = BadFile(f"The CSV cannot be read ({error}).", step="read the file")
            continue
        # Kept in memory: the part file is moved before its rows are written.
        yield Source(lambda lines=lines: lines, is_typed=False)  # type: ignore[misc]
    if failed is not None:
        raise failed


def _csv_lines(text: str, delimiter: str) -> list[list[str]]:
    # Strict: otherwise an unclosed quote includes all following rows in one cell.
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    width = max(map(len, lines), default=0)
    return [line + [""] * (width - len(line)) for line in lines]
