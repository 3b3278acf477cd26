"""What PortalPage adds to Playwright's Page, on pages of a few lines in one real browser."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from scrapers.core.compat import PlaywrightError
from scrapers.core.locators import contains
from scrapers.core.outcomes import (
    DownloadTimedOut,
    Failure,
    NoLongerAvailable,
    NotYetPublished,
    PortalChanged,
    RateLimited,
    SignedOut,
    WrongAccount,
)
from scrapers.core.pace import RATE_TRIES, Pause
from scrapers.core.page import PortalPage, guess, until
from scrapers.core.periods import names_month
from tests.pages import make_haste, patch

pytestmark = pytest.mark.browser
TODAY = date(2026, 11, 20)
DROP_DOWN = "<select id=m><option>Sep 2026</option><option>Oct 2026</option></select>"
LABELS = "<label><input type=radio name=m>Sep 2026</label><label><input type=radio name=m id=o>Oct 2026</label>"
ITEMS = "<ul><li>Sep 2026</li><li onclick=\"document.body.dataset.took='yes'\"> Oct\n 2026 </li></ul>"


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages do all at once."""
    make_haste(monkeypatch)


# Reading back


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [("Billing account number: 533-122 906", "533122906"), ("All usage", "All usage"), ("ALL\n usage", "All usage")],
)
def test_what_is_read_back_is_the_same(run, shown, wanted):
    run(f"<p id=p>{shown}</p>", lambda page: page.confirm(("#p",), wanted))


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ("Account 533122907", "533122906"),
        ("Account 5331229061", "533122906"),
        ("All usage today", "All usage"),
        ("", "x"),
    ],
)
def test_another_one_is_the_failure_that_is_named(run, shown, wanted):
    with pytest.raises(WrongAccount):
        run(f"<p id=p>{shown}&nbsp;</p>", lambda page: page.confirm(("#p",), wanted, wrong=WrongAccount))


# Choosing


@pytest.mark.parametrize(
    ("body", "selector", "chosen"),
    [
        (DROP_DOWN, "#m", "document.querySelector('#m').selectedIndex === 1"),
        (LABELS, "label", "document.querySelector('#o').checked"),
        (ITEMS, "li", "document.body.dataset.took === 'yes'"),
    ],
    ids=["drop-down", "radio buttons", "list"],
)
def test_an_option_is_picked_by_its_text(run, body, selector, chosen):
    async def act(page: PortalPage) -> bool:
        await page.pick(("#not-there", selector), "Oct 2026")
        return bool(await page.raw.evaluate(chosen))

    assert run(body, act)


def test_a_list_that_fills_late_is_waited_for(run):
    late = f"<div id=d></div><script>setTimeout(() => d.innerHTML = {DROP_DOWN!r}, 300)</script>"

    async def act(page: PortalPage) -> str:
        await page.pick(("#m",), "Oct 2026")
        return str(await page.raw.evaluate("m.value"))

    assert run(late, act) == "Oct 2026"


def test_what_is_not_offered_is_named(run):
    with pytest.raises(PortalChanged, match="Nov 2026 is not offered") as caught:
        run(DROP_DOWN, lambda page: page.pick(("#m",), "Nov 2026", within=0.1))
    assert caught.value.selector == "#m"


def test_a_choice_that_does_not_stay_is_no_choice(run):
    stubborn = DROP_DOWN + "<script>m.addEventListener('change', () => m.selectedIndex = 0)</script>"
    with pytest.raises(PortalChanged, match="did not stay"):
        run(stubborn, lambda page: page.pick(("#m",), "Oct 2026"))


def test_a_sign_in_form_in_place_of_a_list_is_a_session_that_is_over(run):
    with pytest.raises(SignedOut):
        run("<form id=sign-in><input></form>", lambda page: page.pick(("#m",), "Oct 2026", within=0.1))


@pytest.mark.parametrize(
    ("day", "failure"),
    [(date(2026, 12, 31), NotYetPublished), (date(2026, 7, 31), NoLongerAvailable)],
    ids=["a later month", "an earlier month"],
)
def test_a_month_that_is_not_offered_says_whether_it_may_still_come(run, day, failure):
    with pytest.raises(failure):
        run(DROP_DOWN, lambda page: page.month(("#m",), day, "%b %Y", TODAY))


def test_a_list_of_months_in_which_none_was_read_was_not_understood(run):
    with pytest.raises(PortalChanged):
        run("<select id=m><option>Choose</option></select>", lambda page: page.month(("#m",), TODAY, "%b %Y", TODAY))


def test_a_month_is_picked(run):
    async def act(page: PortalPage) -> str:
        await page.month(("#m",), date(2026, 10, 31), "%b %Y", TODAY)
        return str(await page.raw.evaluate("m.value"))

    assert run(DROP_DOWN, act) == "Oct 2026"


@pytest.mark.parametrize(
    "option",
    [
        "Oct 2026",
        " Oct&nbsp;2026 ",
        "OCT-2026",
        "October 2026",
        "2026-10",
        "10/2026",
        "octobre 2026",
        "Oct 1 - Oct 31, 2026",
    ],
)
def test_a_month_is_picked_in_any_notation(run, option):
    body = f"<select id=m><option>Oct 2025</option><option value=it>{option}</option><option>Sep 2026</option></select>"

    async def act(page: PortalPage) -> str:
        await page.month(("#m",), date(2026, 10, 31), "%b %Y", TODAY)
        return str(await page.raw.evaluate("m.value"))

    assert run(body, act) == "it"


