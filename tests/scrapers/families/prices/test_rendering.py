"""Pages that are rendered, against a small shop: what scripts bring, who is asked, how a check ends, and what no page may reach."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from database.models import Run
from database.models.prices import Rendering
from middlewares.download.browser import CURES, ENGINES
from sandbox.mailserver import serving
from tests.scrapers.families.prices.conftest import Shop, product
from tests.scrapers.families.prices.test_crawl import view_item
from tests.web import Answer

pytestmark = pytest.mark.browser

# Its price comes by a second request, some time after the page.
LATE = """<html lang=en><h1>Big Hall</h1><img src=/picture.png><script>setTimeout(function () {
  var asked = new XMLHttpRequest();
  asked.onload = function () { document.body.insertAdjacentHTML('beforeend', asked.responseText); };
  asked.open('GET', '/late'); asked.send(); }, 300)</script></html>"""
PRICE = product().partition("<head>")[2].partition("</head>")[0]


def test_a_price_that_scripts_bring_is_read_in_the_browser_alone_and_all_else_ends_as_over_http(price_watch):
    shop = price_watch.shop
    shop.answers |= {
        "/late": Answer(PRICE),
        "/p/1": Answer(LATE),
        "/p/2": Answer(product(price="12.50")),
        "/p/3": Answer("<h1>Forbidden £1</h1>", 403),
        "/p/4": Answer("", 302, {"Location": "/en-gb/"}),
        "/en-gb/": Answer("<h1>Home</h1>"),
        "/p/5": Answer("<link rel=canonical href='/'>" + product()),
        "/p/6": Answer(product(currency="")),
        "/p/8": Answer("<h1>Too many</h1>", 429, {"Retry-After": "9999"}),
        "/p/9": Answer("%PDF-1.4", 200, {"Content-Type": "application/pdf"}),
    }
    numbers = [price_watch.watch(f"/p/{number}") for number in range(1, 10)]
    ends = ["success", "blocked", "product_gone", "product_gone", "price_unclear", "product_gone", "rate_limited"]
    ends.append("portal_changed")
    for rendering, first in (("http", "portal_changed"), ("browser", "success")):
        price_watch.crawl("shop_prices", f"rendering={rendering}", delay=0)
        assert [price_watch.item(number).last_outcome for number in numbers] == [first, *ends]
    item = price_watch.item(numbers[0])
    assert (item.last_price, item.last_currency, item.title) == (Decimal(49), "EUR", "Big Hall")
    assert shop.paths().count("/late") == 1
    assert "/picture.png" not in shop.paths()
    assert all("Latchkey/" in asked.headers["User-Agent"] for asked in shop.asked)
    assert {asked.headers["Accept-Language"] for asked in shop.asked} == {"en-GB,en;q=0.9"}


def test_what_was_rendered_is_not_taken_for_unchanged_over_http(price_watch):
    """What its scripts bring may have changed while the page has not."""
    shop = price_watch.shop
    shop.answers |= {"/late": Answer(PRICE), "/p/1": Answer(LATE, headers={"ETag": '"1"'})}
    price_watch.crawl("shop_prices", f"url={shop.url}/p/1", "rendering=browser", delay=0)
    said = price_watch.crawl("shop_prices", f"url={shop.url}/p/1", delay=0)
    assert "If-None-Match" not in shop.asked[-1].headers
    assert "portal_changed" in said


def test_how_a_page_is_fetched_is_said_by_argument_item_and_shop_in_this_order(price_watch):
    shop = price_watch.shop
    shop.answers |= {"/late": Answer(PRICE), **{f"/p/{number}": Answer(LATE) for number in (1, 2, 3)}}
    said = [
        price_watch.watch(f"/p/{number}", rendering=rendering)
        for number, rendering in enumerate((Rendering.AUTOMATIC, Rendering.HTTP, Rendering.BROWSER), 1)
    ]

    def crawl(*arguments: str, **environment: str) -> list[bool]:
        price_watch.crawl("shop_prices", *arguments, delay=0, **environment)
        return [price_watch.item(number).last_outcome == "success" for number in said]

    assert crawl() == [False, False, True]
    assert crawl(SHOP_RENDERING="http,127.0.0.1=browser") == [True, False, True]
    assert crawl("rendering=http", SHOP_RENDERING="browser") == [False, False, False]
    assert "SHOP_RENDERING: it is http, browser or splash" in price_watch.crawl("shop_prices", SHOP_RENDERING="magic")


def test_a_shop_is_asked_for_one_page_a_second_in_the_browser_too(price_watch):
    for number in (1, 2, 3):
        price_watch.watch(f"/p/{number}", rendering=Rendering.BROWSER)
        price_watch.shop.answers[f"/p/{number}"] = Answer(product())
    price_watch.crawl("shop_prices")
    first, _, third = price_watch.shop.asked
    assert third.at - first.at > 2 * 0.95  # any one of them may have been longer on its way
    assert price_watch.outcomes == ["success"] * 3


def test_a_product_that_has_moved_is_followed_once_in_the_browser_too(price_watch):
    shop = price_watch.shop
    number = price_watch.watch("/products/10", "pluginboutique", rendering=Rendering.BROWSER)
    shop.answers["/products/10"] = Answer("", 301, {"Location": "/products/20"})
    shop.answers["/products/20"] = Answer("", 301, {"Location": "/product/1-A/2-B/20-Big-Hall"})
    shop.answers["/product/1-A/2-B/20-Big-Hall"] = Answer(view_item(20, "49.00", "EUR"))
    price_watch.crawl("pluginboutique_prices", delay=0)
    assert price_watch.checks[0].message.endswith("moved to " + shop.url + "/product/1-A/2-B/20-Big-Hall.")
    shop.answers["/products/20"] = Answer("", 301, {"Location": "/products/30"})
    shop.answers["/products/30"] = Answer(view_item(30, "49.00", "EUR"))
    price_watch.crawl("pluginboutique_prices", delay=0)
    assert price_watch.outcomes == ["success", "product_gone"]
    assert price_watch.item(number).last_price == Decimal(49)


@pytest.fixture
def neighbour():
    """A server of the own network, which no page may reach."""
    with serving(Shop()) as shop:
        shop.answers |= {path: Answer("<h1>Secret</h1>") for path in ("/products/11", "/script.js", "/frame", "/data")}
        yield shop


def test_a_page_reaches_no_machine_of_a_private_network(price_watch, neighbour):
    shop, near = price_watch.shop, neighbour.url
    reaching = f"""<script src="{near}/script.js"></script><iframe src="{near}/frame"></iframe><script>
      fetch("{near}/data", {{mode: "no-cors"}}); new WebSocket("{near.replace("http", "ws")}/data");
      navigator.sendBeacon("{near}/data"); fetch("http://localhost:{near.rpartition(":")[2]}/data", {{mode: "no-cors"}});
    </script>"""
    shop.answers["/products/10"] = Answer(reaching + view_item(10, "49.00", "EUR"))
    shop.answers["/products/11"] = Answer("", 302, {"Location": f"{near}/products/11"})
    shop.answers["/products/12"] = Answer(f"<script>location = '{near}/products/11'</script>")
    numbers = [price_watch.watch(f"/products/{number}", "pluginboutique") for number in (10, 11, 12)]
    private = {"LATCHKEY_PRICES_PRIVATE_ADDRESSES": "false"}
    price_watch.crawl("pluginboutique_prices", "rendering=browser", delay=0, **private)
    ends = [price_watch.item(number).last_outcome for number in numbers]
    assert ends == ["success", "address_not_asked", "address_not_asked"]
    assert neighbour.asked == []
    # Without the fence each of them is reached: the page is one that tries.
    price_watch.crawl("pluginboutique_prices", "rendering=browser", delay=0)
    assert {"/script.js", "/frame", "/data", "/products/11"} <= set(neighbour.paths())


def is_there(engine: str) -> bool:
    """Return whether Playwright has a build of an engine on this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(getattr(playwright, engine).executable_path).exists()


