"""What a shop asks for a product, how that changes by the day, and what a careful reader says of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Self

AVAILABILITIES = {  # as schema.org calls them
    "in_stock": "InStock",
    "out_of_stock": "OutOfStock",
    "pre_order": "PreOrder",
    "discontinued": "Discontinued",
}
AMOUNTS = ("price", "list_price")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a product costs in the shop's own currency. gone: it is sold no more. day: when it last changed."""

    price: Decimal
    list_price: Decimal | None = None
    availability: str = "in_stock"
    gone: bool = False
    day: int = 0

    def on(self, day: int, history: Iterable[Mapping[str, Any]]) -> Self:
        """Return the offer after the steps of a history up to a day: `{"day": 2, "price": "29.00", "availability": …}`."""
        offer = self
        for step in sorted(history, key=lambda step: int(step["day"])):
            if step["day"] <= day:
                amounts = {
                    name: Decimal(value) for name, value in step.items() if name in AMOUNTS and value is not None
                }
                offer = replace(offer, **{**step, **amounts})
        return offer


def check(histories: Any) -> str:
    """Return what is wrong with histories by product id, as one sentence; "" when nothing is."""
    try:
        for steps in histories.values():
            offer = Offer(Decimal(1)).on(10**6, steps)
            if offer.availability not in AVAILABILITIES:
                return f"availability is one of {', '.join(AVAILABILITIES)}."
    except (AttributeError, InvalidOperation, KeyError, TypeError, ValueError):
        names = ", ".join(field.name for field in fields(Offer))
        return f"histories are lists of steps by product id; each step has a day, and of {names} what changes."
    return ""


@dataclass(frozen=True, slots=True)
class Truth:
    """
    What a careful reader says of a page: the price, or one of `refusals` where there are some. Either is right where both are given.

    optional: fields that a reader may leave empty, because no known source on the page states them.
    """

    product_id: str = ""
    price: Decimal | None = None
    list_price: Decimal | None = None
    currency: str = ""
    availability: str = ""
    refusals: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()

    def as_json(self) -> dict[str, Any]:
        """Return it with amounts as texts."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        said |= {name: None if said[name] is None else str(said[name]) for name in AMOUNTS}
        return said | {"refusals": list(self.refusals), "optional": sorted(self.optional)}
