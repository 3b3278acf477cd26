"""Reports that are ordered at a portal, made there, and collected from a list: once each, whatever is killed between."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from scrapers.core.jobs import Job
from scrapers.core.outcomes import Failure, PortalChanged, ReportFailed, ReportNotReady
from scrapers.core.page import PortalPage, Selectors, until
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.core.visit import Visit
from scrapers.families.carriers.reports import MonthlyReports, Report

STANDS = 45 * 60  # seconds after which an order whose report never came is made again
LOOK_EVERY = 0.3  # seconds between two looks at the portal's list
RELOAD_EVERY = 30  # seconds: some lists do not renew themselves


@dataclass(frozen=True, slots=True)
class Entry:
    """A report in the portal's list of those it has made or is making."""

    selector: str
    is_ready: bool
    age: float | None = None  # seconds, at least; None: the list does not say
    failed: bool = False


class OrderedReports(MonthlyReports):
    """
    Base of the spiders whose reports are ordered, made at the portal, and collected later.

    A portal says how to reach the place (`area`), how one report is ordered, which entries of the list are about it, and
    how one is collected and dismissed. The base remembers what was ordered, before the click that orders; tells which
    entry is this job's; waits up to LATCHKEY_REPORT_WAIT, then ends with ReportNotReady and leaves the rest to a later run.
    """

    taken: ClassVar[Selectors] = ()  # shows that the portal has taken an order
    refused: ClassVar[Selectors] = ()  # … that it could not
    oldest: ClassVar[float] = float("inf")  # seconds: an entry that is older is of another run
    list_covers: ClassVar[bool] = False  # the list, once it is open, lies over the place where reports are ordered
    any_entry: ClassVar[bool] = False  # the newest entry will do, whichever run has ordered it

    @abstractmethod
    def area(self, page: PortalPage) -> AbstractAsyncContextManager[PortalPage]:
        """Open the place where reports are ordered and listed."""

    @abstractmethod
    async def order(self, page: PortalPage, report: Report) -> Selectors:
        """Fill in the order of a report, read back what counts, and return what is to be clicked to place it."""

    @abstractmethod
    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        """Return the entries about a report and the job's account and month, newest first."""

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        """Download the report of an entry: by a click on it, unless the portal says otherwise."""
        return await page.download((entry.selector,))

    async def dismiss(self, page: PortalPage, entry: Entry) -> None:
        """Take an entry whose file is stored off the list, where the portal's has to be tidied."""

    async def was_taken(self, page: PortalPage, report: Report, before: int) -> bool:
        """
        Tell whether the portal says that it has taken an order; *before*: how many entries there were.

        Raises ReportFailed when it refuses. Without marks of its own an order is taken once it stands in the list.
        """
        if not self.taken:

            async def is_listed() -> bool:
                return len(await self.entries(page, report)) > before

            if not await until(is_listed, crawl_settings().page_wait):
                raise PortalChanged(f"{report.name} was ordered and is not in the list.", step=page.trail.step)
            return True
        said = await page.shown((*self.taken, *self.refused), within=15)
        if said in self.refused:
            raise ReportFailed(f"The portal could not make {report.name}.", step=page.trail.step)
        return said is not None

    async def visit(self, page: PortalPage) -> Visit:
        """Order what is neither stored nor ordered, then collect each report as it becomes ready."""
        job = page.job
        yield self.listing(job)
        async with self.area(page) as area:
            waiting: dict[str, Report] = {}
            async for report in self._ordered(area):
                waiting[report.slug] = report
            while waiting:
                found: list[tuple[Report, Entry]] = []
                async with area.part("wait for the reports"):
                    found.append(await self._next(area, list(waiting.values())))
                if not found:
                    break
                report, entry = found[0]
                del waiting[report.slug]
                async with area.part(f"collect {report.slug}"):
                    if entry.failed:
                        await job.forget(f"asked {report.slug}")
                        raise ReportFailed(f"The portal could not make {report.name}.", step=area.trail.step)
                    yield await self.report_file(job, report, await self.collect(area, entry))
                    await self._tidy(area, report)

    async def _ordered(self, area: PortalPage) -> AsyncIterator[Report]:
        """Order the missing reports that are not ordered yet; yield each that is."""
        job, to_order = area.job, []
        for report in self.missing_reports(job):
            asked = await _asked(job, report)
            if asked and asked["heard"] and time.time() - asked["at"] < STANDS:
                yield report
            else:
                to_order.append((report, asked))
        if not to_order:
            return
        area.begin("look for reports that are there already")
        lists = {report.slug: await self.entries(area, report) for report, _ in to_order}
        is_clear = not self.list_covers
        for report, asked in to_order:
            there = lists[report.slug]
            if asked and self._own(there, asked) is not None:
                yield report
                continue
            placed = []
            async with area.part(f"order {report.slug}"):
                if not is_clear:  # the list or an earlier order may lie over the page, or be taken for this one's
                    await area.reload()
                is_clear = False
                await self._order(area, report, asked, len(there))
                placed.append(report)
            for each in placed:
                yield each

    async def _order(self, area: PortalPage, report: Report, asked: dict[str, Any] | None, before: int) -> None:
        job, name = area.job, f"asked {report.slug}"
        if not asked or time.time() - asked["at"] > STANDS:
            asked = {"at": time.time(), "before": before, "asks": 0, "heard": False}
        click = await self.order(area, report)
        # Before the click: a run that is killed in it orders once more, and knows that both are its own.
        asked = {**asked, "asks": asked["asks"] + 1}
        await job.remember(name, asked)
        await area.click(click)
        try:
            heard = await self.was_taken(area, report, before)
        except ReportFailed:
            await job.forget(name)
            raise
        await job.remember(name, {**asked, "heard": heard})

    async def _next(self, area: PortalPage, waiting: Sequence[Report]) -> tuple[Report, Entry]:
        """Return the first report that is ready, or cannot be made; raise ReportNotReady when none becomes so in time."""
        loop, job = asyncio.get_running_loop(), area.job
        orders = {report.slug: await _asked(job, report) for report in waiting}
        newest = max((asked["at"] for asked in orders.values() if asked), default=time.time())
        deadline = loop.time() + max(1.0, newest + crawl_settings().report_wait - time.time())
        reload_at = loop.time() + RELOAD_EVERY
        while True:
            for report in waiting:
                asked = orders[report.slug]
                entry = self._own(await self.entries(area, report), asked) if asked else None
                if entry is not None and (entry.is_ready or entry.failed):
                    return report, entry
            if loop.time() > deadline:
                names = ", ".join(report.slug for report in waiting)
                raise ReportNotReady(f"Still being made: {names}.", step=area.trail.step)
            if loop.time() > reload_at:
                await area.reload()
                reload_at = loop.time() + RELOAD_EVERY
            await asyncio.sleep(LOOK_EVERY)

    def _own(self, found: Sequence[Entry], asked: dict[str, Any]) -> Entry | None:
        """
        Return the newest entry that the job's order has brought; None when there is none yet, or it may be another's.

        What came since the order is what there is more than before; it is the job's when it is no more than was ordered,
        young enough, and not older than the order.
        """
        came = len(found) - asked["before"]
        if came <= 0 or (not self.any_entry and came > asked["asks"]):
            return None
        ages = [entry.age for entry in found if entry.age is not None]
        if ages != sorted(ages):
            return None
        newest = found[0]
        is_own = newest.age is None or newest.age <= min(self.oldest, time.time() - asked["at"])
        return newest if is_own else None

    async def _tidy(self, area: PortalPage, report: Report) -> None:
        """Dismiss the entry of a report that is stored; until it is, its entry stays, so that a kill loses nothing."""
        job = area.job
        try:
            asked = await _asked(job, report)
            there = [] if type(self).dismiss is OrderedReports.dismiss else await self.entries(area, report)
            await job.forget(f"asked {report.slug}")
            if asked is None or (entry := self._own(there, asked)) is None:
                return

            async def is_gone() -> bool:
                return len(await self.entries(area, report)) < len(there)

            await self.dismiss(area, entry)
            await until(is_gone, 5)
        except Failure as failure:  # what had to come has come
            job.warn(f"The entry of {report.slug} was not dismissed: {failure}")


async def _asked(job: Job, report: Report) -> dict[str, Any] | None:
    """Return what is remembered of an order: when it was first made, how often, and how many entries there were before."""
    asked = await job.recall(f"asked {report.slug}")
    return asked if isinstance(asked, dict) else None
