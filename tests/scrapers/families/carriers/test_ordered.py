"""Which entry of a portal's list is the job's own, and what is taken of entries that do not say whose they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from scrapers.core.items import Listing
from scrapers.core.outcomes import Failure, NotListed, PortalChanged, ReportNotReady, WrongAccount
from scrapers.core.spool import describe
from scrapers.families.carriers import ordered
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.portals.bell.columns import LOCALE

OURS, OTHER = "533122906", "533122907"
TARGET = CarrierTarget(
    account_id=1,
    account=OURS,
    billing_cycle_id=2,
    start=date(2026, 10, 1),
    end=date(2026, 10, 31),
    reports={"cost": 3, "use": 4},
)


class Ordered(OrderedReports):
    """Reports of a portal whose list is *made*: after the order, files by the selector of their entry."""

    name, portal, locale = "bell_monthly_reports", "bell", LOCALE
    reports: ClassVar[tuple[Report, ...]] = (Report("cost", "Cost"),)
    folder: Path

    def __init__(self, before: Sequence[Entry], made: Sequence[Entry], files: dict[str, str]) -> None:
        super().__init__()
        self.list, self.made, self.files = list(before), list(made), files
        self.collected: list[str] = []

    @asynccontextmanager
    async def area(self, page: Any) -> AsyncIterator[Any]:
        yield page

    async def order(self, page: Any, report: Report) -> tuple[str, ...]:
        return ("#order",)

    async def entries(self, page: Any, report: Report) -> list[Entry]:
        return self.list

    async def collect(self, page: Any, entry: Entry) -> Any:
        self.collected.append(entry.selector)
        path = self.folder / entry.selector
        path.write_text(self.files[entry.selector])
        return describe(path, "export.csv")


class Page:
    """A page whose one button has the portal make what was ordered."""

    def __init__(self, spider: Ordered) -> None:
        self.spider, self.trail, self.notes = spider, SimpleNamespace(step=""), dict[str, Any]()
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.job: Any = SimpleNamespace(
            id=7, target=TARGET, stored=set(), warn=self.warnings.append, recall=self.recall, credential=None
        )
        self.job.remember, self.job.forget = self.remember, self.forget

    async def recall(self, name: str) -> Any:
        return self.notes.get(name)

    async def remember(self, name: str, value: Any) -> None:
        self.notes[name] = value

    async def forget(self, name: str) -> None:
        self.notes.pop(name, None)

    def begin(self, step: str) -> None:
        self.trail.step = step

    async def click(self, selectors: tuple[str, ...]) -> None:
        self.spider.list = [*self.spider.made, *self.spider.list]

    async def reload(self) -> None:
        """The list stays as it is."""

    @asynccontextmanager
    async def part(self, slug: str) -> AsyncIterator[None]:
        try:
            yield
        except Failure as failure:
            self.failures.append(failure)


def file(account: str, month: str = "Oct 2026") -> str:
    return f"Account number,Invoice month,Sum\n{account},{month},3\n"


@pytest.fixture
def visit(tmp_path, monkeypatch):
    """Return what makes a visit: its page, and the keys of the files that it brought."""
    monkeypatch.setenv("LATCHKEY_REPORT_WAIT", "1")
    monkeypatch.setattr(ordered, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(ordered, "LISTED", 0.1)
    monkeypatch.setattr(Ordered, "folder", tmp_path, raising=False)

    def make(spider: Ordered) -> tuple[Page, list[str]]:
        page = Page(spider)

        async def collect() -> list[str]:
            return [item.key async for item in spider.visit(page) if not isinstance(item, Listing)]

        return page, asyncio.run(collect())

    return make


def entry(selector: str, age: float | None = 0, **facts: Any) -> Entry:
    return Entry(selector, **{"is_ready": True, "age": age, "is_stated": False, **facts})


def test_an_entry_that_does_not_say_whose_it_is_is_proved_by_its_file(visit):
    page, brought = visit(spider := Ordered([entry("old", 9000)], [entry("ours")], {"ours": file(OURS)}))
    assert (brought, spider.collected, page.failures, page.warnings) == (["cost"], ["ours"], [], [])


@pytest.mark.parametrize("foreign", [file(OTHER), file(OURS, "Sep 2026")], ids=["account", "month"])
@pytest.mark.parametrize("is_oldest_first", [False, True])
def test_another_order_s_file_is_left_and_ours_is_taken(visit, foreign, is_oldest_first):
    made = [entry("theirs"), entry("ours")]
    old = [entry("old", 9000)]
    spider = Ordered(old, made, {"ours": file(OURS), "theirs": foreign})
    if is_oldest_first:
        spider.made, spider.list = [*old, *reversed(made)], []
    page, brought = visit(spider)
    assert (brought, spider.collected, page.failures) == (["cost"], ["theirs", "ours"], [])
    assert len(page.warnings) == 1


@pytest.mark.parametrize(("content", "failure"), [(file(OTHER), WrongAccount), (file(OURS, "Sep 2026"), PortalChanged)])
def test_where_only_another_s_comes_it_is_said_at_the_end_of_the_wait(visit, content, failure):
    page, brought = visit(spider := Ordered([], [entry("theirs")], {"theirs": content}))
    assert (brought, spider.collected, [type(each) for each in page.failures]) == ([], ["theirs"], [failure])
    assert page.notes["asked cost"]["others"]  # the next run does not download it again


def test_what_states_that_it_is_ours_and_is_not_is_refused_at_once(visit):
    page, brought = visit(Ordered([], [entry("ours", is_stated=True)], {"ours": file(OTHER)}))
    assert (brought, [type(each) for each in page.failures]) == ([], [WrongAccount])
    assert not page.warnings


def test_an_entry_that_is_still_being_made_is_waited_for(visit):
    page, brought = visit(Ordered([], [entry("ours", is_ready=False)], {}))
    assert (brought, [type(each) for each in page.failures]) == ([], [ReportNotReady])


def test_entries_without_a_name_are_told_by_the_order_of_the_orders():
    spider = Ordered([], [], {})
    rows = [entry(name, None, is_named=False) for name in ("third", "second", "first", "before")]
    asked = {"at": time.time(), "before": 1, "asks": 1}
    own = [spider._own(rows, asked | {"after": after}) for after in range(4)]
    assert [each and each.selector for each in own] == ["first", "second", "third", None]


def test_what_is_told_by_its_order_alone_must_not_name_another_report(visit, monkeypatch):
    monkeypatch.setattr(Ordered, "reports", (*Ordered.reports, Report("use", "Usage")))
    spider = Ordered([], [entry("ours", None, is_named=False)], {"ours": f"Usage\n{file(OURS)}"})
    page, brought = visit(spider)
    assert (brought, [type(each) for each in page.failures]) == (["use"], [PortalChanged])


def test_a_report_of_several_accounts_without_this_one_s_has_a_name_of_its_own(visit, monkeypatch):
    monkeypatch.setattr(Ordered, "covers_all", True)
    both = "Account,Sum\n533122907,3\n533122908,4\n"
    page, brought = visit(Ordered([], [entry("all", is_stated=True)], {"all": both}))
    assert (brought, [type(each) for each in page.failures]) == ([], [NotListed])


class Mixed(Ordered):
    """One report is ordered, and another one is made at once."""

    reports = (Report("use", "Usage", by="bring"), Report("cost", "Cost"))

    async def bring(self, page: Any, *_reports: Report) -> Any:
        self.collected.append("usage")
        (path := self.folder / "usage").write_text(self.files["usage"])
        return describe(path, "usage.csv")


def test_what_is_made_at_once_is_fetched_while_the_other_is_being_made(visit):
    spider = Mixed([], [entry("ours")], {"ours": file(OURS), "usage": file(OURS)})
    page, brought = visit(spider)
    assert (brought, spider.collected, page.failures) == (["use", "cost"], ["usage", "ours"], [])


@pytest.mark.parametrize(
    ("files", "made", "left", "failure"),
    [
        ({"ours": file(OURS), "usage": file(OTHER)}, True, ["cost"], WrongAccount),
        ({"usage": file(OURS)}, False, ["use"], ReportNotReady),
    ],
    ids=["fetched", "ordered"],
)
def test_a_failure_of_one_kind_does_not_stop_the_other(visit, files, made, left, failure):
    page, brought = visit(Mixed([], [entry("ours", is_ready=made)], files))
    assert (brought, [type(each) for each in page.failures]) == (left, [failure])


def test_what_is_made_at_once_is_never_ordered(visit):
    spider = Mixed([], [entry("ours")], {"ours": file(OURS), "usage": file(OURS)})
    page, _ = visit(spider)
    assert "asked use" not in page.notes
