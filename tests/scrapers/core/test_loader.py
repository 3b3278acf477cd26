"""A start loads the portal that it needs, and no other."""

from __future__ import annotations

import os
import sys

import pytest
from scrapy.settings import Settings

from scrapers.core.loader import PortalLoader
from tests.project import ROOT

LOADED = """
import sys
from scrapy.settings import Settings
from scrapers.core.loader import PortalLoader
loader = PortalLoader.from_settings(Settings({{"SPIDER_MODULES": ["{}"]}}))
loader.load("{}")
"""


def loader(*modules: str) -> PortalLoader:
    return PortalLoader.from_settings(Settings({"SPIDER_MODULES": modules or ("scrapers.portals",)}))


def test_a_spider_comes_without_the_other_portals(tmp_path, project):
    code = LOADED.format("scrapers.portals", "trucktech_faults") + (
        "print(sorted({name.split('.')[2] for name in sys.modules if name.startswith('scrapers.portals.')}))"
    )
    done = project(tmp_path).run(sys.executable, "-c", code)
    assert done.stdout.strip() == "['trucktech']", done.stderr


def test_all_come_when_all_are_asked_for_and_none_twice(recwarn):
    loaded = loader()
    loaded.load("bell_pdf_invoice")
    names = loaded.list()
    assert len(names) == len(set(names))
    assert {name.partition("_")[0] for name in names} >= {"bell", "iec", "trucktech"}
    assert not [warning for warning in recwarn if "same name" in str(warning.message)]


@pytest.mark.parametrize(
    ("spider", "loaded"),
    [
        ("plugin_boutique_prices", ["plugin_boutique"]),
        ("plugin_boutique_vouchers", ["plugin", "plugin_boutique"]),  # of `plugin`, whose folder comes second
        ("plugin_prices", ["plugin"]),
    ],
)
def test_the_longest_known_word_of_a_name_is_its_portal(tmp_path, project, spider, loaded):
    shops = {
        "plugin_boutique": ("plugin_boutique_prices",),
        "plugin": ("plugin_prices", "plugin_boutique_vouchers"),
        "other": ("other_prices",),
    }
    for folder, spiders in {"": (), **shops}.items():
        (tmp_path / "shops" / folder).mkdir()
        (tmp_path / "shops" / folder / "__init__.py").write_text("")
        for name in spiders:
            text = f"import scrapy\nclass One(scrapy.Spider):\n    name = '{name}'\n"
            (tmp_path / "shops" / folder / f"{name}.py").write_text(text)
    code = LOADED.format("shops", spider) + (
        "print(*sorted({name.split('.')[1] for name in sys.modules if name.startswith('shops.')}))"
    )
    done = project(tmp_path, PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}").run(sys.executable, "-c", code)
    assert done.stdout.split() == loaded, done.stderr


@pytest.mark.parametrize("name", ["bell_nothing", "nobody_at_all", "", "1_2", "../x"])
def test_an_unknown_name_is_a_key_error(name):
    with pytest.raises(KeyError):
        loader().load(name)


def test_a_folder_of_another_shape_is_loaded_whole(tmp_path, project):
    """In a process of its own: these spiders bring tables, which this one must not have."""
    code = LOADED.format("tests.portals.plain", "plain_documents") + "print(loader.load('plain_documents').name)"
    done = project(tmp_path).run(sys.executable, "-c", code)
    assert done.stdout.strip() == "plain_documents", done.stderr
