"""The pages of a shop that states its prices by JSON-LD, microdata, OpenGraph or not at all, each with what a reader should say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

from sandbox.storefront.money import COUNTRIES, Country, written
from sandbox.storefront.offers import AVAILABILITIES, Offer, Truth

SCHEMA = "https://schema.org/"
UNCLEAR = ("price_unclear",)


@dataclass(frozen=True, slots=True)
class Item:
    """
    A product of the shop, by the word in its address.

    country: whose money and notation. sources: which data states the price. refusals: what a reader says instead.
    """

    seen: str
    sources: tuple[str, ...]
    country: str = "DE"
    price: str = "1249.50"
    list_price: str | None = None
    availability: str = "in_stock"
    refusals: tuple[str, ...] = ()

    @property
    def offer(self) -> Offer:
        """What is asked for it before any history, in the money of its country."""
        listed = None if self.list_price is None else Decimal(self.list_price)
        return Offer(Decimal(self.price), listed, self.availability)


ITEMS = {
    "json-ld": Item("JSON-LD", ("json-ld",)),
    "json-ld-graph": Item("JSON-LD in a graph, with a list of offers", ("json-ld",), "FR"),
    "microdata": Item("microdata, the price in an attribute", ("microdata",), "SE"),
    "microdata-text": Item("microdata, the price in the text", ("microdata",), "US"),
    "opengraph": Item("OpenGraph's product:price", ("opengraph",), "CH"),
    "all": Item("all three, which agree as 1249.5 and 1249.50", ("json-ld", "microdata", "opengraph")),
    "none": Item("no data, several prices in the text", (), refusals=("price_unclear", "portal_changed")),
    "sale": Item("a sale with both prices in JSON-LD", ("json-ld",), list_price="1499.00"),
    "free": Item("a product for nothing", ("json-ld",), "GB", price="0"),
    "comma": Item("JSON-LD whose price has a comma, 1249,50", ("json-ld",)),
    "yen": Item("a currency without decimals", ("json-ld",), "JP", price="12490"),
    "single-range": Item("an AggregateOffer with one price", ("json-ld",)),
    "range": Item("an AggregateOffer with several prices", ("json-ld",), refusals=UNCLEAR),
    "variants": Item("a ProductGroup of variants with several prices", ("json-ld",), refusals=UNCLEAR),
    "disagree": Item("JSON-LD and OpenGraph disagree", ("json-ld", "opengraph"), refusals=UNCLEAR),
    "other-product": Item("JSON-LD of other products stands before the own", ("json-ld",)),
    "related": Item("microdata of related products stands before the own", ("microdata",)),
    "broken": Item("JSON-LD that is no JSON, beside OpenGraph", ("broken", "opengraph"), "IE"),
    "out-of-stock": Item("JSON-LD", ("json-ld",), availability="out_of_stock"),
    "pre-order": Item("microdata", ("microdata",), "GB", availability="pre_order"),
    "discontinued": Item("OpenGraph", ("opengraph",), "US", availability="discontinued"),
    "history": Item("JSON-LD; its price falls, it is gone on day 3", ("json-ld",)),
}
HISTORIES = {"history": ({"day": 1, "price": "999.00", "list_price": "1249.50"}, {"day": 3, "gone": True})}


def sku(word: str) -> str:
    """Return the number of a product."""
    return f"SHOP-{list(ITEMS).index(word) + 100}"


def truth(word: str, offer: Offer) -> Truth:
    """Return what a careful reader says of a product's page; the id and what its data does not state may be left empty."""
    item = ITEMS[word]
    if offer.gone or item.refusals:
        return Truth(refusals=item.refusals or ("product_gone",))
    currency = COUNTRIES[item.country].currency
    optional = frozenset({"product_id"} if "json-ld" in item.sources else {"product_id", "list_price"})
    return Truth(sku(word), offer.price, offer.list_price, currency, offer.availability, (), optional)


