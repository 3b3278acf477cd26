"""
From a page to the price of its product: the shop's readers in the order of trust, then the user's own selector.

A reader takes the page and yields what it finds of this product; what it does not take it notes on the page. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from scrapers.core.outcomes import Blocked, Failure, PortalChanged, PriceUnclear, ProductGone
from scrapers.core.redaction import bare_url
from scrapers.families.prices.amounts import Amount, machine
from scrapers.families.prices.challenges import CHALLENGE, is_challenge, may_be_challenge
from scrapers.families.prices.page import ProductPage
from scrapers.families.prices.readings import SELECTOR, Reading, Tie, settle
from scrapers.reading.visible import text, visible

Reader = Callable[[ProductPage], Iterator[Reading]]
STEP = "read the price"


def price_of(page: ProductPage, readers: Sequence[Reader], selector: str | None = None) -> Reading:
    """
    Return the price of the page's product.

    selector: CSS of the price's element, by the user. Raises Blocked for a bot wall, ProductGone for the home page,
    PriceUnclear where a price of the product is not certain, and PortalChanged where nothing on the page is known to be one.
    """
    found = prices_of(page, readers, (selector or "",))[selector or ""]
    if isinstance(found, Failure):
        raise found
    return found


def prices_of(page: ProductPage, readers: Sequence[Reader], selectors: Iterable[str]) -> dict[str, Reading | Failure]:
    """
    Return what `price_of` returns or raises, by selector ("": none): the readers of the shop read the page once for all.

    Raises what is wrong with the whole page.
    """
    _check(page)
    found = _taken(page, chain.from_iterable(reader(page) for reader in readers))
    currency, notes, doubts = page.currency, page.notes, page.doubts
    held: dict[str, Reading | Failure] = {}
    for selector in selectors:
        # What one user's element says of the page counts for that user alone.
        page.currency, page.notes, page.doubts = currency, [*notes], [*doubts]
        own = _taken(page, by_selector(selector)(page)) if selector else []
        try:
            held[selector] = _held(page, [*found, *own])
        except Failure as failure:
            held[selector] = failure
    return held


def _check(page: ProductPage) -> None:
    """Raise the failure of a page that is not the product's."""
    if is_challenge(page):
        raise Blocked(CHALLENGE, step=STEP)
    if page.other_product:
        raise ProductGone(f"Its address shows {bare_url(page.other_product)}, another product.", step=STEP)
    if page.is_home:
        raise ProductGone("Its address shows the shop's home page.", step=STEP)


def _taken(page: ProductPage, readings: Iterable[Reading]) -> list[Reading]:
    """Return readings as a list; the first currency is the page's for all that are read later."""
    found = []
    for reading in readings:
        page.currency = page.currency or reading.currency
        found.append(reading)
    return found


def _held(page: ProductPage, found: Sequence[Reading]) -> Reading:
    """Return the reading that holds, with what the page says of all its prices."""
    held = settle(found)
    if held is None:
        if may_be_challenge(page):
            raise Blocked("A challenge, or nothing, stands in the place of the page.", step=STEP)
        if page.doubts:
            raise PriceUnclear(f"Not certain: {'; '.join(page.doubts[:5])}.", step=STEP)
        said = f" Not taken: {'; '.join(page.notes[:5])}." if page.notes else ""
        raise PortalChanged(f"The page shows no price that is certainly this product's.{said}", step=STEP)
    return replace(
        held,
        with_vat=page.with_vat if held.with_vat is None else held.with_vat,
        availability=held.availability or page.availability,
    )


def by_selector(selector: str) -> Reader:
    """Return the reader of the element that a user names by CSS."""

    def reader(page: ProductPage) -> Iterator[Reading]:
        try:
            elements = page.root.css(selector)
        except (ValueError, SyntaxError, RuntimeError):  # what cssselect's errors are
            page.note(f"{SELECTOR}: it is not CSS")
            return
        shown = visible(elements) or elements.xpath("self::meta | self::data | self::input")
        if not shown:
            page.note(f"{SELECTOR}: nothing on the page fits")
        for element in shown:
            try:
                amount = _amount_in(page, element)
            except ValueError as error:
                page.note(f"{SELECTOR}: the element {error}")
                continue
            if amount.currency is None:
                page.note(f"{SELECTOR}: the currency is not known")
                continue
            yield Reading(SELECTOR, Tie.USER, amount.amount, amount.currency)

    return reader


def _amount_in(page: ProductPage, element: object) -> Amount:
    """Return the price in an element: in its text, else in the attribute that programs read."""
    if said := text(element):
        return page.amount(said)
    attributes = element.attrib  # type: ignore[attr-defined]
    said = attributes.get("content") or attributes.get("value") or ""
    try:
        return Amount(machine(said, page.currency), page.currency)
    except ValueError:
        return page.amount(said)
