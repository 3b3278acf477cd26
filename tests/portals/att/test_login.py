"""What Premier Care's login states beyond its screens."""

from __future__ import annotations

import time

import pytest

from scrapers.portals.att.login import AttLogin


def cookie(name: str, expires: float) -> dict[str, object]:
    return {"name": name, "value": "x", "domain": "portal.example", "path": "/", "expires": expires}


@pytest.mark.parametrize(
    ("cookies", "kept"),
    [
        ([cookie("session", -1), cookie("trusted", 2_000_000_000)], ["trusted"]),
        ([cookie("session", time.time() + 8 * 3600), cookie("trusted", time.time() + 14 * 24 * 3600)], ["trusted"]),
        ([cookie("session", -1)], []),
        ([], []),
    ],
)
def test_a_trusted_browser_is_what_outlives_its_session(cookies, kept):
    device = AttLogin().device({"cookies": cookies, "origins": [{"origin": "x", "localStorage": []}]})
    assert [each["name"] for each in device.get("cookies", [])] == kept
    assert bool(device) == bool(kept)
