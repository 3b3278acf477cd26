"""What pages of Plugin Boutique say of a price, era by era. All pages are invented."""

from __future__ import annotations

import json
from decimal import Decimal
from html import escape
from typing import Any

import pytest

from scrapers.core.outcomes import Blocked, PortalChanged, PriceUnclear, ProductGone
from scrapers.families.prices.addresses import named
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readers import price_of
from scrapers.families.prices.readings import Availability, Tie
from scrapers.portals.pluginboutique.prices import PluginboutiquePrices

URL = "https://www.pluginboutique.com/product/2-Effects/16-Reverb/3914-Big-Hall"
ITEM = {"item_id": "3914", "item_name": "Big Hall", "price": 49.0}


def read(body: str, country: str | None = None, url: str = URL) -> Any:
    product = named(url)
    assert product is not None
    page = ProductPage(f"<html lang=en>{body}</html>", url, product, country, PluginboutiquePrices.language)
    return price_of(page, PluginboutiquePrices.readers)


def event(*items: dict[str, Any], currency: str = "USD", **values: Any) -> dict[str, Any]:
    return {"event": "view_item", "ecommerce": {"currency": currency, "items": list(items), **values}}


def layer(*items: dict[str, Any], currency: str = "USD", **values: Any) -> str:
    return f"<script>dataLayer.push({json.dumps(event(*items, currency=currency, **values))})</script>"


NAMED = "<form data-id=3914></form>"


def box(**props: Any) -> str:
    return f'{NAMED}<div data-react-class="BuyBox" data-react-props="{escape(json.dumps(props))}"></div>'


def nosto(price: str, number: str = "3914") -> str:
    return (
        f'<div class="nosto_product" style="display:none"><span class="product_id">{number}</span>'
        f'<span class="availability">InStock</span><span class="price">{price}</span></div>'
    )


def tile(number: int, price: str) -> str:
    return (
        f'<div data-controller="product-tile"><a data-product-tile-target="mainLink" href="/products/{number}-X?a_aid=1">'
        f'<p class="font-semibold" data-testid="product-name-{number}">Product {number}</p></a>{price}</div>'
    )


SALE = '<div><span class="line-through">£99.00</span> £49.00 <span>(51% off)</span></div>'

JAVASCRIPT = """<script>function f(){ if (a) { return {b: 1}; } }
window.dataLayer = window.dataLayer || [];
dataLayer.push({event: 'view_item_list', ecommerce: {currency: 'USD', items: [{item_id: 3914, price: 5,}]}});
dataLayer.push({ecommerce: {currency: 'USD', items: [{item_id: 3914, price: 49.00, index: 0},]}, event: 'view_item'}); // ours
</script>"""
STIMULUS = (
    "<div data-controller='data-layer' data-data-layer-event-value='view_item' "
    f"data-data-layer-payload-value='{json.dumps(event(ITEM)['ecommerce'])}'></div>"
)


@pytest.mark.parametrize(
    "body",
    [
        layer(ITEM),
        layer({**ITEM, "price": "49.00"}),
        layer({**ITEM, "item_id": 3914}),
        layer({"item_id": "3914"}, value=49),
        JAVASCRIPT,
        STIMULUS,
        f"<script type='application/json' id='data-layer'>{json.dumps(event(ITEM))}</script>",
        f"<script type='application/json'>{json.dumps([{'a': 1}, event(ITEM)])}</script>",
        f"<div data-layer='{json.dumps(event(ITEM))}'></div>",
        f"<script>gtag('event', 'view_item', {json.dumps(event(ITEM)['ecommerce'])});</script>",
        layer(ITEM, {"item_id": "7", "item_name": "Small Hall", "price": 5}),
        layer({**ITEM, "item_id": "SKU-1"}) + "<h1>Big Hall</h1>",
    ],
)
def test_data_layer(body):
    found = read(body)
    assert (found.price, found.currency, found.source) == (Decimal(49), "USD", "data_layer")
    assert str(found.price) == "49.00"


def test_a_discount_makes_the_list_price():
    assert read(layer({**ITEM, "discount": 50})).list_price == Decimal(99)


