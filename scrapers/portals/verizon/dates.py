"""The dates of the reports: by day, by month, of which the newest alone is kept, or none."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished
from scrapers.core.page import PortalPage, Selectors
from scrapers.core.periods import month_missing, months_in, names_month

FROM_MONTH, TO_MONTH = ("#monthRangeFrom",), ("#monthRangeTo",)
FROM_DAY, TO_DAY = ("input#dateFrom", "#dateFrom input"), ("input#dateTo", "#dateTo input")


def a_month_later(day: date) -> date:
    """
    Return the same day of the next month: its last one for the last one, or where there is none.

    >>> a_month_later(date(2028, 1, 31)), a_month_later(date(2027, 2, 28)), a_month_later(date(2026, 12, 15))
    (datetime.date(2028, 2, 29), datetime.date(2027, 3, 31), datetime.date(2027, 1, 15))
    """
    year, month = (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
    last, is_last = calendar.monthrange(year, month)[1], day.day == calendar.monthrange(day.year, day.month)[1]
    return date(year, month, last if is_last else min(day.day, last))


def newest_month(offered: Sequence[str], end: date, today: date) -> date:
    """
    Return the first day of the newest month that is offered, where it is what a cycle's report is made of.

    It is the month in which the cycle ends, or the running one after it, while the cycle is the last that has ended. No report
    of a month before is kept. end: the cycle's last day. Raises NoLongerAvailable for an older cycle, NotYetPublished where the
    cycle's month is not offered yet, PortalChanged where no month was read.
    """
    months = [found[0] for text in offered if (found := months_in(text))]
    if not months:
        raise month_missing(end, list(offered), today)
    newest = date(*max(months), 1)
    if newest < end.replace(day=1):
        raise NotYetPublished(f"The newest month is {newest:%B %Y}.")
    if newest > end.replace(day=1):
        following = a_month_later(end)
        if newest > following or following <= today:
            raise NoLongerAvailable(f"The report is made of {newest:%B %Y} alone: none is kept of a month before.")
    return newest


class NoDates:
    """A report without dates."""

    fields: ClassVar[Selectors] = ()

    async def choose(self, page: PortalPage, today: date) -> None:
        """Choose nothing."""

    async def are_chosen(self, page: PortalPage) -> bool:
        """Return that nothing has to be chosen."""
        return True


class Days(NoDates):
    """A report from the first to the last day of the cycle."""

    fields = (*FROM_DAY, *TO_DAY)

    async def choose(self, page: PortalPage, today: date) -> None:
        """Type both days; each is read back."""
        page.begin("choose the days")
        for field, text in self._fields(page):
            await page.type(field, text)
            await (await page.find(field)).press("Tab")  # a field may take what was typed when it is left

    async def are_chosen(self, page: PortalPage) -> bool:
        """Return whether the fields hold both days."""
        return all([await (await page.find(field)).input_value() == text for field, text in self._fields(page)])

    @staticmethod
    def _fields(page: PortalPage) -> list[tuple[Selectors, str]]:
        target = page.job.target
        return [(field, f"{day:%m/%d/%Y}") for field, day in ((FROM_DAY, target.start), (TO_DAY, target.end))]


class NewestMonth(NoDates):
    """A report of the newest month, which is all that the portal keeps of it."""

    fields = (*FROM_MONTH, *TO_MONTH)

    def __init__(self) -> None:
        self.month: date | None = None

    async def choose(self, page: PortalPage, today: date) -> None:
        """Choose the newest month in both fields, see `newest_month`; both are read back."""
        page.begin("choose the newest month")
        newest = newest_month(await page.offered_in(FROM_MONTH), page.job.target.end, today)
        self.month = newest
        for field in (FROM_MONTH, TO_MONTH):
            await page.pick_in(field, f"{newest:%b %Y}", match=lambda _wanted, offered: names_month(offered, newest))

    async def are_chosen(self, page: PortalPage) -> bool:
        """Return whether both fields say the newest month."""
        said = [await page.chosen_in(field) for field in (FROM_MONTH, TO_MONTH)]
        return self.month is not None and all(any(names_month(text, self.month) for text in each) for each in said)
