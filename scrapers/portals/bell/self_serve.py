"""Shared steps of Corporate Self Serve: open a menu of the header, and choose an account."""

from scrapers.core.page import PortalPage, Selectors, guess
from scrapers.families.carriers.accounts import confirm_account, names_account, not_listed
from scrapers.portals.bell.login import HEADER

MENU = f"{HEADER}/div[2]/nav[1]/ul[1]"
PLACES = {"Usage": 2, "Billing": 3, "Reports": 4}  # of the menus in the header
LIST, GLOBAL = "#dataContainer", "account-selection-global-search"
SEARCH = (
    "account-search >> [placeholder='Search by Billing account number']",
    f"{GLOBAL} >> input:not([type=radio], [type=checkbox])",
)
FIND_ACCOUNT = ("button[name=btn_search]", f"{GLOBAL} >> says=Search", guess(f"{GLOBAL} >> role=button"))
CHOICES = (f"{GLOBAL} >> label, input[type=radio], input[type=checkbox], [role=radio], [role=checkbox]",)
CONTINUE = ("selection-dock >> says=Continue", f"{GLOBAL} >> says=Continue")
ROWS = (f"{LIST} td[data-table-col=banId]",)


async def open_menu(page: PortalPage, menu: str, entry: str, path: str) -> Selectors:
    """Open a menu of the header and return the selectors of one of its entries. path: from the menu to the entry."""
    page.begin(f"open {menu}")
    place = f"{MENU}/li[{PLACES[menu]}]"
    selectors = (f"nav >> says={entry}", f"{place}{path}")
    await page.reveal((f"nav >> says={menu}", f"{place}/a[1]"), selectors)
    return selectors


async def choose_account(page: PortalPage, account: str, done: Selectors) -> None:
    """Choose the account if the portal asks for one. done: elements of the page that follows."""
    page.begin("choose the account")
    await page.find((LIST, GLOBAL, *done))
    asked = await page.shown((LIST, GLOBAL))
    if asked:
        found = (
            f"td[@data-table-col='banId' and (normalize-space(text())='{account}' or normalize-space()='{account}')]"
        )
        row = f"xpath=//tr[.//{found}]"
        choose = (
            f"{row}//button[contains(@aria-label,'Select')]",
            f"{row}//td[@data-selection]//span[contains(@class,'input-checkbox-representation')]",
        )
        if asked == GLOBAL or not await page.shown(choose, within=5):
            came = await page.arrives((*choose, *SEARCH))
            if came is None and await page.shown(ROWS):
                raise not_listed(step=page.trail.step)  # the list is whole: it has no search
            if came not in choose:
                await page.type(SEARCH, account)
                await page.click(FIND_ACCOUNT)
        if asked == GLOBAL:
            await page.pick(CHOICES, account, match=names_account, missing=lambda _offered: not_listed())
        elif await page.arrives(choose):
            await page.click(choose)
        else:
            raise not_listed(step=page.trail.step)
        if await page.arrives((*CONTINUE, *done)) in CONTINUE:
            await page.click(CONTINUE)
        await page.find(done)
    page.begin("read the account back")
    await confirm_account(page, account, is_chosen=bool(asked))
