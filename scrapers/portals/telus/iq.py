"""TELUS IQ: chooses the account, orders its usage report under a name of ours, and collects that from the queue."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from scrapers.core.locators import same
from scrapers.core.outcomes import ReportFailed, ReportNotReady, WrongAccount
from scrapers.core.page import PortalPage, guess, until
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import not_listed, numbers_like
from scrapers.families.carriers.ordered import LOOK_EVERY, REFRESH_EVERY, Entry
from scrapers.portals.telus.login import ACCOUNTS, IQ_USER, TelusIq
from scrapers.portals.telus.my_telus import go_home
from scrapers.reading.values.texts import digits

CARD = ("a[data-testid=generic-card-primary-cta][href*='/iq/manage']",)
ARRIVED = (*ACCOUNTS, *TelusIq.credential_screens(), *IQ_USER, "#confirmation__dialog:visible")
DETAILS = ("says=View heavy data user details",)
EXPORT = ("says=Export view", guess("says=Export"))
NAME = ("#reportname",)
CONTINUE = ("xpath=//*[@id='confirmation__dialog1']/div/div[2]/a[2]", "#confirmation__dialog1 >> says=Continue")
TABLE = "#dynamicTable"
QUEUE = (guess("says=Report queue"), guess("says=Queue"), guess("a[href*=queue i]"))
LINK = ".download-anchor"
PENDING = re.compile(r"in queue|en attente", re.I)
FAILED = re.compile(r"fail|error|cancel|échou|erreur|annul", re.I)  # in words not known it is waited for
OPTIONS = "select => [...select.options].map(option => [option.value, option.label])"
CHOSEN = "select => select.value"  # its property: the attribute is always empty
ASKED = "asked usage"  # note of the order
KEPT = 15  # seconds in which a choice is taken up
READ_ROWS = """table => [...table.querySelectorAll("tr, [role=row]")].map(row => [
  [...row.querySelectorAll("td, [role=cell], [role=gridcell]")].map(cell => cell.innerText.trim()),
  row.querySelector(".download-anchor") !== null])"""


@asynccontextmanager
async def entrance(page: PortalPage) -> AsyncIterator[PortalPage]:
    """Follow the overview's link to TELUS IQ; it shows its accounts, a notice over them, or the sign-in form."""
    await go_home(page)
    async with page.follow(CARD, ARRIVED) as there:
        yield there


