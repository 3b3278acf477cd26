"""A small shop on loopback, and the project with items that are watched there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.warm import WarmParent
from sandbox.mailserver import serving
from tests.portals.prices import PriceWatch, watching
from tests.web import Answer, Asked, WebServer


class Shop(WebServer):
    """A server whose answers are set by path; a path without one is 404."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Answer] = {}

    def answer(self, asked: Asked) -> Answer:
        """Return the answer of a path; 304 where the asker has it already."""
        answer = self.answers.get(asked.path) or Answer("<h1>Not found</h1>", 404)
        etag = answer.headers.get("ETag")
        if etag and asked.headers.get("If-None-Match") == etag:
            return Answer("", 304, {"ETag": etag})
        return answer


def product(name: str = "Big Hall", price: Any = "49.00", currency: str = "EUR", **node: Any) -> str:
    """Return a page with a product in JSON-LD, tied by its heading."""
    offers = {"@type": "Offer", "price": price, "priceCurrency": currency, "availability": "https://schema.org/InStock"}
    said = json.dumps({"@context": "https://schema.org", "@type": "Product", "name": name, "offers": offers, **node})
    return f"<html lang=en><head><script type=application/ld+json>{said}</script></head><body><h1>{name}</h1></body></html>"


class SmallShopWatch(PriceWatch):
    """Items that are watched at a small shop, which plays the one that a spider is for."""

    shop: Shop

    def crawl(self, spider: str, *arguments: str, **options: Any) -> str:
        """Crawl, and return what was said."""
        origin = {"PLUGINBOUTIQUE_URL": self.shop.url} if spider.startswith("pluginboutique") else {}
        return super().crawl(spider, *arguments, **origin, **options)


@pytest.fixture
def price_watch(warm: WarmParent, sqlite_with_tables: Path, tmp_path: Path) -> Iterator[SmallShopWatch]:
    with (
        serving(Shop()) as shop,
        watching(
            SmallShopWatch, tmp_path, warm, sqlite_with_tables, {"shop": shop.url, "pluginboutique": shop.url}
        ) as watch,
    ):
        watch.project.environment["LATCHKEY_RETRY_WAIT"] = "0.2"
        watch.shop = shop
        yield watch
