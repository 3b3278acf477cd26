"""A second factor that a person answers in the visible browser, on a virtual screen: keys and clicks as a person makes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.portals.trucktech.test_sync import Fleet, empty, fleet_of, portal
from tests.project import wait_for
from tests.screen import Screen, a_screen

__all__ = ["empty", "fleet_of", "portal"]
pytestmark = [pytest.mark.browser, pytest.mark.screen, pytest.mark.matrix, pytest.mark.timeout(400)]
PLAYED = 5.0  # seconds between two tries: the window may not have taken the first keys


def play(screen: Screen, code: str) -> None:
    """Click into the page, go to its only field, and type the code."""
    window = screen.play("search", "--sync", "--onlyvisible", "--class", "chromium").splitlines()[-1]
    screen.play("windowfocus", "--sync", window)
    screen.play("mousemove", "--window", window, "1500", "900", "click", "1")
    screen.play("key", "--window", window, "Tab")
    screen.play("key", "--window", window, "ctrl+a")
    screen.play("type", "--window", window, "--delay", "60", code)
    screen.play("key", "--window", window, "Return")


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_person_types_the_code_into_the_visible_browser(fleet_of: Callable[..., Fleet], how: str) -> None:
    """Nothing here can answer the text message; HEADLESS=false shows the window as --visible does."""
    fleet = fleet_of(f"sms+{how}")
    words, settings = (["--visible"], {}) if how == "option" else ([], {"HEADLESS": "false"})
    before = fleet.sign_ins()  # of the portal, which the tests share
    with a_screen() as screen:
        process = fleet.project.start("test-login", "trucktech", *words, env={"DISPLAY": screen.display, **settings})
        wait_for(lambda: any(each["path"] == "/verification" for each in fleet.admin.journal()), 90)

        def is_signed_in() -> bool:
            if process.poll() is None and fleet.sign_ins() == before:
                play(screen, fleet.admin.secrets()["codes"][-1])  # the newest: a key may have asked for another one
            return fleet.sign_ins() > before

        wait_for(is_signed_in, 60, PLAYED)
        said, errors = process.communicate(timeout=120)
    assert (process.returncode, said.strip().splitlines()[-1:]) == (0, ["trucktech: signed in"]), errors
    counters: dict[str, Any] = fleet.admin.counters()
    assert counters["submissions"][f"sms+{how}"] == 1
    assert fleet.rows("SELECT result, proved FROM attempts") == [("signed_in", 1)]
    codes = fleet.admin.secrets()["codes"]
    assert codes
    assert not [code for code in codes if code in json.dumps(said + errors)]