def test_a_month_that_is_offered_twice_is_refused(run):
    twice = "<select id=m><option>Oct 2026 (A)</option><option>Oct 2026 (B)</option></select>"
    with pytest.raises(PortalChanged, match="2 times"):
        run(twice, lambda page: page.month(("#m",), date(2026, 10, 31), "%b %Y", TODAY))


def test_a_list_that_fills_in_steps_is_read_when_it_has_come_to_rest(run, monkeypatch):
    patch(monkeypatch, "REST", 1.5)
    body = """<select id=m><option value="">Loading…</option></select><script>
      setTimeout(() => m.innerHTML = "<option>Sep 2026</option>", 300);
      setTimeout(() => m.innerHTML += "<option>Oct 2026</option>", 1200);</script>"""

    async def act(page: PortalPage) -> str:
        await page.month(("#m",), date(2026, 10, 31), "%b %Y", TODAY)
        return str(await page.raw.evaluate("m.value"))

    assert run(body, act) == "Oct 2026"


def test_the_first_of_several_that_is_offered_is_picked(run):
    body = "<select id=m><option>All usage history</option><option>Data share</option></select>"
    assert run(body, lambda page: page.pick(("#m",), ("All usage", "Data share"))) == "Data share"


@pytest.mark.parametrize(
    ("match", "later"),
    [(contains, "Charges"), (lambda _wanted, text: names_month(text, date(2026, 10, 31)), "October 2026")],
    ids=["words", "months"],
)
def test_a_text_that_fits_better_may_come_with_the_rest_of_a_list(run, monkeypatch, match, later):
    patch(monkeypatch, "REST", 5.0)
    body = f"""<select id=m><option>About Charges<option>All<option>Oct 2026 - Nov 2026</select><script>
      let looks = 0;
      const {{get}} = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "options");
      Object.defineProperty(m, "options", {{get() {{
        if (looks++ === 3) m.add(new Option("{later}"));
        return get.call(m);
      }}}});</script>"""

    async def act(page: PortalPage) -> Any:
        await page.pick(("#m",), "Charges" if match is contains else "Oct 2026", match=match)
        return await page.raw.evaluate("m.selectedOptions[0].text")

    assert run(body, act) == later


def test_a_drop_down_of_the_same_kind_before_the_right_one_is_passed_over(run):
    body = "<div><select><option>English</option></select></div>" + DROP_DOWN

    async def act(page: PortalPage) -> str:
        await page.pick(("select",), "Oct 2026")
        return str(await page.raw.evaluate("m.value"))

    assert run(body, act) == "Oct 2026"


def test_a_choice_that_a_later_list_takes_back_is_made_again_before_the_next_click(run):
    body = """<select id=a><option>x</option><option>Usage</option></select><select id=b><option>y</option><option>May</option></select>
      <button onclick="document.body.dataset.got = a.value + b.value">Apply</button><script>
      let times = 0; b.onchange = () => times++ || (a.selectedIndex = 0)</script>"""

    async def act(page: PortalPage) -> str:
        await page.pick(("#a",), "Usage")
        await page.pick(("#b",), "May")
        await page.click(("says=Apply",))
        return str(await page.raw.evaluate("document.body.dataset.got"))

    assert run(body, act) == "UsageMay"


def test_what_was_picked_in_a_page_is_forgotten_when_it_is_loaded_again(run):
    async def act(page: PortalPage) -> str:
        await page.pick(("#m",), "Oct 2026")
        await page.open(
            "data:text/html,<select id=m><option>1</option></select><button onclick='document.title=1'>Go</button>"
        )
        await page.click(("says=Go",))
        return await page.raw.title()

    assert run(DROP_DOWN, act) == "1"


def test_an_item_whose_list_closes_is_chosen_beside_requests_that_hang(run, monkeypatch):
    """Long polls of a page and its tab overlap, so that one is always under way."""
    patch(monkeypatch, "IN_FLIGHT", 0.5)
    body = """<ul><li onclick="document.body.dataset.took = 1; this.parentNode.hidden = true">Oct 2026</li></ul>
      <script>setInterval(() => fetch("http://portal.example/news?" + Math.random()), 100)</script>"""

    async def act(page: PortalPage) -> str:
        async def hang(_route: Any) -> None:
            """Leave the request without an answer."""

        await page.raw.route("http://portal.example/**", hang)
        await page.raw.set_content(f"<!doctype html>{body}")
        await page.month(("li",), date(2026, 10, 31), "%b %Y", TODAY)
        took = str(await page.raw.evaluate("document.body.dataset.took"))
        await page.raw.unroute_all(behavior="ignoreErrors")
        return took

    assert run("", act) == "1"


def test_a_page_that_polls_comes_to_rest(run):
    body = "<script>(function poll() { fetch('http://portal.example/news').then(poll) })()</script>"

    async def act(page: PortalPage) -> bool:
        answered = 0

        async def answer(route: Any) -> None:
            nonlocal answered
            answered += 1
            await route.fulfill(body="{}", headers={"Access-Control-Allow-Origin": "*"})

        await page.raw.route("http://portal.example/**", answer)
        await page.raw.set_content(f"<!doctype html>{body}")
        at_rest = await page.is_at_rest(5)
        return at_rest and answered > 5

    assert run("", act)


