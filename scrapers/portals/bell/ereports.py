"""The e-reports of Corporate Self Serve: ordered, then collected. Detects their cache error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.outcomes import CacheError
from scrapers.core.page import PortalPage, Selectors
from scrapers.families.carriers.ordered import Entry, OrderedReports, listed
from scrapers.families.carriers.reports import Report
from scrapers.portals.bell.columns import LOCALE
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import entry_of
from scrapers.portals.bell.settings import BellSettings
from scrapers.portals.bell.standard_reports import STANDARD, choose_criteria, open_standard_reports

STATUS = ("#reportStatusBarRequests", "#reportStatusBarContent", "#reportStatusBar")


class BellEreports(OrderedReports):
    """
    Portal
      Bell, e-reports of Corporate Self Serve (https://business.bell.ca/corporateselfserve)
    Caveats
      Reports cover every account of the user. The portal takes minutes to make one; what is not ready in time is
      collected by the next run, which does not order it again.
    """

    name = "bell_ereports"
    slug_prefix = "ereports_"  # not the Enterprise Centre's reports of the same names: these are of all accounts
    locale = LOCALE
    logins = (BellSelfServe,)
    covers_all = True
    reports = (
        Report("cost_overview", "Cost Overview"),
        Report("usage_overview", "Usage Overview"),
        Report("enhanced_user_profile", "Enhanced User Profile Report"),
    )

    @asynccontextmanager
    async def area(self, page: PortalPage) -> AsyncIterator[PortalPage]:
        page.begin("open Reports")
        menu, entry = entry_of("Reports", "e-report", "/div[1]/ul[1]/li[1]/a[1]/h3[1]")
        async with page.new_tab(entry, menu=menu, within=90) as tab:
            tab.begin("check the header")
            if not await tab.shown((*STANDARD, *tab.signed_out), within=BellSettings.current().header_wait):
                raise CacheError("The header menu did not come.", step=tab.trail.step, selector=STANDARD[0])
            yield tab

    async def order(self, page: PortalPage, report: Report) -> Selectors:
        await open_standard_reports(page)
        return await choose_criteria(page, report.name, self.today())

    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        await open_standard_reports(page)
        table = await page.shown(STATUS) or "body"
        return await listed(page, table, report, self.reports, page.job.target.months)
