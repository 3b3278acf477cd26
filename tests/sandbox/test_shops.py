"""Plugin Boutique and the ordinary shop: eras and traps, money by country, days, conditional requests, and pages with their truths."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal

import lxml.html
import pytest

from sandbox import AdminError, running
from sandbox.known import KINDS as FACTS
from sandbox.known import known_of
from sandbox.markup import perturbed
from sandbox.perturb import Perturbation
from sandbox.pluginboutique import address, product_id
from sandbox.pluginboutique.answers import UNSAMPLED, answer, listing, sample
from sandbox.pluginboutique.catalogue import KINDS, Product
from sandbox.pluginboutique.pages import Look
from sandbox.shop.pages import ITEMS
from sandbox.storefront.money import COUNTRIES, written
from sandbox.storefront.offers import Truth
from tests.portals.prices import nearest
from tests.sandbox.person import Answer, Person
from tests.sandbox.test_known import found

DAY = 86_400
BROWSER = {"User_Agent": "Mozilla/5.0 (X11)", "Accept": "text/html", "Accept_Language": "en"}
PAGES = sample()


class Shopper(Person):
    """A client with a browser's headers."""

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask(path, **(BROWSER | headers))


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    with running(tmp_path_factory.mktemp("shops"), ("pluginboutique", "shop")) as sandbox:
        yield sandbox


@pytest.fixture
def admin(shops):
    admin = shops.admin["pluginboutique"]
    admin.reset()
    admin.configure(histories={}, geo_country="GB", agent_answer="403")
    return admin


@pytest.fixture
def shopper(shops, admin):
    return lambda: Shopper(shops.urls["pluginboutique"])


def amount(text: str, country: str) -> Decimal:
    """Read what a country writes: the last two digits are decimals, but for yen."""
    digits = re.sub(r"\D", "", text)
    return Decimal(digits) if country == "JP" else Decimal(digits) / 100


def events(html: str) -> list[dict]:
    """Return the GA4 events of a page, in whichever form they stand."""
    tree = lxml.html.document_fromstring(html)
    blocks = tree.xpath("//*[@data-controller='data-layer']/@*[contains(., 'event')]")
    blocks += tree.xpath("//script[@id='data-layer' or @class='data-layer']/text()")
    return [
        json.loads(block[block.index("{", max(block.find("push("), 0)) : block.rindex("}") + 1]) for block in blocks
    ]


def stated(html: str, country: str) -> dict[str, Decimal]:
    """Return the price that each known source states of the page's own product."""
    tree, said = lxml.html.document_fromstring(html), {}
    for event in events(html):
        if event["event"] == "view_item":
            said["data-layer"] = Decimal(str(event.get("ecommerce", event)["items"][0]["price"]))
    for props in tree.xpath("//*[@data-react-class='BuyBox']/@data-react-props"):
        said["buy-box"] = amount(json.loads(props)["sell_price"], country)
    for price in tree.xpath("//*[@class='nosto_product']/span[@class='price']/text()"):
        said["nosto"] = Decimal(price)
    for text in tree.xpath("//script[@type='application/ld+json']/text()"):
        told = json.loads(text)
        product = told.get("@graph", [told])[-1]
        offer = product["offers"][0] if isinstance(product["offers"], list) else product["offers"]
        said["json-ld"] = Decimal(offer.get("price", "0"))
    return said


# Pages without a server


def test_120_pages_are_all_different_and_of_every_kind():
    assert len(PAGES) == 120
    assert len({(page.asked, page.country, page.html) for page in PAGES}) == 120
    assert len({page.html for page in PAGES if page.kind != "empty"}) == sum(page.kind != "empty" for page in PAGES)
    count = Counter(page.kind for page in PAGES)
    assert set(count) == {*KINDS, "listing"} - set(UNSAMPLED)
    assert min(count.values()) >= 3
    assert {page.country for page in PAGES} == set(COUNTRIES)
    assert {source for page in PAGES if page.kind in KINDS for source in KINDS[page.kind].sources} >= {
        "data-layer",
        "buy-box",
        "nosto",
        "json-ld",
    }
    assert sample(5, seed=3) == sample(5, seed=3) != sample(5, seed=4)


