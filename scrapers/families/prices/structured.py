"""Prices in the structured data of a page: JSON-LD, microdata and OpenGraph, in the vocabulary of schema.org."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from scrapers.families.prices.amounts import currency_of, machine, read
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readings import Availability, Reading, Tie

Node = dict[str, Any]  # an object of JSON-LD; a product is one that has offers, whatever its type
JSON_LD, MICRODATA, OPENGRAPH = "json_ld", "microdata", "opengraph"
# Where the product of a page stands in its graph; what is beside it (isRelatedTo, itemListElement …) is another product.
INSIDE = ("@graph", "mainEntity", "mainEntityOfPage")
ARTICLE_NUMBERS = ("sku", "productID", "mpn", "gtin", "gtin8", "gtin12", "gtin13", "gtin14", "isbn", "identifier")
STRUCK_OUT = frozenset(("listprice", "strikethroughprice", "srp", "msrp", "regularprice"))
AVAILABILITY = {
    "instock": Availability.IN_STOCK,
    "limitedavailability": Availability.IN_STOCK,
    "onlineonly": Availability.IN_STOCK,
    "madetoorder": Availability.IN_STOCK,
    "instoreonly": Availability.OUT_OF_STOCK,  # not of the page that is watched
    "outofstock": Availability.OUT_OF_STOCK,
    "oos": Availability.OUT_OF_STOCK,
    "soldout": Availability.OUT_OF_STOCK,
    "backorder": Availability.OUT_OF_STOCK,
    "reserved": Availability.OUT_OF_STOCK,
    "preorder": Availability.PRE_ORDER,
    "presale": Availability.PRE_ORDER,
    "discontinued": Availability.GONE,
    "nolongersold": Availability.GONE,
    "nolongeravailable": Availability.GONE,
}


def structured(page: ProductPage) -> Iterator[Reading]:
    """Yield what JSON-LD, microdata and OpenGraph say, in this order."""
    yield from _of_nodes(page, JSON_LD, _json_ld(page))
    yield from _of_nodes(page, MICRODATA, _microdata(page))
    yield from opengraph(page)


def availability_of(said: Any) -> Availability | None:
    """
    Return what a shop says of a product's availability, as schema.org names it or in other spellings of these words.

    >>> availability_of("https://schema.org/PreOrder"), availability_of("in stock"), availability_of("soon")
    (<Availability.PRE_ORDER: 'pre_order'>, <Availability.IN_STOCK: 'in_stock'>, None)
    """
    name = _text(said).rstrip("/").rpartition("/")[2]
    return AVAILABILITY.get("".join(sign for sign in name.casefold() if sign.isalpha()))


def opengraph(page: ProductPage) -> Iterator[Reading]:
    """Yield what the meta elements of OpenGraph say (`og:price:…`, `product:price:…`)."""
    from extruct.opengraph import OpenGraphExtractor

    found: dict[str, str] = {}
    for item in OpenGraphExtractor().extract_items(page.root.root):
        for name, value in item["properties"]:
            found.setdefault(name.partition(":")[2], value.strip())
    said = {
        kind: next((found[name] for name in names if found.get(name)), "") for kind, names in OPENGRAPH_NAMES.items()
    }
    if not (said["price"] or said["sale"]):
        return
    tie = page.tie(ids=(found.get("retailer_item_id", ""),), url=found.get("url"), title=found.get("title"))
    if tie is None:
        page.note(f"{OPENGRAPH}: nothing says that it is of this product")
        return
    currency = currency_of(said["currency"])
    current, struck_out = (said["sale"], said["price"]) if said["sale"] else (said["price"], said["list"])
    if (price := _price(page, OPENGRAPH, current, currency)) is not None:
        yield Reading(
            OPENGRAPH,
            tie,
            *price,
            list_price=_optional(page, struck_out, price[1]),
            availability=availability_of(found.get("availability")),
            title=found.get("title") or None,
        )


OPENGRAPH_NAMES = {
    "price": ("price:amount", "amount"),
    "sale": ("sale_price:amount",),
    "list": ("original_price:amount", "price:standard_amount", "price:original_amount"),
    "currency": ("sale_price:currency", "price:currency", "currency"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer of a product, or of one of its variants."""

    node: Node
    price: Any
    list_price: Any
    currency: str | None
    with_vat: bool | None
    name: str  # by which a person tells it from the others
    url: str


def _of_nodes(page: ProductPage, source: str, nodes: list[Node]) -> Iterator[Reading]:
    known = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}

    def resolved(value: Any) -> Any:
        return known.get(value["@id"], value) if isinstance(value, dict) and set(value) == {"@id"} else value

    seen = set()
    for node in nodes:
        variants = [each for each in _many(node.get("hasVariant"), resolved) if "offers" in each]
        if id(node) in seen or not ("offers" in node or variants):
            continue
        seen.add(id(node))
        if variants:
            seen |= {id(each) for each in variants}
        offers = [offer for each in variants or [node] for offer in _offers(each, resolved)]
        tie = _tie(page, node, offers)
        if tie is None:
            page.note(f"{source}: {_text(node.get('name')) or 'a product'} is another product than the page's")
            continue
        if not offers:
            page.note(f"{source}: no price")
        for offer in offers:
            if page.is_other_variant(offer.url):
                page.note(f"{source}: {offer.name or 'an offer'} is another variant")
            elif (price := _price(page, source, offer.price, offer.currency)) is not None:
                yield Reading(
                    source,
                    tie,
                    *price,
                    list_price=_optional(page, offer.list_price, price[1]),
                    availability=availability_of(offer.node.get("availability")),
                    with_vat=offer.with_vat,
                    title=_text(node.get("name")) or None,
                    variant=offer.name if len(offers) > 1 else None,
                    chosen=len(offers) > 1 and page.is_exactly(offer.url),
                )