class Iq:
    """TELUS IQ in one page, for the account of the page's job."""

    def __init__(self, page: PortalPage, today: date) -> None:
        self.page, self.today = page, today
        self.account: str = page.job.target.account
        self.home = self.address

    async def choose_account(self) -> None:
        """Choose the account by its value, and read it back; raise WrongAccount where it is not listed or does not stay."""
        page, found = self.page, list[str]()
        page.begin("choose the account")

        async def is_offered() -> bool:
            options: list[list[str]] = await (await page.find(ACCOUNTS)).evaluate(OPTIONS)
            found[:] = [value for value, label in options if self.account in (digits(value), digits(label))]
            return bool(found)

        for _ in range(2):  # a list that is filled anew may have lost the choice
            if not await until(is_offered, 1) and not (await page.is_at_rest(KEPT) and await is_offered()):
                raise not_listed(page.trail.step)
            await (await page.find(ACCOUNTS)).select_option(value=found[0])
            await page.is_at_rest(KEPT)
            if await self.has_account():
                return
        raise WrongAccount("The portal has chosen another account.", step=page.trail.step)

    async def has_account(self) -> bool:
        """Return whether the account is the chosen one; True where the page has no list of accounts."""
        if not await self.page.shown(ACCOUNTS):
            return True
        chosen: str = await (await self.page.find(ACCOUNTS)).evaluate(CHOSEN)
        return digits(chosen) == self.account

    async def fill_in(self, name: str) -> None:
        """Open the usage of the account, and fill in the order of its report under a name."""
        page = self.page
        if self.address != self.home or await page.shown((TABLE,)):  # the queue was looked at before
            await page.open(urljoin(page.raw.url, self.home))
            await self.choose_account()
        await page.click(DETAILS)
        page.begin("order the report")
        await page.click(EXPORT)
        await page.type(NAME, name)
        if not await self.has_account():
            raise WrongAccount("The portal has lost the chosen account.", step=page.trail.step)

    async def place(self) -> None:
        """Place the order, and wait for the queue."""
        await self.page.click(CONTINUE)
        await self.open_queue()

    @property
    def address(self) -> str:
        """The path of the page that is shown; no fact states the queue's."""
        return urlsplit(urldefrag(self.page.raw.url).url).path

    async def open_queue(self, address: str = "") -> bool:
        """Open the queue, by the address at which it was seen before; return whether it is shown."""
        page = self.page
        if address:
            await page.open(urljoin(page.raw.url, address))
        if await page.arrives((TABLE,)) is None and await page.shown(QUEUE):
            await page.click(QUEUE)
        return await page.arrives((TABLE,)) is not None

    async def entry(self, name: str) -> Entry | None:
        """Return the report of a name in the queue; raise WrongAccount if it is another account's."""
        page = self.page
        if not await page.shown((TABLE,)):
            return None
        for cells, has_link in await page.scope.locator(TABLE).first.evaluate(READ_ROWS):
            if any(same(cell, name) for cell in cells):
                said = " | ".join(cell for cell in cells if not same(cell, name))
                if numbers_like(self.account, said) - {self.account}:
                    raise WrongAccount("The report was made for another account.", step=page.trail.step)
                link = f"{TABLE} :is(tr, [role=row]):has-text({json.dumps(name)}) {LINK}"
                is_ready = has_link and PENDING.search(said) is None
                return Entry(link, is_ready, failed=FAILED.search(said) is not None)
        return None

    async def refresh(self) -> None:
        """Have the queue read anew."""
        address = self.address
        await self.page.reload()
        if await self.page.arrives((TABLE,)) is None:
            await self.open_queue(address)

    async def collect(self, entry: Entry) -> PartFile:
        """Download a report."""
        return await self.page.download((entry.selector,))

    async def report(self) -> PartFile:
        """Order the report unless it is in the queue, and download it once it is ready; raise ReportNotReady if it is not."""
        job = self.page.job
        await self.choose_account()
        try:
            asked: dict[str, Any] | None = await job.recall(ASKED)
            if asked is None or not (await self.open_queue(asked["queue"]) and await self.entry(asked["name"])):
                asked = await self.order()
            return await self.collect(await self.made(asked))
        except (ReportFailed, WrongAccount):  # the next run orders another one
            await job.forget(ASKED)
            raise

    async def order(self) -> dict[str, Any]:
        """Order the report under a name that no other order has; it is noted before the click that places it."""
        name = f"Daily Usage Report {self.today:%m-%d-%Y} {secrets.token_hex(3)}"
        await self.fill_in(name)
        asked = {"name": name, "at": time.time(), "queue": ""}
        await self.page.job.remember(ASKED, asked)
        await self.place()
        asked["queue"] = self.address
        await self.page.job.remember(ASKED, asked)
        return asked

    async def made(self, asked: dict[str, Any]) -> Entry:
        """Wait for the report until LATCHKEY_REPORT_WAIT after it was ordered."""
        self.page.begin("wait for the report")
        wait, refreshed = crawl_settings().report_wait, time.monotonic()
        deadline = time.time() + max(1.0, asked["at"] + wait - time.time())
        while (entry := await self.entry(asked["name"])) is None or not entry.is_ready:
            if entry is not None and entry.failed:
                raise ReportFailed("The portal could not make the usage report.", step=self.page.trail.step)
            if time.time() > deadline:
                raise ReportNotReady("Still being made: the usage report.", step=self.page.trail.step)
            if time.monotonic() > refreshed + min(REFRESH_EVERY, max(1.0, wait / 3)):
                await self.refresh()
                refreshed = time.monotonic()
            await asyncio.sleep(LOOK_EVERY)
        return entry