def test_the_sources_of_a_page_state_its_truth():
    odd = {"disagree": 1, "disagree-json-ld": 1, "json-ld-list-price": 1}
    for page in PAGES:
        if page.truth.price is None or page.kind == "listing":
            assert page.truth.refusals, page.kind
            continue
        said = stated(page.html, "DE" if page.kind == "foreign-currency" else page.country)
        kind = "data-layer" if page.kind == "moved" else page.kind
        assert set(said) >= set(KINDS[kind].sources), page.kind
        if page.kind == "other-json-ld":
            assert said.pop("json-ld") != page.truth.price
        if page.truth.currency != "GBP":
            said.pop("nosto", None)
        assert sum(price != page.truth.price for price in said.values()) == odd.get(page.kind, 0), (page.kind, said)
        assert re.search(rf"/{page.truth.product_id}(-[^/]*)?$", page.path), page.path
        assert (page.truth.product_id in page.asked) == (page.kind != "moved")


def test_pages_that_disagree_have_two_prices():
    for page in PAGES:
        if page.kind.startswith("disagree"):
            said = stated(page.html, page.country)
            assert len(set(said.values())) == len(said) == 2, page


def test_tiles_of_a_listing_state_their_truths():
    for page in [page for page in PAGES if page.tiles]:
        tiles = lxml.html.document_fromstring(page.html).xpath("//*[@data-controller='product-tile']")
        assert len(tiles) == len(page.tiles)
        for tile, truth in zip(tiles, page.tiles, strict=True):
            assert tile.xpath(f".//*[@data-testid='product-name-{truth.product_id}']")
            listed = tile.xpath(".//*[@class='line-through']/text()")
            assert [amount(text, page.country) for text in listed] == [truth.list_price][: len(listed)]
            off = [span for span in tile.iter("span") if (span.text or "").endswith("off)")]
            (price,) = [off[0].getparent()] if off else tile.xpath(".//*[contains(@class, 'semibold')]")
            shown = "".join(price.xpath("./text()" if off else ".//text()"))
            assert amount(shown, page.country) == truth.price


@pytest.mark.parametrize(
    "kind", ["recommended", "recommended-buy-box", "challenge-200", "gone-home", "no-source", "out-of-stock"]
)
def test_the_traps_catch_a_reader_that_goes_by_distance(kind):
    for country in ("GB", "US"):
        page = answer(Product(kind), Product(kind).offer(), Look(COUNTRIES[country]), address(kind))
        said = nearest(page.html)
        assert said is not None
        assert said[0] != page.truth.price


def test_what_is_known_is_in_the_pages_and_no_seed_changes_it():
    known = known_of("pluginboutique")
    look = Look(COUNTRIES["US"])
    whole = [
        answer(Product(kind), Product(kind).offer(), look, address(kind)).html for kind in ("every-source", "sale")
    ]
    whole += [
        answer(
            Product("data-layer"),
            Product("data-layer").offer(),
            Look(look.country, Perturbation.of(seed, ["layouts"])),
            "",
        ).html
        for seed in range(16)
    ]
    whole.append(listing(1, look).html)
    for fact in (*known.facts, *known_of("shop").facts):
        assert fact.kind in FACTS
    shown = ("class", "id", "attribute", "test id", "contained")
    total = Counter()
    for html in whole:
        counts = {fact: count for fact, count in found(html, known).items() if fact[0] in shown}
        total.update(counts)
        for seed in range(4):
            after = found(perturbed(html, Perturbation.of(seed), known, False), known)
            assert all(after[fact] >= count for fact, count in counts.items()), seed
    assert not {
        (fact.kind, fact.value) for fact in known.facts if fact.kind in shown and not total[fact.kind, fact.value]
    }
    keys = known.of("key")
    assert all(any(f'"{key}"' in html.replace("&quot;", '"') for html in whole) for key in keys)


@pytest.mark.parametrize(
    ("like", "said"), [("1.299,00 €", "2.879,20 €"), ("¥1,299", "¥2,879"), ("CHF 1’299.00", "CHF 2’879.20")]
)
def test_amounts_are_written_like_an_example(like, said):
    assert written(Decimal("2879.2"), like) == said


# Plugin Boutique as it is served


