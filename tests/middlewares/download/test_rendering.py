"""Cookies and answers of rendered pages, as plain HTTP has them."""

from __future__ import annotations

import time

from scrapy import Request
from scrapy.http import HtmlResponse

from middlewares.download.rendering import REDIRECTED, answered, as_header, cookies_of
from middlewares.download.splash import is_of, listed

URL = "https://shop.example/p/1"


def test_the_cookies_of_a_request_are_its_hosts_alone():
    request = Request(URL, headers={"Cookie": 'session=a=b; country=US; bad name=1; quoted="x y"'})
    found = {cookie["name"]: cookie["value"] for cookie in cookies_of(request)}
    assert found["session"] == "a=b"
    assert found["country"] == "US"
    assert {(cookie["domain"], cookie["secure"]) for cookie in cookies_of(request)} == {("shop.example", True)}
    assert cookies_of(Request(URL)) == []


def test_an_answer_reads_like_one_of_plain_http():
    request = Request(URL)
    headers = [("content-type", "text/html; charset=latin-1"), ("content-encoding", "gzip"), ("set-cookie", "old=1")]
    cookie = {"name": "country", "value": "US", "domain": "shop.example", "path": "/"}
    made = answered(
        request, f"{URL}-b", 404, [*headers, ("Retry-After", "7")], "<h1>é</h1>", cookies=[cookie], way=[URL]
    )
    assert isinstance(made, HtmlResponse)
    assert (made.url, made.status, made.css("h1::text").get()) == (f"{URL}-b", 404, "é")
    assert made.headers.getlist("Set-Cookie") == [b"country=US; Path=/"]
    assert (made.headers.get("Content-Encoding"), made.headers["Retry-After"]) == (None, b"7")
    assert made.meta[REDIRECTED] == [URL]
    kind = [("Content-Type", "application/pdf")]
    assert not isinstance(answered(request, URL, 200, kind, "<embed>", cookies=(), way=()), HtmlResponse)


def test_how_long_a_cookie_lives_is_kept():
    said = as_header({"name": "a", "value": "1", "domain": "shop.example", "expires": time.time() + 100.5})
    assert said in ("a=1; Path=/; Max-Age=100", "a=1; Path=/; Max-Age=99")


def test_what_splash_tells_of_cookies_and_lists():
    assert [is_of({"domain": domain}, "www.shop.example") for domain in (".shop.example", "www.shop.example")] == [
        True
    ] * 2
    assert [is_of({"domain": domain}, "www.shop.example") for domain in ("shop.example", ".other.example", "")] == [
        False
    ] * 3
    assert listed({"2": "b", "10": "c", "1": "a"}) == ["a", "b", "c"]
    assert listed({}) == listed(None) == []
