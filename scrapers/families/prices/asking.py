"""How shops are asked: the headers and the pace, addresses that are not asked, and where a redirect leads."""

from __future__ import annotations

import ipaddress

from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError

from scrapers.core.naming import name_failure
from scrapers.core.outcomes import AddressNotAsked, Failure, ProductGone
from scrapers.core.redaction import bare_url
from scrapers.core.version import version
from scrapers.families.prices.addresses import AddressRefused, Product, check, check_host, is_global, is_own, named
from scrapers.families.prices.settings import PriceSettings

STEP = "check the address"
# As a browser asks, which is what shops answer; and who asks.
AGENT = f"Mozilla/5.0 (compatible; Latchkey/{version()}; price watch)"
HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.9",
}
POLITE = {
    "DOWNLOAD_DELAY": 1,  # one request per shop and second
    "DOWNLOAD_DELAY_JITTER": 0,  # not less than that either
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,  # Scrapy counts the delay for each host
    "REQUESTS_IN_FLIGHT": 1,
    "DOWNLOAD_TIMEOUT": 60,  # a page, no file
    "DOWNLOAD_MAXSIZE": 20_000_000,  # of an address that somebody has given
    "USER_AGENT": AGENT,
    "DEFAULT_REQUEST_HEADERS": HEADERS,
}
REDIRECTS = (301, 302, 303, 307, 308)
UNCHANGED, GONE = 304, (404, 410)
HANDLED = [*REDIRECTS, UNCHANGED, *GONE, 403, 503]  # those of a wall have a page to read
MOST_REDIRECTS = 5


async def refuse_address(url: str) -> None:
    """Raise AddressNotAsked for an address of this machine or of a private network, unless it is a shop's own."""
    if is_own(url):
        return
    private = PriceSettings.current().prices_private_addresses
    try:
        check(url, private=private)
        if not private:
            await check_host(url)
    except AddressRefused as error:
        raise AddressNotAsked(str(error), step=STEP) from None


def refuse_answer(response: Response) -> None:
    """Raise AddressNotAsked for an answer of a private network: a name may stand for another machine at each look."""
    if is_own(response.url) or PriceSettings.current().prices_private_addresses or response.ip_address is None:
        return
    if not response.ip_address.is_global and not response.meta.get("proxy"):
        raise AddressNotAsked("The address is one of this machine or of a private network.")


def may_reach(host: str, port: int, address: str) -> bool:
    """Return whether a page that is rendered may reach a machine: one of the public internet, or a shop's own."""
    if is_global(ipaddress.ip_address(address)):
        return True
    place = f"[{host}]" if ":" in host else host
    return is_own(f"https://{place}/" if port == 443 else f"http://{place}:{port}/")


def product_at(portal: str, address: str) -> Product:
    """Return the product to whose page a redirect leads; raise ProductGone where it leads to none of this shop."""
    try:
        found = named(check(address, private=True))
    except AddressRefused:
        found = None
    if found is None or found.portal != portal:
        raise ProductGone(f"Its page leads to {bare_url(address)}, which is no product's.")
    return found


def location(response: Response) -> str:
    """Return the address to which an answer redirects, in full where that can be made."""
    said = (response.headers.get("Location") or b"").decode("utf-8", "replace")
    try:
        return response.urljoin(said)
    except ValueError:
        return said


def refusal(response: Response) -> Failure:
    """Return the failure that an answer's status stands for."""
    assert response.request is not None
    return name_failure(HttpError(response), response.request)
