"""The monthly reports of the Enterprise Centre: each ordered once, collected from the notifications, then dismissed."""

from contextlib import AbstractAsyncContextManager

from scrapers.core.page import PortalPage, Selectors, guess
from scrapers.core.spool import PartFile
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.portals.bell.columns import LOCALE, REPORTS
from scrapers.portals.bell.enhanced_reports import enhanced_reports
from scrapers.portals.bell.enterprise_login import BellEnterpriseCentre
from scrapers.portals.bell.notifications import CLOSE, DOWNLOAD, read_anew, read_notifications
from scrapers.portals.bell.workbooks import choose_account, choose_month, open_export, open_workbook

ORDERED = (guess(":text-matches('being prepared|will be notified|en préparation|vous serez avis', 'i')"),)
EXPORT_FAILED = (guess(":text-matches('(export|request)[a-z ]* failed|could not be (made|created)|échou', 'i')"),)


class BellMonthlyReports(OrderedReports):
    """
    Portal
      Bell, Enterprise Centre, Enhanced Mobility Reports (https://enterprisecentre.bell.ca)
    Caveats
      Four workbooks, independent of each other. The portal takes minutes to make one; what is not ready in time is
      collected by the next run, which does not order it again. Notifications that may be another run's are not touched.
    """

    name = "bell_monthly_reports"
    locale = LOCALE
    logins = (BellEnterpriseCentre,)
    reports = (
        Report("cost_overview", "Cost Overview Report", REPORTS["cost_overview"]),
        Report("usage_overview", "Usage Overview Report", REPORTS["usage_overview"]),
        Report("enhanced_user_profile", "Enhanced User Profile Report", REPORTS["enhanced_user_profile"]),
        Report("invoice_charge_report", "Invoice Charge Report", REPORTS["invoice_charge_report"]),
    )
    not_fetched = {"dtl": "Detail"}
    taken, refused, list_covers = ORDERED, EXPORT_FAILED, True
    oldest = 45 * 60  # seconds; half an hour was too strict

    def area(self, page: PortalPage) -> AbstractAsyncContextManager[PortalPage]:
        return enhanced_reports(page)

    async def order(self, page: PortalPage, report: Report) -> Selectors:
        await open_workbook(page, report.name)
        await choose_month(page, self.today())
        await choose_account(page)
        page.begin(f"export {report.slug}")
        return await open_export(page)

    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        return await read_notifications(page, report.name)

    async def refresh(self, page: PortalPage) -> None:
        await read_anew(page)

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        return await page.download((f"{entry.selector} >> {DOWNLOAD}",))

    async def dismiss(self, page: PortalPage, entry: Entry) -> None:
        await page.click((f"{entry.selector} >> {CLOSE}",))