LISTENS = "data:text/html,<p>News</p><script>fetch('http://portal.example/news')</script>"


async def rested(page: PortalPage) -> float:
    """Return for how many seconds a page that lacks an element was waited for."""
    began = asyncio.get_running_loop().time()
    assert await page.arrives(("#missing",)) is None
    return asyncio.get_running_loop().time() - began


class Hanging:
    """Leaves requests without an answer until the end of a test."""

    def __init__(self) -> None:
        self.routes: list[Any] = []

    async def hang(self, route: Any) -> None:
        """Leave a request."""
        self.routes.append(route)

    async def end(self) -> None:
        """Let go of all, also of those whose page has gone."""
        for route in self.routes:
            with suppress(PlaywrightError):
                await route.abort()


@pytest.mark.parametrize(("answered", "is_known"), [(False, True), (True, False)])
def test_what_hangs_until_its_page_is_left_is_a_long_poll(run, monkeypatch, answered, is_known):
    """But not where anything was ever answered under its address."""
    patch(monkeypatch, "HUNG", 0.1)
    patch(monkeypatch, "IN_FLIGHT", 3.0)
    patch(monkeypatch, "REST", 0.3)

    async def act(page: PortalPage) -> tuple[float, bool]:
        if answered:
            page.trail.answered.add("http://portal.example/news")
        hanging = Hanging()
        await page.raw.route("http://portal.example/**", hanging.hang)
        for _ in range(2):
            await page.open(LISTENS)
            await until(never, 0.3)
        await page.open(LISTENS)
        seconds = await rested(page)
        await hanging.end()
        return seconds, page.trail.endless["http://portal.example/news"] == 2

    seconds, was_counted = run("", act)
    assert (seconds < 2, was_counted) == (is_known, is_known), seconds


def test_what_a_closed_tab_waited_for_is_not_waited_for(run, monkeypatch):
    patch(monkeypatch, "IN_FLIGHT", 5.0)
    patch(monkeypatch, "REST", 0.3)

    async def act(page: PortalPage) -> float:
        hanging = Hanging()
        await page.raw.context.route("http://portal.example/**", hanging.hang)
        async with page.new_tab(("says=Open",)) as tab:
            await tab.open(LISTENS)
            await until(never, 0.2)
        seconds = await rested(page)
        await hanging.end()
        return seconds

    assert run("<button onclick='window.open()'>Open</button>", act) < 3


async def never() -> bool:
    """Return False."""
    return False


def test_after_an_action_only_what_it_caused_is_waited_for(run, monkeypatch):
    """A request that hangs since before is no answer to a click."""
    patch(monkeypatch, "REST", 4.0)
    patch(monkeypatch, "SETTLED", 0.3)
    body = """<button onclick="fetch('http://portal.example/apply').then(() => document.title = 'applied')">Apply</button>
      <script>fetch("http://portal.example/news")</script>"""

    async def act(page: PortalPage) -> tuple[bool, str, list[str]]:
        async def answer(route: Any) -> None:
            if route.request.url.endswith("apply"):
                await asyncio.sleep(1)
                await route.fulfill(body="{}", headers={"Access-Control-Allow-Origin": "*"})

        await page.raw.route("http://portal.example/**", answer)
        await page.raw.set_content(f"<!doctype html>{body}")
        await page.click(("says=Apply",))
        at_rest = await page.is_at_rest(5)
        found = at_rest, await page.raw.title(), [each.url for each in page.trail.in_flight]
        await page.raw.unroute_all(behavior="ignoreErrors")
        return found

    assert run("", act) == (True, "applied", ["http://portal.example/news"])


def test_what_is_filled_anew_while_it_is_chosen_is_chosen_once_more(run):
    body = """<ul id=u><li>Oct 2026</li></ul><script>
      const fill = () => { u.innerHTML = '<li aria-selected=false>Oct 2026</li>'; u.firstChild.onclick = () => u.firstChild.ariaSelected = 'true' };
      u.addEventListener('mouseover', fill, {once: true})</script>"""

    async def act(page: PortalPage) -> str:
        await page.pick(("li",), "Oct 2026")
        return str(await page.raw.evaluate("u.firstChild.ariaSelected"))

    assert run(body, act) == "true"


def test_a_label_is_not_chosen_before_its_box_is_there(run, monkeypatch):
    body = """<label id=l>533122906</label><script>
      setTimeout(() => l.insertAdjacentHTML('afterbegin', '<input type=radio id=o>'), 1500)</script>"""

    patch(monkeypatch, "REST", 3.0)

    async def act(page: PortalPage) -> bool:
        await page.pick(("label",), "533122906")
        return bool(await page.raw.evaluate("o.checked"))

    assert run(body, act)


DRAWN = "<i style='display:inline-block;width:20px;height:20px;border:1px solid'></i>"
HIDDEN = "style='position:absolute;opacity:0;width:1px;height:1px'"


