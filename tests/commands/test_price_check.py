"""`scrapy prices check`: what was read of one address, or the outcome that stands for why not."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from database.models.prices import WatchlistItem
from sandbox import running
from sandbox.pluginboutique import address as product
from tests.portals.prices import PriceWatch, watching


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    with running(tmp_path_factory.mktemp("shops"), ("pluginboutique", "shop")) as sandbox:
        yield sandbox


@pytest.fixture
def watch(shops, warm, sqlite_with_tables, tmp_path):
    with watching(PriceWatch, tmp_path, warm, sqlite_with_tables, shops.urls) as watch:
        watch.project.environment.update(shops.environment)
        yield watch


def test_an_address_is_checked_for_nobody(watch, shops):
    def check(*words: str):
        return watch.project.scrapy("prices", "check", *words)

    address = f"{shops.urls['shop']}/item/sale"
    said = check(f"{address}?utm_source=mail")
    assert (said.returncode, said.stderr) == (0, ""), said.stderr
    lines = dict(line.split(maxsplit=1) for line in said.stdout.splitlines() if not line.startswith(("list ", "read ")))
    assert (lines["price"], lines["currency"], lines["source"], lines["url"]) == ("1249.50", "EUR", "json_ld", address)
    found = json.loads(check(address, "--json", "--rendering", "http").stdout)
    assert (found["outcome"], Decimal(found["list_price"]), found["tie"]) == ("success", Decimal(1499), "address")
    dearer = json.loads(check(f"{shops.urls['pluginboutique']}{product('sale')}", "--country", "DE", "--json").stdout)
    assert (dearer["currency"], dearer["country"], dearer["source"]) == ("EUR", "DE", "data_layer")
    assert watch.checks == watch.rows(WatchlistItem) == []


@pytest.mark.parametrize(
    ("path", "code", "outcome"),
    [("/item/none", 6, "portal_changed"), ("/item/range", 5, "price_unclear"), ("/item/never", 5, "product_gone")],
)
def test_a_check_without_a_price_names_its_outcome(watch, shops, path, code, outcome):
    said = watch.project.scrapy("prices", "check", f"{shops.urls['shop']}{path}")
    assert (said.returncode, said.stdout) == (code, "")
    assert said.stderr.splitlines()[-1].startswith(f"{outcome}: ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("ftp://shop.example/p/1",), "url: An address begins with http:// or https://."),
        (("https://www.pluginboutique.com/deals",), "url: The address is one of the shop, but not of a product."),
        (("https://shop.example/p/1", "--country", "GBR"), "-a country: give the code of a country, as GB."),
    ],
)
def test_what_cannot_be_checked_is_refused_in_a_sentence(watch, words, sentence):
    said = watch.project.scrapy("prices", "check", *words)
    assert (said.returncode, said.stdout, said.stderr) == (2, "", f"{sentence}\n")
