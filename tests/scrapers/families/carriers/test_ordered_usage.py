"""Usage that is ordered under a name: each order is noted before its click, and one that was lost is placed once more."""

from __future__ import annotations

import asyncio
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from scrapers.core.outcomes import PortalChanged, ReportFailed, ReportNotReady, WrongAccount
from scrapers.families.carriers import ordered, ordered_usage
from scrapers.families.carriers.ordered import Entry
from scrapers.families.carriers.ordered_usage import ASKED, OrderedUsage

TODAY = date(2026, 11, 20)


class Usage(OrderedUsage):
    """A portal's list, by name. lost: orders that it loses; state: "ready", "failed" or "pending" of the others."""

    title = "Usage"
    address = "/list"

    def __init__(self, notes: dict[str, Any], lost: int = 0, state: str = "ready", *, has_list: bool = True) -> None:
        self.notes, self.lost, self.state, self.has_list = notes, lost, state, has_list
        self.names: list[str] = []
        self.list: list[str] = []
        self.warnings: list[str] = []
        self.noted: list[bool] = []  # whether each order was noted when it was placed
        job = SimpleNamespace(target=SimpleNamespace(account="38319713"), warn=self.warnings.append)
        job.recall, job.remember, job.forget = self.recall, self.remember, self.forget
        page: Any = SimpleNamespace(job=job, click=self.click, begin=lambda step: None, reload=self.nothing)
        super().__init__(page, TODAY)

    async def recall(self, name: str) -> Any:
        return self.notes.get(name)

    async def remember(self, name: str, value: Any) -> None:
        self.notes[name] = dict(value)

    async def forget(self, name: str) -> None:
        self.notes.pop(name, None)

    async def nothing(self) -> None:
        """The list is as it was."""

    async def click(self, _selectors: tuple[str, ...]) -> None:
        self.noted.append(self.notes[ASKED]["name"] == self.names[-1])
        if self.lost:
            self.lost -= 1
        else:
            self.list.append(self.names[-1])

    async def order(self, name: str) -> tuple[str, ...]:
        self.names.append(name)
        return ("#go",)

    async def open_list(self, address: str = "") -> bool:
        return self.has_list

    async def entry(self, name: str) -> Entry | None:
        if name not in self.list or not self.has_list:
            return None
        if self.state == "other":
            raise WrongAccount
        return Entry(name, self.state == "ready", failed=self.state == "failed")

    async def collect(self, entry: Entry) -> Any:
        return entry.selector


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_REPORT_WAIT", "1")
    monkeypatch.setattr(ordered, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(ordered_usage, "LISTED", 0.1)


def report(usage: Usage) -> Any:
    return asyncio.run(usage.report())


def test_the_report_that_was_ordered_is_collected():
    usage = Usage({})
    assert report(usage) == usage.names[0]
    assert usage.names[0].startswith(f"Usage {TODAY:%m-%d-%Y} ")
    assert (len(usage.names), usage.noted, usage.warnings) == (1, [True], [])
    assert usage.notes[ASKED]["list"] == "/list"


def test_a_later_run_collects_it_without_another_order():
    notes: dict[str, Any] = {}
    first = Usage(notes, state="pending")
    with pytest.raises(ReportNotReady):
        report(first)
    later = Usage(notes)
    later.list = first.list
    assert report(later) == first.names[0]
    assert later.names == []


def test_an_order_that_an_earlier_run_has_lost_is_placed_anew():
    usage = Usage({ASKED: {"name": "Usage of this morning", "at": 0.0, "list": "/list"}})
    assert report(usage) == usage.names[0]


def test_an_order_that_is_lost_is_placed_once_more_in_the_same_run():
    usage = Usage({}, lost=1)
    assert report(usage) == usage.names[1]
    assert (usage.noted, len(usage.warnings)) == ([True, True], 1)


def test_an_order_that_is_lost_again_and_again_is_placed_twice_in_a_run():
    usage = Usage({}, lost=9)
    with pytest.raises(ReportNotReady):
        report(usage)
    assert len(usage.names) == 2


def test_a_list_that_is_not_shown_does_not_lose_an_order():
    usage = Usage({}, has_list=False)
    with pytest.raises(PortalChanged):
        report(usage)
    assert len(usage.names) == 1


@pytest.mark.parametrize(("state", "failure"), [("failed", ReportFailed), ("other", WrongAccount)])
def test_a_report_that_cannot_be_used_is_ordered_anew_by_the_next_run(state, failure):
    usage = Usage({}, state=state)
    with pytest.raises(failure):
        report(usage)
    assert usage.notes == {}