@pytest.mark.parametrize(
    "box",
    [
        "<input type=radio name=m id=o><label for=o>Oct 2026</label>",
        f"<input type=radio name=m id=o {HIDDEN}><label for=o>{DRAWN} Oct 2026</label>",
        f"<label><input type=radio name=m id=o {HIDDEN}>{DRAWN}<span><b>Oct</b> 2026</span></label>",
        f"<div onclick='o.click()'><input type=radio name=m id=o style='display:none' aria-label='Oct 2026'>{DRAWN}</div>",
        "<span id=t>Oct 2026</span><input type=checkbox id=o aria-labelledby=t>",
        "<div><input type=checkbox id=o> Oct 2026</div>",
    ],
    ids=["for", "drawn, for", "drawn, around", "drawn, aria-label", "aria-labelledby", "beside"],
)
def test_a_box_is_picked_however_it_is_drawn_and_labelled(run, box):
    body = f"<p>Choose a month</p><div><label><input type=radio name=m> Oct 2025</label></div><div>{box}</div>"

    async def act(page: PortalPage) -> bool:
        await page.month(("label, input[type=radio], input[type=checkbox]",), date(2026, 10, 31), "%b %Y", TODAY)
        return bool(await page.raw.evaluate("o.checked"))

    assert run(body, act)


def test_other_months_that_are_ticked_already_are_unticked(run):
    body = "<label><input type=checkbox checked id=s>Sep 2026</label><label><input type=checkbox id=o>Oct 2026</label>"

    async def act(page: PortalPage) -> list[bool]:
        await page.month(("label",), date(2026, 10, 31), "%b %Y", TODAY)
        return await page.raw.evaluate("[s.checked, o.checked]")

    assert run(body, act) == [False, True]


@pytest.mark.parametrize("state", ["aria-selected=false", ""])
def test_a_drawn_drop_down_is_opened_and_read_back(run, state):
    body = f"""<button id=m aria-haspopup=listbox>Sep 2026</button><ul id=u role=listbox hidden>
      <li role=option {state}>Sep 2026</li><li role=option {state}>Oct 2026</li></ul><script>
      m.onclick = () => setTimeout(() => u.hidden = false, 200);
      u.onclick = click => {{ m.textContent = click.target.textContent; u.hidden = true }}</script>"""

    async def act(page: PortalPage) -> str:
        await page.month(("#m",), date(2026, 10, 31), "%b %Y", TODAY)
        return str(await page.raw.evaluate("m.textContent"))

    assert run(body, act) == "Oct 2026"


# Drop-downs that an element holds: a real one, drawn ones with a role and without; of each how its list is drawn.
TAKES = "this.parentNode.hidden = true; m.textContent = this.textContent"
HOLDERS = {
    "select": "<select id=m>{}</select>",
    "combobox": "<div id=m role=combobox tabindex=0 onclick='u.hidden = !u.hidden'>Choose</div><ul id=u role=listbox hidden>{}</ul>",
    "button": "<button id=m onclick='u.hidden = !u.hidden'>Choose</button><ul id=u hidden>{}</ul>",
}
ENTRIES = {
    "select": "<option>{}</option>",
    "combobox": f'<li role=option onclick="{TAKES}">{{}}</li>',
    "button": f'<li onclick="{TAKES}">{{}}</li>',
}
ELSEWHERE = (
    "<nav><a role=menuitem href=#>Reports</a></nav><section><button onclick='this.remove()'>Help</button></section>"
)


def held(kind: str, *texts: str) -> str:
    """Return a page with a drop-down in an element, and other things beside it."""
    entries = "".join(ENTRIES[kind].format(text) for text in texts)
    return f"{ELSEWHERE}<div id=h><span>Period</span>{HOLDERS[kind].format(entries)}</div>"


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_drop_down_is_found_in_what_holds_it_and_read_back(run, kind):
    async def act(page: PortalPage) -> tuple[list[str], str, list[str], bool]:
        offered = await page.offered_in(("#h",))
        chosen = await page.pick_in(("#h",), "oct 2026")
        return offered, chosen, await page.chosen_in(("#h",)), await page.shown(("section button",)) is not None

    offered, *rest = run(held(kind, "Sep 2026", "Oct 2026", "Nov 2026"), act)
    assert [each for each in offered if each != "Choose"] == ["Sep 2026", "Oct 2026", "Nov 2026"]
    assert rest == ["oct 2026", ["Oct 2026"], True]


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_held_drop_down_that_does_not_offer_it_is_named(run, kind):
    with pytest.raises(NotYetPublished):
        run(
            held(kind, "Sep 2026"),
            lambda page: page.pick_in(("#h",), "Oct 2026", missing=lambda _offered: NotYetPublished()),
        )


@pytest.mark.parametrize("kind", ["combobox", "button"])
def test_a_held_drop_down_that_does_not_keep_it_is_named(run, kind):
    body = held(kind, "Sep 2026", "Oct 2026").replace("= this.textContent", "= 'Choose'")
    with pytest.raises(PortalChanged, match="did not stay"):
        run(body, lambda page: page.pick_in(("#h",), "Oct 2026"))


def test_a_held_drop_down_that_comes_late_is_waited_for(run):
    late = held("select", "Oct 2026").replace("<span>Period", "<button>?</button><span>Period")
    body = late.replace("<select", "<select hidden") + "<script>setTimeout(() => m.hidden = false, 300)</script>"
    assert run(body, lambda page: page.pick_in(("#h",), "Oct 2026")) == "Oct 2026"


