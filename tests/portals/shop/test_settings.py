"""How the pages of shops are fetched, by SHOP_RENDERING."""

from __future__ import annotations

import pytest

from database.settings import SettingsError
from scrapers.portals.shop.settings import ShopSettings

HOSTS = ("shop.example", "www.Shop.example", "store.example", "other.example")


@pytest.mark.parametrize(
    ("said", "renderings"),
    [
        (None, ["http"] * 4),
        ("", ["http"] * 4),
        ("splash", ["splash"] * 4),
        ("shop.example=browser", ["browser", "browser", "http", "http"]),
        ("browser, www.shop.example=http,store.example = splash,", ["http", "http", "splash", "browser"]),
    ],
)
def test_each_shop_has_its_rendering(monkeypatch, said, renderings):
    if said is not None:
        monkeypatch.setenv("SHOP_RENDERING", said)
    settings = ShopSettings.load()
    assert [settings.at(host) for host in HOSTS] == renderings


@pytest.mark.parametrize("said", ["magic", "shop.example", "shop.example=", "http,shop.example=webkit"])
def test_what_is_no_rendering_is_refused(monkeypatch, said):
    monkeypatch.setenv("SHOP_RENDERING", said)
    with pytest.raises(SettingsError, match="SHOP_RENDERING: it is http, browser or splash"):
        ShopSettings.load()
