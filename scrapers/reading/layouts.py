"""
Lists of rows: the layouts in which a portal may show one, in the order in which they are tried.

A page that has none of them, and does not say that it is empty, raises PortalChanged; it never counts as an empty list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel
from scrapy.http import Response, TextResponse
from scrapy.selector import Selector

from scrapers.core.outcomes import PortalChanged
from scrapers.reading.forms import submitted
from scrapers.reading.grids import Line, columns, facts, grid, heading, is_repeated, meanings, spans_all, width
from scrapers.reading.values.marks import without_marks
from scrapers.reading.values.texts import known
from scrapers.reading.visible import is_page, text, visible

Model = TypeVar("Model", bound=BaseModel)
Selectors = tuple[str, ...]
Alternatives = Mapping[str, tuple[str, ...]]  # field: ordered selectors, headings or paths

COUNT = r"(?<![\w.,/:-])(\d{1,3}(?:([ ,.\u00a0\u202f’'])\d{3})(?:\2\d{3})*|\d+)(?![\w:/-]|[.,]\d)"
ROWS = (
    r"(?:total\s+)?(?:entr(?:y|ies|ées?)|rows?|records?|results?|items?|vehicles?|assets?|units?|trucks?|faults?|codes?"
    r"|lignes?|enregistrements?|résultats?|éléments?|véhicules?|unités?|défauts?|registros?|resultados?|elementos?"
    r"|vehículos?|unidades|fallos?)\b"
)
MONTH_WORD = r"(?:jan|feb|fév|mar|apr|avr|ma[iy]|jun|juin|jul|juil|aug|août|sep|oct|nov|dec|déc)[^\W\d]*\.?"
NO_TOTAL = re.compile(  # brackets; pages; days and times; years beside words that go with them
    r"\([^)]*\)|\[[^]]*\]|\bpages?\s*:?\s*\d+(?:\s*(?:of|de|sur|/)\s*\d+)?|\d+\s*(?:per page|par page|pages?\b)"
    r"|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d\S*)?|\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b|\b\d{1,2}:\d\d(?::\d\d)?(?:\s*[ap]m\b)?"
    rf"|\b\d{{1,2}}\s+{MONTH_WORD}\s+(?:19|20)\d\d\b|\b{MONTH_WORD}\s+\d{{1,2}},?\s+(?:19|20)\d\d\b|\b{MONTH_WORD}\s+(?:19|20)\d\d\b"
    r"|(?:updated|as of|since|in|year|©|copyright|à jour|depuis|en|année|desde|año)\W*(?:19|20)\d\d\b",
    re.I,
)
TOTALS = (  # in order: the number behind "of"; before the rows' name; labelled as total; the only number
    re.compile(rf"\d\s*(?:{ROWS}\s*)?(?:out of|of|de|sur|von|/)\s*(?:about |environ )?{COUNT}", re.I),
    re.compile(rf"{COUNT}\s+{ROWS}", re.I),
    re.compile(rf"\btotal\b\W*{COUNT}", re.I),
    re.compile(rf"{COUNT}\W*\btotal\b", re.I),
    re.compile(COUNT),
)

RANGE = re.compile(  # "1-25 of 57": a total, wherever on the page it stands
    rf"^(?:\D*\s)?\d+\s*(?:-|–|to|à|bis|a)\s*\d+\s*(?:{ROWS}\s*)?(?:of|de|sur|von|out of)\s*{COUNT}\b", re.I
)
NEXT = re.compile(  # the text, label or title of what leads to the next rows
    r"(?:go to )?(?:the )?(?:next|suivante?|weiter|nächste|siguiente)(?: (?:page|seite|página))?"
    r"|page suivante|página siguiente|load more(?: \w+)?|charger plus|mehr laden|cargar más"
    r"|(?:show|view|see) more(?: (?:vehicles|assets|units|trucks|results|rows|records|items|entries|faults|codes))?"
    r"|(?:afficher|voir) plus|mehr anzeigen|(?:mostrar|ver) más",
    re.I,
)
ASIDE = frozenset({"nav", "header", "footer", "aside", "a", "button", "select", "label", "form"})  # no part of a list


@dataclass(frozen=True, slots=True)
class Row:
    """
    A row of a list, with unconverted values.

    values: by field; texts of a page, or JSON values. classes: of the row's element. text: the whole row's.
    group: class and caption of the table around it, and the heading of its group of rows. rest: text of the cells below
    headings that are not known, or of a block's elements that are no field; of a list of facts its caption, or the heading
    before it. over: the nearest heading above the row, or the label of the area around it.
    """

    values: Mapping[str, Any]
    classes: frozenset[str] = frozenset()
    text: str = ""
    group: str = ""
    rest: str = ""
    over: str = ""

    def get(self, name: str) -> str:
        """Return a field as text; "" when the row does not have it."""
        value = self.values.get(name)
        return "" if value is None else str(value)


class Layout(Protocol):
    """A layout of a list."""

    def rows(self, response: TextResponse) -> list[Row] | None:
        """Return the rows; None when the page does not have this layout."""


@dataclass(frozen=True, slots=True)
class Cards:
    """
    Blocks that contain their fields. Rows of tables are none: their fields are in columns.

    fields: selectors inside of a block; one may end in ::attr(name). headings: labels of fields, in a list of facts or
    before a colon. forms: regular expressions for the whole text of the only element that holds a field, where neither
    names it.
    """

    blocks: Selectors
    fields: Mapping[str, Selectors]
    headings: Alternatives = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)

    def rows(self, response: TextResponse) -> list[Row] | None:
        """Return the blocks of all selectors, each once."""
        if not is_page(response):
            return None
        found = [each for each in visible(response.css(", ".join(self.blocks))) if each.root.tag not in ("tr", "td")]
        rows = [(block, self._values(block)) for block in _once(found)]
        return [_row(block, values, rest=_beside(block, values, self.headings)) for block, values in rows] or None

    def _values(self, block: Selector) -> dict[str, str]:
        lists = visible(block.xpath("descendant-or-self::dl | descendant::table"))
        labelled = {name: _value(*cells) for each in lists for name, cells in _labelled(each, self.headings)}
        found = {**_behind_labels(block, self.headings), **labelled, **_inside(block, self.fields)}
        for name, form in self.forms.items():
            if name not in found and (said := _of_form(block, form)):
                found[name] = said
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """
    Tables with columns found by their headings.

    needs: sets of fields; a table must have all fields of one set. order: fields by position, for a page's only table
    without such headings; a row with fewer cells has only its text. fields: selectors inside of a row, for what no
    column says. no_group: regular expression, ignoring case, for what no heading of a group of rows contains.

    A cell that spans the whole table, with a row behind it, is the heading of a group of rows.
    """

    headings: Alternatives
    needs: tuple[frozenset[str], ...]
    order: tuple[str, ...] = ()
    fields: Mapping[str, Selectors] = field(default_factory=dict)
    no_group: str = ""

    def rows(self, response: TextResponse) -> list[Row] | None:
        """Return the rows of every table with known headings."""
        found = [row for _, rows in self._fitting(response) for row in rows]
        return found or None

    def rows_of_lone_table(self, response: TextResponse) -> list[Row] | None:
        """Return the rows of the page's only table, by the order of its columns, when it has no known headings."""
        tables = visible(response.css("table")) if is_page(response) else []
        if len(tables) != 1 or self._fitting(response):
            return None
        lines = [line for line in grid(tables[0]) if "td" in line.tags()]
        at = {name: (column,) for column, name in enumerate(self.order)}
        return [_line(line, at, self.fields) for line in lines] or None

    def _fitting(self, response: TextResponse) -> list[tuple[Selector, list[Row]]]:
        fitting = []
        for table in visible(response.css("table")) if is_page(response) else []:
            lines = grid(table)
            labelled = facts(lines)
            if labelled and lines[0].tags()[0] == "th":
                continue
            at, heads = columns(lines, self.headings)
            body = [line for line in lines[heads:] if not is_repeated(line, lines[:heads])]
            rows = [_line(line, at, self.fields, group) for group, line in self._grouped(body, width(lines))]
            named = set(at) | {name for row in rows for name in row.values}
            if any(need <= named for need in self.needs) and not self._holds_another(table, at):
                fitting.append((table, rows))
        return fitting

    def _grouped(self, body: list[Line], wide: int) -> Iterator[tuple[str, Line]]:
        """Yield the rows, each with the class and text of its group's heading."""
        group, no_group = "", re.compile(self.no_group or "(?!)", re.I)
        for line, behind in zip_longest(body, body[1:]):
            heads = spans_all(line, wide) and behind is not None and not spans_all(behind, wide)
            said = text(line.element)
            if heads and said and not no_group.search(said):
                group = f"{line.element.attrib.get('class', '')} {said}".strip()
            elif "td" in line.tags() or (heads and said):
                yield group, line

    def _holds_another(self, table: Selector, at: Mapping[str, Any]) -> bool:
        """Return whether a table without known headings has the list in a table inside of it."""
        return not at and bool(table.xpath(".//table"))


