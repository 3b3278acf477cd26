"""Pages rendered by Splash: a counterpart that speaks its HTTP API, for what it is sent and each way it fails; and the real one."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from database.models.prices import Rendering
from sandbox.mailserver import serving
from tests.project import free_port
from tests.scrapers.families.prices.conftest import product
from tests.scrapers.families.prices.test_crawl import view_item
from tests.scrapers.families.prices.test_rendering import LATE, PRICE
from tests.splash import splash_server
from tests.web import Answer, Asked, WebServer

SECRET = "orchard-gate-7731"
# As Splash 3.5 answers, seen on the real one.
SCRIPT_ERROR = {"error": 400, "type": "ScriptError", "info": {"type": "LUA_ERROR", "error": SECRET, "line_number": 1}}
TIMED_OUT = {"error": 504, "type": "GlobalTimeoutError", "info": {"timeout": 60.0}}


class NotFollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given: Any) -> None:
        return None


class Counterpart(WebServer):
    """Answers `/execute` as Splash does: it fetches the page, runs no script of it, and answers in the form of ours."""

    def __init__(self, password: str = "") -> None:
        super().__init__()
        self.arguments: list[dict[str, Any]] = []
        self.answers: dict[str, tuple[int, Any]] = {}  # by path of the page: what to answer in place of it
        self.wanted = f"Basic {base64.b64encode(f'ana:{password}'.encode()).decode()}" if password else ""

    def answer(self, asked: Asked) -> Answer:
        """Return what Splash answers."""
        args = json.loads(asked.body)
        self.arguments.append(args)
        status, said = self._rendered(asked.path, args, asked.headers.get("Authorization", ""))
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        return Answer(body, status, {"Content-Type": "application/json"})

    def _rendered(self, path: str, args: dict[str, Any], authorization: str) -> tuple[int, Any]:
        if authorization != self.wanted:
            return 401, b"Unauthorized"
        assert path == "/execute"
        page = "/" + args["url"].split("/", 3)[3]
        if page in self.answers:
            return self.answers[page]
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in args["cookies"])
        headers = {**args["headers"], **({"Cookie": cookies} if cookies else {})}
        opener = urllib.request.build_opener(NotFollowed)
        try:
            answer = opener.open(urllib.request.Request(args["url"], headers=headers), timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            found = [{"name": name, "value": value} for name, value in answer.headers.items()]
            said = {"url": args["url"], "html": answer.read().decode(), "status": answer.status, "headers": found}
        named = (each["value"].split(";")[0].partition("=") for each in found if each["name"] == "Set-Cookie")
        kept = [{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"} for name, _, value in named]
        return 200, {**said, "cookies": [*args["cookies"], *kept], "way": {"1": args["url"]}}


@pytest.fixture
def far() -> Iterator[Counterpart]:
    with serving(Counterpart(SECRET)) as counterpart:
        yield counterpart


def settings(far: Counterpart, password: str = SECRET) -> dict[str, str]:
    return {"LATCHKEY_SPLASH_URL": far.url, "LATCHKEY_SPLASH_USERNAME": "ana", "LATCHKEY_SPLASH_PASSWORD": password}


def test_what_splash_is_sent_and_how_a_check_ends(price_watch, far):
    shop = price_watch.shop
    shop.answers |= {"/p/1": Answer(product()), "/p/3": Answer("<h1>Forbidden £1</h1>", 403)}
    shop.answers["/p/4"] = Answer("", 429, {"Retry-After": "9999"})
    far.answers = {
        "/p/5": (400, SCRIPT_ERROR),
        "/p/6": (504, TIMED_OUT),
        "/p/7": (200, {"problem": "network5"}),
        "/p/8": (502, b"<html>Bad gateway</html>"),
    }
    numbers = [price_watch.watch(f"/p/{number}", rendering=Rendering.SPLASH) for number in range(1, 9)]
    said = price_watch.crawl("shop_prices", delay=0, **settings(far))
    ends = [
        "success",
        "product_gone",
        "blocked",
        "rate_limited",
        "splash_away",
        "portal_down",
        "portal_down",
        "splash_away",
    ]
    assert [price_watch.item(number).last_outcome for number in numbers] == ends
    assert price_watch.item(numbers[0]).last_price == Decimal(49)
    # What Splash says of an error may be what it was sent.
    stored = [*said.splitlines(), *(check.message for check in price_watch.checks)]
    assert not [line for line in stored if SECRET in line]
    assert any("answers 400 (ScriptError)" in line for line in stored)
    first = far.arguments[0]
    assert {name.title() for name in first["headers"]} == {"Accept", "Accept-Language", "User-Agent"}
    assert "Latchkey/" in first["headers"]["User-Agent"]
    assert first["cookies"] == []
    assert "Authorization" not in first["headers"]
    assert "Cookie" not in far.asked[0].headers
    assert SECRET not in json.dumps(first)


def test_cookies_of_a_country_are_those_of_plain_http(price_watch, far):
    shop = price_watch.shop
    shop.answers["/?chosen_country=US"] = Answer("<h1>Home</h1>", 200, {"Set-Cookie": "session=us; Path=/"})
    shop.answers["/products/10"] = Answer(view_item(10, "49.00", "USD"))
    price_watch.watch("/products/10", "pluginboutique", country="US")
    price_watch.crawl("pluginboutique_prices", delay=0, PLUGINBOUTIQUE_RENDERING="splash", **settings(far))
    assert price_watch.outcomes == ["success"]
    assert [asked["url"].removeprefix(shop.url) for asked in far.arguments] == ["/?chosen_country=US", "/products/10"]
    (cookie,) = far.arguments[1]["cookies"]
    assert (cookie["name"], cookie["value"], cookie["domain"]) == ("session", "us", "127.0.0.1")
    assert shop.asked[1].headers["Cookie"] == "session=us"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "LATCHKEY_SPLASH_URL is not set."),
        ({"LATCHKEY_SPLASH_URL": "http://127.0.0.1:{port}"}, "does not answer."),
        ({"LATCHKEY_SPLASH_PASSWORD": "other"}, "refuses LATCHKEY_SPLASH_USERNAME."),
    ],
)
def test_a_splash_that_does_not_serve_us_is_named(price_watch, far, given, said):
    number = price_watch.watch("/p/1")
    known = {**settings(far), **given} if "LATCHKEY_SPLASH_PASSWORD" in given else given
    known = {name: value.format(port=free_port()) for name, value in known.items()}
    price_watch.crawl("shop_prices", "rendering=splash", delay=0, **known)
    assert price_watch.item(number).last_outcome == "splash_away"
    assert said in price_watch.checks[0].message
    assert price_watch.shop.asked == []


@pytest.mark.splash
def test_the_real_splash_runs_scripts_keeps_out_of_private_networks_and_logs_no_secret(price_watch, tmp_path):
    shop = price_watch.shop
    shop.answers |= {
        "/?chosen_country=US": Answer("<h1>Home</h1>", 200, {"Set-Cookie": f"session={SECRET}; Path=/"}),
        "/products/10": Answer(LATE),
        "/late": Answer(PRICE),
        "/products/11": Answer("", 302, {"Location": "/products/12"}),
        "/products/12": Answer(view_item(12, "59.00", "USD")),
        "/products/13": Answer("<h1>Forbidden £1</h1>", 403),
        "/products/14": Answer("", 302, {"Location": "/"}),
        "/": Answer("<h1>Home</h1>"),
    }
    with splash_server(tmp_path / "splash") as splash:
        # Splash itself is a machine of the own network.
        shop.answers["/products/15"] = Answer("", 302, {"Location": f"{splash.url}/products/15"})
        numbers = [price_watch.watch(f"/products/{number}", "pluginboutique", country="US") for number in range(10, 17)]
        known = {"LATCHKEY_SPLASH_URL": splash.url, "LATCHKEY_PRICES_PRIVATE_ADDRESSES": "false"}
        price_watch.crawl("pluginboutique_prices", "rendering=splash", delay=0, **known)
        ends = [price_watch.item(number).last_outcome for number in numbers]
        said = splash.said
    assert ends == [*["success"] * 3, "blocked", "product_gone", "address_not_asked", "product_gone"]
    assert [price_watch.item(number).last_price for number in numbers[:2]] == [Decimal(49), Decimal(59)]
    assert {asked.headers.get("Cookie") for asked in shop.asked if asked.path == "/products/10"} == {
        f"session={SECRET}"
    }
    assert all("Latchkey/" in asked.headers["User-Agent"] for asked in shop.asked)
    assert '"path": "/execute"' in said
    assert SECRET not in said
    assert "splash:init_cookies" not in said
