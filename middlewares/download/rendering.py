"""What the two ways to render a page share: its cookies are those of plain HTTP, and its answer reads like one of plain HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Headers, HtmlResponse, Response

REDIRECTED = "redirect_urls"  # in meta, as Scrapy's own middleware has it: the addresses that led to a response's
PAGES = ("text/html", "application/xhtml+xml")
# Of a body as it was sent, and of cookies, which are those of all answers together.
NOT_KEPT = ("Content-Encoding", "Content-Length", "Transfer-Encoding", "Set-Cookie")


def cookies_of(request: Request) -> list[dict[str, Any]]:
    """Return the cookies that a request would send, each for its host alone."""
    said: SimpleCookie = SimpleCookie()
    for header in request.headers.getlist("Cookie"):
        for pair in header.decode("latin-1").split(";"):
            try:
                said.load(pair.strip())
            except CookieError:
                continue  # a name that no browser takes either
    parts = urlsplit(request.url)
    known = {"domain": parts.hostname or "", "path": "/", "secure": parts.scheme == "https", "httpOnly": True}
    return [{"name": name, "value": morsel.value, **known} for name, morsel in said.items()]


def as_header(cookie: Mapping[str, Any]) -> str:
    """
    Return a browser's cookie as a server would set it.

    >>> as_header({"name": "a", "value": "1", "domain": "shop.example", "path": "/", "secure": True, "expires": -1})
    'a=1; Path=/; Secure'
    >>> as_header({"name": "a", "value": "1", "domain": ".shop.example", "path": "/p"})
    'a=1; Path=/p; Domain=shop.example'
    """
    parts = [f"{cookie['name']}={cookie['value']}", f"Path={cookie.get('path') or '/'}"]
    domain = str(cookie.get("domain") or "")
    if domain.startswith("."):  # else it is its host's alone
        parts.append(f"Domain={domain[1:]}")
    expires = cookie.get("expires")
    if isinstance(expires, int | float) and expires > 0:
        parts.append(f"Max-Age={max(0, int(expires - time.time()))}")
    return "; ".join([*parts, *(["Secure"] if cookie.get("secure") else [])])


def answered(
    request: Request,
    url: str,
    status: int,
    headers: Iterable[tuple[str, str]],
    html: str,
    *,
    cookies: Iterable[Mapping[str, Any]],
    way: Iterable[str],
) -> Response:
    """
    Return what came of a request as a response of plain HTTP.

    headers: of the answer that brought the page. html: of the page as its scripts have left it. cookies: all that its browser
    holds then. way: the addresses that led to it.
    """
    kept = Headers([(name, value) for name, value in headers if name.title() not in NOT_KEPT])
    for cookie in cookies:
        kept.appendlist("Set-Cookie", as_header(cookie))
    request.meta[REDIRECTED] = list(way)
    kind = (kept.get("Content-Type") or b"text/html").decode("latin-1").partition(";")[0].strip().lower()
    if kind not in PAGES:
        return Response(url, status=status, headers=kept, request=request, flags=["rendered"])
    kept["Content-Type"] = "text/html; charset=utf-8"
    body = html.encode("utf-8", "replace")
    return HtmlResponse(
        url, status=status, headers=kept, body=body, encoding="utf-8", request=request, flags=["rendered"]
    )
