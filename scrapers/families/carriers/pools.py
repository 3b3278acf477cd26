"""The figures of a data pool, as a portal's page shows them."""

from __future__ import annotations

from scrapers.core.page import PortalPage, Selectors, until
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.sizes import total_size

FILLED = 10  # seconds in which figures come into elements that are there already


async def read_pool(
    page: PortalPage, pool: Selectors, size: Selectors, used: Selectors, locale: Locale
) -> tuple[int | None, int | None]:
    """
    Return size and use of a pool, or the sums over several, in bytes; None, with a warning, where it is unknown.

    pool: what shows that there is one. size, used: the elements that say so, of each pool.
    """
    found: tuple[int | None, int | None] = (None, None)

    async def are_read() -> bool:  # the figures may come after the pool
        nonlocal found
        found = (total_size(await page.texts(size), locale), total_size(await page.texts(used), locale))
        return None not in found

    if await page.arrives(pool) is None:
        page.job.warn("The page shows no pool: its figures are unknown.")
    elif not await until(are_read, FILLED):
        page.job.warn("The sizes of the pool are not understood: unknown figures are left out.")
    return found
