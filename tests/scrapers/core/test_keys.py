"""Texts that are typed into one field per character, in a real browser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scrapers.core.keys import type_in_boxes
from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage
from tests.pages import make_haste

pytestmark = pytest.mark.browser
TEXT = "012345"
READ = "[...document.querySelectorAll('input')].map(field => field.value).join('|')"


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    make_haste(monkeypatch)
    monkeypatch.setattr("scrapers.core.keys.GRACE", 0.5)
    monkeypatch.setattr("scrapers.core.keys.PAUSE", 0.02)


def boxes(count: int, script: str = "", length: int = 1) -> str:
    fields = f"<input size=1 maxlength={length}>" * count
    return f"<form>{fields}</form><script>const all = [...document.querySelectorAll('input')];{script}</script>"


def typed(run: Any, body: str, text: str = TEXT) -> str:
    async def act(page: PortalPage) -> Any:
        await type_in_boxes(page, ("form input",), text)
        return await page.raw.evaluate(READ)

    found: str = run(body, act)
    return found


MOVES = "all.forEach((box, at) => box.onkeyup = () => all[at + 1]?.focus());"
# The portal takes the code as it comes, and deletes what a script has set.
KEYS = "let keys = ''; document.onkeydown = event => keys += event.key; setInterval(() => all.forEach((box, at) => box.value && !keys.includes(box.value) && (box.value = '')), 50);"


@pytest.mark.parametrize(
    "script", [MOVES, "", MOVES + KEYS, KEYS], ids=["moves on", "stays", "keys, moves on", "keys, stays"]
)
def test_each_field_holds_its_character(run, script):
    assert typed(run, boxes(6, script)) == "0|1|2|3|4|5"


def test_fields_that_are_drawn_late_are_waited_for(run):
    late = "document.forms[0].innerHTML = '<input maxlength=1>'; setTimeout(() => document.forms[0].innerHTML = '<input maxlength=1>'.repeat(6), 200)"
    assert typed(run, boxes(0, late)) == "0|1|2|3|4|5"


def test_what_is_there_already_is_replaced(run):
    assert typed(run, boxes(6, f"all.forEach(box => box.value = '9');{MOVES}")) == "0|1|2|3|4|5"


def test_one_field_alone_takes_the_whole_text(run):
    assert typed(run, boxes(1, length=6)) == TEXT


def test_fields_that_leave_with_the_last_character_are_done(run):
    leaves = MOVES + "all[5].onkeyup = () => document.forms[0].remove();"
    assert typed(run, boxes(6, leaves)) == ""


@pytest.mark.parametrize("count", [5, 7])
def test_another_number_of_fields_is_no_code_s(run, count):
    with pytest.raises(PortalChanged, match=f"{count} fields for 6 characters"):
        typed(run, boxes(count, MOVES))


def test_fields_that_do_not_keep_the_text_are_refused_without_naming_it(run):
    empties = f"all.forEach(box => box.oninput = () => box.value = {json.dumps('')})"
    with pytest.raises(PortalChanged) as caught:
        typed(run, boxes(6, empties))
    assert TEXT not in str(caught.value)
