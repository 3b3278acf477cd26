"""The item of the price watch."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

from scrapers.core.items import Finding
from scrapers.families.prices.readings import Availability, Reading, Tie


class PriceReading(Finding):
    """
    The price of a product, as a shop's page showed it. None: the page does not say.

    Amounts are in `currency` (ISO 4217), a free product's is 0.00. selector: the user's own, under which it was read.
    """

    kind: ClassVar[str] = "prices"
    portal: str
    product: str  # the key that all spellings of its address share
    url: str  # of the page on which the price stood, without what only tells how its reader came
    moved: bool = False  # that address is another product's number than the one that was asked for
    country: str | None = None  # of the buyer, where the shop was told
    selector: str | None = None
    price: Decimal
    currency: str
    list_price: Decimal | None = None
    lowest: Decimal | None = None  # of the product's variants
    with_vat: bool | None = None
    availability: Availability | None = None
    title: str | None = None
    variant: str | None = None
    source: str
    tie: Tie
    read_at: datetime
    unchanged: bool = False  # the shop says that the page is the one of the last check

    @classmethod
    def of(cls, reading: Reading, **known: object) -> Self:
        """Return a reading as an item; *known*: what its page does not say."""
        names = (
            "price",
            "currency",
            "list_price",
            "lowest",
            "with_vat",
            "availability",
            "title",
            "variant",
            "source",
            "tie",
        )
        return cls.model_validate({**{name: getattr(reading, name) for name in names}, **known})