@dataclass(frozen=True, slots=True)
class Facts:
    """Lists of facts, one for each row: `dl`, and tables with their labels in the first column."""

    headings: Alternatives
    needs: tuple[frozenset[str], ...]

    def rows(self, response: TextResponse) -> list[Row] | None:
        """Return the rows of every list of facts with known labels."""
        if not is_page(response):
            return None
        found = []
        for element in visible(response.css("dl, table")):
            records = [
                {name: _value(cell) for name, cell in cells.items()} for cells in _records(element, self.headings)
            ]
            for values in records:
                if any(need <= set(values) for need in self.needs):
                    found.append(
                        _row(
                            element,
                            values,
                            text(element) if len(records) == 1 else " ".join(values.values()),
                            rest=_title(element) if len(records) == 1 else "",
                        )
                    )
        return found or None


def _title(facts: Selector) -> str:
    """Return the caption of a list of facts, or the heading just before it."""
    for title in (
        *facts.xpath("caption"),
        *facts.xpath("preceding-sibling::*[1][self::h2 or self::h3 or self::h4 or self::h5 or self::h6]"),
    ):
        return text(title)
    return ""


@dataclass(frozen=True, slots=True)
class Json:
    """
    A JSON document: the answer itself, or a script element of a page. Paths are names joined by dots.

    lists: paths of the list, "" being the document itself. scripts: which element of a page holds the document.
    """

    lists: tuple[str, ...]
    fields: Alternatives
    scripts: Selectors = ()

    def rows(self, response: TextResponse) -> list[Row] | None:
        """Return the entries of the first path that leads to a list, which may be empty."""
        document = json_of(response, self.scripts)
        found = next((at for path in self.lists if isinstance(at := follow(document, path), list)), None)
        if found is None:
            return None
        return [Row(self._values(entry), text=json.dumps(entry, ensure_ascii=False)) for entry in found]

    def _values(self, entry: Any) -> dict[str, Any]:
        found = {}
        for name, paths in self.fields.items():
            value = next((value for path in paths if (value := follow(entry, path)) is not None), None)
            if value is not None:
                found[name] = value
        return found


