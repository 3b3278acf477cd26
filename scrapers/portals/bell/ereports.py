"""The e-reports of Corporate Self Serve: asked for, then collected; with the cure of their cache error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import CacheError, PortalChanged, ReportNotReady, SignedOut, WrongAccount
from scrapers.core.page import PortalPage
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.families.carriers.items import ReportFile
from scrapers.families.carriers.spiders import MonthlyReportsSpider, month_missing
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import MENU

STANDARD = (
    "header a:text-is('Standard reports')",
    "xpath=/html[1]/body[1]/header[1]/div[1]/div[2]/div[1]/div[1]/div[1]/ul[1]/li[2]/div[1]/span[1]/a[1]",
)
REPORT, FROM, TO = (
    ("#reportsDropDown", "label=Report"),
    ("#fromReportDate", "label=From"),
    ("#toReportDate", "label=To"),
)
STATUS = ("#reportStatusBarRequests", "#reportStatusBar table")
EXCEL = ("img[alt=Excel]", "[title='Export to Excel']")
ACCOUNTS = ("main :text-matches('^Billing accounts', 'i')",)


class BellEreports(MonthlyReportsSpider):
    """
    Portal
      Bell, e-reports of Corporate Self Serve (https://business.bell.ca/corporateselfserve)
    Caveats
      Reports cover every account of the user. The portal takes minutes to make one; a run that cannot wait leaves the
      rest to the next run, which collects without asking again.
    """

    name = "bell_ereports"
    portal = "bell"
    report_type = "ereports"
    slug_prefix = "ereports_"  # other files than the Enterprise Centre's reports of the same names: of all accounts
    logins = (BellSelfServe,)
    rendering = "browser"
    options = {"BELL_HEADER_WAIT": 60}  # seconds after which a missing header menu is the cache error
    reports = {
        "cost_overview": "Cost Overview",
        "usage_overview": "Usage Overview",
        "enhanced_user_profile": "Enhanced User Profile Report",
    }

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield self.flow(job, self.ask, self.asked)

    async def ask(self, page: PortalPage) -> None:
        """Ask for every report that is neither stored nor asked for."""
        async with self.opened(page) as tab:
            for slug in self.reports:
                if slug not in page.job.stored:
                    await self.ask_for(tab, slug)
                    # A fresh page: the preview of this report must not be taken for that of the next.
                    await tab.open(tab.raw.url)

    async def ask_for(self, tab: PortalPage, slug: str) -> None:
        """Ask for one report, unless this or a former run has."""
        job, rows = tab.job, self.rows(tab.job, slug)
        tab.begin(f"ask for {slug}")
        await tab.find(STATUS)
        before = await tab.raw.locator(f"xpath={rows}").count()
        if (asked := await job.recall(f"asked {slug}")) is not None and before > asked:
            return
        if not await tab.choose(REPORT, self.reports[slug]):
            raise PortalChanged(f"{self.reports[slug]} is not offered.", step=tab.trail.step, selector=REPORT[0])
        for where, day in ((FROM, job.target.start), (TO, job.target.end)):
            if not await tab.choose(where, f"{day:%b %Y}"):
                raise month_missing(day, await tab.options(where), "%b %Y", self.today())
        await tab.click(("#btnApply", "button:text-is('Apply')"))
        await tab.find(EXCEL)
        # Before the click: whoever comes after a kill sees by the number of rows whether the click was heard.
        await job.remember(f"asked {slug}", before)
        await tab.click(EXCEL)
        await tab.find((f"xpath=({rows})[{before + 1}]",))

    def asked(self, job: Job, nothing: None) -> Any:
        """Yield what must come, and a flow for each report."""
        yield Listing(job=job.id, keys=tuple(self.reports))
        for slug in self.reports:
            if slug not in job.stored:
                yield self.flow(job, self.collector(slug), self.collected)

    def collector(self, slug: str) -> Any:
        """Return the flow that waits for one report and brings it."""

        async def collect(page: PortalPage) -> tuple[str, PartFile]:
            async with self.opened(page) as tab:
                tab.begin(f"wait for {slug}")
                # The newest request comes first, so the first row of this name and these months is ours.
                ready = (f"xpath=({self.rows(tab.job, slug)})[1]/td[1]//a",)
                loop = asyncio.get_running_loop()
                deadline = loop.time() + crawl_settings().report_wait
                while not await tab.shown(ready, within=1):
                    if loop.time() > deadline:
                        raise ReportNotReady(f"{slug} is still being made.", step=tab.trail.step)
                tab.begin(f"download {slug}")
                return slug, await tab.download(ready)

        return collect

    async def collected(self, job: Job, found: tuple[str, PartFile]) -> AsyncIterator[Any]:
        """Yield the workbook."""
        slug, part = found
        yield ReportFile(
            job=job.id,
            part=part,
            key=slug,
            name=f"bell_{slug}_{job.target.month}.xlsx",
            period=job.target.month,
            billing_cycle_id=job.target.billing_cycle_id,
            carrier_report_id=job.target.reports[slug],
        )

    def rows(self, job: Job, slug: str) -> str:
        """Return the XPath of the status rows of a report and this cycle's months, newest first."""
        cells = (self.reports[slug], f"{job.target.start:%b %Y}", f"{job.target.end:%b %Y}")
        tests = " and ".join(f"normalize-space(td[{number}])='{text}'" for number, text in enumerate(cells, 1))
        return f"//*[@id='reportStatusBarRequests']//tbody/tr[{tests}]"

    @asynccontextmanager
    async def opened(self, page: PortalPage) -> AsyncIterator[PortalPage]:
        """Open the standard reports in their tab; a missing header menu is the cache error."""
        page.begin("open the e-reports")
        await page.hover(("nav >> a:text-is('Reports')", f"{MENU}/li[4]/a[1]"))
        async with page.new_tab(("nav >> :text-is('e-report')", f"{MENU}/li[4]/div[1]/ul[1]/li[1]/a[1]/h3[1]")) as tab:
            tab.begin("check the header")
            if not await tab.shown((*STANDARD, *tab.signed_out), within=self.option("BELL_HEADER_WAIT")):
                raise CacheError(
                    "The header menu of the e-reports did not come.", step=tab.trail.step, selector=STANDARD[0]
                )
            if await tab.shown(tab.signed_out):
                raise SignedOut("The e-reports asked for a new sign-in.", step=tab.trail.step)
            await tab.click(STANDARD)
            await tab.find(REPORT)
            if tab.job.target.account not in await tab.text(ACCOUNTS):
                raise WrongAccount("The e-reports do not cover the account.", step=tab.trail.step)
            yield tab
