"""
What pages of Plugin Boutique say of a price, in the shop's own data, newest first.

data_layer (since 2025): an analytics block with a `view_item` event, in the session's currency. buy_box (2023-24): JSON of the
component that sells. tagging (2023-24): a hidden block for recommendations, in the shop's base currency. tiles: the entries of
lists, each with a link to its product.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from scrapers.families.prices.amounts import NotOnePrice, currency_of, machine, read
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readings import Reading, Tie
from scrapers.families.prices.structured import availability_of
from scrapers.reading.visible import text, visible

BASE_CURRENCY = "GBP"
VIEW = "view_item"  # not view_item_list, which is of other products
NAMED = re.compile(r"""['"]view_item['"]""")
BUYS = re.compile(r"\b(?:add to cart|buy now|pre-?order)\b", re.I)
IN_TILE = "ancestor::*[contains(concat(' ', @data-controller, ' '), ' product-tile ')]"
MOST_OBJECTS = 50  # that may stand in an event before its name
CALLED = re.compile(r"""\bgtag\(\s*['"]event['"]\s*,\s*['"]view_item['"]\s*,""")


def data_layer(page: ProductPage) -> Iterator[Reading]:
    """Yield the price of the `view_item` event, in scripts and attributes."""
    seen = []
    for event in _events(page):
        inner = event.get("ecommerce")
        shop: dict[str, Any] = inner if isinstance(inner, dict) else event
        items = [item for item in shop.get("items") or [shop] if isinstance(item, dict)]
        for item in items:
            tie = page.tie(ids=(item.get("item_id"), item.get("id")), title=item.get("item_name") or item.get("name"))
            if tie is None:
                page.note("data_layer: an item is another product")
                continue
            currency = currency_of(item.get("currency") or shop.get("currency"))
            price = item.get("price", shop.get("value") if len(items) == 1 and item.get("quantity", 1) == 1 else None)
            found = _reading(page, "data_layer", tie, price, currency, item.get("discount"))
            if found is not None and found not in seen:
                seen.append(found)
                yield found


def buy_box(page: ProductPage) -> Iterator[Reading]:
    """Yield the price in the properties of the component BuyBox."""
    boxes = page.root.css("[data-react-class=BuyBox]::attr(data-react-props)").getall()
    for said in boxes:
        try:
            box = json.loads(said)
        except ValueError:
            box = None
        if not isinstance(box, dict):
            page.note("buy_box: its data is not JSON")
            continue
        inner = box.get("product")
        inner_id = inner.get("id") if isinstance(inner, dict) else None
        number = box.get("product_id") if box.get("product_id") is not None else inner_id
        # The one box of a page sells what the page is of, where that is the product.
        its = len(boxes) == 1 and page.names_product
        tie = page.tie(ids=(number,)) if number is not None else (Tie.ADDRESS if its else None)
        if tie is None:
            page.note("buy_box: it may be another product's")
            continue
        try:
            regular = box.get("regular_price")
            struck_out = page.amount(str(regular)) if box.get("on_sale") is True and regular else None
            current = page.amount(str(box.get("sell_price") or ""))
        except NotOnePrice as error:
            page.doubt(f"buy_box: the price {error}")
            continue
        except ValueError:
            page.note("buy_box: the price cannot be read for certain")
            continue
        currency = current.currency or (struck_out.currency if struck_out and not current.amount else None)
        if currency is None and not current.amount:
            currency = _currency_of_country(page)
        if currency is None:
            page.doubt("buy_box: the currency is not known")
            continue
        yield Reading("buy_box", tie, current.amount, currency, list_price=struck_out.amount if struck_out else None)


def tagging(page: ProductPage) -> Iterator[Reading]:
    """Yield the price of the tagging block: that of a buyer in the shop's own country alone, for it is never converted."""
    for block in page.root.css(".nosto_product"):
        said = {name: block.css(f".{name}::text").get("").strip() for name in ("product_id", "price", "name")}
        if (tie := page.tie(ids=(said["product_id"],))) is None:
            page.note("tagging: it is another product")
            continue
        page.availability = availability_of(block.css(".availability::text").get(""))
        if (page.currency or ("GBP" if page.country == "GB" else None)) != BASE_CURRENCY:
            page.doubt("tagging: its price is in the shop's base currency, not in the buyer's")
        elif (found := _reading(page, "tagging", tie, said["price"], BASE_CURRENCY)) is not None:
            yield replace(found, title=said["name"] or None)


