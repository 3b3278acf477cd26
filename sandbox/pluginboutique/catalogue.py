"""What Plugin Boutique sells: a product for each kind of page, all invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from sandbox.invented import number
from sandbox.storefront.offers import Offer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of product.

    seen: what its page shows. sources: where the price is (the eras). refusals: what a reader says in place of a price.
    history: steps in pounds, see `Offer.on`.
    """

    seen: str
    sources: tuple[str, ...] = ("data-layer",)
    sale: bool = False
    availability: str = "in_stock"
    refusals: tuple[str, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()


BLOCKED, GONE, UNCLEAR = ("blocked",), ("product_gone",), ("price_unclear",)
KINDS: dict[str, Kind] = {
    # Eras
    "data-layer": Kind("2025-26: an analytics block with the event view_item"),
    "buy-box": Kind("2023-24: a React component with JSON, and the recommendation block", ("buy-box", "nosto")),
    "nosto": Kind("2023-24: the recommendation block alone, in pounds in every country", ("nosto",)),
    "json-ld": Kind("schema.org JSON-LD alone", ("json-ld",)),
    "every-source": Kind(
        "all of them, the same price written as 2879.2 and 2,879.20", ("data-layer", "buy-box", "nosto", "json-ld")
    ),
    # Prices
    "sale": Kind("a sale: the struck-out list price comes first", sale=True),
    "buy-box-sale": Kind("a sale in the React component", ("buy-box",), sale=True),
    "json-ld-list-price": Kind(
        "a sale of which JSON-LD knows the list price only", ("json-ld", "data-layer"), sale=True
    ),
    "free": Kind("a product for nothing"),
    "free-buy-box": Kind("the same in the React component", ("buy-box",)),
    "thousand": Kind("a price above a thousand", ("buy-box",)),
    "bundle": Kind("a bundle, whose parts have prices of their own"),
    # Availability
    "out-of-stock": Kind(
        "no button of its own; recommended products have one", ("data-layer", "nosto"), availability="out_of_stock"
    ),
    "pre-order": Kind("a button that orders before the release", ("data-layer", "json-ld"), availability="pre_order"),
    "discontinued": Kind("no button, the last price", ("buy-box", "nosto"), availability="discontinued"),
    # Traps
    "recommended": Kind("recommended products stand between the price and the button"),
    "recommended-buy-box": Kind("the same, with a React component of recommended products", ("buy-box",), sale=True),
    "prices-in-scripts": Kind("scripts and attributes before the button hold other prices"),
    "other-json-ld": Kind("JSON-LD of another product stands first"),
    "other-event": Kind("an analytics block with the event view_item_list stands first"),
    "foreign-currency": Kind("another currency than that of the session's country", refusals=UNCLEAR),
    "no-currency": Kind("the analytics block names no currency", refusals=UNCLEAR),
    "disagree": Kind("two sources disagree", ("data-layer", "buy-box"), refusals=UNCLEAR),
    "disagree-json-ld": Kind(
        "two sources disagree, and no sale explains it", ("json-ld", "data-layer"), refusals=UNCLEAR
    ),
    "editions": Kind("a family that has edition pages only", (), refusals=UNCLEAR),
    "from-price": Kind("the lowest of several prices: From £49.00", ("buy-box",), refusals=UNCLEAR),
    "price-range": Kind("JSON-LD with an AggregateOffer", ("json-ld",), refusals=UNCLEAR),
    "no-source": Kind(
        "no source that is known; prices of other products only", (), refusals=("portal_changed", "price_unclear")
    ),
    # Products that are sold no more, and pages that are none
    "gone-home": Kind("the old address answers with the home page, status 200", refusals=GONE),
    "gone-redirect": Kind("the old address leads to the home page", refusals=GONE),
    "gone-404": Kind("status 404", refusals=GONE),
    "moved": Kind("the old address leads to the new one, with another id"),
    "challenge-403": Kind("a challenge, status 403", refusals=BLOCKED),
    "challenge-200": Kind("a challenge with prices, status 200", refusals=BLOCKED),
    "rate-limited": Kind("429 with Retry-After, twice", refusals=BLOCKED),
    "empty": Kind("an empty page, status 200", refusals=("blocked", "portal_changed")),
    "error-once": Kind("503 once"),
    # Days
    "history": Kind(
        "falls, a new lowest price, out of stock and back, the lowest price again, gone",
        ("data-layer", "nosto"),
        history=(
            {"day": 0, "price": "49.00", "list_price": "99.00"},
            {"day": 1, "price": "39.00"},
            {"day": 3, "price": "29.00"},
            {"day": 4, "availability": "out_of_stock"},
            {"day": 5, "availability": "in_stock", "price": "35.00"},
            {"day": 6, "price": "29.00"},
            {"day": 7, "gone": True},
        ),
    ),
    "rises": Kind(
        "a sale that ends", ("buy-box", "nosto"), sale=True, history=({"day": 2, "price": "89.00", "list_price": None},)
    ),
}
GROUPS = {
    "2-Effects": ("23-Compressor", "16-Reverb"),
    "1-Instruments": ("4-Synth", "8-Drums"),
    "3-Studio-Tools": ("40-Mixing",),
}
BUNDLES = ("4-Bundles", "52-Effects-Bundles")
MAKERS = {"31": "Low Meadow Audio", "84": "Tin Orchard", "112": "Paper Lantern DSP"}
NAMES = (
    ("Velvet", "Quarry", "Halcyon", "Ember", "Driftwood", "Larkspur"),
    ("Compressor", "Echo", "Chorus", "Strings", "Verb"),
)
FIRST_ID = 4000


@dataclass(frozen=True, slots=True)
class Product:
    """The n-th product of a kind; the 0th is the one that the shop serves."""

    kind: str
    n: int = 0

    @property
    def id(self) -> str:
        """The number before the slug."""
        return str(FIRST_ID + 100 * list(KINDS).index(self.kind) + self.n)

    @property
    def successor(self) -> Product:
        """The product to whose address that of a moved product redirects."""
        return Product("data-layer", self.n + 50)

    @property
    def name(self) -> str:
        """An invented name, another one for each id."""
        first, second = (self.choose(words, "name", place) for place, words in enumerate(NAMES))
        return f"{first} {second} {int(self.id) - FIRST_ID}"

    @property
    def maker(self) -> tuple[str, str]:
        """The maker's number and name."""
        return self.choose(list(MAKERS.items()), "maker")

    @property
    def place(self) -> tuple[str, str]:
        """Group and category, as addresses have them."""
        group = self.choose(list(GROUPS), "group")
        return BUNDLES if self.kind == "bundle" else (group, self.choose(GROUPS[group], "category"))

    def choose(self, things: Sequence[T], *about: object) -> T:
        """Return one of some things, the same each time."""
        return things[number(*about, self.kind, self.n, below=len(things))]

    def address(self, form: int = 0) -> str:
        """Return the path: the long form, the short one, or the number alone."""
        slug = f"{self.id}-{self.name.replace(' ', '-')}"
        return (f"/product/{'/'.join(self.place)}/{slug}", f"/products/{slug}", f"/products/{self.id}")[form % 3]

    def offer(self) -> Offer:
        """What is asked in pounds before any history."""
        pence = "0.20" if self.kind == "every-source" else self.choose(("0", "0.99", "0.50"), "pence")
        pounds = Decimal(number("pounds", self.kind, self.n, below=150) + 20) + Decimal(pence)
        pounds += 1100 if self.kind in ("thousand", "every-source") else 0
        if self.kind.startswith("free"):
            pounds = Decimal("0.00")
        list_price = (pounds * 2 + 10).quantize(Decimal(1)) if KINDS[self.kind].sale else None
        return Offer(pounds, list_price, KINDS[self.kind].availability)


PRODUCTS = {product.id: product for product in map(Product, KINDS)}
PRODUCTS[Product("moved").successor.id] = Product("moved").successor


def product_of(number: str) -> Product | None:
    """Return the product of an id: the one that is listed of its kind, or one of 99 more; None where there is none."""
    if number in PRODUCTS:
        return PRODUCTS[number]
    place, n = divmod(int(number or 0) - FIRST_ID, 100)
    return Product(list(KINDS)[place], n) if 0 <= place < len(KINDS) else None


def product_id(kind: str) -> str:
    """Return the id of the product that the shop serves of a kind."""
    return Product(kind).id


def address(kind: str, form: int = 0) -> str:
    """Return the path of the product that the shop serves of a kind: long form, short form, number alone."""
    return Product(kind).address(form)
