"""The prices of Plugin Boutique."""

from __future__ import annotations

import asyncio
from typing import Any

from scrapy import Request
from scrapy.http.request import NO_CALLBACK
from scrapy.spidermiddlewares.httperror import HttpError

from scrapers.core.jobs import Job
from scrapers.core.naming import name_failure
from scrapers.core.outcomes import Failure
from scrapers.core.requests import KEY, RequestState
from scrapers.families.prices.spiders import PriceSpider
from scrapers.families.prices.structured import structured
from scrapers.portals.pluginboutique.addresses import origin
from scrapers.portals.pluginboutique.readers import buy_box, data_layer, tagging, tiles
from scrapers.portals.pluginboutique.settings import PluginboutiqueSettings


class PluginboutiquePrices(PriceSpider):
    """
    Portal
      Plugin Boutique (https://www.pluginboutique.com); no sign-in.
    Caveats
      The shop shows the currency of the buyer's country: of the item, else the one in which this runs. The country is told
      once, by a visit of the home page, and kept in a cookie jar of its own. A price in the shop's base currency (pounds)
      counts for buyers in Great Britain alone.
    """

    name = "pluginboutique_prices"
    language = "en_GB"
    readers = (data_layer, buy_box, tagging, structured, tiles)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # By country and rendering; a failed one stays, so that it is told once.
        self.entered: dict[tuple[str, str], asyncio.Task[None]] = {}

    @classmethod
    def rendering_at(cls, url: str) -> str:
        return PluginboutiqueSettings.current().rendering

    async def enter(self, job: Job) -> None:
        if (country := job.target.country) is None:
            return
        known = (country, self.rendering_of(job))
        if known not in self.entered:
            self.entered[known] = asyncio.ensure_future(self._choose(job, *known))
        try:
            await asyncio.shield(self.entered[known])
        except Failure as failure:  # each job has one of its own
            raise type(failure)(failure.detail, step="tell the shop the country", evidence=failure.evidence) from None

    async def _choose(self, job: Job, country: str, rendering: str) -> None:
        meta = {"cookiejar": country, KEY: RequestState(job.id, rendering=rendering), "handle_httpstatus_all": True}
        request = Request(f"{origin()}/?chosen_country={country}", NO_CALLBACK, meta=meta, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
            if response.status >= 400:
                raise HttpError(response)
        except Exception as error:
            raise name_failure(error, request) from error
