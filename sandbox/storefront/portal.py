"""A shop: pages for all, which change by the day that the clock says, and are not sent again to those who have them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import admin
from sandbox.answers import with_tag
from sandbox.frame import Portal
from sandbox.storefront import offers
from sandbox.storefront.money import COUNTRIES, Country
from sandbox.storefront.offers import Offer, Truth

DAY_SECONDS = 86_400
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)  # what Last-Modified says of a page that never changed
ROBOTS = "User-agent: *\nDisallow: /checkout\nDisallow: /account\n"


class Storefront(Portal):
    """Base of shops. The clock's offset in whole days is the day of the histories; nothing else changes a price."""

    scenarios: ClassVar[Mapping[str, str]] = {}  # people do not sign in here
    defaults: ClassVar[Mapping[str, Any]] = {
        "robots": ROBOTS,
        "histories": {},  # {product id: [{"day": 1, "price": "39.00", "list_price": None, "availability": …, "gone": true}]}
    }

    @abstractmethod
    def truths(self, country: Country) -> Mapping[str, Truth]:
        """Return what a reader should find today in a country, by address."""

    def reset(self) -> None:
        """Forget what the frame forgets; the counts below begin at 0."""
        super().reset()
        self.count_from_zero()

    def count_from_zero(self) -> None:
        """Have the counters of shops, also where nothing was counted yet."""
        for name in ("conditional", "not_modified", "refused_agents"):
            self.counters.add(name, 0)
        self.counters.add_group("products")

    def configure(self, changes: Mapping[str, Any]) -> str:
        """Merge changes into the configuration; return what is wrong as one sentence, and change nothing then."""
        return offers.check(changes.get("histories", {})) or super().configure(changes)

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes that every shop has."""
        yield web.get("/robots.txt", self.robots)
        yield web.get(f"{admin.PREFIX}products", self.products)

    async def robots(self, request: web.Request) -> web.StreamResponse:
        """Say what robots may not ask for."""
        return web.Response(text=self.configuration["robots"])

    async def products(self, request: web.Request) -> web.Response:
        """Return what a reader should find today, by address; `?country=US`."""
        country = COUNTRIES.get(request.query.get("country", "GB"))
        if country is None:
            raise admin.refusal(f"country is one of {', '.join(COUNTRIES)}.")
        return web.json_response({path: truth.as_json() for path, truth in self.truths(country).items()})

    def offer(self, product_id: str, first: Offer, history: Iterable[Mapping[str, Any]] = ()) -> Offer:
        """Return what is asked for a product today: by its own history, or by the one that was configured."""
        return first.on(int(self.clock_offset // DAY_SECONDS), self.configuration["histories"].get(product_id, history))

    async def _answer(self, request: web.Request, handler: Handler, over: bool) -> web.StreamResponse:
        """Answer as the frame does, or 304 where a handler says since when the page is as it is (`request["day"]`)."""
        response = await super()._answer(request, handler, over)
        if not isinstance(response, web.Response) or response.status != 200 or "day" not in request:
            return response
        if {"If-None-Match", "If-Modified-Since"} & set(request.headers):
            self.counters.add("conditional")
        answer = with_tag(response, request, changed=FIRST_DAY + timedelta(days=request["day"]))
        answer.headers.update({"Cache-Control": "private, max-age=0, must-revalidate", "Vary": "Cookie"})
        self.counters.add("not_modified", int(answer.status == 304))
        return answer