def json_ld(word: str, offer: Offer) -> Any:
    """Return the JSON-LD of a product."""
    currency = COUNTRIES[ITEMS[word].country].currency
    price = str(offer.price).replace(".", "," if word == "comma" else ".")
    said: dict[str, Any] = {"@type": "Offer", "priceCurrency": currency, "url": f"/item/{word}"}
    said |= {
        "price": float(offer.price) if word == "all" else price,
        "availability": SCHEMA + AVAILABILITIES[offer.availability],
    }
    high = offer.price if word == "single-range" else offer.price + 200
    if word in ("range", "single-range"):
        said = {"@type": "AggregateOffer", "lowPrice": price, "highPrice": str(high), "priceCurrency": currency}
        said |= {"offerCount": 2, "availability": SCHEMA + AVAILABILITIES[offer.availability]}
    if offer.list_price is not None:
        kind = {
            "@type": "UnitPriceSpecification",
            "priceType": f"{SCHEMA}StrikethroughPrice",
            "priceCurrency": currency,
        }
        said["priceSpecification"] = kind | {"price": str(offer.list_price)}
    own: dict[str, Any] = {
        "@type": "Product",
        "name": name(word),
        "sku": sku(word),
        "url": f"/item/{word}",
        "offers": said,
    }
    if word == "variants":
        variants = [own, own | {"sku": f"{sku(word)}-B", "offers": said | {"price": str(high)}}]
        own = {"@type": "ProductGroup", "name": name(word), "url": f"/item/{word}", "hasVariant": variants}
    if word == "json-ld-graph":
        crumbs = {"@type": "BreadcrumbList", "itemListElement": []}
        return {"@context": SCHEMA, "@graph": [crumbs, own | {"@type": ["Product"], "offers": [said]}]}
    return {"@context": SCHEMA, **own}


def name(word: str) -> str:
    """Return the name of a product."""
    return f"Meadow {word.title()}"


def microdata(word: str, offer: Offer, country: Country) -> str:
    """Return the microdata of a product."""
    shown = written(offer.price, country.notations[0])
    price = f'<span itemprop="price" content="{offer.price}">{shown}</span>'
    if word == "microdata-text":
        price = f'$<span itemprop="price">{written(offer.price, "1,299.00")}</span>'
    available = f'<link itemprop="availability" href="{SCHEMA}{AVAILABILITIES[offer.availability]}">'
    return (
        f'<div itemscope itemtype="{SCHEMA}Product"><span itemprop="name">{name(word)}</span><meta itemprop="sku" '
        f'content="{sku(word)}"><div itemprop="offers" itemscope itemtype="{SCHEMA}Offer">{price}'
        f'<meta itemprop="priceCurrency" content="{country.currency}">{available}</div></div>'
    )


def opengraph(word: str, offer: Offer, country: Country) -> str:
    """Return the OpenGraph tags of a product."""
    price = offer.price + 50 if word == "disagree" else offer.price
    said = {"og:type": "product", "og:title": name(word), "og:url": f"/item/{word}", "product:price:amount": str(price)}
    availability = offer.availability.replace("_", " ").replace("pre order", "preorder")
    said |= {"product:price:currency": country.currency, "product:availability": availability}
    return "".join(f'<meta property="{key}" content="{escape(value)}">' for key, value in said.items())


def page(word: str, offer: Offer) -> str:
    """Return the page of a product."""
    item, country = ITEMS[word], COUNTRIES[ITEMS[word].country]
    told = [json_ld(word, offer)] if "json-ld" in item.sources else []
    others = ["json-ld", "sale"]
    if word == "other-product":
        told = [*(json_ld(other, ITEMS[other].offer) for other in others), *told]
    head = "".join(f'<script type="application/ld+json">{json.dumps(each)}</script>' for each in told)
    head += (
        '<script type="application/ld+json">{"@type": "Product", "offers": {"price": 1,}</script>'
        if "broken" in item.sources
        else ""
    )
    head += opengraph(word, offer, country) if "opengraph" in item.sources else ""
    body = f"<h1>{name(word)}</h1>"
    if word == "related":
        nested = "".join(microdata(other, ITEMS[other].offer, country) for other in others)
        body += f"<section><h2>You may also like</h2>{nested}</section>"
    listed = f"<s>{written(offer.list_price, country.notations[0])}</s> " if offer.list_price is not None else ""
    price = f"<p>{listed}{written(offer.price, country.notations[0])}</p>"
    own = microdata(word, offer, country) if "microdata" in item.sources else price
    body += own + f"<p>Delivery {written(Decimal(5), country.notations[0])}</p><button>Add to cart</button>"
    return whole(name(word), body, head)


def whole(title: str, body: str, head: str = "") -> str:
    """Return a page of the shop."""
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{title}</title>{head}</head><body><main>{body}'
        '</main><footer><a href="/">Meadow shop</a></footer></body></html>'
    )
