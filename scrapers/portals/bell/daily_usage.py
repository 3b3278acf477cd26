"""Daily usage of Corporate Self Serve, with its pool figures."""

from scrapers.core.page import PortalPage
from scrapers.families.carriers.pools import read_pool
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.portals.bell.columns import LOCALE, USAGE
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import choose_account, entry_of

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
POOL = "xpath=//*[@id='sharedAllowanceAdminContainer']/div[2]"
POOLS, INCLUDED, USED = (POOL,), (f"{POOL}/div[1]/span",), (f"{POOL}/div[2]/span[1]",)


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
        size, used = await read_pool(page, POOLS, INCLUDED, USED, LOCALE)
        page.begin("choose the view")
        await page.pick(FILTER, VIEWS)
        await page.is_at_rest(30)  # no fact says what shows that the table is the view's
        page.begin("download")
        if not await page.shown(ALL_PAGES):
            await page.click(TAB)
        return Usage(await page.download(ALL_PAGES), size, used)
