"""What sources of a page say of a product's price, and which of it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import groupby

from scrapers.core.outcomes import PriceUnclear

SELECTOR = "selector"  # source: an element that the user names


class Availability(StrEnum):
    """Whether a product can be bought."""

    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PRE_ORDER = "pre_order"
    GONE = "gone"  # no longer made or sold


class Tie(StrEnum):
    """By what a price is that of the product which was asked for."""

    ID = "id"
    SKU = "sku"
    ADDRESS = "address"
    HEADING = "heading"
    USER = "user"  # the user names the element


@dataclass(frozen=True, slots=True)
class Reading:
    """
    A price of one source. None: the source does not say.

    price: what a buyer pays now; 0 is a price. list_price: the one that is struck out. lowest: of several variants. variant:
    the variant or edition that the price is of. chosen: the address names this variant.
    """

    source: str
    tie: Tie
    price: Decimal
    currency: str
    list_price: Decimal | None = None
    lowest: Decimal | None = None
    availability: Availability | None = None
    with_vat: bool | None = None
    title: str | None = None
    variant: str | None = None
    chosen: bool = False

    def __str__(self) -> str:
        """Return source, variant and price."""
        return f"{self.source}{f' ({self.variant})' if self.variant else ''} {self.price} {self.currency}"


def settle(readings: Iterable[Reading]) -> Reading | None:
    """
    Return the reading that holds; None where there is none.

    readings: in the order of trust, those of one source together. Sources agree when their prices are equal, or one says the
    other's as its list price; prices with and without VAT are not compared. Raises PriceUnclear where sources disagree, and
    where variants have different prices and neither the address nor the user's selector says which.
    """
    sources = [_of_source(list(found)) for _, found in groupby(readings, key=lambda reading: reading.source)]
    clear = [found[0] for found in sources if len(_prices(found)) == 1]
    unclear = [found for found in sources if len(_prices(found)) > 1]
    if not sources:
        return None
    if unclear and all(reading.source != SELECTOR for reading in clear):
        raise PriceUnclear(f"Variants have different prices: {_said(unclear[0])}.")
    # The user's element says which of the variants is meant.
    for reading in [each for each in clear if not unclear or each.source == SELECTOR]:
        if all(_agree(reading, other) for other in clear) and all(
            any(_agree(reading, variant) for variant in found) for found in unclear
        ):
            return _completed(reading, clear, unclear)
    raise PriceUnclear(f"Sources disagree: {_said([*clear, *(each for found in unclear for each in found)])}.")


def _of_source(found: Sequence[Reading]) -> list[Reading]:
    return [reading for reading in found if reading.chosen] or list(found)


def _prices(found: Iterable[Reading]) -> set[tuple[Decimal, str]]:
    return {(reading.price, reading.currency) for reading in found}


def _agree(reading: Reading, other: Reading) -> bool:
    if reading.currency != other.currency:
        return False
    if reading.with_vat is not None and other.with_vat is not None and reading.with_vat != other.with_vat:
        return True  # not compared
    return other.price in (reading.price, reading.list_price)


def _completed(reading: Reading, clear: Sequence[Reading], unclear: Sequence[Sequence[Reading]]) -> Reading:
    """Return a reading with what it does not say itself: from sources that say the same price, of the product from all."""
    for other in clear:
        missing = ["availability", "title"]
        if (other.price, other.currency) == (reading.price, reading.currency):
            missing += ["list_price", "lowest", "with_vat", "variant"]
        reading = replace(reading, **{name: getattr(other, name) for name in missing if getattr(reading, name) is None})
    prices = [each.price for found in unclear for each in found if each.currency == reading.currency]
    if reading.lowest is None and prices:
        reading = replace(reading, lowest=min(prices))
    if reading.list_price is not None and reading.list_price <= reading.price:
        reading = replace(reading, list_price=None)  # nothing is struck out
    return reading


def _said(readings: Iterable[Reading]) -> str:
    return ", ".join(dict.fromkeys(map(str, readings)))
