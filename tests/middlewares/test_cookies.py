"""Cookies are kept as Scrapy keeps them, and the suffix list is asked only about those of a wider domain."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.http import Response

from middlewares.cookies import CookiesMiddleware
from scrapers.core.compat import scrapy_cookies


@pytest.mark.parametrize(
    ("host", "cookie", "sent", "asked"),
    [
        ("shop.example.com", "a=1", b"a=1", []),
        ("shop.example.com", "a=1; Path=/; HttpOnly", b"a=1", []),
        ("127.0.0.1", "a=1", b"a=1", []),
        ("localhost", "a=1", b"a=1", []),
        ("co.uk", "a=1", b"a=1", []),  # a host that is a public suffix has cookies of its own
        ("shop.example.com", "a=1; Domain=example.com", b"a=1", ["example.com"]),
        ("acme.co.uk", "a=1; Domain=co.uk", None, ["co.uk"]),
        ("shop.example.com", "a=1; Domain=other.com", None, ["other.com"]),
    ],
)
def test_which_cookies_are_kept(monkeypatch, host, cookie, sent, asked):
    module, seen = scrapy_cookies(), []
    split = module._split_domain

    def asking(domain):
        seen.append(domain)
        return split(domain)

    monkeypatch.setattr(module, "_split_domain", asking)
    theirs, ours = ([], []), ([], [])
    for kind, found in ((module.CookiesMiddleware, theirs), (CookiesMiddleware, ours)):
        middleware = kind()
        request, following = Request(f"https://{host}/"), Request(f"https://{host}/next")
        seen.clear()
        middleware.process_response(request, Response(request.url, headers={"Set-Cookie": cookie}))
        middleware.process_request(following)
        found[0].append(following.headers.get("Cookie"))
        found[1].extend(seen)
    assert ours[0] == theirs[0] == [sent]
    assert set(ours[1]) == set(asked)
