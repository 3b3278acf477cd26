"""Crawls of Plugin Boutique's imitation: every kind of product, countries, days, and what is asked of the shop for them."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from sandbox.client import Admin
from sandbox.pluginboutique import address, product_id
from sandbox.pluginboutique.catalogue import KINDS, Product
from tests.portals.prices import OURS, PriceWatch, watching

DAY = 86_400
SPIDER = "pluginboutique_prices"
REFUSED = {
    **dict.fromkeys(("disagree", "disagree-json-ld", "editions", "from-price", "price-range"), "price_unclear"),
    "no-currency": "price_unclear",
    "no-source": "portal_changed",
    **dict.fromkeys(("gone-home", "gone-redirect", "gone-404"), "product_gone"),
    **dict.fromkeys(("challenge-403", "challenge-200", "empty"), "blocked"),
}
OUTCOMES = {kind: REFUSED.get(kind, "success") for kind in KINDS}


class Catalogue:
    """What one crawl of all products has left: an item of each kind, in Great Britain."""

    def __init__(self, watch: PriceWatch, admin: Admin, seed: int | None = None) -> None:
        admin.reset()
        admin.perturb(seed)
        numbers = {kind: watch.watch(address(kind), "pluginboutique", country="GB") for kind in KINDS}
        watch.crawl(SPIDER, delay=0)
        self.checks = watch.checks
        self.items = {kind: watch.item(number) for kind, number in numbers.items()}
        self.truths = admin.ask("products?country=GB")
        self.journal = admin.journal()
        admin.perturb(None)

    def wrong(self, kind: str) -> list[str]:
        """Return in what the item of a kind is not as it should be."""
        item, truth = self.items[kind], self.truths[address(kind)]
        found: dict[str, tuple[Any, Any]] = {"outcome": (item.last_outcome, OUTCOMES[kind])}
        if OUTCOMES[kind] == "success":
            found["price"] = (item.last_price, Decimal(truth["price"]))
            found["currency"] = (item.last_currency, truth["currency"])
            if item.last_list_price is not None or "list_price" not in truth["optional"]:
                listed = truth["list_price"] and Decimal(truth["list_price"])
                found["list price"] = (item.last_list_price, listed)
            if item.availability is not None:  # its words are free
                found["availability"] = (item.availability, OURS.get(truth["availability"], truth["availability"]))
        else:
            found["price"] = (item.last_price, None)
        return [f"{kind}: {name} {ours}, not {right}" for name, (ours, right) in found.items() if ours != right]


@pytest.fixture(scope="module")
def catalogue(shops, warm, sqlite_with_tables, tmp_path_factory):
    with watching(PriceWatch, tmp_path_factory.mktemp("all"), warm, sqlite_with_tables, shops.urls) as watch:
        watch.project.environment.update(shops.environment)
        yield Catalogue(watch, shops.admin["pluginboutique"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_product_has_its_outcome(catalogue, kind):
    assert catalogue.wrong(kind) == []


def test_what_the_whole_catalogue_cost(catalogue):
    asked = Counter(entry["path"] for entry in catalogue.journal if entry["path"].startswith("/product"))
    again = {address("rate-limited"): 3, address("error-once"): 2}
    assert asked == {**dict.fromkeys(map(address, KINDS), 1), Product("moved").successor.address(): 1, **again}
    times = [entry["time"] for entry in catalogue.journal if entry["path"] == address("rate-limited")]
    assert all(later - sooner >= 1 for sooner, later in pairwise(times))
    assert "moved to" in next(
        check.message for check in catalogue.checks if check.watchlist_item_id == catalogue.items["moved"].id
    )


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(1, 9))
def test_a_seed_changes_no_outcome_and_no_price(price_watch, shops, seed):
    found = Catalogue(price_watch, shops.admin["pluginboutique"], seed)
    assert [line for kind in KINDS for line in found.wrong(kind)] == []


def test_countries_have_sessions_of_their_own_and_what_is_known_is_not_sent_again(price_watch, shops):
    admin, path = shops.admin["pluginboutique"], address("data-layer")
    numbers = {each: price_watch.watch(path, "pluginboutique", country=each) for each in ("US", "DE", "GB")}
    # Another user, another form of the address, the same product.
    other = price_watch.watch(address("data-layer", 2) + "?a_aid=x", "pluginboutique", country="US")
    second = price_watch.watch(address("every-source"), "pluginboutique", country="US")
    for times in (1, 2):
        price_watch.crawl(SPIDER, delay=0)
        told = Counter(e["query"]["chosen_country"] for e in admin.journal() if "chosen_country" in e["query"])
        assert told == dict.fromkeys(numbers, times)
        counters = admin.counters()
        assert counters["products"] == {product_id("data-layer"): 3 * times, product_id("every-source"): times}
        assert counters["conditional"] == counters["not_modified"] == 4 * (times - 1)
    for country, number in [*numbers.items(), ("US", other)]:
        truth, item = admin.ask(f"products?country={country}")[path], price_watch.item(number)
        assert (item.last_price, item.last_currency) == (Decimal(truth["price"]), truth["currency"])
    assert price_watch.item(second).last_currency == "USD"
    assert [check.status for check in price_watch.checks] == ["success"] * 10
    price_watch.crawl(SPIDER, "again=yes", delay=0)
    assert admin.counters()["conditional"] == 4


STEPS = {  # day: price, list price, availability
    0: (49, 99, "in_stock"),
    1: (39, 99, "in_stock"),
    2: (39, 99, "in_stock"),
    3: (29, 99, "in_stock"),
    4: (29, 99, "out_of_stock"),
    5: (35, 99, "in_stock"),
    6: (29, 99, "in_stock"),
}


@pytest.mark.parametrize("days", [(1, 4), pytest.param(tuple(range(7)), marks=pytest.mark.matrix)], ids=["two", "all"])
def test_a_history_of_days_and_what_fails_changes_no_last_price(price_watch, shops, days):
    admin = shops.admin["pluginboutique"]
    number = price_watch.watch(address("history"), "pluginboutique", country="GB")
    for day in days:
        admin.clock(day * DAY)
        price_watch.crawl(SPIDER, delay=0)
    admin.clock(7 * DAY)
    price_watch.crawl(SPIDER, delay=0)
    *checks, gone = price_watch.checks
    found = [(check.price_amount, check.list_price, check.availability) for check in checks]
    assert found == [STEPS[day] for day in days]
    assert (gone.outcome, gone.price_amount) == ("product_gone", None)
    item = price_watch.item(number)
    assert (item.last_price, item.availability) == (STEPS[days[-1]][0], STEPS[days[-1]][2])
    # A price at which it cannot be bought is not the lowest.
    lowest = min(price for price, _, availability in map(STEPS.__getitem__, days) if availability == "in_stock")
    assert (item.lowest_price, item.failures, item.last_outcome) == (lowest, 1, "product_gone")


def test_an_address_is_checked_for_nobody(price_watch, shops):
    urls = [shops.urls["pluginboutique"] + address("sale", form) for form in range(3)]
    said = price_watch.project.data / "said.json"
    words = ("-a", f"url={' '.join(urls)}", "-a", "country=DE", "-s", "DOWNLOAD_DELAY=0", "-O", str(said))
    done = price_watch.project.scrapy("crawl", SPIDER, *words)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(said.read_text())
    truth = shops.admin["pluginboutique"].ask("products?country=DE")[address("sale")]
    assert {name: found[name] for name in ("price", "list_price", "currency")} == {
        name: truth[name] for name in ("price", "list_price", "currency")
    }
    assert price_watch.checks == []
