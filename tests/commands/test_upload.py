"""`scrapy upload`: what it lists, sends and leaves, and who it says must act."""

from __future__ import annotations

import json

import pytest

from database.settings import database_settings
from scrapers.core.outcomes import OUTCOMES
from tests.far_side import Shelf, far_side

KEY = "canary-upload-key-7431"


@pytest.fixture
def far():
    with far_side() as side:
        yield side


@pytest.fixture
def shelf(store, far, monkeypatch, tmp_path):
    monkeypatch.setenv("LATCHKEY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LATCHKEY_UPLOAD_URL", far.url)
    monkeypatch.setenv("LATCHKEY_UPLOAD_KEY", KEY)
    database_settings.cache_clear()
    return Shelf(store, tmp_path / "files")


def test_it_lists_sends_and_says_who_must_act(shelf, far, command):
    for month in (8, 9, 10):
        shelf.put("invoice", month=month)
    assert [row["state"] for row in json.loads(command("upload", "--list", "--json").out)] == ["never sent"] * 3
    assert far.seen == []

    far.script = [413, 201, "gone"]
    first = command("upload")
    assert first.code == OUTCOMES["upload_client_gone"].exit_code == 5, first.err
    assert first.out.splitlines()[-1] == "1 of 3 files are at the server."
    assert "upload_refused: " in first.out
    assert "upload_client_gone: " in first.out
    assert command("upload").code == 5
    assert len(far.seen) == 3  # refused is refused
    again = command("upload", "--again", "--account", "7700315504")
    assert (again.code, again.out) == (0, "2 of 2 files are at the server.\n")
    nothing = command("upload", "--again")
    assert (nothing.code, nothing.out) == (0, "The server has everything.\n")
    assert len(far.stored) == 3
    for said in (first, again):
        assert KEY not in said.out + said.err


def test_filters(shelf, far, command):
    shelf.put("invoice")
    for argv in (("--account", "7"), ("--spider", "bell_daily_usage"), ("--since", "2100-01-01")):
        assert command("upload", *argv).out == "The server has everything.\n"
    assert far.seen == []
    assert command("upload", "--spider", "bell_pdf_invoice", "--since", "2026-01-01").code == 0
    assert len(far.stored) == 1


def test_without_a_server_it_says_which_settings(store, command):
    said = command("upload")
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert "LATCHKEY_UPLOAD_URL" in said.err
