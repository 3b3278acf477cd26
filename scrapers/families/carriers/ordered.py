"""Reports that are ordered at a portal and collected later from its list; each is ordered once, also across kills."""

from __future__ import annotations

import asyncio
import json
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, ClassVar, TypeVar

from scrapers.core.jobs import Job
from scrapers.core.locators import containing, same
from scrapers.core.outcomes import Failure, PortalChanged, ReportFailed, ReportNotReady, WrongAccount
from scrapers.core.page import PortalPage, Selectors, until
from scrapers.core.periods import months_in
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import CSV, TEXT, XLSX, PartFile
from scrapers.core.visit import Visit
from scrapers.families.carriers.reports import MonthlyReports, Report
from scrapers.reading.values.texts import plain
from scrapers.reading.workbooks import lines_of

T = TypeVar("T")
STANDS = 45 * 60  # seconds after which an order without a report is repeated
LOOK_EVERY = 0.3  # seconds between two polls of the portal's list
REFRESH_EVERY = 30  # seconds, or a third of the wait for reports; some lists do not refresh themselves
LISTED = 10  # seconds in which an order comes into a list that refreshes itself


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A report in the portal's list of those it has made or is making.

    is_stated: the entry names the job's account and month; else its file must prove them before it is stored. is_named: it
    names its report; else its place among the orders tells which it is. number: its place in the list, see `_own`.
    """

    selector: str
    is_ready: bool
    age: float | None = None  # seconds, at least; None: the list does not say
    failed: bool = False
    is_stated: bool = True
    is_named: bool = True
    number: int = 0


class OrderedReports(MonthlyReports):
    """
    Base of the spiders of reports that are ordered, made at the portal, and collected later.

    A portal implements `area`, `order`, `entries`, `collect`, `dismiss` and `refresh`. The base stores each order in the database
    before the click that places it, finds the job's own entries, and waits up to LATCHKEY_REPORT_WAIT. Then it raises
    ReportNotReady, and a later run collects the rest. Reports that the portal makes at once have a method that fetches them
    (`Report.by`); they are fetched while the others are being made.
    """

    taken: ClassVar[Selectors] = ()  # elements shown when the portal has accepted an order
    refused: ClassVar[Selectors] = ()  # elements shown when it has refused one
    oldest: ClassVar[float] = float("inf")  # seconds; older entries are another run's
    list_covers: ClassVar[bool] = False  # the open list covers the order form

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._placed: dict[tuple[Any, ...], dict[str, Any]] = {}  # orders of this crawl that its other jobs may use
        self._left: dict[tuple[int, str], Failure] = {}  # by job and report: why an entry was left, see `_leave`

    @abstractmethod
    def area(self, page: PortalPage) -> AbstractAsyncContextManager[PortalPage]:
        """Open the page on which reports are ordered and listed, and yield it."""

    @abstractmethod
    async def order(self, page: PortalPage, report: Report) -> Selectors:
        """Fill in and read back the order of a report; return the selectors of the button that places it."""

    @abstractmethod
    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        """Return the entries that may be about a report and the job's account and month: newest first, or with their ages."""

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        """Download the report of an entry, by default by a click on it."""
        return await page.download((entry.selector,))

    async def dismiss(self, page: PortalPage, entry: Entry) -> None:
        """Remove an entry from the portal's list once its file is stored; does nothing by default."""

    async def refresh(self, page: PortalPage) -> None:
        """Have the portal's list read anew; reloads the page by default."""
        await page.reload()

    async def was_taken(self, page: PortalPage, report: Report, before: int, placed: Selectors) -> bool:
        """
        Return whether the portal has accepted an order; *before*: number of entries before it. placed: its button.

        Raises ReportFailed when it was refused. Without `taken`, an order is accepted once its entry is in the list, which
        may be much later.
        """
        if not self.taken:

            async def is_listed() -> bool:
                return len(await self.entries(page, report)) > before

            return await until(is_listed, LISTED)
        said = await page.arrives((*self.taken, *self.refused))
        if said in self.refused:
            raise ReportFailed(f"The portal could not make {report.name}.", step=page.trail.step)
        return said is not None or not await page.shown(placed)  # in words not known: the form has gone

    async def visit(self, page: PortalPage) -> Visit:
        """Order the reports that are neither stored nor ordered, fetch those made at once, collect each one when it is ready."""
        job = page.job
        yield self.listing(job)
        async with self.area(page) as area:
            waiting: dict[str, Report] = {}
            async for report in self._ordered(area):
                waiting[report.slug] = report
            async for report, part in self.fetched(area):
                async with area.part(report.slug):
                    yield await self.report_file(job, report, part)
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
                    part, file = await self.collect(area, entry), None
                    try:
                        if not entry.is_named:
                            await asyncio.to_thread(check_name, part, report, self.reports)
                        file = await self.report_file(job, report, part)
                    except (WrongAccount, PortalChanged) as failure:
                        if entry.is_stated or not entry.is_named:
                            raise
                        await self._leave(job, report, entry, failure)
                        waiting[report.slug] = report
                    if file is not None:
                        yield file
                        await self._tidy(area, report)

    async def _ordered(self, area: PortalPage) -> AsyncIterator[Report]:
        """Order the missing reports that are not ordered yet; yield each that is."""
        job, to_order = area.job, []
        for report in [each for each in self.missing_reports(job) if not each.by]:
            asked = await _asked(job, report) or await self._placed_for(job, report)
            if asked and asked["heard"] and time.time() - asked["at"] < STANDS:
                yield report
            else:
                to_order.append((report, asked))
        if not to_order:
            return
        area.begin("look for reports that are there already")
        lists = {report.slug: await self.entries(area, report) for report, _ in to_order}
        is_clear, ordered = not self.list_covers, 0
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
                await self._order(area, report, asked, len(there), ordered)
                placed.append(report)
                ordered += 1
            for each in placed:
                yield each

    async def _order(
        self, area: PortalPage, report: Report, asked: dict[str, Any] | None, before: int, after: int
    ) -> None:
        job, name = area.job, f"asked {report.slug}"
        click = await self.order(area, report)
        if not asked or time.time() - asked["at"] > STANDS:  # the time of the click: filling in the order is no waiting
            asked = {"at": time.time(), "before": before, "after": after, "asks": 0, "heard": False}
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
        placed = self._placed.get(_order_key(job, report)) if self.covers_all else None
        if placed is not None:
            await job.remember(f"asked {report.slug}", placed)
        return placed

    async def _next(self, area: PortalPage, waiting: Sequence[Report]) -> tuple[Report, Entry]:
        """Wait for the first report that is ready or failed; raise ReportNotReady at the deadline."""
        job = area.job
        orders = {report.slug: await _asked(job, report) for report in waiting}
        newest = max((asked["at"] for asked in orders.values() if asked), default=time.time())

        async def look() -> tuple[Report, Entry] | None:
            for report in waiting:
                asked = orders[report.slug]
                entry = self._own(await self.entries(area, report), asked) if asked else None
                if entry is not None and (entry.is_ready or entry.failed):
                    return report, entry
            return None

        if (found := await wait_for(look, partial(self.refresh, area), newest)) is not None:
            return found
        for report in waiting:
            if (failure := self._left.get((job.id, report.slug))) is not None:
                raise failure
        names = ", ".join(report.slug for report in waiting)
        raise ReportNotReady(f"Still being made: {names}.", step=area.trail.step)

    async def _leave(self, job: Job, report: Report, entry: Entry, failure: Failure) -> None:
        """Note that an entry is another order's: its file is of another account or month, and was not kept."""
        self._left[job.id, report.slug] = failure
        asked = await _asked(job, report) or {}
        await job.remember(f"asked {report.slug}", {**asked, "others": [*asked.get("others", ()), entry.number]})
        job.warn(f"An entry of {report.name} is another order's, and was left: {failure.detail}")

    def _own(self, found: Sequence[Entry], asked: dict[str, Any]) -> Entry | None:
        """
        Return the newest entry that may be the job's own; None when there is no new one, or it may be another run's.

        There must be more entries than before the order, and it must be no older than `oldest` and the order. Of entries
        that state account and month there are at most as many more as were ordered; of others, those whose file was
        another's are left out. Entries are numbered from the oldest one, negative where the list begins with the oldest:
        while they are all of one age, that is not known.
        """
        came: int = len(found) - asked["before"]
        if came <= 0:
            return None
        if not all(entry.is_named for entry in found):
            # From the top: above those that were there, and the orders placed since.
            place = came - 1 - asked.get("after", 0)
            return found[place] if place >= 0 else None
        ages = [entry.age or 0 for entry in found]
        is_reversed = ages != sorted(ages)
        newest = sorted(reversed(found) if is_reversed else found, key=lambda entry: entry.age or 0)
        youngest = min(self.oldest, time.time() - asked["at"])
        new = [
            replace(entry, number=-(len(found) - place) if is_reversed else len(found) - place)
            for place, entry in enumerate(newest[:came])
            if entry.age is None or entry.age <= youngest
        ]
        stated = [entry for entry in new if entry.is_stated]
        if len(stated) > asked["asks"] and not self.covers_all:
            return None
        own = stated or [entry for entry in new if entry.number not in asked.get("others", ())]
        return own[0] if own else None

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


