"""The text of a page that a person sees."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lxml import etree
from scrapy.http import HtmlResponse, Response

from scrapers.reading.values.marks import without_marks

UNSEEN = frozenset({"script", "style", "template", "noscript", "head", "title", "datalist"})
STYLES = re.compile(r"display:none|visibility:(?:hidden|collapse)")
CLASSES = frozenset({"hidden", "d-none", "hide", "is-hidden", "invisible", "sr-only", "visually-hidden"})
# Style sheets hide some elements on small screens only: `d-none d-md-block`, `hidden lg:table-cell`.
ON_WIDE_SCREENS = re.compile(r"(?:d-)?(?:sm|md|lg|xl|xxl)[:-](?:block|flex|grid|inline|table|contents)")
FORMATS = frozenset({"b", "strong", "i", "em", "u", "mark", "font"})  # may stand inside of a word


def is_json(response: Response) -> bool:
    """Return whether the body is a JSON document, whatever type was declared."""
    return response.body.lstrip()[:1] in (b"{", b"[")


def is_page(response: Response) -> bool:
    """Return whether a response is an HTML page."""
    return isinstance(response, HtmlResponse) and not is_json(response)


def visible(elements: Iterable[Any]) -> list[Any]:
    """Return those of some elements (selectors) that a person sees."""
    return [element for element in elements if not any(map(_hides, _with_ancestors(element.root)))]


def text(element: Any) -> str:
    """
    Return the visible text of an element (a selector), white space collapsed, without invisible characters.

    Texts of different elements are parted by a blank, except where a format begins or ends inside of a word.

    >>> from scrapy.selector import Selector
    >>> text(Selector(text="<p>1XP<b>AD4</b>BY <i>a</i><i>b</i><span hidden>no</span></p>").css("p")[0])
    '1XPAD4BY a b'
    """
    root, parts = element.root, []
    walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, node in walker:
        if event == "start":
            parts.append(" " if _parts(node, node.getprevious(), after=True) else "")
            if _hides(node):
                walker.skip_subtree()
            else:
                parts.append(node.text or "")
        elif event == "end":
            parts.append(" " if _parts(node, node.getnext(), after=False) else "")
        if event != "start" and node is not root:
            parts.append(node.tail or "")
    return " ".join(without_marks("".join(parts)).split())


def visible_text(response: Response) -> str:
    """Return the visible text of a page; "" for a response that is no page."""
    if not is_page(response):
        return ""
    return " ".join(map(text, visible(response.xpath("//body"))))


def _with_ancestors(node: Any) -> Iterable[Any]:
    yield node
    yield from node.iterancestors()


def _hides(node: Any) -> bool:
    if node.tag in UNSEEN or node.get("hidden") is not None or node.get("aria-hidden", "").strip().lower() == "true":
        return True
    if node.tag == "dialog" and node.get("open") is None:
        return True
    if (style := node.get("style")) and STYLES.search(re.sub(r"\s", "", style).lower()):
        return True
    names = (node.get("class") or "").split()
    return not CLASSES.isdisjoint(names) and not any(map(ON_WIDE_SCREENS.match, names))


def _parts(node: Any, beside: Any, *, after: bool) -> bool:
    """Return whether a blank belongs on one side of an element."""
    if node.tag == "wbr":
        return False
    if node.tag not in FORMATS or (node.tag != "mark" and (node.get("class") or node.get("id"))):
        return True
    # Two formats side by side are two texts.
    between = (beside.tail if after else node.tail) if beside is not None else "-"
    return beside is not None and not between and beside.tag != "wbr" and isinstance(beside.tag, str)
