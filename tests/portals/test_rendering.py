"""Ten products of the imitations over plain HTTP, in the browser and by Splash: the same prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from database.models import Note
from sandbox.pluginboutique import address
from tests.portals.prices import PriceWatch, watching
from tests.splash import splash_server

KINDS = ("data-layer", "buy-box-sale", "json-ld", "free", "moved")
WORDS = ("json-ld-graph", "microdata-text", "opengraph", "sale", "pre-order")
FIELDS = ("last_price", "last_list_price", "last_currency", "availability", "title", "last_outcome")


class Ten:
    """The ten products, watched in a project of their own, and what each way to fetch them has read."""

    def __init__(self, watch: PriceWatch, shops: Any) -> None:
        self.watch, self.shops = watch, shops
        self.numbers = [watch.watch(address(kind), "pluginboutique", country="DE") for kind in KINDS]
        self.numbers += [watch.watch(f"/item/{word}") for word in WORDS]
        self.plain = self.read("http")

    def read(self, rendering: str, **environment: str) -> list[tuple[Any, ...]]:
        """Crawl both shops; return the items, each with the source and the words of its newest check."""
        before = len(self.watch.checks)
        for spider in ("pluginboutique_prices", "shop_prices"):
            self.watch.crawl(spider, f"rendering={rendering}", delay=0, **environment)
        sources = {check.watchlist_item_id: (check.source, check.message) for check in self.watch.checks[before:]}
        items = map(self.watch.item, self.numbers)
        return [(*(getattr(item, name) for name in FIELDS), *sources[item.id]) for item in items]

    @property
    def pages(self) -> dict[str, int]:
        """How often each product's page was asked for."""
        counted = (admin.counters()["products"] for admin in self.shops.admin.values())
        return {name: times for products in counted for name, times in products.items()}


@pytest.fixture(scope="module")
def ten(shops, warm, sqlite_with_tables, tmp_path_factory) -> Iterator[Ten]:
    with watching(PriceWatch, tmp_path_factory.mktemp("ten"), warm, sqlite_with_tables, shops.urls) as watch:
        watch.project.environment.update(shops.environment)
        yield Ten(watch, shops)


def test_all_ten_are_read_over_http(ten):
    assert [row[FIELDS.index("last_outcome")] for row in ten.plain] == ["success"] * 10
    assert {row[FIELDS.index("last_currency")] for row in ten.plain[:5]} == {"EUR"}


@pytest.mark.browser
def test_the_browser_reads_the_same_prices_from_the_same_sources(ten):
    before = ten.pages
    assert ten.read("browser") == ten.plain
    asked = {name: times - before[name] for name, times in ten.pages.items()}
    assert set(asked.values()) == {1}  # one page each, that of the moved product's successor too


@pytest.mark.browser
def test_who_asks_once_finds_what_was_read_of_a_rendered_page_in_its_note(ten):
    ten.watch.crawl("shop_prices", f"url={ten.watch.urls['shop']}/item/sale", "rendering=browser", delay=0)
    notes = [note.value for note in ten.watch.rows(Note) if note.target_key.startswith("once ")]
    assert [list(note["prices"]) for note in notes] == [[""]]


@pytest.mark.splash
def test_splash_reads_the_same_prices_from_the_same_sources(ten, tmp_path):
    before = ten.pages
    with splash_server(tmp_path / "splash") as splash:
        assert ten.read("splash", LATCHKEY_SPLASH_URL=splash.url) == ten.plain
        assert splash.rendered == 11  # and the home page, which is told the country
    asked = {name: times - before[name] for name, times in ten.pages.items()}
    assert set(asked.values()) == {1}