@pytest.mark.parametrize("browser", ["edge", "firefox", "safari"])
def test_a_browser_of_the_settings_loads_the_page_or_its_own_cure_is_told(price_watch, browser):
    number = price_watch.watch("/p/1")
    price_watch.shop.answers |= {"/p/1": Answer(LATE), "/late": Answer(PRICE)}
    price_watch.crawl("shop_prices", "rendering=browser", delay=0, LATCHKEY_BROWSER=browser)
    if browser != "edge" and is_there(ENGINES[browser]):
        assert price_watch.item(number).last_price == Decimal(49)
        return
    if browser == "edge" and os.path.exists("/opt/microsoft/msedge/msedge"):
        assert price_watch.item(number).last_price == Decimal(49)
        return
    (run,) = price_watch.rows(Run)
    assert (run.outcome, run.message.endswith(CURES[browser])) == ("browser_missing", True), run.message
    assert json.dumps(run.message).count("hromium") == 0


def test_a_program_that_playwright_cannot_drive_is_named(price_watch):
    price_watch.watch("/p/1")
    price_watch.crawl(
        "shop_prices", "rendering=browser", delay=0, LATCHKEY_BROWSER="firefox", LATCHKEY_BROWSER_PATH="/bin/false"
    )
    (run,) = price_watch.rows(Run)
    assert run.outcome == "browser_missing"
    assert "LATCHKEY_BROWSER_PATH names /bin/false, which does not start as a build of Playwright's" in run.message
