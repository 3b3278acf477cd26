"""The README's table of settings is what the code reads: every variable, alias, default and meaning."""

from __future__ import annotations

import re

from scrapy.settings import Settings

from commands.doctor import markdown, of_portals, settings_rows
from database.settings import RoomSettings
from tests.project import ROOT

README = (ROOT / "README.md").read_text()


def section() -> str:
    return README.partition("\n## Settings\n")[2].partition("\n## ")[0]


def test_the_table_is_what_the_code_reads():
    """Make it anew with `scrapy doctor --settings --markdown`."""
    expected = markdown(settings_rows(of_portals(Settings({"SPIDER_MODULES": ["scrapers.portals"]})))).splitlines()
    assert re.findall(r"^\|.*\|$", section(), re.M) == expected


def test_no_settings_class_is_left_out():
    """Classes of tests apart, and the two bases, which have no variables of their own."""
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", section()))
    portals = of_portals(Settings({"SPIDER_MODULES": ["scrapers.portals"]}))
    ours = [room for room in RoomSettings.rooms if room.__module__.endswith("settings") or room in portals]
    assert portals
    read = set().union(*(room.variables() for room in ours if getattr(room, "portal", "x")))
    assert {name for name in read if not name.startswith("PLAIN_")} <= named
