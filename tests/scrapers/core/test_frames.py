"""What is looked for in frames, and chosen by values, in a real browser."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any

import pytest

from scrapers.core.outcomes import NotYetPublished, PortalChanged
from scrapers.core.page import PortalPage
from tests.pages import make_haste

pytestmark = pytest.mark.browser
TODAY = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    make_haste(monkeypatch)


def framed(html: str) -> str:
    return f"<iframe srcdoc='{escape(html, quote=True)}'></iframe>"


def test_a_frame_is_found_wherever_it_is(run):
    async def act(page: PortalPage) -> str:
        return await (await page.frame_with(("#inside",))).text(("#inside",))

    assert run(framed("<p>other</p>") + framed(f"<p>outer</p>{framed('<b id=inside>here</b>')}"), act) == "here"


def test_a_frame_that_comes_later_than_a_page_may_is_waited_for(run, monkeypatch):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "0.5")
    script = f"<script>setTimeout(() => document.body.insertAdjacentHTML('beforeend', `{framed('<b id=inside>x</b>')}`), 1200)</script>"
    assert run(script, lambda page: page.frame_with(("#inside",), within=20))
    with pytest.raises(PortalChanged, match="No frame"):
        run(script, lambda page: page.frame_with(("#inside",)))


def test_a_page_is_not_at_rest_while_its_frame_is_being_drawn(run):
    """The list of the frame grows for longer than a page at rest stays the same; the page around it does not change."""
    grows = """<ul id=list><li>1</ul><script>let at = 1; const more = setInterval(() => { at += 1;
      list.insertAdjacentHTML('beforeend', `<li>${at}`); if (at === 6) { clearInterval(more); list.id = 'whole' } }, 250)</script>"""

    async def act(page: PortalPage) -> Any:
        return await (await page.frame_with(("#list",))).arrives(("#whole",))

    assert run(framed(grows), act) == "#whole"


# Values of options

LIST = "<select id=dates>{}</select><button>Go</button>"
OPTIONS = '<option value="">Choose<option value="15-Nov-2026">New<option value="15-Oct-2026">New<option value="15-Sep-2026">Old'
CHOSEN = "document.querySelector('select').value"


def month(run: Any, day: date = date(2026, 10, 31), loses: str = "") -> str:
    """Choose a month by its value; return what is chosen after a click. loses: script that runs in between."""

    async def act(page: PortalPage) -> Any:
        await page.month(("#dates",), day, "%b-%Y", TODAY, by_value=True)
        if loses:
            await page.raw.evaluate(loses)
        await page.click(("button",))
        return await page.raw.evaluate(CHOSEN)

    chosen: str = run(LIST.format(OPTIONS), act)
    return chosen


def test_a_month_is_chosen_by_its_value_whatever_the_texts_say(run):
    assert month(run) == "15-Oct-2026"


def test_a_value_that_the_page_has_lost_is_chosen_again(run):
    assert month(run, loses="dates.selectedIndex = 1") == "15-Oct-2026"


def test_a_month_of_which_there_is_no_value_is_not_offered(run):
    with pytest.raises(NotYetPublished):
        month(run, date(2027, 1, 31))


@pytest.mark.parametrize(("wanted", "is_offered"), [("accountsView", True), ("By account", False)])
def test_an_option_is_named_by_its_value_alone(run, wanted, is_offered):
    async def act(page: PortalPage) -> Any:
        await page.pick(("#dates",), wanted, by_value=True)
        return await page.raw.evaluate(CHOSEN)

    body = LIST.format("<option value=all>All<option value=accountsView>By account")
    if is_offered:
        assert run(body, act) == wanted
    else:
        with pytest.raises(PortalChanged, match="not offered"):
            run(body, act)