@dataclass(frozen=True, slots=True)
class Paging:
    """How to find the next page and the total number of rows, in a page's elements or its JSON."""

    following: Selectors = ()  # links to the next page
    buttons: Selectors = ()  # controls that are shown while there is a next page, with or without an address
    words: re.Pattern[str] = NEXT  # text, label or title of such links and controls
    following_json: tuple[str, ...] = ()
    pages_json: tuple[tuple[str, str], ...] = ()  # number of the page, number of pages
    total: Selectors = ()  # elements with the number of all rows
    total_json: tuple[str, ...] = ()
    scripts: Selectors = ()


@dataclass(frozen=True, slots=True)
class ListPage:
    """
    A list of a portal: its layouts, its paging and its empty state.

    empty: elements shown when the list is empty. empty_text: regular expression for their whole text, ignoring case.
    nothing: regular expression for a text that says the same in any element of the page.
    """

    name: str
    layouts: tuple[Layout, ...]
    empty: Selectors
    empty_text: str
    paging: Paging = field(default_factory=Paging)
    nothing: str = ""

    def read(self, response: Response) -> list[Row]:
        """Return the rows of a page; raise PortalChanged when it has no known layout and is not the empty list."""
        if isinstance(response, TextResponse):
            for layout in self.layouts:
                if (rows := layout.rows(response)) is not None:
                    return self._without_nothing(rows)
            if self._says_nothing(response):
                return []  # a table about something else does not count against it
            for layout in self.layouts:
                if isinstance(layout, Table) and (rows := layout.rows_of_lone_table(response)) is not None:
                    return self._without_nothing(rows)
        raise PortalChanged(
            f"The {self.name} at {response.url} is in no known layout.", selector=" | ".join(self.empty)
        )

    def _without_nothing(self, rows: list[Row]) -> list[Row]:
        """Leave out a row that only says that the list is empty."""
        return [row for row in rows if not self._is_nothing(row.text, self.empty_text, self.nothing)]

    @staticmethod
    def _is_nothing(said: str, *patterns: str) -> bool:
        return any(pattern and re.fullmatch(pattern, said, re.I) for pattern in patterns)

    def items(
        self, response: Response, kind: type[Model], values: Callable[[Row], Mapping[str, Any] | None], **fixed: Any
    ) -> tuple[list[Model], list[str]]:
        """
        Return the rows of a page as items, and the texts of those that are not understood.

        values: maps a row to fields of *kind*, or to None when it stands for no item; raises ValueError for one that it
        does not understand. fixed: fields of all items.
        """
        items, odd = [], []
        for row in self.read(response):
            try:
                if (fields := values(row)) is not None:
                    items.append(kind(**{**fields, **fixed}))
            except ValueError:  # pydantic's ValidationError is one
                odd.append(row.text[:80] or "an empty row")
        return items, odd

    def _says_nothing(self, response: TextResponse) -> bool:
        if not is_page(response):
            return False
        said = {text(element) for selector in self.empty for element in visible(response.css(selector))}
        if any(self._is_nothing(each, self.empty_text) for each in said):
            return True
        if not self.nothing:
            return False
        for element in visible(response.xpath("//body//*[string-length(normalize-space()) < 200]")):
            among = {node.tag for node in (element.root, *element.root.iterancestors())}
            beside = element.xpath(
                "ancestor-or-self::*[self::td or self::th]/../*[normalize-space()][2]"
            )  # of a column
            if ASIDE.isdisjoint(among) and not beside and self._is_nothing(text(element), self.nothing):
                return True
        return False

    def following(self, response: TextResponse) -> str | None:
        """Return the address of the next page; None at the end. Raises PortalChanged when there is a next page without an address."""
        paging, document = self.paging, json_of(response, self.paging.scripts)
        for path in paging.following_json:
            link = follow(document, path)
            if isinstance(said := follow(link, "href") or link, str) and said:
                return response.urljoin(said)
        for page, pages in ((follow(document, one), follow(document, last)) for one, last in paging.pages_json):
            if isinstance(page, int) and isinstance(pages, int) and page < pages:
                raise PortalChanged(f"The {self.name} goes on after page {page} of {pages} without an address.")
        if not is_page(response):
            return None
        for element in (*_selected(response, paging.following), *self._called_next(response)):
            if (
                _enabled(element)
                and (link := element.attrib.get("href", "").strip())
                and not link.startswith(("#", "javascript:"))
            ):
                return response.urljoin(link)
        for element in (*_selected(response, paging.buttons), *self._called_next(response)):
            if _enabled(element) and (query := submitted(element)) is not None:
                return response.urljoin(query)
        if link := _page_behind(response):
            return response.urljoin(link)
        if any(map(_enabled, (*_selected(response, paging.buttons), *self._called_next(response)))):
            raise PortalChanged(
                f"The {self.name} goes on behind a control without an address.", selector=" | ".join(paging.buttons)
            )
        return None

    def _called_next(self, response: TextResponse) -> list[Selector]:
        """Return the links and buttons that are called "next" by text, label or title."""
        found = []
        for element in visible(response.css("a, button, [role=button], input[type=submit], input[type=button]")):
            names = (text(element), *(element.attrib.get(name, "") for name in ("aria-label", "title", "value")))
            if any(self.paging.words.fullmatch(" ".join(re.findall(r"\w+", name))) for name in names):
                found.append(element)
        return found

    def total(self, response: TextResponse) -> int | None:
        """Return how many rows the portal says there are on all pages; None when there is no number or more than one candidate."""
        document = json_of(response, self.paging.scripts)
        for path in self.paging.total_json:
            if isinstance(value := follow(document, path), int):
                return value
        if not is_page(response):
            return None
        for element in _selected(response, self.paging.total):
            if (total := total_in(text(element))) is not None:
                return total
        short = (text(element) for element in visible(response.xpath("//body//*[text()]")))
        found = {total_in(said) for said in short if len(said) < 100 and RANGE.match(said)} - {None}
        return found.pop() if len(found) == 1 else None


