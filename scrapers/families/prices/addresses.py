"""
Addresses of products: which are refused, what is left of them to tell one product from another, and whose shop it is.

Users give them, so each is checked before it is stored and again before each request (`check`, `check_host`).
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from urllib.parse import SplitResult, quote, unquote_plus, urlsplit, urlunsplit

from scrapers.core.stated import PORTALS, portals

LONGEST = 2000  # characters of an address
LONGEST_KEY = 300  # characters of a key; a longer one ends with its hash
OTHER = "shop"  # the portal of all shops that have no portal of their own
# What a link says of how its reader came, and nothing of the product.
TRACKING = re.compile(
    r"utm_\w+|(?:g|dc|fb|tt|tw|y)clid|msclkid|[gw]braid|srsltid|irclickid|irgwc|clickid|mc_[ce]id|igshid|cjevent"
    r"|awc|_g[al]|a_[abc]id|aff(?:iliate)?(?:_?id)?|ref_",
    re.I,
)
HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?|\[[0-9a-f:.]+\]", re.I)
HOME = re.compile(r"/(?:[a-z]{2}(?:[-_][a-z]{2})?/?)?(?:(?:index|home)(?:\.\w+)?/?)?", re.I)
NAMES_PRODUCT = re.compile(
    r"(?:^|&)(?:p|id|product|product_?id|sku)=", re.I
)  # of shops whose every address is `/?p=12`
LOCAL_NAMES = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "home.arpa")
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # IPv6 addresses that carry one of IPv4


class AddressRefused(ValueError):
    """An address is not asked. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product's page: whose spider reads it, the key that all spellings of its address share, and the address to ask."""

    portal: str
    key: str
    url: str
    id: str = ""  # the shop's own number of the product, where its addresses name it


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with a portal of its own; `SHOP` in the portal's `addresses.py`."""

    is_its: Callable[[str], bool]  # whether a host, in lower case, is the shop's
    product: Callable[[str], Product | None]  # the product that an address of the shop names; None: it names none


def check(url: str, *, private: bool = False) -> str:
    """
    Return an address without blanks around it, user name and fragment left as they are; raise AddressRefused.

    private: accept also hosts of this machine and of private networks. What a name stands for is `check_host`'s.

    >>> check(" https://shop.example/p/1 ")
    'https://shop.example/p/1'
    """
    url = url.strip()
    if not url or len(url) > LONGEST:
        raise AddressRefused(f"An address has 1 to {LONGEST} characters.")
    if re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise AddressRefused("An address has no blanks, control characters or backslashes in it.")
    parts, host, port = _parts(url)
    if parts.scheme.lower() not in ("http", "https"):
        raise AddressRefused("An address begins with http:// or https://.")
    if not host:
        raise AddressRefused("An address names a host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("User name and password do not belong into an address.")
    if port == 0:
        raise AddressRefused("An address has no port 0.")
    if not private and not is_public(host):
        raise AddressRefused("The address is one of this machine or of a private network.")
    return url


async def check_host(url: str) -> None:
    """Raise AddressRefused where the name of an address stands for a machine of a private network."""
    parts, host, port = _parts(url)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port or parts.scheme, type=socket.SOCK_STREAM)
    except OSError:
        return  # what cannot be resolved is not asked either; the request tells of it
    if not all(is_global(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found):
        raise AddressRefused("The address is one of this machine or of a private network.")


def is_public(host: str) -> bool:
    """
    Return whether a host is a name, or a number of the public internet, in any notation that a resolver takes.

    >>> [is_public(host) for host in ("shop.example", "127.0.0.1", "2130706433", "0x7f.1", "[::1]", "a.localhost")]
    [True, False, False, False, False, False]
    """
    name = unicodedata.normalize("NFKC", host).strip("[]").rstrip(".").casefold().partition("%")[0]
    if not name or name in LOCAL_NAMES or name.endswith(tuple(f".{local}" for local in LOCAL_NAMES)):
        return False
    try:
        return is_global(ipaddress.ip_address(name))
    except ValueError:
        pass
    if re.fullmatch(r"0x[0-9a-f]*|[0-9]+", name.rpartition(".")[2]):
        try:  # 127.1, 2130706433, 0x7f000001, 0177.0.0.1
            return is_global(ipaddress.ip_address(socket.inet_aton(name)))
        except OSError:
            return False  # no name ends with a number
    return "." in name  # a single word is a machine of the own network


def is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether an address is one of the public internet, those in it (mapped, 6to4, NAT64, Teredo) included."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inside is not None:
            return is_global(inside)
        if address.is_site_local or address.is_reserved:
            return False
    return address.is_global and not address.is_multicast


def cleaned(url: str) -> str:
    """
    Return an address without fragment, default port and what only tells how its reader came.

    >>> cleaned("HTTPS://Shop.example:443/p/1/?a_aid=x&variant=2&utm_source=mail#top")
    'https://shop.example/p/1/?variant=2'
    """
    parts, host, port = _parts(url)
    scheme = parts.scheme.lower()
    netloc = host if port in (None, {"http": 80, "https": 443}.get(scheme)) else f"{host}:{port}"
    pairs = [pair for pair in parts.query.split("&") if not TRACKING.fullmatch(unquote_plus(pair.partition("=")[0]))]
    return urlunsplit((scheme, netloc, _escaped(parts.path) or "/", _escaped("&".join(filter(None, pairs))), ""))


def identity(url: str) -> str:
    """
    Return what is the same in all spellings of an address: host without www, path, and the query in order.

    >>> identity("http://www.shop.example/p/1/?b=2&a=1&gclid=x"), identity("https://shop.example/p/1?a=1&b=2")
    ('shop.example/p/1?a=1&b=2', 'shop.example/p/1?a=1&b=2')
    """
    parts = urlsplit(cleaned(url))
    query = "&".join(sorted(parts.query.split("&")))
    found = f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}" + (f"?{query}" if query else "")
    return short(found)


