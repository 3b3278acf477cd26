"""
Extracts of Bizonline: a ZIP with a header and a data file without one, which become one workbook with typed cells.

The header is a text. Its first line is the period, its second line is empty, and each further one is a column: name, width, type.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from scrapers.core.outcomes import BadFile
from scrapers.core.periods import months_in
from scrapers.core.spool import PartFile, encoding_of
from scrapers.portals.rogers.columns import LOCALE
from scrapers.reading.archive import is_archive, unpack
from scrapers.reading.new_workbooks import NewCell, write_workbook
from scrapers.reading.values.days import day

# No fact lists the types. Of another type, and where a value is not certainly of its type, it stays a text.
NUMBER = re.compile(r"\W*(num|int|dec|float|double|money|currency|amount)", re.I)
DATE = re.compile(r"\W*date", re.I)
EXACT = re.compile(r"-?(0|[1-9]\d{0,11})(\.\d{1,3})?")  # leading zeros belong to identifiers
COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
DATES = re.compile(r"(?<!\d)(\d\d/\d\d/\d{4}|\d{4}-\d\d-\d\d)(?!\d)")
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name, the width of its values in characters, and its type."""

    name: str
    width: int
    kind: str

    def cell(self, text: str) -> NewCell:
        """
        Return a value as a cell: a number or day where its type is one and it is certainly that, else the text.

        >>> Field("Fee", 8, "NUMBER").cell("12.50"), Field("Account", 9, "NUMBER").cell("012345678")
        (Decimal('12.50'), '012345678')
        >>> Field("Ends", 10, "DATE").cell("02/29/2028"), Field("Ends", 10, "DATE").cell("02/29/2027")
        (datetime.date(2028, 2, 29), '02/29/2027')
        """
        said = text.strip()
        if NUMBER.match(self.kind) and EXACT.fullmatch(said):
            return Decimal(said)
        if DATE.match(self.kind):
            written = COMPACT.sub(r"\1-\2-\3", said) if COMPACT.fullmatch(said) else said
            with suppress(ValueError):
                found = day(written, LOCALE)
                return date.fromisoformat(found) if found else said
        return said


@dataclass(frozen=True, slots=True)
class Header:
    """The header of an extract."""

    period: str
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, text: str) -> Header:
        r"""
        Read a header; raise ValueError for another text.

        >>> Header.of("October 2026\n\nAccount,9,CHAR\n").fields
        (Field(name='Account', width=9, kind='CHAR'),)
        """
        period, empty, *rest = [*text.splitlines(), "", ""]
        while rest and not rest[-1].strip():
            rest.pop()
        if not period.strip() or empty.strip() or not rest:
            raise ValueError("is no header of an extract")
        fields = []
        for line in _lines(rest):
            *name, width, kind = line if len(line) > 2 else ("", "", "")
            if not ",".join(name).strip() or not re.fullmatch(r"\s*[0-9]{1,6}\s*", width):
                raise ValueError("is no header of an extract")
            fields.append(Field(",".join(name).strip(), int(width), kind.strip()))
        return cls(period.strip(), tuple(fields))

    @property
    def months(self) -> set[tuple[int, int]]:
        """Years and months that the period names; empty where it is not understood."""
        found = set(months_in(self.period))
        for text in DATES.findall(self.period):
            with suppress(ValueError):
                said = day(text, LOCALE)
                found |= {(int(said[:4]), int(said[5:7]))} if said else set()
        return found


def _lines(text: Iterable[str], delimiter: str = ",") -> Iterator[list[str]]:
    """Yield the lines of a delimited text as cells; raise ValueError where quotes stand in the wrong place."""
    try:
        yield from csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise ValueError(f"is no delimited text ({error})") from None


def rows_of(text: str, columns: int) -> list[list[str]] | None:
    r"""
    Return the lines of a data file as cells, by the delimiter by which each has as many as there are columns; None without one.

    >>> rows_of('a,"b,c"\n', 2), rows_of("a;b\n\n", 2), rows_of("a,b\nc\n", 2)
    ([['a', 'b,c']], [['a', 'b']], None)
    """
    for delimiter in DELIMITERS:
        with suppress(ValueError):  # by another one, quotes may stand in any place of a good file
            rows = [line for line in _lines(io.StringIO(text, newline=""), delimiter) if line]
            if all(len(line) == columns for line in rows):
                return rows
    return None


def merge(archive: PartFile, months: Collection[tuple[int, int]]) -> tuple[PartFile, list[str]]:
    """
    Return the workbook of an extract, with notes about it; or its data file, where no header is understood.

    Its first line is the period, its second one the header. months: those of the job's cycle, of which the period may not be.
    Raises BadFile for anything but a ZIP with a data file. Blocks: call it from a worker thread.
    """
    if not is_archive(archive):
        raise BadFile(f"The portal sent {archive.media_type} in place of a ZIP.", step="read the extract")
    headers: list[Header] = []
    data: list[tuple[PartFile, str]] = []
    for file in unpack(archive):
        text = _text(file)
        try:
            headers.append(Header.of(text))
        except ValueError:
            data.append((file, text))
    if len(data) != 1:
        raise BadFile(f"The ZIP holds {len(data)} data files in place of one.", step="read the extract")
    part, text = data[0]
    rows = rows_of(text, len(headers[0].fields)) if len(headers) == 1 else None
    if rows is None:
        reason = "its columns are others than the header's" if len(headers) == 1 else f"it has {len(headers)} headers"
        return part, [f"The extract was stored as it came: {reason}."]
    notes = []
    if headers[0].months and not headers[0].months & set(months):
        notes.append(f"The extract is of {headers[0].period}.")
    return _workbook(part, headers[0], rows), notes


def _workbook(data: PartFile, header: Header, rows: Sequence[Sequence[str]]) -> PartFile:
    lines: list[Sequence[NewCell]] = [[header.period], [field.name for field in header.fields]]
    lines += [[field.cell(text) for field, text in zip(header.fields, row, strict=True)] for row in rows]
    made = write_workbook(data.path.parent, f"{Path(data.name).stem}.xlsx", lines)
    data.path.unlink()
    return made


def _text(file: PartFile) -> str:
    content = file.path.read_bytes()
    if (encoding := encoding_of(content)) is None:
        raise BadFile("A file of the extract is no text.", step="read the extract")
    return content.decode(encoding)
