"""T-Mobile's reports over several visits: ordered once, left while they are pending, and collected from a list of everybody's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scrapers.core.items import Listing
from scrapers.core.outcomes import Failure, ReportNotReady
from scrapers.core.spool import describe
from scrapers.families.carriers import ordered
from scrapers.families.carriers.ordered import Entry
from scrapers.families.carriers.reports import Report
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.portals.tmobile.history import Made, entries_of
from scrapers.portals.tmobile.monthly_reports import NAMES, OTHER, TmobileMonthlyReports

OURS, ANOTHER = "123456782", "123456790"
TODAY = date(2026, 11, 20)
SLUGS = list(NAMES)
TARGET = CarrierTarget(
    account_id=1, account=OURS, billing_cycle_id=2, start=date(2026, 10, 1), end=date(2026, 10, 31),
    reports={slug: number for number, slug in enumerate(SLUGS, 3)},
)  # fmt: skip


def made(
    slug: str, status: str = "Completed", *, account: str = OURS, month: str = "Oct 2026", ran: str = "Nov 20, 2026"
) -> Made:
    return Made.of(NAMES[slug][1], account if slug in OTHER else f"{month} | {account}", ran, status)


class Reports(TmobileMonthlyReports):
    """The spider at a portal whose list is `rows`: an order puts its report on top, pending."""

    folder: Path

    def __init__(self, rows: list[Made]) -> None:
        super().__init__()
        self.rows, self.orders, self.collected = rows, list[str](), list[str]()

    @asynccontextmanager
    async def area(self, page: Any) -> AsyncIterator[Any]:
        yield page

    async def order(self, page: Any, report: Report) -> tuple[str, ...]:
        return (report.slug,)

    async def was_taken(self, page: Any, report: Report, before: int, placed: Any) -> bool:
        return True

    async def entries(self, page: Any, report: Report) -> list[Entry]:
        month = (2026, 10) if report.dated else None
        return list(entries_of(self.rows, NAMES[report.slug][1], OURS, month, TODAY))

    async def collect(self, page: Any, entry: Entry) -> Any:
        self.collected.append(entry.selector)
        path = self.folder / f"{len(self.collected)}.csv"
        path.write_text(f"Account number,Sum\n{OURS},3\n")
        return describe(path, path.name)


class Page:
    """A page whose job remembers in *notes*, and whose clicks are orders."""

    def __init__(self, spider: Reports, notes: dict[str, Any], stored: set[str]) -> None:
        self.spider, self.trail, self.failures = spider, SimpleNamespace(step=""), list[Failure]()

        async def recall(name: str) -> Any:
            return notes.get(name)

        async def remember(name: str, value: Any) -> None:
            notes[name] = value

        async def forget(name: str) -> None:
            notes.pop(name, None)

        self.job = SimpleNamespace(id=7, target=TARGET, stored=stored, warn=lambda text: None, credential=None)
        self.job.recall, self.job.remember, self.job.forget = recall, remember, forget

    def begin(self, step: str) -> None:
        self.trail.step = step

    async def click(self, selectors: tuple[str, ...]) -> None:
        self.spider.orders.append(selectors[0])
        self.spider.rows.insert(0, made(selectors[0], "Pending"))

    async def reload(self) -> None:
        """The list stays as it is."""

    @asynccontextmanager
    async def part(self, slug: str) -> AsyncIterator[None]:
        try:
            yield
        except Failure as failure:
            self.failures.append(failure)


@pytest.fixture
def visit(tmp_path, monkeypatch):
    """Return what makes a visit: the names of its failures. Stored keys are added."""
    monkeypatch.setenv("LATCHKEY_REPORT_WAIT", "1")
    monkeypatch.setattr(ordered, "LOOK_EVERY", 0.05)
    Reports.folder = tmp_path

    def make(spider: Reports, notes: dict[str, Any], stored: set[str]) -> list[type[Failure]]:
        page: Any = Page(spider, notes, stored)

        async def run() -> None:
            async for item in spider.visit(page):
                if not isinstance(item, Listing):
                    stored.add(item.key)

        asyncio.run(run())
        return [type(failure) for failure in page.failures]

    return make


OTHERS = [
    made("usage_detail", month="Sep 2026"),
    made("usage_detail", account=ANOTHER),
    made("usage_detail", ran="Nov 19, 2026"),
    made("inventory_report", account=ANOTHER),
]


def test_reports_are_ordered_once_and_collected_by_a_later_visit(visit):
    spider, notes, stored = Reports([*OTHERS]), dict[str, Any](), set[str]()
    assert visit(spider, notes, stored) == [ReportNotReady]
    assert (spider.orders, spider.collected, stored, set(notes)) == (
        SLUGS,
        [],
        set(),
        {f"asked {slug}" for slug in SLUGS},
    )

    spider.rows = [*OTHERS, *(made(slug) for slug in SLUGS), *OTHERS]
    assert visit(spider, notes, stored) == []
    assert (spider.orders, stored, notes) == (SLUGS, set(SLUGS), {})


def test_what_is_ready_is_collected_and_the_rest_is_left(visit):
    spider, notes, stored = Reports([*OTHERS]), dict[str, Any](), set[str]()
    visit(spider, notes, stored)
    spider.rows = [*(made(slug, "Pending" if slug == "statement_detail" else "Completed") for slug in SLUGS), *OTHERS]
    assert visit(spider, notes, stored) == [ReportNotReady]
    assert stored == {*SLUGS} - {"statement_detail"}
    assert set(notes) == {"asked statement_detail"}


def test_reports_of_another_account_month_or_day_are_never_collected(visit):
    spider, notes, stored = Reports([]), dict[str, Any](), set[str]()
    visit(spider, notes, stored)
    spider.rows = [*OTHERS, *OTHERS]
    assert visit(spider, notes, stored) == [ReportNotReady]
    assert (spider.collected, stored) == ([], set())


def test_a_report_that_was_there_before_the_order_is_not_the_order_s(visit):
    spider, notes, stored = Reports([made("usage_detail")]), dict[str, Any](), set[str]()
    visit(spider, notes, stored)
    assert "usage_detail" in spider.orders
    assert spider.collected == []
