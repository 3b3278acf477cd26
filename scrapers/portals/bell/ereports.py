"""The e-reports of Corporate Self Serve: ordered, then collected. Detects their cache error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.outcomes import CacheError
from scrapers.core.page import PortalPage, Selectors, guess
from scrapers.families.carriers.ordered import Entry, OrderedReports, listed
from scrapers.families.carriers.reports import Report
from scrapers.portals.bell.columns import LOCALE
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import entry_of
from scrapers.portals.bell.settings import BellSettings

STANDARD = (
    "says=Standard reports",
    "xpath=/html[1]/body[1]/header[1]/div[1]/div[2]/div[1]/div[1]/div[1]/ul[1]/li[2]/div[1]/span[1]/a[1]",
)
REPORT = ("#reportsDropDown", guess("label=Report"), "select")
MONTHS = "xpath=(//select[option[contains(., ' 20')]])"
FROM, TO = (
    ("#fromReportDate", guess("label=From"), guess(f"{MONTHS}[1]")),
    ("#toReportDate", guess("label=To"), guess(f"{MONTHS}[2]")),
)
APPLY = ("#btnApply", "says=Apply")
CRITERIA = (*REPORT[:2], *APPLY)
MARKS = [f"{name}*={kind} i" for kind in ("excel", "xls") for name in ("alt", "title", "aria-label", "src", "class")]
EXCEL = tuple(guess(f":is(img, input, a, button)[{mark}]") for mark in MARKS)
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

    async def to_reports(self, page: PortalPage) -> None:
        """Open the standard reports, also after the page was loaded again."""
        if not await page.shown(CRITERIA):
            await page.click(STANDARD)
            await page.find(CRITERIA)

    async def order(self, page: PortalPage, report: Report) -> Selectors:
        target = page.job.target
        await self.to_reports(page)
        await page.pick(REPORT, report.name)
        await page.month(FROM, target.start, "%b %Y", self.today())
        await page.month(TO, target.end, "%b %Y", self.today())
        await page.click(APPLY)
        await page.is_at_rest(10)  # the image may be there before the choices are applied
        await page.find(EXCEL)
        return EXCEL

    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        await self.to_reports(page)
        table = await page.shown(STATUS) or "body"
        return await listed(page, table, report, self.reports, page.job.target.months)
