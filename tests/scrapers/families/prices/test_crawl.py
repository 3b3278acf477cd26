"""Crawls of the price spiders against a small shop: what is asked, what is stored, and what is not."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from database.models import ScraperJob
from tests.scrapers.families.prices.conftest import product
from tests.web import Answer


def view_item(number: int, price: str, currency: str) -> str:
    event = {"event": "view_item", "ecommerce": {"currency": currency, "items": [{"item_id": number, "price": price}]}}
    return f"<html lang=en><script>dataLayer.push({json.dumps(event)})</script><h1>Big Hall</h1></html>"


def test_one_request_serves_all_who_watch_a_product_and_what_fails_changes_no_price(price_watch):
    shop = price_watch.shop
    first, second, gone = (price_watch.watch(path) for path in ("/p/1?gclid=x", "/p/1", "/p/2"))
    shop.answers["/p/1"] = Answer(product())
    price_watch.crawl("shop_prices")
    assert sorted(shop.paths()) == ["/p/1", "/p/2"]
    # A second between two requests as they are sent; the first one has a connection to make on its way.
    assert shop.asked[1].at - shop.asked[0].at > 0.8
    assert "Latchkey" in shop.asked[0].headers["User-Agent"]
    for number in (first, second):
        item = price_watch.item(number)
        assert (item.last_price, item.last_currency, item.availability) == (Decimal(49), "EUR", "in_stock")
        assert item.title == "Big Hall"
    assert (price_watch.item(gone).last_outcome, price_watch.item(gone).failures) == ("product_gone", 1)
    # The page no longer says whose price it is: that is a failed check, and no price.
    shop.answers["/p/1"] = Answer(product().replace("<h1>Big Hall", "<h1>Another"))
    price_watch.crawl("shop_prices")
    item = price_watch.item(first)
    assert (item.last_price, item.last_status, item.last_outcome) == (Decimal(49), "error", "portal_changed")
    assert sorted((check.status, check.outcome) for check in price_watch.checks) == [
        *[("error", "portal_changed")] * 2,
        *[("error", "product_gone")] * 2,
        *[("success", "success")] * 2,
    ]


def test_addresses_can_be_checked_for_nobody(price_watch):
    shop = price_watch.shop
    price_watch.watch("/p/1")
    shop.answers["/p/1"] = Answer(product(price="1,299.00"))
    shop.answers["/p/2"] = Answer("<html lang=de><h1>Halle</h1><b id=cost>12,50 €</b></html>")
    said = price_watch.project.data / "said.json"
    done = price_watch.project.scrapy(
        *("crawl", "shop_prices", "-a", f"url={shop.url}/p/1 {shop.url}/p/2?a_aid=x"),
        *("-a", "selector=#cost", "-O", str(said)),
    )
    found = {row["url"].rpartition("/")[2]: row for row in json.loads(said.read_text())}
    assert (found["1"]["price"], found["1"]["source"], found["1"]["tie"]) == ("1299.00", "json_ld", "heading")
    assert (found["2"]["price"], found["2"]["currency"], found["2"]["source"]) == ("12.50", "EUR", "selector")
    assert price_watch.checks == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("javascript:alert(1)", "begins with http"),
        ("http://169.254.169.254/latest", "private network"),
        ("http://127.0.0.1/p/1", "private network"),
        ("https://shop.example/", "not of a product"),
        ("https://www.pluginboutique.com/products/12", "pluginboutique_prices"),
    ],
)
def test_addresses_that_are_not_asked_are_refused_by_name(price_watch, url, said):
    assert said in price_watch.crawl("shop_prices", f"url={url}", LATCHKEY_PRICES_PRIVATE_ADDRESSES="false")
    assert price_watch.shop.asked == []


def test_an_item_with_an_address_that_is_not_asked_fails_alone(price_watch):
    bad = price_watch.watch("/p/1")
    price_watch.shop.answers["/p/1"] = Answer(product())
    price_watch.crawl("shop_prices", LATCHKEY_PRICES_PRIVATE_ADDRESSES="false")
    assert price_watch.shop.asked == []
    assert price_watch.item(bad).last_outcome == "address_not_asked"


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (302, {"Location": "/en-gb/"}, "", "product_gone"),
        (302, {"Location": "http://[::1"}, "", "product_gone"),
        (410, {}, "", "product_gone"),
        (403, {}, "<h1>Forbidden £1</h1>", "blocked"),
        (200, {}, "<link rel=canonical href='/'>" + product(), "product_gone"),
        (200, {}, product(currency=""), "price_unclear"),
        (429, {"Retry-After": "9999"}, "", "rate_limited"),
        (401, {}, product(), "portal_changed"),
        (200, {"Content-Type": "application/pdf"}, "%PDF-1.4", "portal_changed"),
    ],
)
def test_how_a_check_can_end_without_a_price(price_watch, status, headers, body, outcome):
    number = price_watch.watch("/p/1")
    price_watch.shop.answers["/p/1"] = Answer(body, status, headers)
    price_watch.crawl("shop_prices")
    assert price_watch.outcomes == [outcome]
    assert [(check.outcome, check.price_amount) for check in price_watch.checks] == [(outcome, None)]
    assert price_watch.item(number).last_price is None


def test_jobs_of_the_queue_are_products_and_end_with_their_check(price_watch):
    first, second = price_watch.watch("/p/1"), price_watch.watch("/p/2")
    price_watch.shop.answers["/p/1"] = Answer(product())
    made = price_watch.project.scrapy("jobs", "create", "shop_prices", "--json")
    assert len(json.loads(made.stdout)["jobs"]) == 2, made.stderr
    # Checking an address for nobody leaves the job to those who watch it.
    price_watch.crawl("shop_prices", f"url={price_watch.shop.url}/p/1")
    assert price_watch.checks == []
    price_watch.crawl("shop_prices", "job=1,2")
    assert [price_watch.item(number).last_outcome for number in (first, second)] == ["success", "product_gone"]
    states = {job.id: job.status.value for job in price_watch.rows(ScraperJob)}
    assert states == {1: "success", 2: "error"}


def test_a_product_that_has_moved_to_another_is_followed_once(price_watch):
    shop = price_watch.shop
    price_watch.watch("/products/10", "pluginboutique")
    shop.answers["/products/10"] = Answer("", 301, {"Location": "/products/20"})
    shop.answers["/products/20"] = Answer("", 301, {"Location": "/product/1-A/2-B/20-Big-Hall"})
    shop.answers["/product/1-A/2-B/20-Big-Hall"] = Answer(view_item(20, "49.00", "EUR"))
    price_watch.crawl("pluginboutique_prices", delay=0)
    assert price_watch.outcomes == ["success"]
    assert price_watch.checks[0].message.endswith("moved to " + shop.url + "/product/1-A/2-B/20-Big-Hall.")
    shop.answers["/products/20"] = Answer("", 301, {"Location": "/products/30"})
    price_watch.crawl("pluginboutique_prices", delay=0)
    assert price_watch.outcomes == ["success", "product_gone"]
    assert "/products/30" not in shop.paths()


def test_a_shop_that_refuses_the_country_is_not_asked_for_prices(price_watch):
    for path in ("/products/10", "/products/11"):
        price_watch.watch(path, "pluginboutique", country="US")
    price_watch.shop.answers["/?chosen_country=US"] = Answer("Forbidden", 403)
    price_watch.crawl("pluginboutique_prices")
    assert price_watch.outcomes == ["blocked"] * 2
    assert price_watch.shop.paths() == ["/?chosen_country=US"]


def test_users_with_selectors_of_their_own_share_the_request(price_watch):
    shop = price_watch.shop
    right, wrong = price_watch.watch("/p/1", selector="#a"), price_watch.watch("/p/1", selector="#b")
    shop.answers["/p/1"] = Answer("<html lang=en><h1>Big Hall</h1><b id=a>€49.00</b><b id=b>From €9</b></html>")
    price_watch.crawl("shop_prices")
    assert shop.paths() == ["/p/1"]
    assert price_watch.item(right).last_price == Decimal(49)
    assert (price_watch.item(wrong).last_price, price_watch.item(wrong).last_outcome) == (None, "portal_changed")
