"""The ordinary shop: a product of each kind, and a home page with links to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiohttp import web

from sandbox.answers import html
from sandbox.shop import pages
from sandbox.storefront.money import Country
from sandbox.storefront.offers import Offer, Truth
from sandbox.storefront.portal import Storefront


class Shop(Storefront):
    """Products by the word in their address."""

    word = "shop"
    origins: ClassVar = {"": "SHOP_URL"}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.count_from_zero()

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of the shop."""
        yield from super().routes(origin)
        yield web.get("/", self.home)
        yield web.get("/item/{word}", self.item)

    def truths(self, country: Country) -> Mapping[str, Truth]:
        """Return what a reader should find today, by address; every product has a currency of its own."""
        return {f"/item/{word}": pages.truth(word, self.today(word)) for word in pages.ITEMS}

    def today(self, word: str) -> Offer:
        """Return what is asked for a product today."""
        return self.offer(word, pages.ITEMS[word].offer, pages.HISTORIES.get(word, ()))

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Show links to all products."""
        links = "".join(f'<li><a href="/item/{word}">{pages.name(word)}</a></li>' for word in pages.ITEMS)
        return html(pages.whole("Meadow shop", f"<h1>Meadow shop</h1><ul>{links}</ul>"))

    async def item(self, request: web.Request) -> web.StreamResponse:
        """Show a product, or 404 where there is none or no more."""
        word = request.match_info["word"]
        offer = self.today(word) if word in pages.ITEMS else None
        if offer is None or offer.gone:
            return html(pages.whole("Not found", "<h1>Not found</h1>"), status=404)
        self.counters.add_to("products", word)
        request["day"] = offer.day
        return html(pages.page(word, offer))


PORTAL = Shop
