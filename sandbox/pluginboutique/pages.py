"""The HTML of Plugin Boutique: product pages of several years, listings, and the pages that stand in the place of a product."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any, TypeVar

from sandbox.perturb import OFF, Perturbation
from sandbox.pluginboutique.catalogue import KINDS, UNCLEAR, Product
from sandbox.storefront.money import COUNTRIES, Country, written
from sandbox.storefront.offers import AVAILABILITIES, Offer, Truth

T = TypeVar("T")
# Kinds whose pages show no price of the product that a reader could take.
UNREADABLE = ("disagree", "disagree-json-ld", "editions", "from-price", "price-range", "no-source")
CHALLENGES = (
    ("Just a moment...", "Checking your browser before accessing the shop. Enable JavaScript and cookies to continue."),
    ("Attention Required!", "Verify you are human by completing the action below."),
    ("Access denied", "Please complete the security check: solve the captcha to prove that you are not a robot."),
)
BUTTONS = {"in_stock": "Add to cart", "pre_order": "Pre-order"}
NOTICES = {"out_of_stock": "Out of stock", "discontinued": "Discontinued"}


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is shown: in which country's money, and with what changed of what is free."""

    country: Country
    perturbation: Perturbation = OFF

    def pick(self, dimension: str, about: str, variants: Sequence[T]) -> T:
        """Return the first of some variants, or another one where the dimension changes it."""
        changes = self.perturbation.touches(dimension, about)
        return self.perturbation.choose(dimension, about, variants) if changes else variants[0]

    def money(self, amount: Decimal, about: str = "text") -> str:
        """Write an amount; about: the place, each of which may have a notation of its own."""
        return written(amount, self.pick("notations", about, self.country.notations))

    def data(self, **keys: Any) -> str:
        """Write a JSON object, with further keys and in another order where that is free."""
        changes = self.perturbation.touches("json", " ".join(keys))
        entries = [*keys.items(), *([("locale", "en"), ("version", 3)] if changes else ())]
        return json.dumps(dict(self.perturbation.shuffled("json", "keys", entries) if changes else entries))


