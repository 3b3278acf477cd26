"""Daily usage of an account's page, with what its pool has used."""

from scrapers.core.answers import Answers
from scrapers.core.page import PortalPage, guess, until
from scrapers.core.panels import choose_in_panel, the_text
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.portals.tmobile.billing import find_account, open_account
from scrapers.portals.tmobile.columns import LOCALE, USAGE
from scrapers.portals.tmobile.login import TmobileLogin
from scrapers.portals.tmobile.pool import ASKED, pool_used

USAGE_TAB = ("role=tab|Usage", "says=Usage")
VIEW = ("xpath=//*[@id='usage-dropdown']//mat-select", guess("#usage-dropdown >> role=combobox"), "#usage-dropdown")
DOWNLOAD = ("says=Download", guess("[aria-label*=download i]"))
TOLD = 10.0  # seconds in which the page is told what the pool has used
DRAWN = 30.0  # seconds in which the usage is drawn


class TmobileDailyUsage(DailyUsage):
    """
    Portal
      T-Mobile for Business, billing (https://tfb.t-mobile.com/apps/tfb_billing/dashboard)
    Caveats
      The file holds the present cycle up to today. The size of a pool is not shown; what it has used is read from what the
      page itself asks for, and is the figure of the month in which the cycle ends.
    """

    name = "tmobile_daily_usage"
    logins = (TmobileLogin,)
    columns = USAGE
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> Usage:
        target = page.job.target
        row = await find_account(page)
        async with Answers(page, ASKED) as answers:
            await open_account(page, row)
            page.begin("choose the view")
            await page.click(USAGE_TAB)
            await choose_in_panel(page, VIEW, the_text("All usage"))
            await page.is_at_rest(DRAWN)  # the usage of another view may be shown still
            page.begin("download")
            part = await page.download(DOWNLOAD)

            async def is_told() -> bool:
                return pool_used(answers.found, target.account, target.end) is not None

            page.begin("read the pool")
            await until(is_told, TOLD if not answers.found else 0)
            used = pool_used(answers.found, target.account, target.end)
        if used is None:
            page.job.warn("What the pool has used is not told for the month of the cycle: it is unknown.")
        return Usage(part, pool_used=used)
