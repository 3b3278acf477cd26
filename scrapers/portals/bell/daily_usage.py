"""Daily usage of Corporate Self Serve, with its pool figures."""

from scrapers.core.page import PortalPage, until
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.portals.bell.columns import LOCALE, USAGE
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import choose_account, entry_of
from scrapers.reading.values.sizes import total_size

FILTER = ("filter-selection select", "filter-selection >> role=combobox")
VIEWS = (  # the first one that an account has
    "All usage",
    "Medium Business Data Share",
    "Corp Business Data Share",
    "Corporate Share NA Data Group",
    "Medium Business Unlimited Data Share",
)
TAB = ("search >> says=Download", "xpath=//search/nav/ul/li[3]/a")
ALL_PAGES = ("says=Download all pages", "xpath=//search/nav/ul/li[3]/ul/li/a")
POOLS = "xpath=//*[@id='sharedAllowanceAdminContainer']/div[2]"


class BellDailyUsage(DailyUsage):
    """
    Portal
      Bell, Corporate Self Serve (https://business.bell.ca/corporateselfserve)
    Caveats
      The file holds the present cycle up to today; an account without shared data has no pool figures.
    """

    name = "bell_daily_usage"
    logins = (BellSelfServe,)
    columns = USAGE
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> Usage:
        path = "/div[1]/ul[1]/li[1]/ul[1]/li[1]/a[1]/span[1]"
        page.begin("open Usage")
        await page.choose_entry(*entry_of("Usage", "Usage details", path))
        await choose_account(page, page.job.target.account, FILTER)
        page.begin("read the pools")
        size, used = await self.pools(page)
        page.begin("choose the view")
        await page.pick(FILTER, VIEWS)
        await page.is_at_rest(30)  # no fact says what shows that the table is the view's
        page.begin("download")
        if not await page.shown(ALL_PAGES):
            await page.click(TAB)
        return Usage(await page.download(ALL_PAGES), size, used)

    async def pools(self, page: PortalPage) -> tuple[int | None, int | None]:
        """Return included and used bytes over all pools; None when unknown."""
        found: tuple[int | None, int | None] = (None, None)

        async def are_read() -> bool:  # the figures may come after the pools
            nonlocal found
            included, used = await page.texts((f"{POOLS}/div[1]/span",)), await page.texts((f"{POOLS}/div[2]/span[1]",))
            found = total_size(included, LOCALE), total_size(used, LOCALE)
            return None not in found

        if await page.arrives((POOLS,)) is None:
            page.job.warn("The page shows no pool: its figures are unknown.")
        elif not await until(are_read, 10):
            page.job.warn("The sizes of the pools are not understood: their figures are unknown.")
        return found
