"""The shop Plugin Boutique: who is served, in which country's money, and at which addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.answers import found, html
from sandbox.pluginboutique import answers, pages
from sandbox.pluginboutique.answers import Page
from sandbox.pluginboutique.catalogue import KINDS, PRODUCTS, Product, product_of
from sandbox.pluginboutique.pages import Look
from sandbox.storefront.money import COUNTRIES, Country
from sandbox.storefront.offers import Offer, Truth
from sandbox.storefront.portal import Storefront

CAMPAIGN_PAGES = 3
PER_PAGE = 12
# Kinds that a listing shows: what has a page with a price.
LISTED = [product for product in PRODUCTS.values() if not KINDS[product.kind].refusals and product.kind != "moved"]


class PluginBoutique(Storefront):
    """Product pages, listings and a home page, for clients that come as browsers do."""

    word = "pluginboutique"
    origins: ClassVar = {"": "PLUGINBOUTIQUE_URL"}
    journal_query = frozenset({"a_aid", "chosen_country", "currency", "page", "q"})
    defaults: ClassVar = {
        **Storefront.defaults,
        "geo_country": "GB",  # where visitors seem to be
        "agent_answer": "403",  # what a client gets that does not come as a browser does: 403, or "empty" for an empty page
        "rate_limited_requests": 2,
    }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._asked = self.state.table("asked")
        self.count_from_zero()

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the routes of the shop."""
        yield from super().routes(origin)
        yield web.get("/", self.home)
        yield web.get("/product/{group}/{category}/{product}", self.product)
        yield web.get("/products/{product}", self.product)
        for path in (
            "/deals",
            "/search",
            "/free",
            "/categories/{entry}",
            "/manufacturers/{entry}",
            r"/deals/{entry:\d+}",
        ):
            yield web.get(path, self.listing)
        yield web.get("/deals-2", self.campaigns)
        yield web.get("/articles.rss", self.articles)

    def configure(self, changes: Mapping[str, Any]) -> str:
        """Merge changes into the configuration; return what is wrong as one sentence, and change nothing then."""
        if changes.get("geo_country", "GB") not in COUNTRIES:
            return f"geo_country is one of {', '.join(COUNTRIES)}."
        return super().configure(changes)

    def truths(self, country: Country) -> Mapping[str, Truth]:
        """Return what a reader should find today in a country, by address."""
        look, paths = Look(country), {product.address(): product for product in PRODUCTS.values()}
        return {path: answers.answer(one, self.today(one), look, path).truth for path, one in paths.items()}

    def today(self, product: Product) -> Offer:
        """Return what is asked for a product today, in pounds."""
        return self.offer(product.id, product.offer(), KINDS[product.kind].history)

    async def _answer(self, request: web.Request, handler: Handler, over: bool) -> web.StreamResponse:
        """Answer as shops do; refuse clients that do not come as browsers do, but for robots.txt."""
        browser = request.headers.get("User-Agent", "").startswith("Mozilla/")
        browser = browser and {"Accept", "Accept-Language"} <= set(request.headers)
        if browser or request.path == "/robots.txt":
            return await super()._answer(request, handler, over)
        self.counters.add("refused_agents")
        return html("") if self.configuration["agent_answer"] == "empty" else html("<h1>403 Forbidden</h1>", status=403)

    def _country(self, request: web.Request) -> Country:
        visit = self.visits.find(request.cookies.get(self.cookie("session")))
        return COUNTRIES[(self.visits.row(visit).get("country") if visit else "") or self.configuration["geo_country"]]

    def _look(self, request: web.Request) -> Look:
        return Look(self._country(request), self.perturbation_for(request))

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Show the home page; `?chosen_country=US` is kept in the session, which nothing else changes."""
        chosen, visit = request.query.get("chosen_country", "").upper(), None
        secret = request.cookies.get(self.cookie("session"), "")
        if chosen in COUNTRIES:
            visit = self.visits.find(secret)
            if visit is None:
                visit, secret = self.visits.open()
            self.visits.change(visit, country=chosen)
        perturbation = self.perturbation_for(request)
        country = COUNTRIES[chosen] if visit else self._country(request)
        leads = visit is not None and perturbation.touches("landing", "chosen_country")
        answer = found("/") if leads else html(self._home(Look(country, perturbation)))
        if visit is not None:
            answer.set_cookie(self.cookie("session"), secret, httponly=True, samesite="Lax")
        return answer

    def _home(self, look: Look) -> str:
        return pages.home([answers.shown(product, look, self.today(product)) for product in LISTED[:PER_PAGE]])

    async def product(self, request: web.Request) -> web.StreamResponse:
        """Answer for the product whose number stands before the slug; the rest of the address does not matter."""
        number = re.match(r"\d*", request.match_info["product"])
        product = product_of(number[0] if number else "")
        look = self._look(request)
        if product is None:
            return html(self._home(look))
        self.counters.add_to("products", product.id)
        asked = self._asked.setdefault(product.id, {"times": 0})
        asked["times"] += 1
        self._asked.touch(product.id)
        if product.kind == "error-once" and asked["times"] == 1:
            return html("<h1>503</h1>", status=503)
        if product.kind == "rate-limited" and asked["times"] <= self.configuration["rate_limited_requests"]:
            return self._sent(answers.limited(product, look, request.path))
        offer = self.today(product)
        page = answers.answer(product, offer, look, request.path)
        if page.path != request.path:
            return found(page.path)
        if page.status == 200 and page.html:
            request["day"] = offer.day
        return self._sent(page)

    def _sent(self, page: Page) -> web.Response:
        answer = html(page.html, page.status)
        answer.headers.update(page.headers)
        return answer

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """Show a page of tiles: those whose name, category or maker is asked for, on sale or for nothing."""
        entry, words, look = (
            request.match_info.get("entry", ""),
            request.query.get("q", "").lower(),
            self._look(request),
        )
        told = answers.ordered([answers.shown(product, look, self.today(product)) for product in LISTED], look)
        request["day"] = max(each.offer.day for each in told)
        if request.path == "/free":
            told = [each for each in told if not each.price]
        elif request.path.startswith("/deals"):
            told = [each for each in told if each.list_price]
        elif entry:
            number = entry.partition("-")[0]
            told = [one for one in told if entry in one.product.place or number == one.product.maker[0]]
        told = [each for each in told if words in each.product.name.lower() and not each.offer.gone]
        number_said = request.query.get("page", "1")
        page = int(number_said) if number_said.isdecimal() else 1
        further = str(request.rel_url.update_query(page=page + 1)) if len(told) > page * PER_PAGE else ""
        return html(
            pages.listing("Deals", told[(page - 1) * PER_PAGE : page * PER_PAGE], further.replace("&", "&amp;"))
        )

    async def campaigns(self, request: web.Request) -> web.StreamResponse:
        """Show a page of campaign cards."""
        said = request.query.get("page", "1")
        return html(pages.campaigns(int(said) if said.isdecimal() else 1, CAMPAIGN_PAGES))

    async def articles(self, request: web.Request) -> web.StreamResponse:
        """Give the feed of articles, which has none."""
        feed = '<rss version="2.0"><channel><title>Plugin Boutique</title></channel></rss>'
        return web.Response(text=feed, content_type="application/rss+xml")


PORTAL = PluginBoutique
