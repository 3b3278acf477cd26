"""What PortalPage adds to Playwright's Page, on pages of a few lines in one real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from middlewares.download.handler import find_browser
from scrapers.core.outcomes import (
    Failure,
    NoLongerAvailable,
    NotYetPublished,
    PortalChanged,
    SignedOut,
    WrongAccount,
)
from scrapers.core.page import PortalPage

pytestmark = pytest.mark.browser
Run = Callable[[str, Callable[[PortalPage], Awaitable[Any]]], Any]
TODAY = date(2026, 11, 20)
DROP_DOWN = "<select id=m><option>Sep 2026</option><option>Oct 2026</option></select>"
LABELS = "<label><input type=radio name=m>Sep 2026</label><label><input type=radio name=m id=o>Oct 2026</label>"
ITEMS = "<ul><li>Sep 2026</li><li onclick=\"document.body.dataset.took='yes'\"> Oct\n 2026 </li></ul>"


@pytest.fixture(scope="module")
def browser() -> Iterator[tuple[asyncio.AbstractEventLoop, Any]]:
    from playwright.async_api import async_playwright

    async def launch() -> tuple[Any, Any]:
        driver = await async_playwright().start()
        return driver, await driver.chromium.launch(executable_path=find_browser())

    loop = asyncio.new_event_loop()
    driver, launched = loop.run_until_complete(launch())
    yield loop, launched
    loop.run_until_complete(launched.close())
    loop.run_until_complete(driver.stop())
    loop.close()


@pytest.fixture
def run(browser: tuple[asyncio.AbstractEventLoop, Any], tmp_path: Path) -> Run:
    """Return what shows a page with that body and runs a coroutine function on it."""
    loop, launched = browser

    async def show(body: str, act: Callable[[PortalPage], Awaitable[Any]]) -> Any:
        page = await launched.new_page()
        try:
            await page.set_content(f"<!doctype html><body>{body}</body>")
            job = SimpleNamespace(failures=[])
            job.fail = job.failures.append
            return await act(PortalPage(page, spool=tmp_path, job=job, signed_out=("#sign-in",)))
        finally:
            await page.close()

    return lambda body, act: loop.run_until_complete(show(body, act))


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


def test_a_month_is_picked(run):
    async def act(page: PortalPage) -> str:
        await page.month(("#m",), date(2026, 10, 31), "%b %Y", TODAY)
        return str(await page.raw.evaluate("m.value"))

    assert run(DROP_DOWN, act) == "Oct 2026"


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
    monkeypatch.setattr("scrapers.core.page.crawl_settings", lambda: SimpleNamespace(page_wait=0.2))
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
