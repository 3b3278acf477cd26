"""The unbilled usage of an account."""

from scrapers.core.page import PortalPage
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.portals.verizon.columns import LOCALE, USAGE
from scrapers.portals.verizon.dates import NoDates
from scrapers.portals.verizon.filters import fetch_report
from scrapers.portals.verizon.login import VerizonLogin


class VerizonDailyUsage(DailyUsage):
    """
    Portal
      Verizon, My Business, account unbilled usage (https://mb.verizonwireless.com)
    Caveats
      The file holds the present cycle up to today. No figures of a pool are shown.
    """

    name = "verizon_daily_usage"
    logins = (VerizonLogin,)
    columns = USAGE
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> Usage:
        """Download the report of the job's account."""
        return Usage(
            await fetch_report(page, "Usage", "Usage reports: Account unbilled usage", NoDates(), self.today())
        )