async def wait_for(
    look: Callable[[], Awaitable[T | None]], refresh: Callable[[], Awaitable[None]], ordered: float
) -> T | None:
    """
    Return what *look* finds, polling it until LATCHKEY_REPORT_WAIT after the order; None when that is over.

    refresh: has the portal's list read anew. ordered: Unix time of the order.
    """
    loop, wait = asyncio.get_running_loop(), crawl_settings().report_wait
    every = min(REFRESH_EVERY, max(1.0, wait / 3))
    found = await look()  # it may take longer than what is left of the wait, and the list come in it
    deadline = loop.time() + max(1.0, ordered + wait - time.time())
    refresh_at = loop.time() + every
    while found is None:
        if loop.time() > deadline:
            return None
        if loop.time() > refresh_at:
            await refresh()
            refresh_at = loop.time() + every
        await asyncio.sleep(LOOK_EVERY)
        found = await look()
    return found


ROWS = ":is(tr, [role=row]):not(:has(:is(tr, [role=row], th, select))):not(thead *)"
READ_ROWS = "rows => rows.map(row => [...row.children].map(cell => cell.innerText))"


async def listed(
    page: PortalPage, table: str, report: Report, reports: Sequence[Report], months: Collection[tuple[int, int]]
) -> list[Entry]:
    """
    Return the rows of a table that name *report* and no months but *months*; each one's link is in its first cell.

    table: a selector. reports: all that may be listed; where no row names any of them, all rows are returned. Cells with a
    time say when a report was ordered, not what is in it.
    """
    selector = f"{table} >> {ROWS}"
    rows = await page.scope.locator(selector).evaluate_all(READ_ROWS)
    is_named = any(containing(each.name).search(cell) for each in reports for cells in rows for cell in cells)
    if is_named:  # by its name, too: rows of other reports come on top between a look and a click
        selector += f":has-text({json.dumps(report.name)})"
        rows = await page.scope.locator(selector).evaluate_all(READ_ROWS)
    found = []
    for place, cells in enumerate(rows):
        named = {month for cell in cells if ":" not in cell for month in months_in(cell)}
        says = [cell for cell in cells if containing(report.name).search(cell)]
        if not is_named or (says and named <= set(months)):
            link = f"{selector} >> nth={place} >> :is(td, [role=cell], [role=gridcell]):first-child a"
            is_stated = any(same(cell, report.name) for cell in says)
            is_ready = await page.shown((link,)) is not None
            found.append(Entry(link, is_ready, is_stated=is_stated, is_named=is_named))
    return found


def check_name(part: PartFile, report: Report, reports: Sequence[Report]) -> None:
    """Raise PortalChanged for a workbook or CSV whose name or first lines name others of *reports* and not this one."""
    lines = islice(lines_of(part), 10) if part.media_type in (XLSX, CSV, TEXT) else ()
    said = " | ".join([part.name, *(str(plain(cell)) for line in lines for cell in line)])
    named = [each for each in reports if containing(each.name).search(said)]
    if named and report not in named:
        raise PortalChanged(f"The file is {named[0].name}, not {report.name}.", step="read the file")


def _order_key(job: Job, report: Report) -> tuple[Any, ...]:
    return (job.credential and job.credential.username, report.slug, job.target.start, job.target.end)


async def _asked(job: Job, report: Report) -> dict[str, Any] | None:
    """Return the note of an order (time, number of orders, entries before, accepted); None when there is none."""
    asked = await job.recall(f"asked {report.slug}")
    return asked if isinstance(asked, dict) else None
