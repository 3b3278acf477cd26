"""A page with several users: its sources are read once for all of them, and what one has named counts for that one alone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from scrapers.core.outcomes import PortalChanged
from scrapers.core.version import version
from scrapers.families.prices.addresses import Product
from scrapers.families.prices.asking import AGENT
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readers import prices_of
from scrapers.families.prices.readings import Reading
from scrapers.families.prices.structured import structured

URL = "https://shop.example/p/1"
PAGE = "<html lang=en><h1>Big Hall</h1><b id=a>€49.00</b><b id=b>From €9</b><b id=c>12.00</b></html>"


def test_a_page_is_read_once_for_all_selectors():
    page, read = ProductPage(PAGE, URL, Product("shop", "shop.example/p/1", URL)), []

    def counted(given: ProductPage) -> Iterator[Reading]:
        read.append(given.root)
        yield from structured(given)

    found = prices_of(page, (counted,), ("", "#a", "#b", "#c"))
    assert read == [page.root]
    assert found["#a"].price == Decimal(49)
    # The currency of the first user's element makes no other user's price known.
    failures = {selector: str(found[selector]) for selector in ("", "#b", "#c")}
    assert all(isinstance(found[selector], PortalChanged) for selector in failures)
    assert ["selector:" in said for said in failures.values()] == [False, True, True]
    assert "currency" in failures["#c"]
    assert "currency" not in failures["#b"]


def test_shops_are_told_the_version_of_the_project():
    assert f"Latchkey/{version()};" in AGENT
    assert version() != "unknown"
