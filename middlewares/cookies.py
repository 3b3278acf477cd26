"""Scrapy's cookies without the suffix list where none is needed, and conversion between browser and jar cookies."""

from __future__ import annotations

from http.cookiejar import Cookie
from typing import TYPE_CHECKING, Any

from scrapers.core.compat import scrapy_cookies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy import Request
    from scrapy.downloadermiddlewares.cookies import CookiesMiddleware as ScrapyCookies
    from scrapy.http import Response
    from scrapy.http.cookies import CookieJar
else:
    ScrapyCookies = scrapy_cookies().CookiesMiddleware


class CookiesMiddleware(ScrapyCookies):
    """Scrapy's middleware, which here asks the suffix list (that of tldextract's package) only about a wider domain."""

    # Without Scrapy's last argument, which is deprecated.
    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Keep the cookies that a response sets."""
        return super().process_response(request, response) if b"Set-Cookie" in response.headers else response

    def _process_cookies(self, cookies: Iterable[Cookie], *, jar: CookieJar, request: Request) -> None:
        wide = []
        for cookie in cookies:
            # Without a domain of its own a cookie is its host's alone: a public suffix could not widen it.
            if cookie.domain_specified:
                wide.append(cookie)
            else:
                jar.set_cookie_if_ok(cookie, request)
        super()._process_cookies(wide, jar=jar, request=request)


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