def test_a_box_is_ticked_and_unticked_by_what_is_drawn_beside_it(run):
    async def act(page: PortalPage) -> list[bool]:
        await page.tick(("#gone", "#o"))
        was = await page.is_ticked(("label=All",))
        await page.tick(("label=All",), False)
        return [was, await page.is_ticked(("#o",))]

    assert run(f"<input type=checkbox id=o {HIDDEN}><label for=o>{DRAWN} All</label>", act) == [True, False]


# Naming

NESTED = [
    "<a href=#>Download all pages</a>",
    "<a href=#><span>Download</span> <b>all&nbsp;pages</b></a>",
    "<button><i>▾</i><span>download all-pages</span></button>",
    "<div onclick=1><p><span>Download all pages</span></p></div>",
    "<a href=# aria-label='Download all pages'><i>x</i></a>",
    "<div role=menuitem tabindex=0><span>Download all pages</span></div>",
    "<input type=button value='Download all pages'>",
    "<a href=#>Download all pages<span> of this report</span></a>",
]


@pytest.mark.parametrize("control", NESTED)
def test_a_control_is_found_by_what_it_says(run, control):
    near = "<a href=#>Download</a><a href=#>Download all pages now or later</a>" if "of this" not in control else ""
    body = f"{near}<h1>Downloads</h1><div onclick=\"document.body.dataset.took='it'\">{control}</div>"

    async def act(page: PortalPage) -> str:
        await page.click(("#nowhere", "says=Download all pages"))
        return str(await page.raw.evaluate("document.body.dataset.took"))

    assert run(body, act) == "it"


def test_of_two_that_are_only_similar_none_is_taken(run, monkeypatch):
    patch(monkeypatch, "crawl_settings", lambda: SimpleNamespace(page_wait=0.2))
    with pytest.raises(PortalChanged):
        run("<a href=#>Download this page</a><a href=#>Download all</a>", lambda page: page.click(("says=Download",)))


@pytest.mark.parametrize("known", ["#s", "says=Search", "form >> says=Search", "role=button|Search"])
def test_a_guess_waits_for_what_is_known(run, known):
    body = """<form><button type=button onclick="document.title = 'guess'">Go</button></form><script>setTimeout(() =>
      document.forms[0].insertAdjacentHTML('beforeend', '<p onclick="document.title = 1"><a role=button id=s>Search</a></p>'), 300)</script>"""

    async def act(page: PortalPage) -> str:
        await page.click((known, guess("form >> role=button")))
        return await page.raw.title()

    assert run(body, act) == "1"


def test_a_guess_is_taken_where_what_is_known_does_not_come(run):
    body = "<form><button type=button onclick='document.title = 1'>Go</button></form>"

    async def act(page: PortalPage) -> str:
        await page.click(("says=Search", guess("form >> role=button")))
        return await page.raw.title()

    assert run(body, act) == "1"


def test_the_first_selector_counts_also_where_another_costs_a_browser_less(run):
    body = "<div id=d></div><script>setTimeout(() => d.innerHTML = '<p>Shared <b>with me</b></p><i id=other>x</i>', 300)</script>"

    async def act(page: PortalPage) -> str:
        return await (await page.find(("div >> says=Shared with me", "#other"))).inner_text()

    assert run(body, act) == "Shared with me"


@pytest.mark.parametrize(
    "field",
    [
        "<label>Report<select id=f><option>Cost</option></select></label>",
        "<label for=f><b>Report</b>:</label><select id=f></select>",
        "<select id=f aria-label=report></select>",
        "<span id=t>Report</span><select id=f aria-labelledby=t></select>",
        "<label>report <input id=f></label>",
    ],
)
def test_a_field_is_found_by_its_label(run, field):
    async def act(page: PortalPage) -> str | None:
        return await (await page.find(("label=Report",))).get_attribute("id")

    assert run(f"<label>Report type<input id=other></label>{field}", act) == "f"


def test_a_scope_and_our_words_go_together(run):
    body = "<main><a href=#>Usage</a></main><nav><ul><li><a href=# id=it><span>Usage</span></a></li></ul></nav>"

    async def act(page: PortalPage) -> str | None:
        return await (await page.find(("nav >> says=Usage",))).get_attribute("id")

    assert run(body, act) == "it"


# Controls


def test_a_button_that_is_enabled_late_is_waited_for(run):
    body = """<button id=b disabled onclick="document.body.dataset.took='it'"><span>Continue</span></button>
      <script>setTimeout(() => b.disabled = false, 300)</script>"""

    async def act(page: PortalPage) -> str:
        await page.click(("says=Continue",))
        return str(await page.raw.evaluate("document.body.dataset.took"))

    assert run(body, act) == "it"


@pytest.mark.parametrize("event", ["mouseenter", "click"])
def test_a_menu_is_opened_by_pointer_or_click(run, monkeypatch, event):
    patch(monkeypatch, "GRACE", 0.2)
    body = f"""<nav><a id=a href=#>Usage</a><ul id=u></ul></nav>
      <script>a.addEventListener('{event}', () => u.innerHTML = '<li><a href=#><span>Usage details</span></a></li>')</script>"""

    async def act(page: PortalPage) -> None:
        await page.reveal(("says=Usage",), ("says=Usage details",))
        await page.click(("says=Usage details",))

    run(body, act)


