"""A usage report that is ordered under a name of ours, and collected from the portal's list: once a day, also across kills."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from datetime import date
from typing import Any, ClassVar

from scrapers.core.outcomes import PortalChanged, ReportFailed, ReportNotReady, WrongAccount
from scrapers.core.page import PortalPage, Selectors, until
from scrapers.core.spool import PartFile
from scrapers.families.carriers.ordered import LISTED, Entry, wait_for

ASKED = "asked usage"  # note of the order


class OrderedUsage(ABC):
    """
    The pages of a portal on which a usage report is ordered under a name, made, and listed; for the account of the page's job.

    A portal implements `order`, `open_list`, `entry`, `collect` and `refresh`. The base stores the order in the database before
    the click that places it, and waits up to LATCHKEY_REPORT_WAIT. Then it raises ReportNotReady, and a later run of the day
    collects the report.
    """

    title: ClassVar[str]  # what names of orders begin with

    def __init__(self, page: PortalPage, today: date) -> None:
        self.page, self.today = page, today
        self.account: str = page.job.target.account

    @abstractmethod
    async def order(self, name: str) -> Selectors:
        """Fill in and read back the order of a report under a name; return the selectors of the button that places it."""

    @abstractmethod
    async def open_list(self, address: str = "") -> bool:
        """Open the list of reports, by the address at which it was seen before; return whether it is shown."""

    @abstractmethod
    async def entry(self, name: str) -> Entry | None:
        """Return the report of a name; None while the list does not hold it. Raises WrongAccount if it is another account's."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The address of the page that is shown, as `open_list` takes it."""

    async def collect(self, entry: Entry) -> PartFile:
        """Download the report of an entry, by default by a click on it."""
        return await self.page.download((entry.selector,))

    async def refresh(self) -> None:
        """Have the list read anew; reloads the page by default."""
        await self.page.reload()

    async def report(self) -> PartFile:
        """
        Order the report unless it is in the list, and download it once it is ready; raise ReportNotReady if it is not.

        An order that does not come into the list is placed once more: the portal may have lost it with a session.
        """
        job, asked = self.page.job, await self.page.job.recall(ASKED)
        try:
            if asked is None or not (await self.open_list(asked["list"]) and await self._is_listed(asked)):
                asked = await self._place()
                if await self.open_list() and not await self._is_listed(asked):
                    job.warn("The order did not come into the list of reports, and was placed once more.")
                    asked = await self._place()
            return await self.collect(await self._made(asked))
        except (ReportFailed, WrongAccount):  # the next run orders another one
            await job.forget(ASKED)
            raise

    async def _place(self) -> dict[str, Any]:
        """Order the report under a name that no other order has; return the note: name, time, and address of the list."""
        name = f"{self.title} {self.today:%m-%d-%Y} {secrets.token_hex(3)}"
        click = await self.order(name)
        asked = {"name": name, "at": time.time(), "list": ""}
        await self.page.job.remember(ASKED, asked)
        await self.page.click(click)
        if await self.open_list():
            asked["list"] = self.address
            await self.page.job.remember(ASKED, asked)
        return asked

    async def _is_listed(self, asked: dict[str, Any]) -> bool:
        """Return whether the open list holds an order; it may come late, or once the list is read anew."""

        async def is_there() -> bool:
            return await self.entry(asked["name"]) is not None

        if await until(is_there, LISTED):
            return True
        await self.refresh()
        return await until(is_there, LISTED)

    async def _made(self, asked: dict[str, Any]) -> Entry:
        """Wait for the report; raise ReportFailed, ReportNotReady, or PortalChanged where no list is shown at the end."""
        step = "wait for the report"
        self.page.begin(step)

        async def look() -> Entry | None:
            entry = await self.entry(asked["name"])
            return entry if entry is not None and (entry.is_ready or entry.failed) else None

        entry = await wait_for(look, self.refresh, asked["at"])
        if entry is None and not await self.open_list():
            raise PortalChanged("The list of reports is not shown.", step=step)
        if entry is None:
            raise ReportNotReady("Still being made: the usage report.", step=step)
        if entry.failed:
            raise ReportFailed("The portal could not make the usage report.", step=step)
        return entry
