"""Crawls of the ordinary shop's imitation: every kind of product, days, and pages that are not sent again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.client import Admin
from sandbox.shop.pages import ITEMS
from tests.portals.prices import OURS, PriceWatch

DAY = 86_400
SPIDER = "shop_prices"
REFUSED = {"none": "portal_changed", **dict.fromkeys(("range", "variants", "disagree"), "price_unclear")}


def wrong(price_watch: PriceWatch, admin: Admin) -> list[str]:
    """Watch a product of every kind, crawl, and return in what the items are not as they should be."""
    numbers = {word: price_watch.watch(f"/item/{word}") for word in ITEMS}
    price_watch.crawl(SPIDER, delay=0)
    truths, lines = admin.ask("products"), []
    for word, number in numbers.items():
        item, truth = price_watch.item(number), truths[f"/item/{word}"]
        said = (item.last_outcome, item.last_price, item.last_currency, item.availability)
        right: tuple[Any, ...] = (REFUSED.get(word, "success"), None, None, None)
        if word not in REFUSED:
            available = OURS.get(truth["availability"], truth["availability"])
            # What microdata and OpenGraph do not state may be left empty.
            right = ("success", Decimal(truth["price"]), truth["currency"], available)
        lines += [f"{word}: {said}, not {right}"] if said != right else []
    return lines


def test_every_kind_of_product_has_its_outcome_and_is_not_sent_again(price_watch, shops):
    admin = shops.admin["shop"]
    assert wrong(price_watch, admin) == []
    assert admin.counters()["products"] == dict.fromkeys(ITEMS, 1)
    admin.clock(DAY)
    price_watch.crawl(SPIDER, delay=0)
    counters = admin.counters()
    # A page without a price is read anew; that of `history` has another price.
    priced = len(ITEMS) - len(REFUSED)
    assert (counters["conditional"], counters["not_modified"]) == (priced, priced - 1)
    history = next(check for check in reversed(price_watch.checks) if check.price_amount == 999)
    assert (history.list_price, history.price_currency) == (Decimal("1249.50"), "EUR")
    before = len(price_watch.checks)
    price_watch.crawl(SPIDER, "again=yes", delay=0)
    assert admin.counters()["conditional"] == priced
    assert len(price_watch.checks) == before + len(ITEMS)


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(1, 9))
def test_a_seed_changes_no_outcome_and_no_price(price_watch, shops, seed):
    shops.admin["shop"].perturb(seed)
    assert wrong(price_watch, shops.admin["shop"]) == []
    shops.admin["shop"].perturb(None)
