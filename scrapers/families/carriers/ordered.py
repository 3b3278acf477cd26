"""Reports that are ordered at a portal and collected later from its list; each is ordered once, also across kills."""

from __future__ import annotations

import asyncio
import json
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from scrapers.core.jobs import Job
from scrapers.core.locators import same
from scrapers.core.outcomes import Failure, PortalChanged, ReportFailed, ReportNotReady
from scrapers.core.page import PortalPage, Selectors, until
from scrapers.core.periods import months_in
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.core.visit import Visit
from scrapers.families.carriers.reports import MonthlyReports, Report

STANDS = 45 * 60  # seconds after which an order without a report is repeated
LOOK_EVERY = 0.3  # seconds between two polls of the portal's list
RELOAD_EVERY = 30  # seconds; some lists do not refresh themselves


@dataclass(frozen=True, slots=True)
class Entry:
    """A report in the portal's list of those it has made or is making."""

    selector: str
    is_ready: bool
    age: float | None = None  # seconds, at least; None: the list does not say
    failed: bool = False


class OrderedReports(MonthlyReports):
    """
    Base of the spiders of reports that are ordered, made at the portal, and collected later.

    A portal implements `area`, `order`, `entries`, `collect` and `dismiss`. The base stores each order in the database
    before the click that places it, finds the job's own entries, and waits up to LATCHKEY_REPORT_WAIT. Then it raises
    ReportNotReady, and a later run collects the rest.
    """

    taken: ClassVar[Selectors] = ()  # elements shown when the portal has accepted an order
    refused: ClassVar[Selectors] = ()  # elements shown when it has refused one
    oldest: ClassVar[float] = float("inf")  # seconds; older entries are another run's
    list_covers: ClassVar[bool] = False  # the open list covers the order form
    any_entry: ClassVar[bool] = False  # any run's newest entry may be collected: jobs of one user share their orders

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._placed: dict[tuple[Any, ...], dict[str, Any]] = {}  # orders of this crawl that its other jobs may use

    @abstractmethod
    def area(self, page: PortalPage) -> AbstractAsyncContextManager[PortalPage]:
        """Open the page on which reports are ordered and listed, and yield it."""

    @abstractmethod
    async def order(self, page: PortalPage, report: Report) -> Selectors:
        """Fill in and read back the order of a report; return the selectors of the button that places it."""

    @abstractmethod
    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        """Return the entries about a report and the job's account and month, newest first."""

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        """Download the report of an entry, by default by a click on it."""
        return await page.download((entry.selector,))

    async def dismiss(self, page: PortalPage, entry: Entry) -> None:
        """Remove an entry from the portal's list once its file is stored; does nothing by default."""

    async def was_taken(self, page: PortalPage, report: Report, before: int, placed: Selectors) -> bool:
        """
        Return whether the portal has accepted an order; *before*: number of entries before it. placed: its button.

        Raises ReportFailed when it was refused. Without `taken`, an order is accepted once its entry is in the list.
        """
        if not self.taken:

            async def is_listed() -> bool:
                return len(await self.entries(page, report)) > before

            if not await until(is_listed, crawl_settings().page_wait):
                raise PortalChanged(f"{report.name} was ordered and is not in the list.", step=page.trail.step)
            return True
        said = await page.arrives((*self.taken, *self.refused))
        if said in self.refused:
            raise ReportFailed(f"The portal could not make {report.name}.", step=page.trail.step)
        return said is not None or not await page.shown(placed)  # in words not known: the form has gone

    async def visit(self, page: PortalPage) -> Visit:
        """Order the reports that are neither stored nor ordered, then collect each one when it is ready."""
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
            asked = await _asked(job, report) or await self._placed_for(job, report)
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
                if not is_clear:  # the list may cover the page, or an earlier order's message be taken for this one's
                    await area.reload()
                is_clear = False
                await self._order(area, report, asked, len(there))
                placed.append(report)
            for each in placed:
                yield each

    async def _order(self, area: PortalPage, report: Report, asked: dict[str, Any] | None, before: int) -> None:
        job, name = area.job, f"asked {report.slug}"
        click = await self.order(area, report)
        if not asked or time.time() - asked["at"] > STANDS:  # the time of the click: filling in the order is no waiting
            asked = {"at": time.time(), "before": before, "asks": 0, "heard": False}
        # Stored before the click: a run killed during it orders once more and counts both entries as its own.
        asked = {**asked, "asks": asked["asks"] + 1}
        await job.remember(name, asked)
        await area.click(click)
        try:
            heard = await self.was_taken(area, report, before, click)
        except ReportFailed:
            await job.forget(name)
            raise
        self._placed[_order_key(job, report)] = asked = {**asked, "heard": heard}
        await job.remember(name, asked)

    async def _placed_for(self, job: Job, report: Report) -> dict[str, Any] | None:
        """Return the order of another job of this crawl that is about the same report, and note it as this job's own."""
        placed = self._placed.get(_order_key(job, report)) if self.any_entry else None
        if placed is not None:
            await job.remember(f"asked {report.slug}", placed)
        return placed

    async def _next(self, area: PortalPage, waiting: Sequence[Report]) -> tuple[Report, Entry]:
        """Wait for the first report that is ready or failed; raise ReportNotReady at the deadline."""
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
        Return the newest entry if it is the job's own; None when there is no new one, or it may be another run's.

        There must be more entries than before the order, at most as many more as were ordered, and the newest must be no
        older than `oldest` and the order.
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
        """Dismiss the entry of a report, and forget its order. Called after the report is stored, so that a kill loses nothing."""
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
        except Failure as failure:  # the report itself is stored
            job.warn(f"The entry of {report.slug} was not dismissed: {failure}")


READ_ROWS = "rows => rows.map(row => [...row.children].map(cell => cell.innerText))"


async def listed(page: PortalPage, table: str, name: str, months: Collection[tuple[int, int]]) -> list[Entry]:
    """
    Return the rows of a table that have *name* as one cell and name no months but *months*; each one's link is in its first cell.

    table: a selector. Cells with a time say when a report was ordered, not what is in it.
    """
    rows = f"{table} >> :is(tr, [role=row]):has-text({json.dumps(name)})"
    found = []
    for place, cells in enumerate(await page.scope.locator(rows).evaluate_all(READ_ROWS)):
        named = {month for cell in cells if ":" not in cell for month in months_in(cell)}
        if any(same(cell, name) for cell in cells) and named <= set(months):
            link = f"{rows} >> nth={place} >> :is(td, th, [role=cell]):first-child a"
            found.append(Entry(link, is_ready=await page.shown((link,)) is not None))
    return found


def _order_key(job: Job, report: Report) -> tuple[Any, ...]:
    return (job.credential and job.credential.username, report.slug, job.target.start, job.target.end)


async def _asked(job: Job, report: Report) -> dict[str, Any] | None:
    """Return the note of an order (time, number of orders, entries before, accepted); None when there is none."""
    asked = await job.recall(f"asked {report.slug}")
    return asked if isinstance(asked, dict) else None
