"""Shared steps of Corporate Self Serve: open a menu of the header, and choose an account."""

from scrapers.core.page import PortalPage, Selectors, guess
from scrapers.families.carriers.accounts import confirm_account, may_be, not_listed, saying
from scrapers.portals.bell.login import HEADER

MENU = f"{HEADER}/div[2]/nav[1]/ul[1]"
PLACES = {"Usage": 2, "Billing": 3, "Reports": 4}  # of the menus in the header
LIST, GLOBAL = "#dataContainer", "account-selection-global-search"
SEARCH = (
    "account-search >> [placeholder='Search by Billing account number']",
    f"{GLOBAL} >> input:not([type=radio], [type=checkbox])",
)
FIND_ACCOUNT = ("button[name=btn_search]", guess(f"{GLOBAL} >> says=Search"), guess(f"{GLOBAL} >> role=button"))
CHOICES = (f"{GLOBAL} >> label, input[type=radio], input[type=checkbox], [role=radio], [role=checkbox]",)
CONTINUE, ANY_CONTINUE = ("selection-dock >> says=Continue", f"{GLOBAL} >> says=Continue"), "says=Continue"
ROWS = (f"{LIST} td[data-table-col=banId]", f"{LIST} td[data-selection]")
CHOOSE = ("button[aria-label*=Select]", "td[data-selection] span[class*=input-checkbox-representation]")


def entry_of(menu: str, entry: str, path: str) -> tuple[Selectors, Selectors]:
    """Return the selectors of a menu of the header and those of one of its entries. path: from the menu to the entry."""
    place = f"{MENU}/li[{PLACES[menu]}]"
    return (f"nav >> says={menu}", f"{place}/a[1]"), (f"nav >> says={entry}", f"{place}{path}")


async def choose_account(page: PortalPage, account: str, done: Selectors) -> None:
    """Choose the account if the portal asks for one. done: elements of the page that follows."""
    page.begin("choose the account")
    await page.find((LIST, GLOBAL, *done))
    asked, is_masked, fitting = await page.shown((LIST, GLOBAL)), False, [0]

    def fits(wanted: str, label: str) -> int:
        if label != wanted:  # that is tried, too, to know how well a text can match
            fitting.append(may_be(wanted, label))
        return may_be(wanted, label)

    if asked:
        own = f"td[@data-table-col='banId' and (normalize-space(text())='{account}' or normalize-space()='{account}')]"
        rows = (
            f"xpath=//tr[.//{own}]",
            f"{LIST} :is(tr, [role=row]):has({saying(account, alone=True)})",
        )
        choose = tuple(f"{row} >> {control}" for row in rows for control in CHOOSE)
        if asked == GLOBAL or not await page.shown(choose, within=5):
            came = await page.arrives((*choose, *SEARCH))
            if came is None and await page.shown(ROWS):
                raise not_listed(step=page.trail.step)  # the list is whole: it has no search
            if came not in choose:
                await page.type(SEARCH, account)
                await page.click(FIND_ACCOUNT)
        if asked == GLOBAL:
            await page.pick(CHOICES, account, match=fits, missing=lambda _offered: not_listed())
            is_masked = max(fitting) == 1
        elif await page.arrives(choose):
            await page.click(choose)
        else:
            raise not_listed(step=page.trail.step)
        if (going_on := await page.arrives((*CONTINUE, *done, ANY_CONTINUE))) and going_on not in done:
            await page.click((going_on,))
        await page.find(done)
    page.begin("read the account back")
    await confirm_account(page, account, is_chosen=bool(asked), is_masked=is_masked)