def test_a_menu_that_leaves_before_the_click_is_opened_again(run, monkeypatch):
    """The first time its entry moves away for good; it stands still when the menu is opened anew."""
    patch(monkeypatch, "GRACE", 0.5)
    patch(monkeypatch, "ENTRY", 0.5)
    body = """<nav><a id=a href=#>Usage</a><ul id=u style="position:absolute;top:200px"></ul></nav>
      <script>let n = 0; a.addEventListener('mouseenter', () => {
        u.innerHTML = '<li><a href=# onclick="document.body.dataset.took=`it`"><span>Usage details</span></a></li>';
        if (n++ === 0) { u.inert = true; u.style.pointerEvents = 'none'; setTimeout(() => u.replaceChildren(), 400);
          setTimeout(() => { u.inert = false; u.style.pointerEvents = '' }, 400) }
      })</script>"""

    async def act(page: PortalPage) -> str:
        await page.choose_entry(("says=Usage",), ("says=Usage details",))
        return str(await page.raw.evaluate("document.body.dataset.took"))

    assert run(body, act) == "it"


# Overlays

OVER = "position:fixed;inset:0;z-index:9;background:#fff"
CONTROLS = [
    "<button>No thanks</button><button data-bad>Yes</button>",
    "<button data-bad>Accept</button><a href=#>Me le rappeler plus tard</a>",
    "<button aria-label='Close this dialog'><svg width=9 height=9></svg></button><button data-bad>OK</button>",
    "<span class=modal-close>×</span><button data-bad>Upgrade</button>",
    "<button data-bad>Learn more</button><button>Decide&nbsp;later</button>",
    "We use cookies. <button data-bad>Accept all</button><button>Reject all</button>",
    "We use cookies. <button>Accept all cookies</button>",
    "Planned work on Sunday. <button>OK</button>",
]


@pytest.mark.parametrize("controls", CONTROLS)
@pytest.mark.parametrize("is_dialog", [True, False])
def test_an_overlay_is_closed_by_what_its_control_means(run, controls, is_dialog):
    body = f"""<button id=b onclick="document.body.dataset.took='it'">Go</button>
      <div id=o style="{OVER}" {"role=dialog" if is_dialog else ""}>{controls}</div><script>
      o.onclick = click => {{ if (click.target.closest("[data-bad]")) b.remove(); if (click.target !== o) o.remove() }}</script>"""

    async def act(page: PortalPage) -> str:
        await page.click(("#b",))
        return str(await page.raw.evaluate("document.body.dataset.took"))

    assert run(body, act) == "it"


async def follow(page: PortalPage) -> None:
    async with page.follow(("says=Billing",), ("#bills",)):
        pass


@pytest.mark.parametrize(
    "do",
    [lambda page: page.hover(("says=Billing",)), follow, lambda page: page.download(("says=Billing",))],
    ids=["hover", "follow", "download"],
)
def test_an_overlay_that_comes_before_the_pointer_is_closed_too(run, monkeypatch, do):
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "2")
    body = """<a href="data:application/pdf,x" download=x.pdf onclick="bills.hidden = false"
      onmouseenter="document.title = 'over'">Billing</a><p id=bills hidden>Bills</p>
      <div role=dialog hidden style="position:fixed;inset:0"><button onclick="this.parentNode.remove()">Not now</button></div>"""

    async def act(page: PortalPage) -> str:
        uncover = page._uncover

        async def uncovered_too_early(element: Any) -> None:
            await uncover(element)
            page._uncover = uncover  # type: ignore[method-assign]
            await page.raw.evaluate("document.querySelector('[role=dialog]').hidden = false")

        page._uncover = uncovered_too_early  # type: ignore[method-assign]
        await do(page)
        return await page.raw.title()

    assert run(body, act) == "over"


def test_an_overlay_over_an_open_menu_is_closed_and_the_entry_clicked(run):
    body = f"""<p id=menu onmouseenter="entry.hidden = false">Menu</p><a id=entry hidden onclick="document.title = 'in'">Entry</a>
      <div role=dialog id=over hidden style="{OVER}"><button onclick="this.parentNode.remove()">Close</button></div>
      <script>entry.addEventListener("mouseenter", () => document.getElementById("over")?.removeAttribute("hidden"))</script>"""

    async def act(page: PortalPage) -> str:
        await page.choose_entry(("#menu",), ("#entry",))
        return await page.raw.title()

    assert run(body, act) == "in"


@pytest.mark.parametrize("do", ["click", "double_click"])
def test_an_element_that_is_hidden_once_it_was_found_is_looked_for_anew(run, monkeypatch, do):
    patch(monkeypatch, "crawl_settings", lambda: SimpleNamespace(page_wait=1))
    body = """<main><button class=tab disabled>My requests</button></main>
      <main hidden><button class=tab onclick="document.title = 'here'">My requests</button></main>
      <script>setTimeout(() => document.querySelectorAll("main").forEach(each => (each.hidden = !each.hidden)), 400)</script>"""

    async def act(page: PortalPage) -> str:
        await getattr(page, do)((".tab",))
        return await page.raw.title()

    assert run(body, act) == "here"