def tiles(page: ProductPage) -> Iterator[Reading]:
    """Yield the price of the tile whose link names the product; a product's page that sells in other tiles alone has editions."""
    others = own = 0
    for tile in visible(page.root.css("[data-controller~=product-tile]")):
        link = tile.css("a[data-product-tile-target~=mainLink]::attr(href)").get("")
        named = page.named(link)
        if named is None or named.id != page.product.id:
            others += named is not None
            continue
        own += 1
        struck_out = [text(each) for each in tile.css(".line-through")]
        discounts = [each for each in tile.css("span") if re.search(r"\d\s*%\s*off", text(each), re.I)]
        if discounts:
            beside = discounts[-1].xpath("..")[0]
            parts = [text(discounts[-1]), *struck_out]
            said = [text(beside)]
            for part in parts:
                said = [each.replace(part, " ", 1) for each in said]
        else:
            said = [text(each) for each in tile.css("[class*=semibold]") if not each.css("[data-testid]")]
        prices = []
        for each in said:
            with suppress(ValueError):
                prices.append(page.amount(each))
        if len(set(prices)) != 1 or prices[0].currency is None:
            page.note("tiles: the price cannot be read for certain")
            continue
        regular = None
        with suppress(ValueError, IndexError):
            regular = page.amount(struck_out[0]).amount
        title = text(tile.css("[data-testid^=product-name-]")[0]) if tile.css("[data-testid^=product-name-]") else None
        yield Reading("tiles", Tie.ID, prices[0].amount, prices[0].currency, list_price=regular, title=title)
    if others and not own and page.names_product and not _sells(page):
        page.doubt("tiles: the page sells other products alone, which may be its editions")


def _sells(page: ProductPage) -> bool:
    """Return whether the page has a button to buy, apart from those in tiles."""
    buttons = visible(page.root.xpath(f"//*[self::button or self::a or self::input][not({IN_TILE})]"))
    return any(BUYS.search(text(button) or button.attrib.get("value", "")) for button in buttons)


def _reading(
    page: ProductPage, source: str, tie: Tie, said: Any, currency: str | None, discount: Any = None
) -> Reading | None:
    """Return a price as programs write it; a discount makes the list price of it."""
    try:
        price = machine(said, currency)
        off = machine(discount, currency) if discount not in (None, "", 0) else Decimal(0)
    except ValueError:
        page.note(f"{source}: the price cannot be read for certain")
        return None
    if currency is None:
        page.doubt(f"{source}: the currency is not known")
        return None
    list_price = price + off if off else _struck_out(page, currency)
    return Reading(source, tie, price, currency, list_price=list_price)


def _struck_out(page: ProductPage, currency: str) -> Decimal | None:
    """Return the one price that is struck out on the page, those in tiles apart: they are of other products."""
    found = set()
    for element in visible(page.root.css(".line-through")):
        if not element.xpath(IN_TILE):
            with suppress(ValueError):
                found.add(read(text(element), page.locale, page.country, currency))
    amounts = [each.amount for each in found if each.currency == currency]
    return amounts[0] if len(found) == len(amounts) == 1 else None


def _currency_of_country(page: ProductPage) -> str | None:
    """Return the currency in which nothing is charged: that of the country that the shop was told."""
    from babel.numbers import get_territory_currencies

    found = get_territory_currencies(page.country) if page.country else []
    return found[0] if len(found) == 1 else None


def _events(page: ProductPage) -> Iterator[dict[str, Any]]:
    """Yield each `view_item` event of the page's scripts and attributes."""
    for script in page.root.xpath(f"//script[contains(., '{VIEW}')]/text()").getall():
        for call in CALLED.finditer(script):
            if isinstance(found := _object(script, call.end()), dict):
                yield found
        yield from _events_in(script)
    for element in page.root.xpath(f"//*[@*[contains(., '{VIEW}')]]"):
        for value in element.attrib.values():
            yield from _events_in(value)
            # The event's name and its values may be attributes of their own.
            if VIEW not in value and value.lstrip()[:1] == "{" and isinstance(found := _object(value, 0), dict):
                yield found


def _events_in(script: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a script that say that they are the event: what is around them is code."""
    begins = [at for at, sign in enumerate(script) if sign == "{"]
    for name in NAMED.finditer(script):
        for at in list(reversed(begins[: bisect(begins, name.start())]))[:MOST_OBJECTS]:
            found = _object(script, at)
            if isinstance(found, dict) and VIEW in (found.get("event"), found.get("event_name")):
                yield found
                break


def _object(script: str, at: int) -> Any:
    """Return the object literal that begins at a place, as JSON or as JavaScript writes it; None for what is computed."""
    import chompjs

    try:
        return chompjs.parse_js_object(script[at:], loader_kwargs={"parse_float": Decimal})
    except ValueError:
        return None
