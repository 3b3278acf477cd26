"""Prices in structured data, and which of several sources holds."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from scrapers.core.outcomes import Blocked, PortalChanged, PriceUnclear, ProductGone
from scrapers.families.prices.addresses import named
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readers import price_of
from scrapers.families.prices.readings import Availability, Tie
from scrapers.families.prices.structured import structured

URL = "https://shop.example/p/big-hall-AB1234"
OFFER = {"@type": "Offer", "price": "49.00", "priceCurrency": "EUR"}


def page(body: str, url: str = URL) -> ProductPage:
    product = named(url)
    assert product is not None
    return ProductPage(body, url, product)


def read(body: str, url: str = URL, selector: str | None = None) -> Any:
    return price_of(page(body, url), (structured,), selector)


def node(**values: Any) -> dict[str, Any]:
    return {"@context": "https://schema.org", "@type": "Product", "name": "Big Hall", "offers": OFFER, **values}


def ld(*nodes: Any, heading: str = "Big Hall", body: str = "") -> str:
    scripts = "".join(f'<script type="application/ld+json">{json.dumps(each)}</script>' for each in nodes)
    return f"<html lang=en><head>{scripts}</head><body><h1>{heading}</h1>{body}</body></html>"


def og(**values: str) -> str:
    return "".join(f'<meta property="{name.replace("__", ":")}" content="{value}">' for name, value in values.items())


@pytest.mark.parametrize(
    ("product", "heading", "tie"),
    [
        (node(), "Big  hall", Tie.HEADING),
        (node(url=URL), "Elsewhere", Tie.ADDRESS),
        (node(url="/p/big-hall-AB1234/?utm_source=x"), "Elsewhere", Tie.ADDRESS),
        (node(offers={**OFFER, "url": f"{URL}#buy"}), "Elsewhere", Tie.ADDRESS),
        (node(sku="AB1234"), "Elsewhere", Tie.SKU),
        (node(gtin13="ab1234"), "Elsewhere", Tie.SKU),
        (node(url="https://shop.example/"), "Big Hall", Tie.HEADING),  # some shops give every product their home page
    ],
)
def test_by_what_a_price_is_tied_to_the_product(product, heading, tie):
    found = read(ld(product, heading=heading))
    assert (found.price, found.currency, found.source, found.tie) == (Decimal(49), "EUR", "json_ld", tie)


@pytest.mark.parametrize(
    "product",
    [
        node(name="Small Hall"),
        node(url="/p/small-hall"),  # whatever its name
        node(name=""),
        node(name="Small Hall", sku="12"),
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": node()}]},
        {"@type": "Product", "name": "Small Hall", "isRelatedTo": node()},
        {"@type": "Product", "name": "Small Hall", "offers": OFFER, "isSimilarTo": [node()]},
        node(offers={"@type": "Offer", "priceCurrency": "EUR"}),
        node(offers={"@type": "Offer", "price": "", "priceCurrency": "EUR"}),
        node(offers={"@type": "Offer", "price": "call us", "priceCurrency": "EUR"}),
        node(offers={"@type": "Offer", "price": "-1", "priceCurrency": "EUR"}),
        node(offers={"@type": "Offer", "price": "1.234", "priceCurrency": "EUR"}),
        node(offers={"@type": "Offer", "price": "£49.00", "priceCurrency": "EUR"}),
        node(offers={"@type": "AggregateOffer", "lowPrice": "49.00", "priceCurrency": "EUR", "offerCount": "3"}),
        node(offers=[]),
        node(offers="49.00 EUR"),
    ],
)
def test_what_is_no_price_of_this_product(product):
    with pytest.raises(PortalChanged):
        read(ld(product, body="£9.99 add to cart"))


@pytest.mark.parametrize("currency", [None, "$"])
def test_a_price_whose_currency_is_not_known_is_for_its_owner(currency):
    with pytest.raises(PriceUnclear, match="currency is not known"):
        read(ld(node(offers={"@type": "Offer", "price": "49.00", "priceCurrency": currency}), body="£9.99 add to cart"))


@pytest.mark.parametrize("url", ["http://[::1", "javascript:buy()", "mailto:a@b.example", "http://x:port/", " "])
def test_an_address_that_is_none_is_no_tie_and_no_error(url):
    head = f"<link rel=canonical href='{url}'>" + og(og__url=url)
    with pytest.raises(PortalChanged):
        read(ld(node(name="Small Hall", url=url)).replace("<head>", f"<head>{head}"))
    assert read(ld(node(url=url)).replace("<head>", f"<head>{head}")).tie == Tie.HEADING


def test_two_headings_name_no_product():
    with pytest.raises(PortalChanged):
        read(ld(node(), body="<h1>Small Hall</h1>"))


@pytest.mark.parametrize("at", ["@graph", "mainEntity"])
def test_where_a_product_stands_in_its_graph(at):
    assert read(ld({"@context": "https://schema.org", at: [node()]})).price == Decimal(49)


def test_offers_that_are_named_by_reference():
    offer = {"@id": "#offer", **OFFER}
    assert read(ld({"@graph": [node(offers={"@id": "#offer"}), offer]})).price == Decimal(49)


def test_a_block_that_is_no_json_hides_no_other():
    broken = '<script type="application/ld+json">{"@type": "Product", </script>'
    assert read(ld(node()).replace("<head>", f"<head>{broken}")).price == Decimal(49)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("https://schema.org/InStock", Availability.IN_STOCK),
        ("http://schema.org/LimitedAvailability", Availability.IN_STOCK),
        ("OutOfStock", Availability.OUT_OF_STOCK),
        ("https://schema.org/SoldOut", Availability.OUT_OF_STOCK),
        ("https://schema.org/PreOrder", Availability.PRE_ORDER),
        ("https://schema.org/Discontinued", Availability.GONE),
        ("soon", None),
        (None, None),
    ],
)
def test_availability(said, expected):
    assert read(ld(node(offers={**OFFER, "availability": said}))).availability == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (0, "0.00"),
        ("0.00", "0.00"),
        (49.5, "49.50"),
        ("49.990000", "49.99"),
        ("1,234.50", "1234.50"),
        ("49,99 €", "49.99"),
    ],
)
def test_prices_as_shops_write_them_there(price, expected):
    assert str(read(ld(node(offers={**OFFER, "price": price}))).price) == expected


def test_list_price_and_vat():
    specification = [
        {"price": "99.00", "priceCurrency": "EUR", "priceType": "https://schema.org/ListPrice"},
        {"price": "49.00", "priceCurrency": "EUR", "valueAddedTaxIncluded": True},
        {"price": "4.90", "priceCurrency": "EUR", "referenceQuantity": {"value": "100", "unitCode": "GRM"}},
    ]
    found = read(ld(node(offers={"@type": "Offer", "priceSpecification": specification})))
    assert (found.price, found.list_price, found.with_vat) == (Decimal(49), Decimal(99), True)


@pytest.mark.parametrize(("said", "expected"), [("All prices incl. VAT", True), ("ex VAT", False), ("", None)])
def test_vat_as_the_page_says_it(said, expected):
    assert read(ld(node(), body=f"<footer>{said}</footer>")).with_vat is expected


VARIANTS = [
    {**OFFER, "name": "Standard", "url": f"{URL}?variant=1"},
    {**OFFER, "name": "Studio", "price": "99.00", "url": f"{URL}?variant=2"},
]


def test_variants_with_different_prices_are_unclear_with_all_of_them():
    with pytest.raises(PriceUnclear, match=r"json_ld \(Standard\) 49.00 EUR, json_ld \(Studio\) 99.00 EUR"):
        read(ld(node(url=URL, offers=VARIANTS)))


@pytest.mark.parametrize("shape", [VARIANTS, {"@type": "AggregateOffer", "offers": VARIANTS, "lowPrice": "49.00"}])
def test_the_address_says_which_variant_is_meant(shape):
    found = read(ld(node(url=URL, offers=shape)), f"{URL}?variant=2")
    assert (found.price, found.variant) == (Decimal(99), "Studio")


def test_the_one_offer_of_another_variant_is_no_price():
    with pytest.raises(PortalChanged, match="another variant"):
        read(ld(node(url=URL, offers=VARIANTS[0])), f"{URL}?variant=2")


def test_variants_of_a_group():
    group = {
        "@type": "ProductGroup",
        "name": "Big Hall",
        "hasVariant": [{"@type": "Product", "name": offer["name"], "offers": offer} for offer in VARIANTS],
    }
    assert read(ld(group), f"{URL}?variant=1").price == Decimal(49)
    with pytest.raises(PriceUnclear):
        read(ld(group))


def test_the_users_element_says_which_variant_is_meant_and_the_lowest_is_kept():
    found = read(ld(node(offers=VARIANTS), body="<b id=p>€99.00</b>"), selector="#p")
    assert (found.price, found.source, found.lowest) == (Decimal(99), "selector", Decimal(49))
    with pytest.raises(PriceUnclear):
        read(ld(node(offers=VARIANTS), body="<b id=p>€59.00</b>"), selector="#p")


@pytest.mark.parametrize(
    ("low", "high", "count", "price"), [("49", "49.00", "3", 49), ("49", "", "1", 49), ("49", "99", "2", None)]
)
def test_bounds_of_several_offers(low, high, count, price):
    offers = {
        "@type": "AggregateOffer",
        "lowPrice": low,
        "highPrice": high,
        "offerCount": count,
        "priceCurrency": "EUR",
    }
    if price is None:
        with pytest.raises(PriceUnclear, match=r"49.00 EUR.*99.00 EUR"):
            read(ld(node(offers=offers)))
    else:
        assert read(ld(node(offers=offers))).price == price


MICRODATA = """<html lang=en><body><div itemscope itemtype="https://schema.org/Product"><h1 itemprop=name>Big Hall</h1>
<div itemprop=offers itemscope itemtype="https://schema.org/Offer"><span itemprop=price content="49.00">now only</span>
<meta itemprop=priceCurrency content=EUR><link itemprop=availability href="https://schema.org/OutOfStock"></div>
<div itemprop=isRelatedTo itemscope itemtype="https://schema.org/Product"><span itemprop=name>Small</span>
<div itemprop=offers itemscope><span itemprop=price content=5></span><meta itemprop=priceCurrency content=EUR></div></div>
</div></body></html>"""


def test_microdata():
    found = read(MICRODATA)
    assert (found.price, found.source, found.availability) == (Decimal(49), "microdata", Availability.OUT_OF_STOCK)


def test_opengraph_and_its_sale_price():
    head = og(og__title="Big Hall", og__url=URL, product__price__amount="99.00", product__price__currency="EUR")
    assert read(f"<html lang=en><head>{head}</head></html>").price == Decimal(99)
    head += og(product__sale_price__amount="49.00", product__sale_price__currency="EUR")
    found = read(f"<html lang=en><head>{head}</head></html>")
    assert (found.price, found.list_price, found.source) == (Decimal(49), Decimal(99), "opengraph")
    # Structured data that has only the list price is no contradiction.
    assert read(f"<html lang=en><head>{head}</head>{ld(node(offers={**OFFER, 'price': 99}))}</html>").price == Decimal(
        49
    )


def test_sources_that_say_the_same_complete_each_other():
    head = og(
        og__url=URL, product__price__amount="49.0", product__price__currency="EUR", product__availability="in stock"
    )
    found = read(ld(node()).replace("<head>", f"<head>{head}"))
    assert (found.source, found.availability) == ("json_ld", Availability.IN_STOCK)


@pytest.mark.parametrize(("amount", "currency"), [("59.00", "EUR"), ("49.00", "GBP")])
def test_sources_that_disagree_are_unclear_with_both_values(amount, currency):
    head = og(og__url=URL, product__price__amount=amount, product__price__currency=currency)
    with pytest.raises(PriceUnclear, match=rf"json_ld 49.00 EUR, opengraph {amount} {currency}"):
        read(ld(node()).replace("<head>", f"<head>{head}"))


def test_prices_with_and_without_vat_do_not_disagree():
    without = {**OFFER, "price": "40.00", "valueAddedTaxIncluded": "false"}
    micro = MICRODATA.replace("<meta", "<meta itemprop=valueAddedTaxIncluded content=true><meta", 1)
    found = read(ld(node(offers=without), heading="").replace("<h1></h1>", micro))
    assert (found.price, found.with_vat) == (Decimal(40), False)


@pytest.mark.parametrize(
    ("element", "selector", "price"),
    [
        ("<b id=p>€49.00</b>", "#p", 49),
        ("<b class=p>€49.00</b><b class=p>€49,00</b>", ".p", 49),
        ("<meta id=p content='£49.00'>", "#p", 49),
        ("<b id=p>€9 <s>€10</s></b>", "#p", None),
        ("<b id=p>49.00</b>", "#p", None),
        ("<b id=p hidden>€49.00</b>", "#p", None),
        ("<b id=p>€49.00</b>", "#q", None),
        ("<b id=p>€49.00</b>", "[[", None),
    ],
)
def test_the_users_element(element, selector, price):
    body = f"<html lang=en><body>{element}</body></html>"
    if price is None:
        with pytest.raises(PortalChanged, match="selector"):
            read(body, selector=selector)
    else:
        assert read(body, selector=selector).price == price


def test_an_element_without_a_currency_takes_the_pages():
    assert read(ld(node(), body="<b id=p>49.00</b>"), selector="#p").price == Decimal(49)


@pytest.mark.parametrize("canonical", ["/", "https://shop.example", "https://shop.example/en-gb/"])
def test_the_home_page_in_the_place_of_the_product(canonical):
    with pytest.raises(ProductGone):
        read(ld(node()).replace("<head>", f"<head><link rel=canonical href='{canonical}'>"))


@pytest.mark.parametrize(
    "body",
    [
        "<title>Just a moment...</title><body>€49.00",
        "<title>Attention Required! | Cloudflare</title>",
        "<title>Access denied</title>",
        "<script>window._cf_chl_opt={}</script>",
        "<script src='https://ct.captcha-delivery.com/c.js'></script>",
        "<div class=g-recaptcha></div>€49.00",
        "",
    ],
)
def test_challenges(body):
    with pytest.raises(Blocked):
        read(f"<html><head>{body}" if body else "")


def test_a_product_page_may_have_a_captcha_of_its_own():
    assert read(ld(node(), body="<form><div class=g-recaptcha></div></form>")).price == Decimal(49)
