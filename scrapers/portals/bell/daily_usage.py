"""Daily usage of Corporate Self Serve, with its pool figures."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage
from scrapers.core.spool import PartFile
from scrapers.families.carriers.items import PoolRecord, UsageFile, usage_lines
from scrapers.families.carriers.spiders import DailyUsageSpider
from scrapers.portals.bell.columns import USAGE
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import choose_account, open_menu
from scrapers.reading.values import data_size
from scrapers.reading.workbooks import Sheet, check

FILTER = ("filter-selection select", "label=View")
VIEWS = (  # the first one that an account has
    "All usage",
    "Medium Business Data Share",
    "Corp Business Data Share",
    "Corporate Share NA Data Group",
    "Medium Business Unlimited Data Share",
)
POOLS = "xpath=//*[@id='sharedAllowanceAdminContainer']/div[2]"
Usage = tuple[PartFile, int | None, int | None]


class BellDailyUsage(DailyUsageSpider):
    """
    Portal
      Bell, Corporate Self Serve (https://business.bell.ca/corporateselfserve)
    Caveats
      The file holds the present cycle up to today; an account without shared data has no pool figures.
    """

    name = "bell_daily_usage"
    portal = "bell"
    logins = (BellSelfServe,)
    rendering = "browser"

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield self.flow(job, self.fetch, self.stored)

    async def fetch(self, page: PortalPage) -> Usage:
        """Bring the file, and the sums of the pools in bytes."""
        await open_menu(page, "Usage", ("nav >> span:text-is('Usage details')", "nav >> a:has-text('Usage details')"))
        await choose_account(page, page.job.target.account, FILTER)
        page.begin("read the pools")
        size, used = await self.pools(page)
        page.begin("choose the view")
        offered = await page.options(FILTER)
        view = next((view for view in VIEWS if view in offered), None)
        if view is None:
            raise PortalChanged("None of the known views is offered.", step=page.trail.step, selector=FILTER[0])
        await page.choose(FILTER, view)
        await page.find((f"h2:text-is('{view}')", "main table"))
        page.begin("download")
        await page.click(("search >> a:text-is('Download')", "a:text-is('Download')"))
        return await page.download(("a:text-is('Download all pages')", "a:has-text('download all pages')")), size, used

    async def pools(self, page: PortalPage) -> tuple[int | None, int | None]:
        """Return included and used bytes over all pools; None where the portal does not say."""
        await page.shown((POOLS, "main :text('no shared data')"), within=30)
        included = await page.texts((f"{POOLS}/div[1]/span",))
        used = await page.texts((f"{POOLS}/div[2]/span[1]",))
        if not included:
            page.job.warn("The page shows no pool: its figures are unknown.")
        return total(included), total(used)

    async def stored(self, job: Job, usage: Usage) -> AsyncIterator[Any]:
        """Yield the file with its rows and its pool record inside."""
        part, size, used = usage
        sheet = await asyncio.to_thread(Sheet.of, part, USAGE)
        check(sheet, job.target.account)
        day = date.fromisoformat(job.key.rpartition("/")[2])
        lines = usage_lines(job.id, sheet, job.target.billing_cycle_id, day)
        pool = PoolRecord(job=job.id, account_id=job.target.account_id, day=day, pool_size=size, pool_used=used)
        yield Listing(job=job.id, keys=("usage",))
        yield UsageFile(
            job=job.id,
            part=part,
            key="usage",
            name=f"bell_daily_usage_{day}.xlsx",
            period=f"{day:%Y-%m-%d}",
            billing_cycle_id=job.target.billing_cycle_id,
            day=day,
            records=(lines, pool) if (size, used) != (None, None) else (lines,),
        )


def total(texts: list[str]) -> int | None:
    """Return the sum of the sizes; None when one of them, or all, are unknown."""
    sizes = [data_size(text) for text in texts]
    return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)