@pytest.mark.parametrize(
    "body",
    [
        layer({**ITEM, "item_id": "7"}),
        layer({**ITEM, "item_id": "7"}) + "<h1>Small Hall</h1>",
        layer({**ITEM, "price": None}),
        layer({**ITEM, "price": "49,00 or less"}),
        layer({"item_id": "3914"}, {"item_id": "7"}, value=49),
        layer(ITEM).replace("view_item", "view_item_list"),
        layer(ITEM).replace("49.0", "price * 1.2"),
        "<p>£9.99</p><button>Add to cart</button>",
        tile(7, SALE),
    ],
)
def test_what_is_never_a_price(body):
    with pytest.raises(PortalChanged):
        read(body)


@pytest.mark.parametrize(
    ("body", "country"),
    [
        (layer(ITEM, currency=""), "GB"),
        (layer(ITEM, currency="$"), "US"),
        (box(sell_price="$49.00", regular_price="$49.00", on_sale=False), None),  # whose dollars is not known
        (box(sell_price="Free", regular_price="Free", on_sale=False), None),
        (box(sell_price="From £49.00", regular_price="£99.00", on_sale=False), "GB"),
        (box(sell_price="£49.00 - £99.00", regular_price="£99.00", on_sale=False), "GB"),
        (nosto("39.5"), "US"),
        (nosto("39.5"), None),
    ],
)
def test_a_price_of_the_product_that_is_not_certain_is_for_its_owner(body, country):
    with pytest.raises(PriceUnclear):
        read(body, country)


def test_buy_box_on_sale():
    found = read(box(sell_price="£1,249.00", regular_price="£1,499.00", on_sale=True))
    assert (found.price, found.list_price, found.currency) == (Decimal(1249), Decimal(1499), "GBP")
    assert (found.source, found.tie) == ("buy_box", Tie.ADDRESS)


@pytest.mark.parametrize(
    ("said", "country", "price", "currency"),
    [
        ("£49.00", None, "49.00", "GBP"),
        ("€49,99", None, "49.99", "EUR"),
        ("49,99 €", "DE", "49.99", "EUR"),
        ("$49.00", "US", "49.00", "USD"),
        ("A$49.00", None, "49.00", "AUD"),
        ("£0.00", "GB", "0.00", "GBP"),
        ("Free", "US", "0.00", "USD"),
        ("¥4,900", "JP", "4900", "JPY"),
    ],
)
def test_notations_of_the_buy_box(said, country, price, currency):
    found = read(box(sell_price=said, regular_price=said, on_sale=False), country)
    assert (str(found.price), found.currency, found.list_price) == (price, currency, None)


@pytest.mark.parametrize(
    "body",
    [
        box(sell_price=None, regular_price="£99.00", on_sale=True),
        box(sell_price="on request", regular_price="£99.00", on_sale=True),
        box(sell_price="£49.00", regular_price="£99.00", on_sale=False, product_id=7),
        box(sell_price="£49.00", on_sale=False) + box(sell_price="£59.00", on_sale=False),
        "<div data-react-class=BuyBox data-react-props='{'></div>",
    ],
)
def test_a_buy_box_that_says_no_price_for_certain(body):
    with pytest.raises(PortalChanged, match="buy_box"):
        read(body)


def test_of_two_buy_boxes_the_one_with_the_products_number_counts():
    boxes = box(sell_price="£49.00", on_sale=False, product_id=3914) + box(
        sell_price="£5.00", on_sale=False, product_id=7
    )
    assert (read(boxes).price, read(boxes).tie) == (Decimal(49), Tie.ID)