def test_what_has_only_a_consequence_stays_and_is_named(run, monkeypatch):
    patch(monkeypatch, "crawl_settings", lambda: SimpleNamespace(page_wait=0.5))
    body = f"<button id=b>Go</button><div role=dialog style='{OVER}'>New terms <button>I agree</button><button>Pay</button></div>"
    with pytest.raises(PortalChanged, match="something lies over it"):
        run(body, lambda page: page.click(("#b",)))


def test_entries_of_a_list_that_covers_the_page_are_not_removed(run, monkeypatch):
    patch(monkeypatch, "crawl_settings", lambda: SimpleNamespace(page_wait=0.5))
    body = f"<button id=b>Go</button><div style='{OVER}'><ul><li>Report <em class=line-close>×</em></li></ul></div>"

    async def act(page: PortalPage) -> int:
        with pytest.raises(PortalChanged):
            await page.click(("#b",))
        return await page.raw.locator("li").count()

    assert run(body, act) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("act", ["tick", "pick", "type"])
def test_an_overlay_is_closed_before_a_box_is_ticked_a_choice_made_or_a_text_typed(run, monkeypatch, when, act):
    patch(monkeypatch, "crawl_settings", lambda: SimpleNamespace(page_wait=30))
    body = (
        "<p><input type=radio id=r name=v style='opacity:0;position:absolute'><label for=r>Complete</label></p>"
        f"<input id=t><div id=over role=dialog style='{OVER}' {'hidden' if when == 'after' else ''}>A survey?"
        "<button>Sure</button><a href='#' role=button onclick='over.remove(); return false'>Not now</a></div>"
        "<script>if (over.hidden) setTimeout(() => document.getElementById('over')?.removeAttribute('hidden'), 200)</script>"
    )

    async def once_it_is_there(page: PortalPage) -> None:
        if act == "tick":
            await page.tick(("#r",))
            assert await page.raw.locator("#r").is_checked()
        elif act == "pick":
            await page.pick(("input[type=radio]",), "Complete")
            assert await page.raw.locator("#r").is_checked()
        else:
            await page.type(("#t",), "5331")

    run(body, once_it_is_there)


ENDED = {
    "closed": "<div role=dialog style='{}'>Your session has expired. <button>Close</button></div>",
    "kept": "<div role=alertdialog style='{}'><h2>Your visit has ended</h2><button>Return to sign-in</button></div>",
    "bare": "<div role=dialog style='{}'>Votre connexion a pris fin.</div>",
}


@pytest.mark.parametrize("body", ENDED.values(), ids=ENDED)
@pytest.mark.parametrize("wanted", ["#b", "#missing"])
def test_a_dialog_that_says_the_session_is_over_is_told(run, body, wanted):
    with pytest.raises(SignedOut):
        run(f"<button id=b>Go</button>{body.format(OVER)}", lambda page: page.click((wanted,)))


@pytest.mark.parametrize(("dialog", "waits"), [("<div role=dialog>Adieu</div>", 60), ("<p>Adieu</p>", 60)])
def test_before_a_long_wait_goes_on_it_is_looked_whether_the_session_has_ended(run, monkeypatch, dialog, waits):
    patch(monkeypatch, "crawl_settings", lambda: SimpleNamespace(page_wait=1))

    async def act(page: PortalPage) -> None:
        async def is_over() -> bool:
            return True

        page.trail.is_over = is_over
        await page.find(("#missing",), within=waits)

    with pytest.raises(SignedOut):
        run(dialog, act)


# Downloads

