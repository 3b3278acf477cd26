"""What the shop answers at a product's address, with the truth beside it; and pages by number for tests of readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape

from sandbox.known import known_of
from sandbox.markup import perturbed
from sandbox.perturb import OFF, Perturbation
from sandbox.pluginboutique import pages
from sandbox.pluginboutique.catalogue import GONE, KINDS, UNCLEAR, Product
from sandbox.pluginboutique.pages import Look, Shown
from sandbox.storefront.money import COUNTRIES
from sandbox.storefront.offers import Offer, Truth

RECOMMENDED = ("thousand", "sale", "free", "data-layer", "buy-box")
UNSAMPLED = ("error-once", "history", "rises")  # what they are about is no page, but when it comes
PLACES = ("/deals", "/search?q=verb", "/categories/23-Compressor", "/manufacturers/31-Low-Meadow-Audio", "/free")


@dataclass(frozen=True, slots=True)
class Page:
    """
    A page and what a careful reader says of it.

    asked, path: the address that was asked for, and the one that answered after redirects. country: the session's.
    tiles: of a listing, what is said of each product in it, in their order; a product's page has none.
    """

    kind: str
    asked: str
    path: str
    country: str
    html: str
    truth: Truth
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    tiles: tuple[Truth, ...] = ()


def shown(product: Product, look: Look, offer: Offer | None = None) -> Shown:
    """Return a product as a page shows it. offer: what is asked today, where that is not what was asked at first."""
    return Shown(product, offer or product.offer(), look)


def ordered(tiles: list[Shown], look: Look) -> list[Shown]:
    """Return tiles in their order, which is free."""
    changes = look.perturbation.touches("order", "tiles")
    return look.perturbation.shuffled("order", "tiles", tiles) if changes else tiles


def beside(product: Product, look: Look) -> list[Shown]:
    """Return what a page recommends beside a product."""
    others = [Product(kind, 90 + product.n % 9) for kind in RECOMMENDED if kind != product.kind]
    return ordered([shown(other, look) for other in others], look)


def answer(product: Product, offer: Offer, look: Look, asked: str) -> Page:
    """Return the page that a product's address ends at, as it is before the frame changes what is free."""
    kind, code = product.kind, look.country.code
    if kind == "moved":
        there = answer(product.successor, product.successor.offer(), look, product.successor.address())
        return replace(there, kind=kind, asked=asked)
    if kind == "gone-404":
        return Page(kind, asked, asked, code, pages.whole("404", "<h1>Page not found</h1>"), Truth(refusals=GONE), 404)
    if offer.gone or kind.startswith("gone"):
        path = "/" if kind == "gone-redirect" else asked
        return Page(kind, asked, path, code, pages.home(beside(product, look)), Truth(refusals=GONE))
    if kind.startswith("challenge"):
        truth = Truth(refusals=KINDS[kind].refusals)
        return Page(kind, asked, asked, code, pages.challenge(look, asked), truth, int(kind.removeprefix("challenge-")))
    if kind == "empty":
        return Page(kind, asked, asked, code, "", Truth(refusals=KINDS[kind].refusals))
    own = shown(product, look, offer)
    return Page(kind, asked, asked, code, pages.product_page(own, beside(product, own.look)), own.truth(look.country))


def limited(product: Product, look: Look, asked: str) -> Page:
    """Return the answer to requests that came too fast."""
    truth, headers = Truth(refusals=KINDS["rate-limited"].refusals), {"Retry-After": "1"}
    html = f"<h1>Too many requests</h1><p>{escape(asked)}</p>"
    return Page(product.kind, asked, asked, look.country.code, html, truth, 429, headers)


def listing(n: int, look: Look) -> Page:
    """Return a listing as a page with its truths."""
    path = PLACES[n % len(PLACES)]
    tiles = ordered([shown(Product(kind, 60 + n % 30), look) for kind in RECOMMENDED], look)
    truths = tuple(replace(tile.truth(look.country), optional=frozenset({"availability"})) for tile in tiles)
    html = pages.listing("Deals", tiles, f"{path}{'&' if '?' in path else '?'}page=2")
    return Page("listing", path, path, look.country.code, html, Truth(refusals=(*UNCLEAR, *GONE)), tiles=truths)


def sample(count: int = 120, seed: int = 1) -> list[Page]:
    """Return so many pages, all different: every kind in turn, in every country; three of four with what is free changed."""
    kinds = [*(kind for kind in KINDS if kind not in UNSAMPLED), "listing"]
    countries = list(COUNTRIES.values())
    made = []
    for index in range(count):
        turn, place = divmod(index, len(kinds))
        perturbation = Perturbation.of(seed * 1000 + index) if index % 4 else OFF
        look = Look(countries[(index + turn + seed) % len(countries)], perturbation)
        number = (seed + turn) % 45 + 1
        if kinds[place] == "listing":
            page = listing(number, look)
        else:
            product = Product(kinds[place], number)
            asked = product.address(index)
            late = product.kind == "rate-limited"
            page = limited(product, look, asked) if late else answer(product, product.offer(), look, asked)
        made.append(replace(page, html=perturbed(page.html, perturbation, known_of("pluginboutique"), scripted=False)))
    return made
