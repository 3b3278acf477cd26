"""Odd pages: what is read from each, and what is refused. The answers beside them were read by a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import HtmlResponse, JsonResponse, TextResponse

from scrapers.core.outcomes import PortalChanged
from scrapers.families.fleet.items import Vehicle
from scrapers.families.fleet.spiders import read_faults
from scrapers.portals.trucktech.pages import FAULTS, VEHICLES
from scrapers.portals.trucktech.rows import fault_values, vehicle_values

HERE = Path(__file__).parent
VIN = "1XPAD4BY4KJ400013"
# What every record has is not repeated in the answers, nor is what the portal did not say.
DEFAULTS = {"job", "tenant_id", "raw_text"}


def pages() -> dict[str, str]:
    parts = (HERE / "pages.html").read_text().split("=== ")[1:]
    return {name.strip(): body for name, _, body in (part.partition("\n") for part in parts)}


def response(body: str) -> TextResponse:
    if body.lstrip().startswith("{"):
        return JsonResponse("http://fleet.example", body=body, encoding="utf-8")
    html = f"<!doctype html><html><head><title>Fleet</title></head><body>{body}</body></html>"
    return HtmlResponse("http://fleet.example", body=html, encoding="utf-8")


def read(name: str, body: str) -> dict[str, Any]:
    """Return what is made of a page, as the answers say it."""
    answer = response(body)
    try:
        if name.startswith("faults"):
            items, odd = read_faults(FAULTS, answer, fault_values, job=1, tenant_id=1, vin=VIN)
        else:
            items, odd = VEHICLES.items(answer, Vehicle, vehicle_values, job=1, tenant_id=1)
    except PortalChanged:
        return {"refused": True}
    exclude = DEFAULTS | ({"vin"} if name.startswith("faults") else set())
    said = [item.model_dump(mode="json", exclude=exclude, exclude_defaults=True) for item in items]
    return {"items": said, **({"not understood": odd} if odd else {})}


ANSWERS: dict[str, Any] = json.loads((HERE / "pages.json").read_text())


def test_every_page_has_its_answer():
    assert list(pages()) == list(ANSWERS)
    assert len(ANSWERS) > 60


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_read_from_a_page(name):
    assert read(name, pages()[name]) == ANSWERS[name]


@pytest.mark.parametrize("body", ['{"data": []}', '{"data": [], "links": {"next": "/assets?page=2"}}'])
@pytest.mark.parametrize("declared", [JsonResponse, HtmlResponse, TextResponse])
def test_a_json_answer_has_no_elements_to_select(declared, body):
    answer = declared("http://fleet.example/assets", body=body, encoding="utf-8")
    assert VEHICLES.read(answer) == []
    assert VEHICLES.total(answer) is None
    following = VEHICLES.following(answer)
    assert following == ("http://fleet.example/assets?page=2" if "next" in body else None)


@pytest.mark.parametrize(
    ("body", "total"),
    [
        ("<div><span>Showing 1 to 25 of 57 vehicles</span></div>", 57),
        ("<p>1–25 of 1,204</p>", 1204),
        ("<p>3 vehicles need attention</p>", None),
        ("<p class='results-count' hidden>57 vehicles</p>", None),
    ],
)
def test_a1_the_total_of_a_list_is_found_by_what_it_says(body, total):
    assert VEHICLES.total(response(body)) == total


@pytest.mark.parametrize(
    "link", ["<a href='?p=2'><span>Next</span> ›</a>", "<a href='?p=2' aria-label='Go to next page'>▶</a>"]
)
def test_the_next_page_is_found_by_what_its_link_says(link):
    assert VEHICLES.following(response(f"<nav>{link}</nav>")) == "http://fleet.example?p=2"


@pytest.mark.parametrize(
    ("pager", "following"),
    [
        ("<b>1</b> <a href='/assets?page=2'>2</a> <a href='/assets?page=3'>3</a>", "/assets?page=2"),
        ("<ul><li><a href='/assets?page=1'>1</a></li><li class=active><a href='/assets?page=2'>2</a></li></ul>", None),
        ("<a href='/assets?start=0'>1</a> <span>2</span> <a href='/assets?start=4'>3</a>", "/assets?start=4"),
        ("<a href='/assets/page/1' aria-current=page>1</a><a href='/assets/page/2'>2</a>", "/assets/page/2"),
        ("<a href='/cases?page=2'>2</a> <a href='/assets'>3</a>", None),
        ("<a href='/assets?page=2'>Show more</a>", "/assets?page=2"),
    ],
)
def test_the_next_page_is_found_where_pages_are_numbered(pager, following):
    page = HtmlResponse("http://fleet.example/assets", body=f"<html><body>{pager}</body></html>", encoding="utf-8")
    assert VEHICLES.following(page) == (following and f"http://fleet.example{following}")


def test_numbers_of_which_none_is_marked_are_refused():
    pager = "<a href='/assets?page=1'>1</a><a href='/assets?page=2'>2</a>"
    page = HtmlResponse("http://fleet.example/assets", body=f"<html><body>{pager}</body></html>", encoding="utf-8")
    with pytest.raises(PortalChanged, match="numbered"):
        VEHICLES.following(page)


@pytest.mark.parametrize(
    ("more", "following"),
    [
        ('"next": "/assets?page=2"', "/assets?page=2"),
        ('"links": {"next": {"href": "/assets?page=2"}}', "/assets?page=2"),
        ('"pagination": {"next_page_url": "/assets?page=2"}', "/assets?page=2"),
        ('"page": 3, "total_pages": 3', None),
    ],
)
def test_the_next_page_of_a_json_list(more, following):
    page = JsonResponse("http://fleet.example/assets", body=f'{{"assets": [], {more}}}', encoding="utf-8")
    assert VEHICLES.following(page) == (following and f"http://fleet.example{following}")


def test_a_json_list_that_goes_on_without_an_address_is_refused():
    body = '{"assets": [], "page": 1, "total_pages": 3}'
    with pytest.raises(PortalChanged, match="page 1 of 3"):
        VEHICLES.following(JsonResponse("http://fleet.example/assets", body=body, encoding="utf-8"))


@pytest.mark.parametrize("button", ["<button>Load more</button>", "<button aria-label='Next page'>▶</button>"])
def test_a_list_that_goes_on_without_an_address_is_refused(button):
    with pytest.raises(PortalChanged):
        VEHICLES.following(response(button))
    assert VEHICLES.following(response(button.replace("<button", "<button disabled"))) is None


def test_a_document_about_something_else_inside_the_page_is_no_empty_list():
    html = '<script type="application/json">{"data": []}</script><table><tr><th>Code</th></tr><tr><td>SPN 1 FMI 1</td></tr></table>'
    assert len(FAULTS.read(response(html))) == 1
