"""Shared steps of Corporate Self Serve: open the menu, and choose an account and read it back."""

from scrapers.core.outcomes import WrongAccount
from scrapers.core.page import PortalPage
from scrapers.portals.bell.login import HEADER

MENU = f"{HEADER}/div[2]/nav[1]/ul[1]"
SEARCH = ("[placeholder='Search by Billing account number']",)
SEARCH_BUTTON = ("button[name=btn_search]",)
OPEN_ACCOUNT = ("main :text-matches('^\\s*Billing account number', 'i')",)


async def open_menu(page: PortalPage, menu: str, entry: tuple[str, ...]) -> None:
    """Hover a menu of the header, `Usage` or `Billing`, and click an entry."""
    page.begin(f"open {menu}")
    number = {"Usage": 2, "Billing": 3, "Reports": 4}[menu]
    await page.hover((f"nav >> a:text-is('{menu}')", f"{MENU}/li[{number}]/a[1]"))
    await page.click(entry)


async def choose_account(page: PortalPage, account: str, done: tuple[str, ...]) -> None:
    """Choose the account if the portal asks for one; *done*: elements of the page that follows."""
    page.begin("choose the account")
    asked = ("#dataContainer", "account-selection-global-search input")
    await page.find((*asked, *done))
    if await page.shown(asked):
        row = f"//tr[.//td[@data-table-col='banId' and normalize-space(text())='{account}']]"
        choices = (
            f"xpath={row}//button[contains(@aria-label,'Select')]",
            f"xpath={row}//span[contains(@class,'input-checkbox-representation')]",
            f"account-selection-global-search label:has-text('{account}')",
        )
        if not await page.shown(choices, within=2) and await page.shown(SEARCH):
            await page.type(SEARCH, account)
            await page.click(SEARCH_BUTTON)
        if not await page.shown(choices, within=5):
            raise WrongAccount("The portal does not list the account.", step=page.trail.step)
        await page.click(choices)
        dock = ("selection-dock button",)
        if await page.shown(dock):
            await page.click(dock)
        await page.find(done)
    page.begin("read the account back")
    await page.confirm(OPEN_ACCOUNT, account, wrong=WrongAccount)
