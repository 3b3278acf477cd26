"""The unbilled usage of Premier Care's reports."""

from scrapers.core.page import PortalPage
from scrapers.families.carriers.globys import REPORTS, Globys
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.portals.att.columns import LOCALE, USAGE
from scrapers.portals.att.login import AttLogin

REPORTS_TAB = ("#reportsTab > a", "#reportsTab a")
BILLING_REPORTS = ("xpath=//*[@id='functionality']/div/div[2]/div[1]",)
SUMMARY, UNBILLED = ("#navMenuItem5",), ("#navTabItem5-2",)
SECTION, NAME = "Unbilled details", "Unbilled usage details totals"


class AttDailyUsage(DailyUsage):
    """
    Portal
      AT&T, Premier Care, unbilled usage (https://www.wireless.att.com/premiercare/)
    Caveats
      The file holds the present cycle up to today. No figures of a pool are shown.
    """

    name = "att_daily_usage"
    logins = (AttLogin,)
    columns = USAGE
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> Usage:
        """Download the report of the job's account."""
        globys = Globys(page, self.today())
        page.begin("open the reports")
        await page.click(REPORTS_TAB)
        await globys.open(BILLING_REPORTS, (*SUMMARY, *REPORTS))
        await globys.open(SUMMARY, UNBILLED, REPORTS)
        await globys.show(UNBILLED, SECTION)
        await globys.choose_account()
        await globys.view(SECTION, (f"{NAME} (GB usage)", NAME))
        return Usage(await globys.export())