def short(key: str, longest: int = LONGEST_KEY) -> str:
    """Return a key with at most *longest* characters: of a longer one the beginning and a hash of all."""
    return key if len(key) <= longest else f"{key[: longest - 33]}~{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def is_home(url: str) -> bool:
    """
    Return whether an address is that of a shop's home page, in any language.

    >>> is_home("https://shop.example"), is_home("https://shop.example/en-gb/"), is_home("https://shop.example/p/1")
    (True, True, False)
    """
    parts = urlsplit(cleaned(url))
    return HOME.fullmatch(parts.path) is not None and not NAMES_PRODUCT.search(parts.query)


@cache
def shops() -> dict[str, Shop]:
    """Return the shops that have a portal of their own, by its word."""
    own = (portal.word for portal in portals().values() if portal.family == "prices" and portal.word != OTHER)
    return {word: import_module(f"{PORTALS}.{word}.addresses").SHOP for word in own}


def product_of(url: str, *, private: bool = False) -> Product:
    """
    Return the product that an address of any shop names; raise AddressRefused where it names none, or may not be asked.

    >>> product_of("https://www.shop.example/p/1?gclid=x").key
    'shop.example/p/1'
    """
    given = check(url, private=True)
    if not is_own(given):  # a shop's own origin is a setting, not a user's word
        check(given, private=private)
    if (found := named(given)) is None:
        raise AddressRefused("The address is one of the shop, but not of a product.")
    return found


def named(url: str) -> Product | None:
    """Return the product that an address names, by the rules of its shop; None where it names none."""
    host = _parts(url)[1]
    for shop in shops().values():
        if shop.is_its(host):
            return shop.product(url)
    return None if is_home(url) else Product(OTHER, identity(url), cleaned(url))


def is_own(url: str) -> bool:
    """Return whether an address is of a shop that has a portal of its own."""
    return any(shop.is_its(_parts(url)[1]) for shop in shops().values())


def key_of(url: str) -> str:
    """Return what is the same in all addresses of a product, of any shop; of another page its `identity`."""
    found = named(url)
    return identity(url) if found is None else f"{found.portal} {found.key}"


def _escaped(text: str) -> str:
    """Return a path or query in which everything is escaped that must be, and nothing that need not be."""

    def plain(escape: re.Match[str]) -> str:
        sign = chr(int(escape[1], 16))
        return sign if re.fullmatch(r"[A-Za-z0-9._~-]", sign) else escape[0].upper()

    return quote(re.sub(r"%([0-9A-Fa-f]{2})", plain, text), safe="/?:@!$&'()*+,;=~%[]")


def _parts(url: str) -> tuple[SplitResult, str, int | None]:
    """Return the parts of an address, its host in the letters that are sent, and its port; raise AddressRefused."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            host = f"[{ipaddress.ip_address(host.partition('%')[0])}]"
        elif not host.isascii():
            host = host.encode("idna").decode()
    except (ValueError, UnicodeError):
        raise AddressRefused("It is not an address.") from None
    if host and not HOST.fullmatch(host):
        raise AddressRefused("Its host is not the name of a machine.")
    return parts, host.lower(), port