def test_the_tagging_block_is_in_pounds_and_counts_in_great_britain_alone():
    found = read(nosto("39.5"), "GB")
    assert (str(found.price), found.currency, found.source) == ("39.50", "GBP", "tagging")
    assert found.availability == Availability.IN_STOCK
    with pytest.raises(PortalChanged, match="tagging"):
        read(nosto("39.5", "7"), "GB")
    # In another currency it is no contradiction, and says all the same whether the product can be bought.
    abroad = read(layer(ITEM) + nosto("39.5"), "US")
    assert (abroad.price, abroad.availability) == (Decimal(49), Availability.IN_STOCK)
    assert read(layer(ITEM) + nosto("39.5", "7"), "US").availability is None
    with pytest.raises(PriceUnclear, match=r"data_layer 49.00 GBP, tagging 39.50 GBP"):
        read(layer(ITEM, currency="GBP") + nosto("39.5"), "GB")


@pytest.mark.parametrize(
    ("price", "list_price"), [(SALE, 99), ('<p class="font-semibold text-gray-900">£49.00</p>', None)]
)
def test_the_tile_of_the_product_among_others(price, list_price):
    found = read(tile(7, SALE.replace("49", "5")) + tile(3914, price))
    assert (found.price, found.list_price, found.source, found.title) == (
        *(Decimal(49), list_price and Decimal(list_price), "tiles", "Product 3914"),
    )


def test_the_list_price_of_structured_data_is_no_contradiction():
    ld = {"@type": "Product", "url": "/products/3914", "offers": {"price": "99.00", "priceCurrency": "USD"}}
    found = read(f"{layer({**ITEM, 'discount': 50})}<script type='application/ld+json'>{json.dumps(ld)}</script>")
    assert (found.price, found.list_price, found.source) == (Decimal(49), Decimal(99), "data_layer")
    said = f"{layer(ITEM)}<script type='application/ld+json'>{json.dumps(ld)}</script>"
    struck_out = "<s class=line-through>US$99.00</s>"
    assert (read(said + struck_out).price, read(said + struck_out).list_price) == (Decimal(49), Decimal(99))
    recommended = tile(7, struck_out)
    several = f"{struck_out}<s class=line-through>US$79.00</s>"
    for body in (said, said + recommended, said + several, said + struck_out.replace("US$", "€")):
        with pytest.raises(PriceUnclear, match=r"data_layer 49.00 USD, json_ld 99.00 USD"):
            read(body)


def test_another_product_or_the_home_page_at_the_address():
    for canonical in ("/", "/products/20-Small-Hall"):
        with pytest.raises(ProductGone):
            read(f"<link rel=canonical href='{canonical}'>{box(sell_price='£5.00', on_sale=False)}")
    canonical = "<link rel=canonical href='/products/3914'>"
    assert read(f"{canonical}{layer(ITEM)}").price == Decimal(49)


OTHERS = "".join(tile(number, SALE) for number in (20, 21, 22))
BUY = "<button>Add to cart</button>"
DEAL = box(sell_price="£5.00", regular_price="£9.00", on_sale=True).replace(NAMED, "")


@pytest.mark.parametrize(
    "body",
    [
        f"<p>£49.00</p>{BUY}{OTHERS}",
        f"<h1>Welcome</h1>{OTHERS}",
        # The deal of the day is no price of the product that is gone.
        OTHERS + DEAL,
    ],
)
def test_a_home_page_without_an_address_names_other_products_and_never_this_one(body):
    with pytest.raises(ProductGone):
        read(body, "GB")


def test_a_buy_box_on_a_page_that_does_not_name_the_product_may_be_of_another():
    with pytest.raises(PortalChanged, match="may be another product's"):
        read(DEAL, "GB")
    assert read(f"<h1>Big Hall</h1>{DEAL}", "GB").price == Decimal(5)


@pytest.mark.parametrize("names", ["<h1>Big Hall</h1>", "<i data-id=3914></i>"])
def test_a_page_that_names_the_product_is_not_the_home_page(names):
    with pytest.raises(PortalChanged):
        read(f"{names}{BUY}{OTHERS}")
    # Nothing is sold but other products: its owner chooses one of them.
    with pytest.raises(PriceUnclear, match="editions"):
        read(f"{names}{OTHERS.replace('</div>', BUY + '</div>')}")


def test_an_empty_page_is_a_walls():
    product = named(URL)
    assert product is not None
    with pytest.raises(Blocked):
        price_of(ProductPage("", URL, product), PluginboutiquePrices.readers)