FILE = "new Blob(['a,b\\n1,2\\n'])"
STARTS = {
    "link": "<a id=b download=x href='data:text/csv,a%2Cb'>Get</a>",
    "script": "<button id=b>Get</button><script>b.onclick = () => { const a = document.createElement('a');"
    f"a.href = URL.createObjectURL({FILE}); a.download = ''; a.click() }}</script>",
    "later": "<button id=b>Get</button><script>b.onclick = () => setTimeout(() => { const a = document.createElement('a');"
    f"a.href = URL.createObjectURL({FILE}); a.download = 'x'; a.click() }}, 600)</script>",
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_download_is_taken_however_it_starts(run, start):
    async def act(page: PortalPage) -> str:
        return (await page.download(("says=Get",))).path.read_text()

    assert run(start, act).startswith("a,b")


@pytest.mark.parametrize(("notice", "comes"), [("later", 300), ("with the file", 0)])
def test_what_comes_in_the_place_of_a_download_ends_the_wait(run, monkeypatch, notice, comes):
    patch(monkeypatch, "SWALLOWED", 5.0)
    file = "a.click();" if notice == "with the file" else ""
    body = f"""<button id=b>Get</button><p id=p hidden>Not yet</p><script>b.onclick = () => {{ clicks++; const a = document.createElement('a');
      a.href = URL.createObjectURL({FILE}); a.download = 'x'; {file} setTimeout(() => p.hidden = false, {comes}) }}; let clicks = 0</script>"""

    async def act(page: PortalPage) -> tuple[str, int]:
        try:
            found = (await page.download(("#b",), unless=("#p",), within=20)).path.read_text()[:3]
        except DownloadTimedOut:
            found = "none"
        return found, await page.raw.evaluate("clicks")

    assert run(body, act) == ("a,b" if file else "none", 1)


@pytest.mark.parametrize("disposition", ["attachment; filename=file", "inline"])
def test_a_download_in_a_new_tab_is_taken(run, disposition):
    async def act(page: PortalPage) -> tuple[bytes, int]:
        await page.raw.context.route(
            "http://files.test/**",
            lambda route: route.fulfill(
                body=b"%PDF-1.7 %%EOF", headers={"content-type": "application/pdf", "content-disposition": disposition}
            ),
        )
        part = await page.download(("says=Get",))
        return part.path.read_bytes(), len(page.raw.context.pages)

    assert run("<a href=http://files.test/1 target=_blank><b>Get</b></a>", act) == (b"%PDF-1.7 %%EOF", 1)


# Scopes


def test_the_frame_that_holds_something_is_found(run):
    frames = "<iframe srcdoc='<p>first</p>'></iframe><iframe srcdoc='<p id=bill>the bill</p>'></iframe>"

    async def act(page: PortalPage) -> str:
        frame = await page.frame_with(("#bill",))
        return await frame.text(("#bill",))

    assert run(frames, act) == "the bill"


def test_the_main_frame_may_be_the_one(run):
    async def act(page: PortalPage) -> str:
        return await (await page.frame_with(("#bill",))).text(("p",))

    assert run("<iframe srcdoc='<p>other</p>'></iframe><p id=bill>here</p>", act) == "here"


def test_a_frame_that_no_frame_is(run, monkeypatch):
    patch(monkeypatch, "crawl_settings", lambda: SimpleNamespace(page_wait=0.2))
    with pytest.raises(PortalChanged, match="No frame"):
        run("<iframe srcdoc='<p>first</p>'></iframe>", lambda page: page.frame_with(("#bill",)))


@pytest.mark.parametrize("mark", ["role=dialog", "aria-modal=true", "open"])
def test_what_is_done_in_a_dialog_stays_in_it(run, mark):
    tag = "dialog" if mark == "open" else "div"
    body = (
        "<button onclick=\"document.body.dataset.took='page'\">Ok</button><div role=dialog hidden>Leave? <button>Ok</button></div>"
        f"<{tag} {mark}>Export? <button onclick=\"document.body.dataset.took='dialog'\">Ok</button></{tag}>"
    )

    async def act(page: PortalPage) -> str:
        dialog = await page.dialog("Export?")
        await dialog.click(("button:text-is('Ok')",))
        return str(await page.raw.evaluate("document.body.dataset.took"))

    assert run(body, act) == "dialog"


# Parts


def meet(error: Exception) -> None:
    raise error


def test_a_part_s_failure_is_the_job_s_and_the_next_part_comes(run):
    async def act(page: PortalPage) -> tuple[list[Failure], str]:
        async with page.part("first"):
            meet(PortalChanged("nothing there"))
        async with page.part("second"):
            reached = page.trail.step
        return page.job.failures, reached

    failures, reached = run("<p>the page</p>", act)
    assert [(failure.detail, failure.step) for failure in failures] == [("nothing there", "first")]
    assert "the page" in failures[0].evidence["page"]
    assert failures[0].evidence["screenshot"]
    assert reached == "second"


def test_an_error_without_a_name_of_its_own_gets_one(run):
    async def act(page: PortalPage) -> list[Failure]:
        async with page.part("first"):
            meet(ZeroDivisionError("by hand"))
        return page.job.failures

    (failure,) = run("", act)
    assert failure.outcome.code == "unexpected_error"
    assert isinstance(failure.__cause__, ZeroDivisionError)


def test_what_concerns_the_whole_visit_ends_it(run):
    async def act(page: PortalPage) -> None:
        async with page.part("first"):
            meet(SignedOut("over"))

    with pytest.raises(SignedOut):
        run("", act)


# Pauses


class ToldPause(Pause):
    """The crawl's pause, which notes what it was told and how often it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[float] = []
        self.waits = 0

    def prolong(self, seconds: float) -> None:
        self.told.append(seconds)

    async def wait(self) -> None:
        self.waits += 1


async def busy(page: PortalPage, refusals: list[int]) -> None:
    """Let an address be answered with these statuses first, with `Retry-After: 7`."""

    async def answer(route: Any) -> None:
        status = refusals.pop(0) if refusals else 200
        await route.fulfill(status=status, headers={"Retry-After": "7"}, body="<p id=come>here</p>")

    await page.raw.route("http://busy.example/**", answer)


def test_a_page_that_asks_for_a_pause_pauses_the_whole_crawl_and_obeys_its_pause(run):
    async def act(page: PortalPage) -> Any:
        page.trail.pause = pause = ToldPause()
        await busy(page, [429, 503])
        await page.open("http://busy.example/")
        opened = pause.waits
        assert await page.retry_failed_page()
        assert await page.retry_failed_page()
        assert not await page.retry_failed_page()
        return pause.told, opened, pause.waits

    assert run("", act) == ([7.0, 7.0], 1, 3)


def test_tries_of_a_visit_do_not_begin_anew_when_it_is_recovered(run):
    async def act(page: PortalPage) -> None:
        page.trail.pause, page.trail.pauses = ToldPause(), RATE_TRIES  # of the visit before the recovery
        await busy(page, [429])
        await page.open("http://busy.example/")
        await page.retry_failed_page()

    with pytest.raises(RateLimited):
        run("", act)
