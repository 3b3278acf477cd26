"""The cells of an HTML table by row and column, with cells that span several of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import dropwhile, takewhile

from scrapy.selector import Selector

from scrapers.reading.visible import text, visible

WIDEST = 200  # columns of one cell
HEADS = 4  # rows in which headings without `thead` are looked for


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: its element, and the cell at each column; a cell that spans columns is at each of them."""

    element: Selector
    cells: tuple[Selector | None, ...]

    @property
    def own(self) -> list[Selector]:
        """The cells, each once."""
        found: list[Selector] = []
        for cell in self.cells:
            if cell is not None and all(cell is not other for other in found):
                found.append(cell)
        return found

    def tags(self) -> list[str]:
        """Return th or td of each cell."""
        return [cell.root.tag for cell in self.own]


def heading(words: str) -> str:
    """
    Return a heading in the form in which headings are compared.

    >>> heading("Unit #"), heading("SPN / FMI")
    ('unit', 'spn fmi')
    """
    return re.sub(r"[\W_]+", " ", words).strip().casefold()


def meanings(titles: Collection[str], headings: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """
    Return the field of each heading that stands beside the others, all in the form of `heading`.

    headings: of each field, the surest first, which alone is taken. One of several fields is that of the first of them that
    has no surer one.

    >>> known = {"code": ("Code", "Fault"), "meaning": ("Meaning", "Fault")}
    >>> meanings(["fault", "code"], known), meanings(["fault"], known)
    ({'code': 'code', 'fault': 'meaning'}, {'fault': 'code'})
    """
    found: dict[str, str] = {}
    for name, known in headings.items():
        there = (title for each in known if (title := heading(each)) in titles and title not in found)
        if (surest := next(there, None)) is not None:
            found[surest] = name
    return found


def grid(table: Selector) -> list[Line]:
    """Return the visible rows of a table, without those of tables inside of it and of its foot."""
    lines: list[Line] = []
    reaching: dict[int, tuple[Selector, int]] = {}  # column: cell of an earlier row, how many rows it still spans
    for row in visible(table.xpath("tr | thead/tr | tbody/tr")):
        cells: dict[int, Selector] = {at: cell for at, (cell, _) in reaching.items()}
        reaching = {at: (cell, left - 1) for at, (cell, left) in reaching.items() if left > 1}
        at = 0
        for cell in row.xpath("td | th"):
            while at in cells:
                at += 1
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            for column in range(at, at + wide):
                cells[column] = cell
                if high > 1:
                    reaching[column] = (cell, high - 1)
            at += wide
        lines.append(Line(row, tuple(cells.get(column) for column in range(max(cells, default=-1) + 1))))
    return lines


def columns(lines: list[Line], headings: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, tuple[int, ...]], int]:
    """
    Return the columns of each field that a table's headings name, and how many rows at its top are headings.

    headings: of each field, the surest first. A heading that spans columns names all of them; of two rows of headings
    the lower one names them more precisely.
    Headings may also be in cells of the body, if at least two of them are known or all are.
    """
    heads = [line for line in lines if line.element.xpath("parent::thead")]
    heads = heads or _upper(
        [line if line.own and set(line.tags()) == {"th"} else None for line in lines[:HEADS]], lines
    )
    heads = heads or [line for line in lines[:1] if "th" in line.tags()]
    if found := _named(heads, headings):
        return found, lines.index(heads[-1]) + 1
    for at, line in enumerate(lines[:HEADS]):
        found = _named([line], headings)
        named = {column for each in found.values() for column in each}
        filled = {column for column, cell in enumerate(line.cells) if cell is not None and _title(cell)}
        if found and (len(found) > 1 or named == filled):
            return found, at + 1
    return {}, 0


def _upper(heads: list[Line | None], lines: list[Line]) -> list[Line]:
    """Return the first rows of headings that stand together, without a last one that is the heading of a group."""
    found = list(takewhile(lambda head: head is not None, dropwhile(lambda head: head is None, heads)))
    kept = [head for head in found if head is not None]
    while len(kept) > 1 and spans_all(kept[-1], width(lines)):
        kept.pop()
    return kept


def facts(lines: list[Line]) -> list[tuple[str, list[Selector]]] | None:
    """Return label and values of each row of a table whose labels are in its first column; None for another table."""
    if not lines or any(len(line.own) < 2 for line in lines):
        return None
    if all(line.tags()[0] == "th" and "th" not in line.tags()[1:] for line in lines) or (
        len(lines) > 1 and all(len(line.own) == 2 and line.tags() == ["td", "td"] for line in lines)
    ):
        return [(_title(line.own[0]), line.own[1:]) for line in lines]
    return None


def is_repeated(line: Line, heads: list[Line]) -> bool:
    """Return whether a row is one of the rows of headings again."""
    return any([_title(cell) for cell in line.own] == [_title(cell) for cell in head.own] for head in heads)


def width(lines: list[Line]) -> int:
    """Return how many columns a table has."""
    return max((len(line.cells) for line in lines), default=0)


def spans_all(line: Line, wide: int) -> bool:
    """Return whether a row is one cell over all of a table's columns, of which there are several."""
    return wide > 1 and len(line.own) == 1 and len(line.cells) == wide


def _span(cell: Selector, name: str) -> int:
    said = cell.attrib.get(name, "").strip()
    return min(max(int(said), 1), WIDEST) if said.isascii() and said.isdigit() else 1


def _title(cell: Selector) -> str:
    # The text of some headings is for screen readers only.
    return heading(text(cell)) or heading(" ".join(cell.xpath(".//text()").getall()))


def _named(heads: list[Line], headings: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for head in reversed(heads):
        titles = [(at, cell, _title(cell)) for at, cell in enumerate(head.cells) if cell is not None]
        fields = meanings([title for _, _, title in titles], headings)
        for wanted, name in fields.items():
            first = next(cell for _, cell, title in titles if title == wanted)
            found.setdefault(name, tuple(at for at, cell, _ in titles if cell is first))
    return found
