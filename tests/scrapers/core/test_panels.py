"""Drop-downs that draw their options elsewhere, and what a page itself asks for, in a real browser."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from scrapers.core import panels
from scrapers.core.answers import Answers
from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage, until
from scrapers.core.panels import choose_in_panel, the_text
from tests.pages import make_haste

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    make_haste(monkeypatch)
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "5")
    monkeypatch.setattr(panels, "OPENS", 0.5)
    monkeypatch.setattr(panels, "KEPT", 0.7)


# A drop-down as Angular Material draws it: a backdrop lies over the page while its panel is open, which stays closed while it is empty.
DRAWN = """<style>mat-select, mat-option { display: block }</style><p>Other <span role=option hidden>October</span></p>
<mat-select id=months role=combobox onclick="open_()"><span>Choose</span> <i>arrow_drop_down</i></mat-select><script>
let options = OPTIONS, taken = [];
const shut = () => document.querySelectorAll('.backdrop').forEach(each => each.remove());
addEventListener('keydown', event => event.key === 'Escape' && shut());
const open_ = () => { if (!options.length) return; document.body.insertAdjacentHTML('beforeend',
    '<div class=backdrop style="position:fixed;inset:0"><div style="position:absolute;top:90px">' + options.map(each => `<mat-option>${each}</mat-option>`).join('') + '</div></div>');
  document.querySelectorAll('mat-option').forEach((each, place) => each.onclick = () => { taken.push(place); months.querySelector('span').textContent = SHOWN; shut() }) };
SCRIPT</script>"""


def drawn(
    options: str = "['October', 'November', 'October']", shown: str = "each.textContent", script: str = ""
) -> str:
    return DRAWN.replace("OPTIONS", options).replace("SHOWN", shown).replace("SCRIPT", script)


def choose(run: Any, body: str, wanted: Any = "November", whole: bool = False) -> Any:
    async def act(page: PortalPage) -> Any:
        which = the_text(wanted) if isinstance(wanted, str) else wanted
        text = await choose_in_panel(page, ("#months",), which, whole=whole)
        return text, await page.raw.evaluate("window.taken ?? taken"), await page.shown((".backdrop",))

    return run(body, act)


def test_a_text_is_chosen_and_read_back(run):
    assert choose(run, drawn()) == ("November", [1], None)


def test_a_place_is_chosen_where_texts_come_twice(run):
    assert choose(run, drawn(), lambda offered: len(offered) - 1) == ("October", [2], None)


@pytest.mark.parametrize("real", [True, False], ids=["real", "drawn"])
def test_a_list_that_is_filled_late_is_waited_for(run, real):
    late = "setTimeout(() => options = ['October', 'November'], 1200)"
    select = """<select id=months onchange="taken = [this.selectedIndex]"></select><script>var taken = [];
      setTimeout(() => months.innerHTML = '<option>October<option>November', 1200)</script>"""
    assert choose(run, select if real else drawn("[]", script=late)) == ("November", [1], None)


def test_the_whole_list_is_waited_for_where_the_place_depends_on_it(run):
    grows = """const grow = setInterval(() => { const last = document.querySelector('mat-option:last-child'); if (!last || options.length > 4) return;
      options.push('Month ' + options.length); last.insertAdjacentHTML('afterend', `<mat-option>${options.at(-1)}</mat-option>`);
      last.nextElementSibling.onclick = () => { taken.push(options.length); months.querySelector('span').textContent = options.at(-1); shut() } }, 200);"""
    assert choose(run, drawn("['Month 0']", script=grows), lambda offered: len(offered) - 1, whole=True)[0] == "Month 4"


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (drawn("['October']"), "not offered"),
        (drawn("['November', 'November']"), "offered 2 times"),
        (drawn("[]"), "no entries"),
        (drawn(shown="'October'"), "did not stay"),
        (drawn(shown="''"), "did not stay"),
    ],
    ids=["another one", "twice", "empty", "shows another one", "shows nothing"],
)
def test_what_is_not_certainly_chosen_is_refused(run, body, match):
    with pytest.raises(PortalChanged, match=match):
        choose(run, body)


def test_a_panel_is_closed_where_nothing_was_chosen(run):
    async def act(page: PortalPage) -> Any:
        with pytest.raises(PortalChanged):
            await choose_in_panel(page, ("#months",), the_text("July"))
        return await page.shown((".backdrop",))

    assert run(drawn(), act) is None


def test_the_answers_to_what_a_page_asks_for_are_read(run):
    asks = """<button onclick="for (const path of ['usage?a=1', 'other', 'usage?a=2', 'usage?failed', 'usage?text'])
      fetch('https://api.example/' + path)">Open</button>"""

    async def act(page: PortalPage) -> Any:
        async def reply(route: Any) -> None:
            said = {"a=1": '{"used": 1.10}', "a=2": "[2]", "failed": "{}", "text": "<p>"}
            status = 500 if "failed" in route.request.url else 200
            body = said.get(route.request.url.rpartition("?")[2], '"other"')
            await route.fulfill(status=status, body=body, headers={"access-control-allow-origin": "*"})

        await page.raw.route("https://api.example/**", reply)
        async with Answers(page, "api.example/usage") as answers:
            await page.click(("button",))

            async def are_there() -> bool:
                return len(answers.found) == 2

            await until(are_there, 5)
        await page.click(("button",))
        await page.is_at_rest(3)
        return answers.found

    assert sorted(run(asks, act), key=str) == [[2], {"used": Decimal("1.10")}]