def total_in(text: str) -> int | None:
    r"""
    Return the number of all rows in a text; None when there is none, or more than one candidate.

    Days, times, years, text in brackets and the number of pages are ignored.

    >>> total_in("Showing 1 to 10 of 57 entries (filtered from 120 total entries)"), total_in("1 204 véhicules")
    (57, 1204)
    >>> total_in("57 vehicles, updated 2026"), total_in("Page 1 of 3"), total_in("3 vehicles, 4 faults")
    (57, None, None)
    """
    said = NO_TOTAL.sub(" ", " ".join(without_marks(text).split()))
    for pattern in TOTALS:
        found = {int(re.sub(r"\D", "", match[1])) for match in pattern.finditer(said)}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def follow(value: Any, path: str) -> Any:
    """
    Return the value at a dotted path; None when there is none. Names are compared without case and underscores.

    >>> follow({"data": [{"id": 7}]}, "data.0.id"), follow({"unitNumber": "T-1"}, "unit_number")
    (7, 'T-1')
    """
    for name in filter(None, path.split(".")):
        if isinstance(value, Mapping):
            key = name if name in value else next((key for key in value if _bare(key) == _bare(name)), name)
            value = value.get(key)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def json_of(response: Response, scripts: Selectors = ()) -> Any:
    """Return the JSON document of a response, or of one of these elements of a page; None without one."""
    if not isinstance(response, TextResponse):
        return None
    if not is_page(response):
        return next(_parsed([response.body]), None)
    of_lists = _parsed(said for selector in scripts for said in response.css(selector).xpath("text()").getall())
    # Whatever its id, an element that lists JSON:API resources is no configuration of the page.
    others = _parsed(response.css("script[type*=json]").xpath("text()").getall()) if scripts else ()
    return next(of_lists, next(filter(_lists_resources, others), None))


