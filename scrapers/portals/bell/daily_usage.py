"""Daily usage of Corporate Self Serve, with its pool figures."""

from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.portals.bell.columns import LOCALE, USAGE
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import choose_account, open_menu
from scrapers.reading.values.sizes import data_size

FILTER = ("filter-selection select", "label=View")
VIEWS = (  # the first one that an account has
    "All usage",
    "Medium Business Data Share",
    "Corp Business Data Share",
    "Corporate Share NA Data Group",
    "Medium Business Unlimited Data Share",
)
ALL_PAGES = ("a:text-is('Download all pages')", "a:has-text('download all pages')")
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
        await open_menu(page, "Usage", ("nav >> span:text-is('Usage details')", "nav >> a:has-text('Usage details')"))
        await choose_account(page, page.job.target.account, FILTER)
        page.begin("read the pools")
        size, used = await self.pools(page)
        page.begin("choose the view")
        offered = await page.options(FILTER)
        view = next((view for view in VIEWS if view in offered), None)
        if view is None:
            raise PortalChanged("None of the known views is offered.", step=page.trail.step, selector=FILTER[0])
        await page.pick(FILTER, view)
        await page.find((f"h2:text-is('{view}')", "main table"))
        page.begin("download")
        await page.click(("search >> a:text-is('Download')", "a:text-is('Download')"))
        return Usage(await page.download(ALL_PAGES), size, used)

    async def pools(self, page: PortalPage) -> tuple[int | None, int | None]:
        """Return included and used bytes over all pools; None when unknown."""
        await page.shown((POOLS, "main :text('no shared data')"), within=30)
        included = await page.texts((f"{POOLS}/div[1]/span",))
        used = await page.texts((f"{POOLS}/div[2]/span[1]",))
        if not included:
            page.job.warn("The page shows no pool: its figures are unknown.")
        found = total(included), total(used)
        if included and None in found:
            page.job.warn("The sizes of the pools are not understood: their figures are unknown.")
        return found


def total(texts: list[str]) -> int | None:
    """Return the sum of the sizes in bytes; None when there is none or one is unknown."""
    try:
        sizes = [data_size(text, LOCALE) for text in texts]
    except ValueError:
        return None
    return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)
