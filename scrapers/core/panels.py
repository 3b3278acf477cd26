"""Drop-downs that draw their options elsewhere in the page, such as Angular Material's select with its overlay."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from scrapers.core.choices import LOADING
from scrapers.core.compat import PlaywrightError, PlaywrightTimeout, detached
from scrapers.core.locators import Selectors, bare, containing, same
from scrapers.core.looking import until
from scrapers.core.outcomes import Failure, PortalChanged
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle

    from scrapers.core.page import PortalPage

OPTIONS = ":is(mat-option, [role=option]):visible"
OPENS = 3.0  # seconds in which a panel shows its entries; one that was opened before they came is opened anew
KEPT = 5.0  # seconds in which a drop-down shows what was chosen
TRIES = 3  # a list may be filled anew between a look and a click
LISTED = "select => [...select.options].map(option => option.label)"
# What a drop-down says of itself; null once it has left the page.
SAID = """node => !node.isConnected ? null : node.tagName === "SELECT" ? node.selectedOptions[0]?.label ?? ""
  : node.innerText || node.value || node.getAttribute("aria-label") || "" """


async def open_panel(page: PortalPage, opener: Selectors, held: Selectors) -> None:
    """
    Click what opens a panel, and wait until that shows one of the elements.

    One that stays empty is closed and opened anew, for up to LATCHKEY_PAGE_WAIT; then PortalChanged is raised.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + crawl_settings().page_wait
    while True:
        await page.click(opener)
        if await page.shown(held, within=OPENS):
            return
        if loop.time() >= deadline:
            raise PortalChanged("It shows no entries.", step=page.trail.step, selector=" | ".join(opener))
        await close_panel(page)


async def close_panel(page: PortalPage) -> None:
    """Close the panel that is open, if any."""
    await page.raw.keyboard.press("Escape")


async def said_by(page: PortalPage, selectors: Selectors) -> str:
    """Return what a drop-down shows as chosen, white space collapsed."""
    return " ".join((await _said(await (await page.find(selectors)).element_handle()) or "").split())


async def _said(opener: ElementHandle) -> str | None:
    said: str | None = await opener.evaluate(SAID)
    return said


async def choose_in_panel(
    page: PortalPage,
    opener: Selectors,
    which: Callable[[list[str]], int],
    *,
    options: str = OPTIONS,
    whole: bool = False,
) -> str:
    """
    Choose what a drop-down offers, drawn or real, and return its text once the drop-down shows it.

    opener: the drop-down. which: takes the texts that are offered, in their order, and returns the place of the wanted one; its
    Failure is raised once the list has come to rest. whole: also the place is asked for only then. Raises PortalChanged where
    the drop-down does not show the choice.
    """
    for _ in range(TRIES):
        element = await page.find(opener)
        handle = await element.element_handle()
        is_real = await handle.evaluate("node => node.tagName") == "SELECT"
        if not is_real:
            await open_panel(page, opener, (options,))

        async def read(is_real: bool = is_real, handle: ElementHandle = handle) -> list[str]:
            texts: list[str] = (
                await handle.evaluate(LISTED) if is_real else await page.scope.locator(options).all_inner_texts()
            )
            return [" ".join(text.split()) for text in texts]

        try:
            text, place = await _wanted(page, read, which, whole)
        except Failure:
            if not is_real:
                await close_panel(page)
            raise
        page.trail.act()
        try:
            if is_real:
                await handle.select_option(index=place)
            else:
                await page.scope.locator(options).nth(place).click(timeout=OPENS * 1000)
        except PlaywrightError as error:  # the list was filled anew, or has closed
            if not (isinstance(error, PlaywrightTimeout) or detached(error)):
                raise

        async def is_shown(handle: ElementHandle = handle, text: str = text) -> bool:
            said = await _said(handle)
            said = await said_by(page, opener) if said is None else said
            return same(text, said) or containing(text).search(said) is not None

        if await until(is_shown, KEPT):
            return text
        if not is_real and await page.shown((options,)):
            await close_panel(page)
    raise PortalChanged("The choice did not stay.", step=page.trail.step, selector=" | ".join(opener))


async def _wanted(
    page: PortalPage, read: Callable[[], Awaitable[list[str]]], which: Callable[[list[str]], int], whole: bool
) -> tuple[str, int]:
    """Return text and place of what is wanted, once it is offered or the list has come to rest."""
    found: list[tuple[str, int]] = []
    failures: list[Failure] = []

    async def look() -> bool:
        texts = await read()
        found.clear()
        failures.clear()
        try:
            place = which(texts)
        except Failure as failure:
            failures.append(failure)
            return False
        found.append((texts[place], place))
        return not whole

    loop = asyncio.get_running_loop()
    deadline = loop.time() + crawl_settings().page_wait
    while True:
        await page.rests(look)
        if any(text and not bare(text).startswith(LOADING) for text in await read()) or loop.time() >= deadline:
            break
        await asyncio.sleep(0.1)  # between two polls of a list that is still empty
    await look()
    if failures:
        failures[0].step = failures[0].step or page.trail.step
        raise failures[0]
    return found[0]


def the_text(wanted: str) -> Callable[[Sequence[str]], int]:
    """
    Return the choice of a text, or else of the only one that contains it; it raises PortalChanged where there is none.

    >>> the_text("All usage")(["All usage history", "ALL USAGE"]), the_text("All usage")(["Data", "All usage (2)"])
    (1, 1)
    """

    def which(offered: Sequence[str]) -> int:
        for fits in (same, lambda text, other: containing(text).search(other) is not None):
            places = [place for place, text in enumerate(offered) if fits(wanted, text)]
            if len(places) == 1:
                return places[0]
            if places:
                raise PortalChanged(f"{wanted} is offered {len(places)} times.")
        raise PortalChanged(f"{wanted} is not offered.")

    return which