def _parsed(texts: Iterable[str | bytes]) -> Iterator[Any]:
    for said in texts:
        with suppress(ValueError):
            yield json.loads(said)


def _lists_resources(document: Any) -> bool:
    """Return whether a JSON document is a JSON:API one with at least one resource in its list."""
    entries = follow(document, "data")
    return (
        isinstance(entries, list)
        and bool(entries)
        and all(isinstance(each, Mapping) and {"type", "attributes"} <= each.keys() for each in entries)
    )


def _bare(name: Any) -> str:
    return re.sub(r"[\W_]", "", str(name)).casefold()


def _selected(response: TextResponse, selectors: Selectors) -> list[Selector]:
    return [element for selector in selectors for element in visible(response.css(selector))]


def _enabled(element: Selector) -> bool:
    off = element.xpath("ancestor-or-self::*[@disabled or @aria-disabled='true'][1]")
    classes = " ".join(element.xpath("ancestor-or-self::*[position() < 3]/@class").getall()).split()
    return not off and "disabled" not in classes


def _once(blocks: list[Selector]) -> list[Selector]:
    """Leave out blocks inside of another one, and blocks that hold several others: those are lists of them."""
    nodes = {block.root for block in blocks}
    inner = {node: sum(other is not node and node in other.iterancestors() for other in nodes) for node in nodes}
    kept = {node for node in nodes if inner[node] < 2}
    return [block for block in blocks if block.root in kept and kept.isdisjoint(block.root.iterancestors())]