def _tie(page: ProductPage, node: Node, offers: list[Offer]) -> Tie | None:
    ids = tuple(_text(each) for name in ARTICLE_NUMBERS for each in _many(node.get(name), plain=True))
    url = _text(node.get("url")) or next((offer.url for offer in offers if offer.url), "")
    return page.tie(ids=ids, url=url, title=_text(node.get("name")))


def _offers(product: Node, resolved: Callable[[Any], Any]) -> Iterator[Offer]:
    """Yield the offers of a product or variant, those inside of an AggregateOffer too; its bounds where it has none."""
    for offer in _many(product.get("offers"), resolved):
        if inner := list(_many(offer.get("offers"), resolved)):
            yield from (_offer(product, {**_without(offer), **each}, resolved) for each in inner)
        elif "lowPrice" in offer or "highPrice" in offer:
            low, high = (_text(offer.get(name)) for name in ("lowPrice", "highPrice"))
            is_one = low == high or _text(offer.get("offerCount")) == "1"
            if is_one or (low and high):  # the lowest price of several offers alone says nothing of the product's
                bounds = {"": low or high} if is_one else {"lowest": low, "highest": high}
                for name, price in bounds.items():
                    yield _offer(product, {**offer, "price": price, "name": name}, resolved)
        else:
            yield _offer(product, offer, resolved)


def _offer(product: Node, offer: Node, resolved: Callable[[Any], Any]) -> Offer:
    price, struck_out = offer.get("price"), None
    currency, vat = offer.get("priceCurrency"), offer.get("valueAddedTaxIncluded")
    for stated in _many(offer.get("priceSpecification"), resolved):
        kind = _text(stated.get("priceType")).rpartition("/")[2].casefold()
        if kind in STRUCK_OUT:
            struck_out = stated.get("price")
        elif "referenceQuantity" not in stated or price in (None, ""):
            price = stated.get("price") if price in (None, "") else price
            currency, vat = currency or stated.get("priceCurrency"), stated.get("valueAddedTaxIncluded", vat)
    names = (offer, *_many(offer.get("itemOffered"), resolved), product, *_many(offer.get("seller"), resolved))
    return Offer(
        offer,
        price,
        struck_out,
        currency_of(_text(currency)),
        {"true": True, "false": False}.get(_text(vat).casefold()),
        next((said for each in names if (said := _text(each.get("name")) or _text(each.get("sku")))), ""),
        _text(offer.get("url")) or _text(product.get("url")),
    )


def _without(offer: Node) -> Node:
    """Return what the offers in an AggregateOffer have in common."""
    return {name: offer[name] for name in ("priceCurrency", "availability", "valueAddedTaxIncluded") if name in offer}


def _price(page: ProductPage, source: str, said: Any, currency: str | None) -> tuple[Decimal, str] | None:
    """Return a price with its currency; None where one of them is missing or cannot be read, which is noted."""
    if said in (None, "") or currency is None:
        if said in (None, ""):
            page.note(f"{source}: no price")
        else:
            page.doubt(f"{source}: the currency is not known")
        return None
    if (amount := _optional(page, said, currency)) is None:
        page.note(f"{source}: the price cannot be read for certain")
        return None
    return amount, currency


def _optional(page: ProductPage, said: Any, currency: str) -> Decimal | None:
    try:
        return machine(said, currency)
    except ValueError:
        pass  # some shops write there what people read
    try:
        found = read(_text(said), page.locale, page.country, currency)
    except ValueError:
        return None
    return found.amount if found.currency == currency else None


def _json_ld(page: ProductPage) -> list[Node]:
    from extruct.jsonld import JsonLdExtractor

    found: list[Node] = []
    for script in page.root.xpath("//script[@type='application/ld+json']"):
        try:
            items = JsonLdExtractor().extract_items(script.root)
        except ValueError:
            page.note(f"{JSON_LD}: a block is not JSON")  # the others may be
            continue
        for item in items:
            _collect(item, found)
    return found


def _collect(value: Any, into: list[Node]) -> None:
    for node in _many(value):
        into.append(node)
        for name in INSIDE:
            _collect(node.get(name), into)


def _microdata(page: ProductPage) -> list[Node]:
    from extruct.w3cmicrodata import MicrodataExtractor

    if not page.root.css("[itemscope] [itemprop]"):
        return []
    return [node for item in MicrodataExtractor().extract_items(page.root.root, page.url) if (node := _as_node(item))]


def _as_node(item: Any) -> Any:
    """Return an item of microdata as JSON-LD has it."""
    if isinstance(item, list):
        return [_as_node(each) for each in item]
    if not isinstance(item, dict):
        return item
    return {name: _as_node(value) for name, value in item.get("properties", {}).items()}


def _many(value: Any, resolved: Callable[[Any], Any] = lambda value: value, *, plain: bool = False) -> list[Any]:
    """Return a value, or those in a list, as a list: objects alone, unless *plain*."""
    given = value if isinstance(value, list) else [value]
    return [each for each in map(resolved, given) if (each not in (None, "") if plain else isinstance(each, dict))]


def _text(value: Any) -> str:
    """Return the text of a value: of a list the first one, of an object its `@value`, `value`, or `@id`."""
    if isinstance(value, list):
        return next((said for each in value if (said := _text(each))), "")
    if isinstance(value, dict):
        return next((said for name in ("@value", "value", "@id") if (said := _text(value.get(name)))), "")
    return " ".join(str(value).split()) if isinstance(value, str | int | float | bool | Decimal) else ""
