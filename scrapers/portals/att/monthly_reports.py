"""The monthly reports of Premier Care's billing."""

from dataclasses import dataclass

from scrapers.core.page import PortalPage
from scrapers.core.spool import PartFile
from scrapers.families.carriers.globys import REPORTS as REPORTS_MENU
from scrapers.families.carriers.globys import Globys
from scrapers.families.carriers.reports import MonthlyReports, Report
from scrapers.portals.att.billing import BILLING
from scrapers.portals.att.columns import LOCALE, REPORTS
from scrapers.portals.att.login import AttLogin

DETAIL = ("#mainNavMenu >> says=Detail", "xpath=//*[@id='mainNavMenu']/ul[1]/li[4]/ul/li[3]/a")
TABS = "xpath=//*[@id='thisForm']/div/div[1]/ul"
BACK = ("xpath=//*[@id='thisForm']/div[1]/div[1]/a",)
CHARGES = (f"{TABS} >> says=Charges and usage", "says=Charges and usage")
INVENTORY = (f"{TABS} >> says=Inventory", "says=Inventory")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report is: its tab, its section, the names of its button in order of preference."""

    tab: tuple[str, ...]
    section: str
    names: tuple[str, ...]


def with_sizes(name: str) -> tuple[str, ...]:
    """Return the names of a report that some accounts have with usage in GB."""
    return f"{name} (GB usage)", name


PLACES = {
    "all_billing_cycle_charges": Place(CHARGES, "Bill summary", ("All charges",)),
    "wireless_charges": Place(CHARGES, "Wireless number summary", with_sizes("All wireless charges and usage")),
    "usage_details": Place(CHARGES, "Billed usage", with_sizes("All data export - usage details")),
    "device_installment": Place(CHARGES, "Equipment installment", ("Device installment details",)),
    "upgrade_and_inventory": Place(INVENTORY, "Inventory", ("Upgrade eligibility and inventory",)),
}
OF_TODAY = "upgrade_and_inventory"  # it has no month: the portal makes it of the present state


class AttMonthlyReports(MonthlyReports):
    """
    Portal
      AT&T, Premier Care, reports of its billing (https://www.wireless.att.com/premiercare/)
    Caveats
      Five CSV files, independent of each other. The inventory is that of the day on which it is fetched, whatever the cycle.
    """

    name = "att_monthly_reports"
    locale = LOCALE
    logins = (AttLogin,)
    reports = tuple(
        Report(slug, place.names[-1], REPORTS[slug], by="fetch", dated=slug != OF_TODAY)
        for slug, place in PLACES.items()
    )
    not_fetched = {"monthly_charges": "Monthly charges"}

    async def fetch(self, page: PortalPage, report: Report) -> PartFile:
        """Download a report of the job's account and, where it has one, its month."""
        globys, place = Globys(page, self.today()), PLACES[report.slug]
        page.begin("open the reports")
        if await page.shown(BACK):
            await page.click(BACK)
            await page.find(CHARGES)
        elif not await page.shown(CHARGES):
            if not await page.shown((*DETAIL, *REPORTS_MENU)):
                await globys.open(BILLING, (*DETAIL, *REPORTS_MENU))
            await globys.open(DETAIL, CHARGES, REPORTS_MENU)
        await globys.show(place.tab, place.section)
        await globys.choose_account()
        if report.dated:
            await globys.choose_month("c")
        await globys.view(place.section, place.names)
        return await globys.export()