def _row(
    element: Selector,
    values: Mapping[str, Any],
    said: str | None = None,
    *,
    group: str = "",
    rest: str = "",
) -> Row:
    table = element.xpath("ancestor-or-self::table[1]")
    groups = [*table.xpath("@class").getall(), *map(text, table.xpath("caption")), group]
    classes = frozenset(element.attrib.get("class", "").lower().split())
    around = table[0] if table else element
    said = text(element) if said is None else said
    return Row(values, classes, said, " ".join(filter(None, groups)), rest, _over(around))


def _over(element: Selector) -> str:
    """Return the nearest heading before an element that stands beside it or one of its ancestors, or an ancestor's label."""
    for node in (element.root, *element.root.iterancestors()):
        if label := node.get("aria-label"):
            return " ".join(label.split())
        for before in node.itersiblings(preceding=True):
            if isinstance(before.tag, str) and re.fullmatch("h[1-6]|legend|summary", before.tag):
                return text(Selector(root=before))
    return ""


def _line(line: Line, at: Mapping[str, tuple[int, ...]], fields: Mapping[str, Selectors], group: str = "") -> Row:
    """Return a row of a table; one that has not all of the columns has only its text."""
    values: dict[str, str] = {}
    rest = ""
    if len(line.cells) > max((column for each in at.values() for column in each), default=0):
        for name, each in at.items():
            cells = [cell for cell in (line.cells[column] for column in each) if cell is not None]
            values[name] = _value(*[cell for number, cell in enumerate(cells) if cell not in cells[:number]])
        named = [line.cells[column] for each in at.values() for column in each]
        rest = " ".join(
            filter(None, (known(text(cell)) for cell in line.own if all(cell is not other for other in named)))
        )
    return _row(line.element, {**_inside(line.element, fields), **values}, group=group, rest=rest)


def _behind_labels(block: Selector, headings: Alternatives) -> dict[str, str]:
    """Return what stands behind a label and a colon, in the smallest element that has both and no other label."""
    labels = {heading(label) for each in headings.values() for label in each}
    elements = visible(block.xpath("descendant-or-self::*[contains(., ':')]"))  # outer ones first
    names = meanings([heading(text(element).partition(":")[0]) for element in elements], headings)
    found: dict[str, str] = {}
    for element in elements:
        parts = [heading(part) for part in text(element).split(":")]
        label, _, said = text(element).partition(":")
        name = names.get(heading(label))
        others = any(part == each or part.endswith(f" {each}") for part in parts[1:-1] for each in labels)
        if name is not None and said.strip() and not others:
            found[name] = _value(element).partition(":")[2].strip() or said.strip()
    return found


def _beside(block: Selector, values: Mapping[str, str], headings: Alternatives) -> str:
    """Return the text of a block's elements that are neither a field's nor its label's."""
    labels = {heading(label) for each in headings.values() for label in each}
    texts = [
        text(element)
        for element in visible(block.xpath("descendant::*[not(*)][not(self::dt or self::dd or self::td)]"))
    ]
    taken = {*values.values(), ""}
    return " ".join(said for said in texts if said not in taken and heading(said.partition(":")[0]) not in labels)


def _of_form(block: Selector, form: str) -> str:
    """Return the text of the only element without further ones whose whole text has a form; "" without one."""
    said = {text(element) for element in visible(block.xpath("descendant::*[not(*)]"))}
    fitting = [each for each in said if re.fullmatch(form, each)]
    return fitting[0] if len(fitting) == 1 else ""


CURRENT = frozenset({"active", "current", "selected"})  # classes of the number of the page that is shown


