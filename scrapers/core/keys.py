"""Texts that are typed into one field per character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapers.core.compat import PlaywrightError, navigated
from scrapers.core.looking import GRACE, until
from scrapers.core.outcomes import PortalChanged

if TYPE_CHECKING:
    from playwright.async_api import Locator

    from scrapers.core.locators import Selectors
    from scrapers.core.page import PortalPage

PAUSE = 0.1  # seconds between two keys: a page's script moves the focus from one field to the next in between
READ = "fields => fields.map(field => field.value)"


async def type_in_boxes(page: PortalPage, selectors: Selectors, text: str) -> None:
    """
    Type a text with key events into fields of one character each, and read it back; the text is never logged.

    selectors: each matches all fields, in their order. A page's script may move the focus from field to field; where it
    does not, each one is typed into by itself. Where there is one field alone, it takes the whole text. Raises
    PortalChanged when the fields hold something else.
    """
    await page.find(selectors)
    boxes = page.locate(await page.shown(selectors) or selectors[0])

    async def are_all() -> bool:
        return await boxes.count() == len(text)

    if not await until(are_all, GRACE):
        count = await boxes.count()
        if count != 1:
            detail = f"There are {count} fields for {len(text)} characters."
            raise PortalChanged(detail, step=page.trail.step, selector=page.trail.selector)
        await page.type(selectors, text)
        return
    await page.click(selectors)
    await page.raw.keyboard.type(text, delay=PAUSE * 1000)
    if await _held(boxes) in (text, None):
        return
    for place, sign in enumerate(text):
        await boxes.nth(place).fill("")
        await boxes.nth(place).press_sequentially(sign)
    if await _held(boxes) not in (text, None):
        raise PortalChanged(
            "What was typed did not stay in the fields.", step=page.trail.step, selector=page.trail.selector
        )


async def _held(boxes: Locator) -> str | None:
    """Return the text that the fields hold; None once the page has moved on without them."""
    try:
        values = await boxes.evaluate_all(READ)
    except PlaywrightError as error:
        if not navigated(error):
            raise
        return None
    return "".join(values) if values else None
