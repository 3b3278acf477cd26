"""
Lists of rows: the layouts in which a portal may show one, in the order in which they are tried.

A page that has none of them, and does not say that it is empty, raises PortalChanged; it never counts as an empty list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.selector import Selector

from scrapers.core.outcomes import PortalChanged
from scrapers.reading.values.marks import without_marks

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

# XPath condition for elements that are not visible.
HIDDEN = (
    "ancestor-or-self::*[self::template or self::script or self::noscript or @hidden or @aria-hidden='true'"
    " or contains(translate(@style, ' ', ''), 'display:none')]"
)


@dataclass(frozen=True, slots=True)
class Row:
    """
    A row of a list, with unconverted values.

    values: by field; texts of a page, or JSON values. classes: of the row's element. text: the whole row's.
    group: class and caption of the table around it.
    """

    values: Mapping[str, Any]
    classes: frozenset[str] = frozenset()
    text: str = ""
    group: str = ""

    def get(self, name: str) -> str:
        """Return a field as text; "" when the row does not have it."""
        value = self.values.get(name)
        return "" if value is None else str(value)


class Layout(Protocol):
    """A layout of a list."""

    def rows(self, response: TextResponse) -> list[Row] | None:
        """Return the rows; None when the page does not have this layout."""


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table with columns found by their headings, or by their order when no heading is known.

    needs: sets of fields; the headings must have all fields of one set. order: fields by position, for a page's only
    table without such headings; a row with fewer cells has only its text.
    """

    headings: Alternatives
    needs: tuple[frozenset[str], ...]
    order: tuple[str, ...] = ()

    def rows(self, response: TextResponse) -> list[Row] | None:
        """Return the rows of every table with known headings; else of the page's only table."""
        if not _is_page(response):
            return None
        tables = [(table, self._columns(table)) for table in _visible(response.css("table"))]
        fitting = [(table, columns) for table, columns in tables if any(need <= set(columns) for need in self.needs)]
        if not fitting and len(tables) == 1:
            fitting = [(tables[0][0], {name: at for at, name in enumerate(self.order)})]
        return [row for table, columns in fitting for row in self._body(table, columns)] or None

    def _columns(self, table: Selector) -> dict[str, int]:
        cells = table.xpath("(.//tr[th])[1]/*[self::th or self::td]")
        titles = [_heading(_text(cell)) for cell in cells]
        found = {}
        for name, headings in self.headings.items():
            at = next((titles.index(_heading(title)) for title in headings if _heading(title) in titles), None)
            if at is not None:
                found[name] = at
        return found

    def _body(self, table: Selector, columns: dict[str, int]) -> Iterator[Row]:
        for row in _visible(table.xpath(".//tr[td]")):
            texts = [_value(cell) for cell in row.xpath("*[self::td or self::th]")]
            fits = len(texts) > max(columns.values(), default=0)
            yield _row(row, {name: texts[at] for name, at in columns.items()} if fits else {})


