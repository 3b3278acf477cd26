"""The e-reports of Corporate Self Serve: ordered, then collected. Detects their cache error."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.jobs import Job
from scrapers.core.outcomes import CacheError, WrongAccount
from scrapers.core.page import PortalPage, Selectors
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import MENU
from scrapers.portals.bell.settings import BellSettings

STANDARD = (
    "header a:text-is('Standard reports')",
    "xpath=/html[1]/body[1]/header[1]/div[1]/div[2]/div[1]/div[1]/div[1]/ul[1]/li[2]/div[1]/span[1]/a[1]",
)
REPORT = ("#reportsDropDown", "label=Report")
FROM, TO = ("#fromReportDate", "label=From"), ("#toReportDate", "label=To")
STATUS = ("#reportStatusBarRequests", "#reportStatusBar table")
EXCEL = ("img[alt=Excel]", "[title='Export to Excel']")
ACCOUNTS = ("main :text-matches('^Billing accounts', 'i')",)


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
    logins = (BellSelfServe,)
    any_entry = True  # reports of a month are the same for every account's job
    reports = (
        Report("cost_overview", "Cost Overview"),
        Report("usage_overview", "Usage Overview"),
        Report("enhanced_user_profile", "Enhanced User Profile Report"),
    )

    @asynccontextmanager
    async def area(self, page: PortalPage) -> AsyncIterator[PortalPage]:
        page.begin("open the e-reports")
        await page.hover(("nav >> a:text-is('Reports')", f"{MENU}/li[4]/a[1]"))
        async with page.new_tab(("nav >> :text-is('e-report')", f"{MENU}/li[4]/div[1]/ul[1]/li[1]/a[1]/h3[1]")) as tab:
            tab.begin("check the header")
            if not await tab.shown((*STANDARD, *tab.signed_out), within=BellSettings.current().header_wait):
                raise CacheError("The header menu did not come.", step=tab.trail.step, selector=STANDARD[0])
            await tab.click(STANDARD)
            await tab.find(REPORT)
            if tab.job.target.account not in await tab.text(ACCOUNTS):
                raise WrongAccount("The e-reports do not cover the account.", step=tab.trail.step)
            yield tab

    async def order(self, page: PortalPage, report: Report) -> Selectors:
        target = page.job.target
        await page.pick(REPORT, report.name)
        await page.month(FROM, target.start, "%b %Y", self.today())
        await page.month(TO, target.end, "%b %Y", self.today())
        await page.click(("#btnApply", "button:text-is('Apply')"))
        await page.find(EXCEL)
        return EXCEL

    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        await page.find(STATUS)
        rows = self.rows(page.job, report)
        count = await page.raw.locator(f"xpath={rows}").count()
        links = [f"xpath=({rows})[{number}]/td[1]//a" for number in range(1, count + 1)]
        return [Entry(link, is_ready=await page.shown((link,)) is not None) for link in links]

    def rows(self, job: Job, report: Report) -> str:
        """Return the XPath of the status rows of a report and this cycle's months, newest first."""
        cells = (report.name, f"{job.target.start:%b %Y}", f"{job.target.end:%b %Y}")
        tests = " and ".join(f"normalize-space(td[{number}])='{text}'" for number, text in enumerate(cells, 1))
        return f"//*[@id='reportStatusBarRequests']//tbody/tr[{tests}]"
