"""The monthly reports of Bizonline: four that it shows at once, and one that it makes on request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.page import PortalPage, Selectors
from scrapers.core.spool import PartFile
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.portals.rogers import reports as form
from scrapers.portals.rogers.columns import LOCALE, REPORTS
from scrapers.portals.rogers.dialogs import close_dialog
from scrapers.portals.rogers.extracts import merge
from scrapers.portals.rogers.login import RogersLogin
from scrapers.portals.rogers.requests import entries_of, read_requests

NAMES = {  # category and name of each report
    "ccc_chg": ("Current Charges and Credits", "Current Charges - Subscriber Level"),
    "ccd_monthly": ("Cost Centre Detail", "Monthly Charges Breakdown"),
    "data": ("Cost Centre Detail", "Monthly Usage Breakdown"),
    "ccc_credits": ("Current Charges and Credits", "Credit - Subscriber Level"),
    "bcr": ("Wireless Eligibility Check", "Hardware Upgrade Eligibility Report"),
}
OF_TODAY = "bcr"  # it is asked for without a bill cycle: the portal makes it of the present state


class RogersMonthlyReports(OrderedReports):
    """
    Portal
      Rogers, Bizonline, reports (https://bss.rogers.com/bizonline/prm-reports.do)
    Caveats
      Five files, independent of each other. The upgrade eligibility is that of the day on which it is asked for, whatever
      the cycle; the portal takes minutes to make it, and what is not ready in time is collected by the next run.
    """

    name = "rogers_monthly_reports"
    locale = LOCALE
    logins = (RogersLogin,)
    reports = tuple(
        Report(slug, name, REPORTS[slug], by="" if slug == OF_TODAY else "extract", dated=slug != OF_TODAY)
        for slug, (_, name) in NAMES.items()
    )

    @asynccontextmanager
    async def area(self, page: PortalPage) -> AsyncIterator[PortalPage]:
        page.begin("open the reports")
        await form.open_reports(page)
        yield page

    async def extract(self, page: PortalPage, report: Report) -> PartFile:
        """Export a report of the job's account and bill cycle as text."""
        await form.choose_report(page, *NAMES[report.slug])
        await form.run(page)
        await form.choose_bill_cycle(page, self.today())
        return await form.export(page)

    async def order(self, page: PortalPage, report: Report) -> Selectors:
        await form.choose_report(page, *NAMES[report.slug])
        await form.confirm(page)
        return form.RUN

    async def was_taken(self, page: PortalPage, report: Report, before: int, placed: Selectors) -> bool:
        await page.is_at_rest(form.DRAWN)  # a dialog that says so may come late
        return await super().was_taken(page, report, before, placed)

    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        requests = await read_requests(page)
        return list(entries_of(requests, report.name, page.job.target.account, self.today()))

    async def refresh(self, page: PortalPage) -> None:
        await close_dialog(page)
        await page.click(form.REPORTS)  # loading the page again could place the order again
        await page.is_at_rest(form.DRAWN)

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        part, notes = await asyncio.to_thread(merge, await page.download((entry.selector,)), page.job.target.months)
        for note in notes:
            page.job.warn(note)
        return part