class Shown:
    """A product with what is asked for it in a country."""

    def __init__(self, product: Product, offer: Offer, look: Look) -> None:
        self.product, self.kind, self.offer = product, product.kind, offer
        if self.kind == "foreign-currency":
            look = Look(COUNTRIES["US" if look.country.currency == "EUR" else "DE"], look.perturbation)
        self.look, self.currency = look, look.country.currency
        self.price = look.country.price(offer.price)
        self.list_price = None if offer.list_price is None else look.country.price(offer.list_price)
        self.before = "From " if self.kind in ("from-price", "price-range") else ""
        self.other = (self.price * Decimal("1.5") + 10).quantize(self.price)  # what a source says that disagrees

    def truth(self, country: Country) -> Truth:
        """Return what a reader in a country should find on the page, which is that of a product."""
        kind, price, currency = KINDS[self.kind], self.price, self.currency
        refusals = kind.refusals if self.kind in (*UNREADABLE, "foreign-currency", "no-currency") else ()
        if self.kind in UNREADABLE:
            return Truth(refusals=refusals)
        optional = {"list_price"} if kind.sources != ("buy-box",) else set()
        optional |= {"availability"} if not {"nosto", "json-ld"} & set(kind.sources) else set()
        if kind.sources == ("nosto",):
            price, currency = self.offer.price, "GBP"
            refusals = () if country.currency == "GBP" else UNCLEAR
        listed, available = self.list_price, self.offer.availability
        return Truth(self.product.id, price, listed, currency, available, refusals, frozenset(optional))

    # Sources

    def data_layer(self, event: str = "view_item") -> str:
        """The analytics block; where it stands and its outer form are a guess."""
        amount: Any = float(self.price) if self.look.pick("json", "amounts", (True, False)) else str(self.price)
        item: dict[str, Any] = {
            "item_id": self.product.id,
            "item_name": self.product.name,
            "item_brand": self.product.maker[1],
        }
        item |= {"price": amount, "quantity": 1}
        body: dict[str, Any] = {"currency": self.currency, "value": amount, "items": [item]}
        if self.kind == "no-currency":
            del body["currency"]
        nested = self.look.pick("layouts", "event", (True, False))
        said = self.look.data(event=event, **({"ecommerce": body} if nested else body))
        return self.look.pick(
            "layouts",
            "data-layer",
            (
                f'<div data-controller="data-layer" data-data-layer-event-value="{escape(said)}"></div>',
                f'<script id="data-layer">window.dataLayer = window.dataLayer || []; dataLayer.push({said});</script>',
                f'<script type="application/json" class="data-layer">{said}</script>',
                f'<div data-controller="data-layer" data-data-layer-payload="{escape(said)}" hidden></div>',
            ),
        )

    def buy_box(self) -> str:
        """The React component, with its HTML as the server drew it."""
        price = self.other if self.kind == "disagree" else self.price
        sell, regular = (
            self.before + self.look.money(amount, "buy-box") for amount in (price, self.list_price or price)
        )
        props = self.look.data(sell_price=sell, regular_price=regular, on_sale=bool(self.list_price))
        return f'<div data-react-class="BuyBox" data-react-props="{escape(props)}">{self.text(price)}</div>'

    def nosto(self) -> str:
        """The hidden recommendation-tagging block, in pounds."""
        group, category = self.product.place
        values = [("product_id", self.product.id), ("image_url", f"/images/{self.product.id}.jpg")]
        values += [("availability", AVAILABILITIES[self.offer.availability]), ("brand", self.product.maker[1])]
        values += [
            ("description", "From £5.00 a month"),
            ("category", f"/{group}"),
            ("category", f"/{group}/{category}"),
        ]
        values += [("rating_value", "4.5"), ("review_count", "12"), ("price", str(self.offer.price))]
        spans = "".join(f'<span class="{name}">{escape(value)}</span>' for name, value in values)
        return f'<div class="nosto_product" style="display:none">{spans}</div>'

    def json_ld(self) -> str:
        """The schema.org block."""
        price = self.list_price if self.kind == "json-ld-list-price" and self.list_price else self.price
        price = self.other if self.kind == "disagree-json-ld" else price
        available = f"https://schema.org/{AVAILABILITIES[self.offer.availability]}"
        offer: Any = {"@type": "Offer", "price": str(price), "priceCurrency": self.currency, "availability": available}
        if self.kind == "price-range":
            low, high = (str(amount) for amount in (self.price, self.other))
            offer = {"@type": "AggregateOffer", "lowPrice": low, "highPrice": high, "priceCurrency": self.currency}
        offer = self.look.pick("layouts", "offers", (offer, [offer]))
        own = {"@type": "Product", "name": self.product.name, "sku": self.product.id, "offers": offer}
        context = {"@context": self.look.pick("json", "context", ("https://schema.org", "http://schema.org/"))}
        graph = {"@graph": [{"@type": "WebSite", "name": "Plugin Boutique"}, own]}
        said = json.dumps(context | self.look.pick("layouts", "graph", (own, graph)))
        return f'<script type="application/ld+json">{said}</script>'

    def text(self, price: Decimal | None = None) -> str:
        """The price as it is seen, the struck-out one first."""
        amount = self.look.money(self.price if price is None else price)
        tax = f" <small>{self.look.country.tax}</small>" if self.look.country.tax else ""
        if not self.list_price:
            return f"<div>{self.before}<strong>{amount}</strong>{tax}</div>"
        off = f"({100 - int(100 * self.price / self.list_price)}% off)"
        return f'<div><s class="line-through">{self.look.money(self.list_price)}</s> {amount} <span>{off}</span>{tax}</div>'

    def tile(self) -> str:
        """The product as a listing shows it."""
        maker, (group, category) = self.product.maker, self.product.place
        price = f'<div class="font-semibold text-gray-900">{self.look.money(self.price)}</div>'
        return (
            f'<div data-controller="product-tile"><a data-product-tile-target="mainLink" href="{self.product.address()}">'
            f'<img src="/images/{self.product.id}.jpg" alt=""></a>'
            f'<h3 data-testid="product-name-{self.product.id}">{escape(self.product.name)}</h3>'
            f'<a data-product-tile-target="manufacturerLink" href="/manufacturers/{maker[0]}-x">{maker[1]}</a>'
            f'<a data-product-tile-target="categoryLink" href="/categories/{category}">{group}</a>'
            f"{self.text() if self.list_price else price}<button>Add to cart</button></div>"
        )


