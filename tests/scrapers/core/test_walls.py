"""Bot walls on pages of a few lines: waited for, never clicked, and named when they stay; and clicks that lead elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scrapers.core.outcomes import Blocked, PortalChanged, SignedOut
from scrapers.core.page import PortalPage
from scrapers.core.walls import Wall
from tests.pages import make_haste

pytestmark = pytest.mark.browser
SITE, WIDGET = "http://portal.example", "http://walls.example"
WALL = Wall(marks=("Just a moment", "_chl_opt"), frames=("walls.example",), failed=("#fail", "#expired"))
BUTTON = "<button id=go>Go</button>"
SHORT = "1.2"  # seconds


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages do all at once."""
    make_haste(monkeypatch)
    monkeypatch.setenv("LATCHKEY_WALL_WAIT", SHORT)
    monkeypatch.setenv("LATCHKEY_PAGE_WAIT", "5")


def wall(then: str = "", frame: str = "") -> str:
    """Return a page of the wall. then: a script; frame: what its widget shows."""
    widget = f"<iframe src='{WIDGET}/widget'></iframe>" if frame else ""
    return f"<title>Just a moment...</title><script>window._chl_opt={{}};{then}</script>{widget}"


def at(
    run: Any,
    pages: dict[str, str | tuple[int, str]],
    act: Callable[[PortalPage], Awaitable[Any]],
    frame: str = "",
    by_person: bool = False,
) -> Any:
    """Serve pages by path, some with a status, and run a coroutine function in the first of them, behind the wall."""

    async def serve(route: Any) -> None:
        url = route.request.url
        page = frame if url.startswith(WIDGET) else pages.get(url.removeprefix(SITE), "")
        status, body = page if isinstance(page, tuple) else (200, page)
        await route.fulfill(status=status, body=f"<!doctype html>{body}", content_type="text/html")

    async def behind(page: PortalPage) -> Any:
        await page.raw.context.route("**/*", serve)
        page.trail.by_person = by_person
        view = PortalPage(
            page.raw, spool=page.spool, job=page.job, signed_out=page.signed_out, wall=WALL, trail=page.trail
        )
        await view.open(f"{SITE}/")
        return await act(view)

    return run("", behind)


def test_a_wall_that_clears_is_waited_for(run):
    pages = {"/": wall("setTimeout(() => location = '/in', 300)"), "/in": BUTTON}

    async def act(page: PortalPage) -> str:
        return str(await page.shown(("#go",)))

    assert at(run, pages, act) == "#go"


def test_an_error_behind_the_wall_is_told(run):
    pages = {"/": (403, wall("setTimeout(() => location = '/in', 300)")), "/in": (503, "<h1>Maintenance</h1>")}

    async def status(page: PortalPage) -> int | None:
        return None if page.answer is None else page.answer.status

    assert at(run, pages, status) == 503


def test_the_status_of_a_wall_is_not_that_of_the_page_behind_it(run):
    pages = {"/": (503, wall(f"setTimeout(() => document.documentElement.innerHTML = {BUTTON!r}, 300)"))}

    async def act(page: PortalPage) -> str | None:
        assert page.answer is None
        return await page.shown(("#go",))

    assert at(run, pages, act) == "#go"


def test_a_wall_may_clear_in_its_own_document(run):
    pages = {"/": wall(f"setTimeout(() => document.documentElement.innerHTML = {BUTTON!r}, 300)")}
    at(run, pages, lambda page: page.click(("#go",)))


def test_a_wall_that_stays_is_named(run):
    with pytest.raises(Blocked, match=re.escape(f"within {SHORT} s")):
        at(run, {"/": wall()}, lambda page: page.click(("#go",)))


def test_a_wall_that_loads_itself_anew_stays(run):
    with pytest.raises(Blocked):
        at(run, {"/": wall("setTimeout(() => location.reload(), 100)")}, lambda page: page.click(("#go",)))


@pytest.mark.parametrize("shown", ["<p id=fail>Failed</p>", "<p id=expired>Expired</p>"])
def test_a_check_that_has_failed_ends_the_wait(run, shown, monkeypatch):
    monkeypatch.setenv("LATCHKEY_WALL_WAIT", "40")
    began = time.monotonic()
    with pytest.raises(Blocked, match="has failed"):
        at(run, {"/": wall(frame=shown)}, lambda page: page.click(("#go",)), shown)
    assert time.monotonic() - began < 20


def test_a_person_may_put_right_what_has_failed(run, monkeypatch):
    monkeypatch.setenv("LATCHKEY_PERSON_WAIT", "6")
    shown = "<p id=fail>Failed</p>"
    pages = {"/": wall("setTimeout(() => location = '/in', 2000)", frame=shown), "/in": BUTTON}
    at(run, pages, lambda page: page.click(("#go",)), shown, by_person=True)


def test_the_widget_is_never_clicked(run):
    shown = "<button onclick=\"parent.postMessage('clicked', '*')\">Verify you are human</button>"
    heard = "window.heard = []; addEventListener('message', said => heard.push(said.data))"

    async def act(page: PortalPage) -> Any:
        await page.click(("#a",))
        with pytest.raises(Blocked):
            await page.click(("#go",))
        return await page.raw.evaluate("heard")

    assert at(run, {"/": "<a id=a href=/next>Next</a>", "/next": wall(heard, frame=shown)}, act, shown) == []


