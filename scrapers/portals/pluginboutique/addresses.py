"""
Addresses of Plugin Boutique's products; the number before the last slug is the product's.

`/product/<n>-<Group>/<n>-<Category>/<id>-<Slug>`, `/products/<id>-<Slug>` and `/products/<id>` are one product.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from scrapers.families.prices.addresses import Product, Shop, cleaned
from scrapers.portals.pluginboutique.settings import PluginboutiqueSettings

PRODUCT = re.compile(r"/(?:product/\d+(?:-[^/]*)?/\d+(?:-[^/]*)?|products)/(\d+)(?:-[^/]*)?/?", re.I)
HOSTS = ("pluginboutique.com", "www.pluginboutique.com")


def origin() -> str:
    """Return the shop's origin, without a slash at its end."""
    return PluginboutiqueSettings.current().url.rstrip("/")


def is_its(host: str) -> bool:
    """Return whether a host is the shop's, or that of a stand-in for it."""
    return host in (*HOSTS, urlsplit(origin()).hostname)


def product(url: str) -> Product | None:
    """
    Return the product that an address of the shop names, with the address to ask; None where it names none.

    >>> found = product("https://pluginboutique.com/product/2-Effects/16-Reverb/3914-Hall?a_aid=x")
    >>> found.key, found.url
    ('3914', 'https://www.pluginboutique.com/product/2-Effects/16-Reverb/3914-Hall')
    >>> product("https://www.pluginboutique.com/products/3914").key, product("https://www.pluginboutique.com/deals")
    ('3914', None)
    """
    path = urlsplit(cleaned(url)).path
    if (found := PRODUCT.fullmatch(path)) is None:
        return None
    number = found[1].lstrip("0") or "0"
    place = urlsplit(origin())
    return Product("pluginboutique", number, urlunsplit((place.scheme, place.netloc, path, "", "")), id=number)


SHOP = Shop(is_its, product)
