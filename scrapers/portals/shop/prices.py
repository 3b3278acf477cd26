"""The prices of any shop."""

from scrapers.families.prices.spiders import PriceSpider
from scrapers.families.prices.structured import structured


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