@pytest.mark.parametrize("way", ["<a id=a href=/next>Next</a>", "<a id=a onclick=\"location='/next'\">Next</a>"])
def test_a_wall_may_come_after_any_click(run, way):
    pages = {"/": way, "/next": wall("setTimeout(() => location = '/in', 300)"), "/in": BUTTON}

    async def act(page: PortalPage) -> None:
        await page.click(("#a",))
        await page.click(("#go",))

    at(run, pages, act)


def test_a_page_behind_the_wall_is_not_taken_for_an_empty_one(run):
    """A look without a wait, as for something that may be missing, waits for the wall."""
    pages = {
        "/": "<a id=a href=/next>Next</a>",
        "/next": wall("setTimeout(() => location = '/in', 500)"),
        "/in": BUTTON,
    }

    async def act(page: PortalPage) -> str:
        await page.click(("#a",))
        await page.raw.wait_for_url("**/next")
        return str(await page.shown(("#go",)))

    assert at(run, pages, act) == "#go"


# A click that leads to another page


@pytest.mark.parametrize("target", ["", "target=_blank"])
def test_a_click_leads_to_a_tab_or_goes_on_in_place(run, target):
    pages = {"/": f"<a id=a href=/next {target}>Next</a>", "/next": BUTTON}

    async def act(page: PortalPage) -> tuple[bool, str, int]:
        async with page.follow(("#a",), ("#go",)) as there:
            await there.click(("#go",))
            seen = there is page, there.raw.url
        return *seen, len(page.raw.context.pages)

    assert at(run, pages, act) == (not target, f"{SITE}/next", 1)


def test_a_tab_that_a_click_opens_may_begin_with_the_wall(run):
    pages = {
        "/": "<a id=a href=/next target=_blank>Next</a>",
        "/next": wall("setTimeout(() => location = '/in', 300)"),
        "/in": BUTTON,
    }

    async def act(page: PortalPage) -> None:
        async with page.follow(("#a",), ("#go",)) as there:
            await there.click(("#go",))

    at(run, pages, act)


@pytest.mark.parametrize(
    ("after", "failure"), [("<p>Nothing</p>", PortalChanged), ("<form id=sign-in>Sign in</form>", SignedOut)]
)
def test_a_click_that_leads_nowhere_is_named(run, after, failure):
    async def act(page: PortalPage) -> None:
        async with page.follow(("#a",), ("#go",), within=1):
            pass

    with pytest.raises(failure):
        at(run, {"/": "<a id=a href=/next>Next</a>", "/next": after}, act)


def test_an_entry_of_a_menu_that_leaves_is_clicked_at_the_next_opening(run):
    """The first opening leaves no time at all."""
    script = """let times = 0; m.onclick = () => { e.hidden = false; setTimeout(() => e.hidden = true, times++ ? 2000 : 30) }"""
    pages = {
        "/": f"<button id=m>Menu</button><a id=e href=/next hidden>Next</a><script>{script}</script>",
        "/next": BUTTON,
    }

    async def act(page: PortalPage) -> str:
        async with page.follow(("#e",), ("#go",), menu=("#m",)) as there:
            return there.raw.url

    assert at(run, pages, act) == f"{SITE}/next"


def test_an_entry_that_no_menu_has_is_named(run):
    async def act(page: PortalPage) -> None:
        async with page.follow(("#e",), ("#go",), menu=("#m",)):
            pass

    with pytest.raises(PortalChanged, match="menu") as caught:
        at(run, {"/": "<button id=m>Menu</button>"}, act)
    assert caught.value.selector == "#e"


POLLS = "setInterval(() => fetch('/events'), 150)"


@pytest.mark.parametrize(
    ("click", "clicks"),
    [
        ("fetch('/act')", 2),  # answered, and nothing comes of it
        ("fetch('/act').then(() => setTimeout(() => fetch('/made').then(bring), 1300))", 1),  # it is being made
    ],
)
def test_a_click_on_a_download_is_repeated_only_where_it_brings_nothing(run, monkeypatch, click, clicks):
    monkeypatch.setattr("scrapers.core.page.SWALLOWED", 1.5)
    monkeypatch.setattr("scrapers.core.trail.PROMPT", 1.0)
    script = f"""let times = 0; const bring = () => {{
        const link = document.createElement('a'); link.href = 'data:text/csv,a'; link.download = 'a.csv'; link.click() }};
      go.onclick = () => {{ document.title = ++times; times > 1 ? bring() : {click} }}; fetch('/events'); {POLLS}"""

    async def act(page: PortalPage) -> int:
        polled = "performance.getEntriesByName(new URL('/events', location).href).length > 2"
        await page.raw.wait_for_function(polled)  # the polls have begun
        await page.download(("#go",))
        return int(await page.raw.title())

    assert at(run, {"/": f"{BUTTON}<script>{script}</script>"}, act) == clicks


def test_a_dialog_that_a_swallowed_click_has_closed_is_opened_again(run, monkeypatch):
    monkeypatch.setattr("scrapers.core.page.SWALLOWED", 0.5)
    script = """let times = 0; const bring = () => {
        const link = document.createElement('a'); link.href = 'data:text/csv,a'; link.download = 'a.csv'; link.click() };
      ask.onclick = () => { box.hidden = false };
      go.onclick = () => { box.hidden = true; document.title = ++times; times > 1 && bring() }"""
    body = f"<button id=ask>Export</button><div id=box hidden><button id=go>OK</button></div><script>{script}</script>"

    async def act(page: PortalPage) -> int:
        await page.download(("#go",), by=(("#ask",),))
        return int(await page.raw.title())

    assert at(run, {"/": body}, act) == 2
