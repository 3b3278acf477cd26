"""The prices of any shop."""

from urllib.parse import urlsplit

from scrapers.families.prices.spiders import PriceSpider
from scrapers.families.prices.structured import structured
from scrapers.portals.shop.settings import ShopSettings


class ShopPrices(PriceSpider):
    """
    Portal
      Any shop that has no spider of its own; no sign-in.
    Caveats
      Read are JSON-LD, microdata and OpenGraph, then the element that an item names by CSS. A price without a currency, or of
      what is not certainly the page's product, is none. Shops choose the currency by where this runs.
    """

    name = "shop_prices"
    readers = (structured,)

    @classmethod
    def rendering_at(cls, url: str) -> str:
        """Return how the pages of the address's host are fetched."""
        return ShopSettings.current().at(urlsplit(url).hostname or "")
