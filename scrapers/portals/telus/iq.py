"""TELUS IQ: chooses the account, orders its usage report under a name of ours, and collects that from the queue."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from urllib.parse import urldefrag, urljoin, urlsplit

from scrapers.core.locators import same
from scrapers.core.outcomes import WrongAccount
from scrapers.core.page import PortalPage, Selectors, guess, until
from scrapers.families.carriers.accounts import confirm_account, not_listed, numbers_like
from scrapers.families.carriers.ordered import Entry
from scrapers.families.carriers.ordered_usage import OrderedUsage
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


class Iq(OrderedUsage):
    """TELUS IQ in one page, for the account of the page's job."""

    title = "Daily Usage Report"

    def __init__(self, page: PortalPage, today: date) -> None:
        super().__init__(page, today)
        self.home = self.address

    async def choose_account(self) -> None:
        """Choose the account by its value, and read it back; raise WrongAccount where it is not listed or does not stay."""
        page, found = self.page, list[str]()
        page.begin("choose the account")

        async def is_offered() -> bool:
            options: list[list[str]] = await (await page.find(ACCOUNTS)).evaluate(OPTIONS)
            fitting = [value for value, label in options if self.account in (digits(value), digits(label))]
            found[:] = sorted(fitting, key=lambda value: value != self.account)
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
        """Return whether the account is the chosen one in the list of accounts; False where the page has no list."""
        if not await self.page.shown(ACCOUNTS):
            return False
        chosen: str = await (await self.page.find(ACCOUNTS)).evaluate(CHOSEN)
        return digits(chosen) == self.account

    async def confirm(self) -> None:
        """Read the account back; raise WrongAccount for another one. The job gets a warning where the page names none."""
        if not await self.page.shown(ACCOUNTS):
            await confirm_account(self.page, self.account, is_chosen=False)
        elif not await self.has_account():
            raise WrongAccount("The portal has lost the chosen account.", step=self.page.trail.step)

    async def order(self, name: str) -> Selectors:
        """Open the usage of the account, and fill in the order of its report under a name."""
        page = self.page
        if self.address != self.home or await page.shown((TABLE,)):  # the queue was looked at before
            await page.open(urljoin(page.raw.url, self.home))
        if not await self.has_account():
            await self.choose_account()
        await page.click(DETAILS)
        page.begin("order the report")
        await page.click(EXPORT)
        await page.type(NAME, name)
        await self.confirm()
        return CONTINUE

    @property
    def address(self) -> str:
        """The path of the page that is shown; no fact states the queue's."""
        return urlsplit(urldefrag(self.page.raw.url).url).path

    async def open_list(self, address: str = "") -> bool:
        """Open the queue, by the address at which it was seen before; return whether it is shown."""
        page = self.page
        if address:
            await page.open(urljoin(page.raw.url, address))
        if await page.arrives((TABLE,)) is None and await page.shown(QUEUE):
            await page.click(QUEUE)
            await page.arrives((TABLE,))
        # Raises SignedOut where the sign-in form has come in its place.
        return await page.shown((TABLE,), within=1) is not None

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
        """Have the queue read anew; it may have been drawn at the address of another page."""
        await self.page.reload()
        await self.open_list()