def test_every_product_answers_as_its_truth_says(shopper, admin):
    client = shopper()
    truths = admin.ask("products?country=GB")
    assert len(truths) == len(KINDS) + 1
    for path, truth in truths.items():
        reply = client.get(path)
        if truth["price"] and reply.status == 200 and not truth["refusals"]:
            assert Decimal(truth["price"]) in stated(reply.text, "GB").values(), path
    for form in range(3):
        assert client.get(address("data-layer", form) + "?a_aid=x").text == client.get(address("data-layer")).text
    assert admin.counters()["products"][product_id("data-layer")] == 7


def test_pages_that_are_no_product(shopper):
    client = shopper()
    home = client.get("/").text
    assert client.get("/products/1-never-there").text == home
    assert (client.get(address("gone-home")).status, client.get(address("gone-404")).status) == (200, 404)
    assert client.get(address("gone-redirect")).location == "/"
    assert client.get(address("moved")).location == Product("moved").successor.address()
    assert client.get(address("challenge-403")).status == 403
    assert "Add to cart" in client.get(address("challenge-200")).text
    assert client.get(address("empty")).body == b""
    limited = [client.get(address("rate-limited")) for _ in range(3)]
    assert [(reply.status, reply.headers.get("Retry-After")) for reply in limited] == [
        (429, "1"),
        (429, "1"),
        (200, None),
    ]
    assert [client.get(address("error-once")).status for _ in range(2)] == [503, 200]


def test_the_home_page_alone_changes_the_country(shopper, admin):
    client, path = shopper(), address("data-layer")

    def currency(client, path=path, **headers):
        (event,) = events(client.get(path, **headers).text)
        return event["ecommerce"]["currency"]

    assert currency(client) == "GBP"
    assert client.get("/?chosen_country=XX").status == 200
    assert currency(client, path + "?currency=USD") == currency(client, path + "?chosen_country=US") == "GBP"
    assert currency(client, Cookie="country=US; currency=USD") == "GBP"
    for country, expected in (("US", "USD"), ("JP", "JPY"), ("se", "SEK")):
        client.get(f"/?chosen_country={country}")
        assert currency(client) == expected
    assert currency(shopper()) == "GBP"
    admin.configure(geo_country="DE")
    assert (currency(shopper()), currency(client)) == ("EUR", "SEK")
    with pytest.raises(AdminError):
        admin.configure(geo_country="XX")
    client.get("/?chosen_country=DE")
    assert re.search(r"\d,\d\d €", client.get(address("buy-box")).text)


def test_clients_that_are_no_browser_are_refused(shopper, admin):
    client = shopper()
    assert client.ask("/").status == client.get("/", User_Agent="curl/8").status == 403
    assert client.ask("/robots.txt").status == 200
    admin.configure(agent_answer="empty")
    assert (client.ask("/").status, client.ask("/").body) == (200, b"")
    assert admin.counters()["refused_agents"] == 4


def test_prices_follow_the_clock(shopper, admin):
    client, path, seen = shopper(), address("history"), []
    for day in range(8):
        admin.clock(day * DAY)
        truth = admin.ask("products?country=GB")[path]
        seen.append(truth["price"] and (truth["price"], truth["availability"]))
        if truth["price"]:
            assert set(stated(client.get(path).text, "GB").values()) == {Decimal(truth["price"])}
    prices = ["49.00", "39.00", "39.00", "29.00", "29.00", "35.00", "29.00"]
    assert seen == [*((price, "out_of_stock" if day == 4 else "in_stock") for day, price in enumerate(prices)), None]
    assert "Deal of the day" in client.get(path).text
    own = product_id("json-ld")
    admin.configure(histories={own: [{"day": 7, "price": "12.34", "availability": "out_of_stock"}]})
    assert stated(client.get(address("json-ld")).text, "GB") == {"json-ld": Decimal("12.34")}
    for wrong in (
        {own: [{"price": "1"}]},
        {own: [{"day": 1, "colour": "red"}]},
        {own: [{"day": 1, "availability": "x"}]},
    ):
        with pytest.raises(AdminError):
            admin.configure(histories=wrong)


