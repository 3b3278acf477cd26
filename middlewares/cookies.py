"""Scrapy's cookies without the download of the suffix list, and conversion between browser and jar cookies."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookiejar import Cookie
from typing import TYPE_CHECKING, Any

from scrapy.downloadermiddlewares.cookies import CookiesMiddleware as ScrapyCookies

from scrapers.core.compat import use_packaged_suffix_list

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response
    from scrapy.http.cookies import CookieJar

use_packaged_suffix_list()


class CookiesMiddleware(ScrapyCookies):
    """Scrapy's middleware, with the suffix list that comes with tldextract, which is read for cookies of domains only."""

    # Without Scrapy's last argument, which is deprecated.
    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Keep the cookies that a response sets."""
        return super().process_response(request, response) if b"Set-Cookie" in response.headers else response

    def _process_cookies(self, cookies: Iterable[Cookie], *, jar: CookieJar, request: Request) -> None:
        for cookie in cookies:
            if cookie.domain_specified:
                super()._process_cookies((cookie,), jar=jar, request=request)
            else:  # for the host of the request alone: no list says more
                jar.set_cookie_if_ok(cookie, request)


def as_cookie(cookie: dict[str, Any]) -> Cookie:
    """Return a browser's cookie as a jar holds it: a host-only one stays host-only."""
    domain, expires = cookie["domain"], cookie.get("expires", -1)
    dotted = domain.startswith(".")
    return Cookie(
        version=0,
        name=cookie["name"],
        value=cookie["value"],
        port=None,
        port_specified=False,
        domain=domain,
        domain_specified=dotted,
        domain_initial_dot=dotted,
        path=cookie.get("path", "/"),
        path_specified=True,
        secure=cookie.get("secure", False),
        expires=int(expires) if expires and expires > 0 else None,
        discard=not expires or expires <= 0,
        comment=None,
        comment_url=None,
        rest={},
    )


def from_cookie(cookie: Cookie) -> dict[str, Any]:
    """Return a jar's cookie as a browser's storage state holds it."""
    return {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": cookie.domain,
        "path": cookie.path,
        "secure": cookie.secure,
        "expires": cookie.expires or -1,
        "httpOnly": False,
        "sameSite": "Lax",
    }