# Pages


def whole(title: str, body: str, head: str = "") -> str:
    """Return a page of the shop."""
    menu = '<header><a href="/">Plugin Boutique</a><a href="/deals">Deals</a><a href="/free">Free</a></header>'
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(title)}</title>{head}</head>'
        f"<body>{menu}<main>{body}</main><footer><p>Free gift with every order above £20.00</p></footer></body></html>"
    )


def product_page(shown: Shown, others: Sequence[Shown]) -> str:
    """Return a product's page. others: products that are recommended, four at least."""
    product, kind, look = shown.product, shown.kind, shown.look
    sources = KINDS[kind].sources
    tiles = "".join(other.tile() for other in others[:3])
    further = f"<section><h2>You may also like</h2>{tiles}</section>"
    props = look.data(products=[{"sell_price": look.money(other.price), "on_sale": False} for other in others[:3]])
    before, parts = "", "<p>Made for producers. Was £5.00, now from £1.00 a month.</p>"
    if kind == "prices-in-scripts":
        parts += '<script>var promo = {"price": "£2.00", "sell_price": "€3.00"};</script><i data-price="$4.00"></i>'
    if kind == "recommended-buy-box":
        parts += f'<div data-react-class="Recommendations" data-react-props="{escape(props)}"></div>'
    if kind == "bundle":
        items = "".join(f"<li>{escape(o.product.name)} {look.money(o.price)}</li>" for o in others[:3])
        parts += f"<h2>What is in this bundle</h2><ul>{items}</ul>"
    if kind == "other-json-ld":
        before += others[3].json_ld()
    if kind == "other-event":
        before += others[3].data_layer("view_item_list")
    button, notice = BUTTONS.get(shown.offer.availability), NOTICES.get(shown.offer.availability)
    act = f"<button>{button}</button>" if button else f"<p>{notice}</p>"
    if kind == "editions":
        act = "".join(other.tile() for other in others)
    price = shown.buy_box() if "buy-box" in sources else "" if sources in ((), ("nosto",)) else shown.text()
    near = kind.startswith("recommended") or look.pick("order", "recommended", (False, True))
    body = f"<h1>{escape(product.name)}</h1>{price}{parts}" + (further + act if near else act + further)
    blocks = {"data-layer": shown.data_layer, "nosto": shown.nosto}
    order = look.pick("order", "sources", (("data-layer", "nosto"), ("nosto", "data-layer")))
    head = f'<link rel="canonical" href="{product.address()}">{before}{shown.json_ld() if "json-ld" in sources else ""}'
    return whole(product.name, body + "".join(blocks[name]() for name in order if name in sources), head)


def listing(title: str, shown: Iterable[Shown], further: str = "") -> str:
    """Return a page of tiles. further: the address of the next ones."""
    more = f'<button id="search-load-more" data-testid="search-load-more-btn" data-url="{further}">Load more</button>'
    return whole(title, f"<h1>{title}</h1>{''.join(each.tile() for each in shown)}{more if further else ''}")


def campaigns(number: int, pages: int) -> str:
    """Return a page of campaign cards."""
    cards = "".join(f'<a href="/deals/{100 * number + n}">Up to {40 + n}% off</a>' for n in range(15))
    further = f'<a rel="next" href="/deals-2?page={number + 1}">{number + 1}</a>' if number < pages else ""
    return whole("Deals", f"<h1>Deals</h1>{cards}{further}")


def home(shown: Sequence[Shown]) -> str:
    """Return the home page, which has prices, too."""
    deal = f"<section><h2>Deal of the day</h2>{shown[0].text()}<button>Add to cart</button></section>"
    return whole("Plugin Boutique", deal + "".join(each.tile() for each in shown[1:]))


def challenge(look: Look, asked: str) -> str:
    """Return the page of a bot check, with a price on it."""
    title, said = look.pick("words", "challenge", CHALLENGES)
    offer = f"<aside>Today only: {look.money(Decimal(9))} Add to cart</aside>"
    body = f'<main><h1>{title}</h1><p>{said}</p><p>{escape(asked)}</p><form method="post"></form>{offer}</main>'
    return f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"
