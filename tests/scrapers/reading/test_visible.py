"""What a person sees of a page, and the cells of its tables."""

from __future__ import annotations

import pytest
from scrapy.http import HtmlResponse, JsonResponse
from scrapy.selector import Selector

from scrapers.reading.grids import grid
from scrapers.reading.visible import text, visible_text


def page(body):
    return HtmlResponse("http://portal.example", body=f"<html><body>{body}</body></html>", encoding="utf-8")


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>x</p>",
        "<div hidden><p>x</p></div>",
        "<template><p>x</p></template>",
        "<noscript>x</noscript>",
        "<script>x</script>",
        "<style>x</style>",
        "<p style='display:none'>x</p>",
        "<p style='color: red; DISPLAY :\tNone !important'>x</p>",
        "<p style='visibility: hidden'>x</p>",
        "<p aria-hidden='true'>x</p>",
        "<p aria-hidden='TRUE'>x</p>",
        "<dialog>x</dialog>",
        "<p class='big d-none'>x</p>",
        "<p class='sr-only'>x</p>",
        "<!-- x -->",
    ],
)
def test_text_that_a_person_does_not_see_is_none(hidden):
    assert visible_text(page(f"a {hidden} b")) == "a b"


@pytest.mark.parametrize(
    "shown",
    [
        "<p>x</p>",
        "<p style='display: block'>x</p>",
        "<p aria-hidden='false'>x</p>",
        "<dialog open>x</dialog>",
        "<p class='d-none d-md-block'>x</p>",
        "<p class='hidden lg:table-cell'>x</p>",
        "<p class='hiddenness'>x</p>",
    ],
)
def test_text_that_a_person_sees_is_kept(shown):
    assert visible_text(page(f"a {shown} b")) == "a x b"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("AB<b>CD</b>EF", "ABCDEF"),
        ("AB<mark class=hit>CD</mark>EF", "ABCDEF"),
        ("AB<wbr>CD&shy;EF&#8203;", "ABCDEF"),
        ("AB<!-- react -->CD", "ABCD"),
        ("<b>AB</b><i>CD</i>", "AB CD"),
        ("AB<b class=badge>5</b>", "AB 5"),
        ("AB<sup>2</sup>", "AB 2"),
        ("AB<br>CD", "AB CD"),
        ("<span>AB</span><span>CD</span>", "AB CD"),
    ],
)
def test_words_are_not_cut_by_formats_nor_joined_by_others(html, said):
    assert visible_text(page(f"<p>{html}</p>")) == said


def test_a_json_document_shows_no_text():
    body = '{"vin": "x"}'
    for declared in (JsonResponse, HtmlResponse):
        assert visible_text(declared("http://portal.example", body=body, encoding="utf-8")) == ""


def test_deep_nesting_is_read():
    assert visible_text(page("<div>" * 1500 + "x" + "</div>" * 1500)) == "x"


def test_spans_of_cells():
    table = Selector(
        text="<table><tr><td rowspan=2>a<td colspan=2>b</tr><tr><td>c<td>d</tr><tr><td colspan=999999>e</tr></table>"
    ).css("table")[0]
    rows = [[text(cell) if cell is not None else None for cell in line.cells] for line in grid(table)]
    assert rows[:2] == [["a", "b", "b"], ["a", "c", "d"]]
    assert rows[2] == ["e"] * 200
