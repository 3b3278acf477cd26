"""Tables that a portal shows page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from scrapers.core.looking import until
from scrapers.core.outcomes import PortalChanged
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from scrapers.core.locators import Selectors
    from scrapers.core.page import PortalPage

T = TypeVar("T")
SETTLES = 10  # seconds in which the rest of a page may come after its first rows


async def each_page(
    page: PortalPage, read: Callable[[], Awaitable[T]], following: Selectors, last: Selectors = ()
) -> AsyncIterator[T]:
    """
    Yield what *read* returns of each page of a table, clicking the element that leads to the following one.

    last: shown on the last page in the place of that element. What is read must differ from page to page: raises
    PortalChanged where a following page does not come, or one comes again.
    """
    seen: list[T] = []
    await page.is_at_rest(SETTLES)
    while True:
        if (held := await read()) in seen:
            raise PortalChanged("A page came again.", step=page.trail.step, selector=page.trail.selector)
        seen.append(held)
        yield held
        if await page.arrives((*following, *last)) not in following:
            return
        shown = await read()  # what was done with the page may have changed it

        async def has_come() -> bool:
            return await read() != shown  # noqa: B023 - used before the next round

        await page.click(following)
        if not await until(has_come, crawl_settings().page_wait):
            raise PortalChanged("The following page did not come.", step=page.trail.step, selector=page.trail.selector)
        await page.is_at_rest(SETTLES)