def test_what_a_client_has_is_not_sent_again(shopper, admin):
    client, path = shopper(), address("history")
    first = client.get(path)
    tag, changed = first.headers["ETag"], first.headers["Last-Modified"]
    again = client.get(path, If_None_Match=tag)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert client.get(path, If_Modified_Since=changed).status == 304
    client.get("/?chosen_country=US")
    assert client.get(path, If_None_Match=tag, If_Modified_Since=changed).status == 200
    admin.clock(DAY)
    assert shopper().get(path, If_None_Match=tag).status == client.get(path, If_Modified_Since=changed).status == 200
    assert client.get("/deals", If_None_Match=client.get("/deals").headers["ETag"]).status == 304
    counters = admin.counters()
    assert (counters["conditional"], counters["not_modified"]) == (6, 3)
    assert [entry["status"] for entry in admin.journal() if entry["path"] == path].count(304) == 2


def test_listings_have_tiles(shopper):
    client = shopper()
    names = "//*[starts-with(@data-testid, 'product-name-')]"
    pages = [
        lxml.html.document_fromstring(client.get(path).text)
        for path in ("/free", "/deals", "/search", "/search?page=2")
    ]
    count = [len(page.xpath(names)) for page in pages]
    assert count == [2, 6, 12, 12]
    assert pages[2].xpath("//*[@data-testid='search-load-more-btn']/@data-url") == ["/search?page=2"]
    assert client.get("/deals-2?page=2").text.count('href="/deals/2') == 15
    for path in ("/categories/16-Reverb", "/manufacturers/84-x", "/deals/204", "/articles.rss"):
        assert client.get(path).status == 200


def test_a_seed_changes_pages_and_no_price(shopper, admin):
    client = shopper()
    before = client.get(address("every-source"))
    admin.perturb(5)
    after = client.get(address("every-source"), If_None_Match=before.headers["ETag"])
    admin.perturb(None)
    assert after.status == 200
    assert before.text != after.text
    assert set(stated(before.text, "GB").values()) == set(stated(after.text, "GB").values())


# The ordinary shop


def shop_prices(html: str) -> dict[str, list[str]]:
    """Return the prices that the data of a page states, of whichever product."""
    tree = lxml.html.document_fromstring(html)
    texts = tree.xpath("//script[@type='application/ld+json']/text()")
    return {
        "json-ld": [
            price
            for text in texts
            for price in re.findall(r'"(?:price|lowPrice|highPrice)": "?(\d+(?:[.,]\d+)?)', text)
        ],
        "microdata": [e.get("content") or e.text.replace(",", "") for e in tree.xpath("//*[@itemprop='price']")],
        "opengraph": tree.xpath("//meta[@property='product:price:amount']/@content"),
    }


def test_the_shop_states_prices_as_its_truths_say(shops):
    admin, client = shops.admin["shop"], Shopper(shops.urls["shop"])
    admin.reset()
    truths = admin.ask("products")
    assert set(truths) == {f"/item/{word}" for word in ITEMS}
    for word, item in ITEMS.items():
        html, truth = client.get(f"/item/{word}").text, truths[f"/item/{word}"]
        said = {source: prices for source, prices in shop_prices(html).items() if prices}
        assert set(said) - {"json-ld"} == set(item.sources) - {"json-ld", "broken"}, word
        values = {Decimal(price.replace(",", ".")) for prices in said.values() for price in prices}
        if truth["price"] is None:
            assert len(values) != 1, word
        else:
            assert Decimal(truth["price"]) in values, word
            assert len(values) == 1 or word in ("sale", "other-product", "related", "broken"), word
        if item.availability != "in_stock":
            assert truth["availability"] == item.availability


def test_the_shop_has_days_and_conditional_requests(shops):
    admin, client = shops.admin["shop"], Shopper(shops.urls["shop"])
    admin.reset()
    tag = client.get("/item/history").headers["ETag"]
    assert client.get("/item/history", If_None_Match=tag).status == 304
    admin.clock(DAY)
    assert client.get("/item/history", If_None_Match=tag).status == 200
    assert admin.ask("products")["/item/history"]["list_price"] == "1249.50"
    admin.clock(3 * DAY)
    assert client.get("/item/history").status == client.get("/item/never").status == 404
    assert admin.ask("products")["/item/history"]["refusals"] == ["product_gone"]
    assert Truth(refusals=("blocked",)).as_json()["price"] is None
