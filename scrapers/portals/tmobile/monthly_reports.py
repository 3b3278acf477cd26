"""The monthly reports: templates that are run as they are, and collected from the list of what the portal has made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.page import PortalPage, Selectors
from scrapers.core.spool import PartFile
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.portals.tmobile import templates
from scrapers.portals.tmobile.columns import LOCALE, REPORTS
from scrapers.portals.tmobile.dialogs import close_dialogs, with_reload
from scrapers.portals.tmobile.history import DOWNLOAD, MORE, SAVE, entries_of, read_history
from scrapers.portals.tmobile.login import TmobileLogin

NAMES = {  # name of each template, and of its report in the list
    "charges_and_usage": ("Charges and Usage Summary", "Charges and Usage Summary"),
    "usage_detail": ("Usage Detail", "Usage Detail Report"),
    "statement_detail": ("Statement Detail", "Statement Detail"),
    "inventory_report": ("Equipment Inventory", "Equipment Inventory Report"),
    "equipment_installment": ("Equipment Installment", "Equipment Installment and Payment Report"),
}
OTHER = ("inventory_report", "equipment_installment")  # without a period: the portal makes them of the present state


class TmobileMonthlyReports(OrderedReports):
    """
    Portal
      T-Mobile for Business, reporting (https://tfb.t-mobile.com/apps/tfb_billing/dashboard)
    Caveats
      Five files, made on request within about ten minutes; what is not ready in time is collected by the next run. The two
      equipment reports are those of the day on which they are asked for, whatever the cycle.
    """

    name = "tmobile_monthly_reports"
    locale = LOCALE
    logins = (TmobileLogin,)
    reports = tuple(Report(slug, name, REPORTS[slug], dated=slug not in OTHER) for slug, (name, _) in NAMES.items())

    @asynccontextmanager
    async def area(self, page: PortalPage) -> AsyncIterator[PortalPage]:
        page.begin("open the reports")
        await templates.open_tab(page, templates.BILLING_TAB)
        yield page

    async def order(self, page: PortalPage, report: Report) -> Selectors:
        async def fill_in() -> None:
            await templates.open_tab(page, templates.BILLING_TAB if report.dated else templates.OTHER_TAB)
            await templates.set_filters(page, page.job.target.end if report.dated else None, self.today())
            group = templates.BILLING_GROUP if report.dated else templates.OTHER_GROUP
            await templates.open_menu(page, group, report.name)

        await with_reload(page, fill_in)
        return templates.RUN

    async def was_taken(self, page: PortalPage, report: Report, before: int, placed: Selectors) -> bool:
        return await templates.was_confirmed(page)

    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        end, name = page.job.target.end, NAMES[report.slug][1]
        month = (end.year, end.month) if report.dated else None
        rows = await read_history(page)
        return list(entries_of(rows, name, page.job.target.account, month, self.today()))

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        part = await page.download(SAVE, by=((f"{entry.selector} >> {MORE}",), DOWNLOAD))
        await close_dialogs(page)
        return part