@dataclass(frozen=True, slots=True)
class Cards:
    """Blocks that contain their fields; a selector may end in ::attr(name)."""

    blocks: Selectors
    fields: Mapping[str, Selectors]

    def rows(self, response: TextResponse) -> list[Row] | None:
        """Return the blocks of the first selector that matches."""
        if not _is_page(response):
            return None
        for selector in self.blocks:
            if blocks := _visible(response.css(selector)):
                return [_row(block, self._values(block)) for block in blocks]
        return None

    def _values(self, block: Selector) -> dict[str, str]:
        found = ((name, _first(block, selectors)) for name, selectors in self.fields.items())
        return {name: text for name, text in found if text}


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
    following_json: tuple[str, ...] = ()
    total: Selectors = ()  # elements with the number of all rows
    total_json: tuple[str, ...] = ()
    scripts: Selectors = ()


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list of a portal: its layouts, its paging and its empty state."""

    name: str
    layouts: tuple[Layout, ...]
    empty: Selectors  # elements shown when the list is empty …
    empty_text: str  # … and the regular expression for their whole text, ignoring case
    paging: Paging = field(default_factory=Paging)

    def read(self, response: Response) -> list[Row]:
        """Return the rows of a page; raise PortalChanged when it has no known layout and is not the empty list."""
        if isinstance(response, TextResponse):
            nothing = self._says_nothing(response)
            for layout in self.layouts:
                rows = layout.rows(response)
                if rows is not None:
                    # A table may have a row with the text that it is empty.
                    return [row for row in rows if not (nothing and row.text in nothing)]
            if nothing:
                return []
        raise PortalChanged(
            f"The {self.name} at {response.url} is in no known layout.", selector=" | ".join(self.empty)
        )

    def items(
        self, response: Response, kind: type[Model], values: Callable[[Row], Mapping[str, Any]], **fixed: Any
    ) -> tuple[list[Model], list[str]]:
        """
        Return the rows of a page as items, and the texts of those that are not understood.

        values: maps a row to fields of *kind*; raises ValueError for one that it does not understand. fixed: fields of all
        items.
        """
        items, odd = [], []
        for row in self.read(response):
            try:
                items.append(kind(**{**values(row), **fixed}))
            except ValueError:  # pydantic's ValidationError is one
                odd.append(row.text[:80] or "an empty row")
        return items, odd

    def _says_nothing(self, response: TextResponse) -> set[str]:
        if not _is_page(response):
            return set()
        said = {_text(element) for selector in self.empty for element in _visible(response.css(selector))}
        return {text for text in said if re.fullmatch(self.empty_text, text, re.I)}

    def following(self, response: TextResponse) -> str | None:
        """Return the address of the next page; None at the end. Raises PortalChanged when there is a next page without an address."""
        paging, document = self.paging, json_of(response, self.paging.scripts)
        if link := next((link for path in paging.following_json if (link := follow(document, path))), None):
            return response.urljoin(str(follow(link, "href") or link))
        for selector in paging.following:
            for element in _visible(response.css(selector)):
                if _enabled(element) and (link := element.attrib.get("href", "").strip()) and not link.startswith("#"):
                    return response.urljoin(link)
        if any(_enabled(element) for selector in paging.buttons for element in _visible(response.css(selector))):
            raise PortalChanged(
                f"The {self.name} goes on behind a control without an address.", selector=" | ".join(paging.buttons)
            )
        return None

    def total(self, response: TextResponse) -> int | None:
        """Return how many rows the portal says there are on all pages; None when there is no number or more than one candidate."""
        document = json_of(response, self.paging.scripts)
        for path in self.paging.total_json:
            if isinstance(value := follow(document, path), int):
                return value
        for selector in self.paging.total:
            for element in _visible(response.css(selector)):
                if (found := total_in(_text(element))) is not None:
                    return found
        return None


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
    Return the value at a dotted path; None when there is none.

    >>> follow({"data": [{"id": 7}]}, "data.0.id")
    7
    """
    for name in filter(None, path.split(".")):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def visible_text(response: Response) -> str:
    """Return the visible text of a page; "" for a response that is no page."""
    if not isinstance(response, HtmlResponse):
        return ""
    seen = response.xpath("//body//text()[not(parent::script or parent::style)]")
    return " ".join(" ".join(text.get() for text in seen if not text.xpath(HIDDEN)).split())


def json_of(response: Response, scripts: Selectors = ()) -> Any:
    """Return the JSON document of a response, or of one of these elements of a page; None without one."""
    if not isinstance(response, TextResponse):
        return None
    texts: list[str | bytes] = [response.body]
    if _is_page(response):
        texts = [text for selector in scripts for text in response.css(selector).xpath("text()").getall()]
    for text in texts:
        try:
            return json.loads(text)
        except ValueError:
            continue
    return None


def _is_page(response: TextResponse) -> bool:
    return isinstance(response, HtmlResponse)


def _visible(elements: Iterable[Any]) -> list[Any]:
    return [element for element in elements if not element.xpath(HIDDEN)]


def _enabled(element: Selector) -> bool:
    off = element.xpath("ancestor-or-self::*[@disabled or @aria-disabled='true'][1]")
    classes = " ".join(element.xpath("ancestor-or-self::*[position() < 3]/@class").getall()).split()
    return not off and "disabled" not in classes


def _row(element: Selector, values: Mapping[str, Any]) -> Row:
    table = element.xpath("ancestor::table[1]")
    group = " ".join([*table.xpath("@class").getall(), *table.xpath("caption//text()").getall()])
    return Row(values, frozenset(element.attrib.get("class", "").lower().split()), _text(element), group)


def _first(block: Selector, selectors: Selectors) -> str:
    for selector in selectors:
        for found in block.css(selector):
            text = _value(found) if hasattr(found.root, "tag") else found.get()  # ::attr() gives a text
            if text := " ".join((text or "").split()):
                return text
    return ""


def _text(element: Selector) -> str:
    return " ".join(" ".join(element.xpath(".//text()[not(ancestor::script or ancestor::style)]").getall()).split())


def _value(element: Selector) -> str:
    """Return an element's text, or its `datetime` attribute."""
    time = element.xpath("descendant-or-self::time/@datetime")
    return time.get("") if len(time) == 1 else _text(element)


def _heading(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().casefold()