def _page_behind(response: TextResponse) -> str | None:
    """
    Return the address behind the number of the next page, where links are the numbers of pages of this list.

    The shown page is the one that is marked, that is no link among them, or whose link leads here. Raises PortalChanged
    where pages are numbered, and which one is shown is not said.
    """
    links: dict[int, Selector] = {}
    for link in visible(response.css("a[href]")):
        said, address = text(link), response.urljoin(link.attrib["href"].strip())
        if said.isdecimal() and len(said) < 5 and _is_page_of(address, response.url, said):
            links.setdefault(int(said), link)
    if not links:
        return None
    marked = {
        number
        for number, link in links.items()
        if link.xpath("ancestor-or-self::*[position() < 3][@aria-current and @aria-current != 'false']")
        or not CURRENT.isdisjoint(" ".join(link.xpath("ancestor-or-self::*[position() < 3]/@class").getall()).split())
    }
    boxes = next(iter(links.values())).xpath("ancestor::*[position() < 4]")
    box = next((each for each in reversed(boxes) if len(each.css("a")) >= len(links)), boxes[0])
    plain = {
        int(said)
        for each in box.xpath(".//text()[not(ancestor::a)]").getall()
        if (said := each.strip()).isdecimal() and len(said) < 5 and int(said) not in links
    }
    here = {number for number, link in links.items() if response.urljoin(link.attrib["href"].strip()) == response.url}
    shown = next((each for each in (marked, plain, here) if len(each) == 1), set())
    if not shown:
        if {1, 2} <= set(links):
            raise PortalChanged(f"The pages at {response.url} are numbered, and none is marked as the shown one.")
        return None
    behind = links.get(shown.pop() + 1)
    return behind.attrib["href"].strip() if behind is not None else None


def _is_page_of(address: str, here: str, number: str) -> bool:
    """Return whether an address may be that of another page of the list at *here*: the same path, or one with its number."""
    there, this = urlsplit(address), urlsplit(here)
    if there.netloc != this.netloc:
        return False
    bare = [re.sub(r"/(?:page/?|p/?)?\d+/?$", "", parts.path).rstrip("/") for parts in (there, this)]
    return bare[0] == bare[1] and (bool(there.query) or re.search(rf"(?<!\d){number}/?$", there.path) is not None)


def _inside(block: Selector, fields: Mapping[str, Selectors]) -> dict[str, str]:
    found = ((name, _first(block, selectors)) for name, selectors in fields.items())
    return {name: said for name, said in found if said}


def _first(block: Selector, selectors: Selectors) -> str:
    for selector in selectors:
        for found in block.css(selector):
            # ::attr() gives a text
            said = found.get() if not hasattr(found.root, "tag") else _value(found) if visible([found]) else ""
            if said := " ".join((said or "").split()):
                return said
    return ""


def _labelled(element: Selector, headings: Alternatives) -> list[tuple[str, list[Selector]]]:
    """Return field and cells of each known label of a `dl` or table, in their order."""
    if element.root.tag == "table":
        pairs = facts(grid(element)) or []
    else:
        labels = visible(element.xpath("dt | div/dt"))
        pairs = [(heading(text(dt)), visible(dt.xpath("following-sibling::*[1][self::dd]"))) for dt in labels]
    names = meanings([label for label, _ in pairs], headings)
    return [(names[label], cells) for label, cells in pairs if label in names and cells]


def _records(element: Selector, headings: Alternatives) -> Iterator[dict[str, Selector]]:
    """Yield the records of a list of facts: one begins where its first label comes again; a table has one to a column."""
    labelled = _labelled(element, headings)
    if element.root.tag == "table":
        for column in range(max((len(cells) for _, cells in labelled), default=0)):
            yield {name: cells[column] for name, cells in labelled if len(cells) > column}
        return
    record: dict[str, Selector] = {}
    for name, cells in labelled:
        if record and name == next(iter(record)):
            yield record
            record = {}
        record.setdefault(name, cells[0])
    if record:
        yield record


def _value(*elements: Selector) -> str:
    """Return the text of the elements, or the `datetime` attribute of the only one."""
    time = [each for element in elements for each in element.xpath("descendant-or-self::time/@datetime").getall()]
    return time[0] if len(time) == 1 else " ".join(filter(None, map(text, elements)))
