"""Shared steps of My Telus: the bill options, the account, and the way to Bill Analyzer."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import urlsplit

from scrapers.core.outcomes import WrongAccount
from scrapers.core.page import PortalPage, Selectors
from scrapers.families.carriers.accounts import accounts_named, confirm_account, not_listed, numbers_like
from scrapers.families.carriers.globys import BILLS, REPORTS
from scrapers.portals.telus.login import MyTelus

OPTIONS = "[data-testid=generic-card-dropdown-button]"
BILL_OPTIONS = (f"{OPTIONS}:has-text('Bill Options')",)
CARDS = ("[data-testid=account-card-north-star]",)
ASKED = ("h1:has-text('Find your account')", *CARDS)
SHOWN = ("[data-testid=accountNumber]", ":text-matches('Account #', 'i')")
CHANGE = ("says=Change account", "says=Change")
ANALYZER = (*BILLS, *REPORTS)
HOME = (*BILL_OPTIONS, "[data-testid=generic-card-primary-cta]")


async def go_home(page: PortalPage) -> None:
    """Open the overview, unless it is shown; other pages may be drawn at its address."""
    is_there = urlsplit(page.raw.url).path == urlsplit(MyTelus.address()).path
    if not await (page.arrives(HOME) if is_there else page.shown(HOME)):
        await page.open(MyTelus.address())


@asynccontextmanager
async def bill_option(page: PortalPage, entry: Selectors, done: Selectors) -> AsyncIterator[PortalPage]:
    """Click an entry of the bill options, whose menu leaves the page quickly, and yield the page that it leads to."""
    await go_home(page)
    async with page.follow(entry, (*ASKED, *done), menu=BILL_OPTIONS) as there:
        await choose_account(there, done)
        yield there


def tab(page: PortalPage, entry: Selectors, done: Selectors) -> AbstractAsyncContextManager[PortalPage]:
    """Follow an entry of the tab bar."""
    return page.follow(entry, (*ASKED, *done))


async def choose_account(page: PortalPage, done: Selectors) -> None:
    """
    Choose the job's account where the portal asks for one or shows another, and read it back.

    It asks once in a session, and shows no account to users who have only one. done: elements of the page that follows. In Bill
    Analyzer (ANALYZER) nothing is read: it has a scope of its own, which is chosen and read back.
    """
    account = page.job.target.account
    page.begin("choose the account")
    asked = await page.shown(ASKED) is not None
    came: str | None = None
    if not asked:
        await page.find(done)
        if done is ANALYZER:
            return
        came = await page.arrives((*SHOWN, *CHANGE))  # they may come later than the rest
        named = numbers_like(account, " ".join(await page.texts(SHOWN)))
        named = named or accounts_named(await page.text(("main", "body")), account)
        if named and named != {account}:
            if not await page.shown(CHANGE):
                raise WrongAccount("The portal has opened another account, and offers no other.", step=page.trail.step)
            await page.click(CHANGE)
            await page.find(ASKED)
            asked = True
    if asked:
        own = lambda wanted, text: int(numbers_like(wanted, text) == {wanted})  # noqa: E731
        await page.pick(CARDS, account, match=own, missing=lambda _offered: not_listed())
        await page.find(done)
    if done is not ANALYZER:
        page.begin("read the account back")
        await confirm_account(page, account, is_chosen=asked, has_rested=not asked and came is None)
