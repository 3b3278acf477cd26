"""Addresses of products: which are refused, and which are one product."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrapers.families.prices.addresses import (
    AddressRefused,
    check,
    check_host,
    cleaned,
    identity,
    is_global,
    is_home,
    key_of,
    product_of,
)

FEW = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "   ",
        "shop.example/p/1",
        "//shop.example/p/1",
        "/p/1",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,<h1>1</h1>",
        "file:///etc/passwd",
        "ftp://shop.example/p/1",
        "gopher://shop.example/p/1",
        "http:///p/1",
        "http://",
        "https://user@shop.example/p/1",
        "https://user:secret@shop.example/p/1",
        "https://shop.example\\@127.0.0.1/p/1",
        "https://shop.example/p 1",
        "https://shop.example/p\t1",
        "https://shop.example/p\r\nHost: evil",
        "https://shop.example:0/p/1",
        "https://shop.example:99999/p/1",
        "https://shop.example:port/p/1",
        "https://[::1/p/1",
        "https://-shop.example/p/1",
        "https://shop..example/p/1",
        "https://sho%70.example/p/1",
        "https://shop.example/" + "x" * 2000,
        # This machine, in the notations that a resolver takes
        "http://localhost/p/1",
        "http://LOCALHOST./p/1",
        "http://shop.localhost/p/1",
        "http://127.0.0.1/p/1",
        "http://127.1/p/1",
        "http://127.0.1/p/1",
        "http://2130706433/p/1",
        "http://0x7f000001/p/1",
        "http://0x7f.0.0.1/p/1",
        "http://0177.0.0.1/p/1",
        "http://017700000001/p/1",
        "http://127.0.0.1./p/1",
        "http://①②⑦.0.0.1/p/1",
        "http://127。0。0。1/p/1",
        "http://0/p/1",
        "http://0.0.0.0/p/1",
        "http://[::]/p/1",
        "http://[::1]/p/1",
        "http://[0:0:0:0:0:0:0:1]/p/1",
        "http://[::ffff:127.0.0.1]/p/1",
        "http://[::ffff:7f00:1]/p/1",
        "http://[::127.0.0.1]/p/1",
        "http://[64:ff9b::7f00:1]/p/1",
        "http://[2002:7f00:1::]/p/1",
        # Private networks, link-local, the metadata of clouds, others that are not public
        "http://10.0.0.1/p/1",
        "http://172.16.0.1/p/1",
        "http://172.31.255.255/p/1",
        "http://192.168.1.1/p/1",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]/latest",
        "http://[fe80::1]/p/1",
        "http://[fe80::1%25eth0]/p/1",
        "http://[fec0::1]/p/1",
        "http://[fd00:ec2::254]/p/1",
        "http://100.64.0.1/p/1",
        "http://198.18.0.1/p/1",
        "http://224.0.0.1/p/1",
        "http://255.255.255.255/p/1",
        "http://240.0.0.1/p/1",
        "http://[ff02::1]/p/1",
        "http://metadata/p/1",
        "http://router.local/p/1",
        "http://db.internal/p/1",
        "http://nas.home.arpa/p/1",
        "http://1.2.3.4.5/p/1",
        "http://shop.example.123/p/1",
    ],
)
def test_addresses_that_are_refused(url):
    with pytest.raises(AddressRefused) as refused:
        check(url)
    assert str(refused.value).endswith(".")
    with pytest.raises(AddressRefused):
        product_of(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8801/p/1", "http://[::1]:8801/p/1", "http://localhost/p/1"])
def test_a_setting_allows_private_addresses(url):
    assert check(url, private=True) == url
    assert product_of(url, private=True).portal == "shop"


@pytest.mark.parametrize("url", ["https://shop.example/p/1", "http://93.184.215.14/p/1", "https://[2606:4700::1]/p/1"])
def test_public_addresses_are_asked(url):
    assert check(url) == url


@FEW
@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_every_notation_of_a_private_number_is_refused(address):
    number = int(address)
    parts = str(address).split(".")
    for host in (
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(f"0{int(part):o}" for part in parts),
        f"[::ffff:{address}]",
    ):
        with pytest.raises(AddressRefused):
            check(f"http://{host}/p/1")


@FEW
@given(st.ip_addresses(v=4))
def test_a_mapped_number_is_what_it_carries(address):
    assert is_global(ipaddress.IPv6Address(f"::ffff:{address}")) == is_global(address)


def test_a_name_of_this_machine_is_refused_by_what_it_stands_for():
    with pytest.raises(AddressRefused):
        asyncio.run(check_host("http://localhost:80/p/1"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://shop.example/p/1", "http://www.shop.example/p/1/"),
        ("https://shop.example/p/1", "https://SHOP.example:443/p/1#reviews"),
        (
            "https://shop.example/p/1",
            "https://shop.example/p/1?utm_source=a&utm_medium=b&gclid=c&fbclid=d&a_aid=e&affid=f",
        ),
        ("https://shop.example/p?id=1&v=2", "https://shop.example/p?v=2&id=1"),
        ("https://shop.example/p/%7Ea%c3%bc", "https://shop.example/p/~aü"),
        ("https://bücher.example/p/1", "https://xn--bcher-kva.example/p/1"),
    ],
)
def test_spellings_of_one_address(one, other):
    assert identity(one) == identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://shop.example/p/1", "https://shop.example/p/2"),
        ("https://shop.example/p/1?variant=1", "https://shop.example/p/1?variant=2"),
        ("https://shop.example/p/a%2Fb", "https://shop.example/p/a/b"),
        ("https://shop.example/p/1", "https://shop.example:8443/p/1"),
        ("https://shop.example/P/1", "https://shop.example/p/1"),
        ("https://a.shop.example/p/1", "https://b.shop.example/p/1"),
    ],
)
def test_addresses_of_two_products(one, other):
    assert identity(one) != identity(other)


def test_the_query_of_a_product_is_sent_as_it_was_given():
    assert (
        cleaned("https://shop.example/p?name=a+b%26c&x=%C3%BC&&y") == "https://shop.example/p?name=a+b%26c&x=%C3%BC&y"
    )


def test_a_long_address_has_a_short_key():
    keys = [identity(f"https://shop.example/{'x' * 600}{end}") for end in "ab"]
    assert [len(key) for key in keys] == [300, 300]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", True), ("/", True), ("/en", True), ("/en-GB/", True), ("/index.html", True), ("/?lang=de", True), ("/home", True),
     ("/p/1", False), ("/?p=12", False), ("/english", False), ("/de/halle", False)],
)  # fmt: skip
def test_home_pages(path, expected):
    assert is_home(f"https://shop.example{path}") is expected


@pytest.mark.parametrize(
    "path",
    [
        "/product/2-Effects/16-Reverb/3914-Big-Hall",
        "/product/2-Effects/16-Reverb/3914-Another-Slug?a_aid=x",
        "/product/2-Effects/16-Reverb/3914-Big-Hall/",
        "/products/3914-Big-Hall",
        "/products/3914",
        "/products/03914?currency=USD#buy",
    ],
)
def test_long_and_short_forms_of_plugin_boutique_are_one_product(path):
    for host in ("www.pluginboutique.com", "pluginboutique.com"):
        found = product_of(f"https://{host}{path}")
        assert (found.portal, found.key, found.id) == ("pluginboutique", "3914", "3914")
        assert "?" not in found.url
        assert key_of(f"https://{host}{path}") == "pluginboutique 3914"


@pytest.mark.parametrize(
    "path",
    ["/", "/deals", "/deals/123", "/deals-2?page=2", "/search?q=1", "/categories/16-Reverb", "/manufacturers/7-Acme", "/free",
     "/product/2-Effects/16-Reverb", "/product/2-Effects", "/products/", "/products/Big-Hall", "/products/3914-Big-Hall/reviews",
     "/articles.rss"],
)  # fmt: skip
def test_pages_of_plugin_boutique_that_name_no_product(path):
    with pytest.raises(AddressRefused):
        product_of(f"https://www.pluginboutique.com{path}")


def test_a_host_that_only_looks_like_the_shops_is_another_shop():
    assert product_of("https://www.pluginboutique.com.shop.example/products/3914").portal == "shop"
    assert product_of("https://notpluginboutique.com/products/3914").portal == "shop"
