"""A workbook of the Enhanced Mobility Reports: opens it and filters it by month and account."""

from collections.abc import Callable
from datetime import date

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, guess, until
from scrapers.core.periods import names_month
from scrapers.families.carriers.accounts import names_account, not_listed

ASIDE = "app-aside-left"
WORKSPACE = (f"{ASIDE} ul > li:nth-child(3)", f"xpath=//{ASIDE}/div/div/div/ul/li[3]")
SHARED = ("p-treenode >> says=Shared with me", "xpath=(//p-treenode)[2]")
FOLDER = ("#ws-grid__appfolder_0",)
PANEL = ("xpath=//*[@id='wb-sheet-container']/div/div/div[2]",)
AUTO_APPLY, APPLY = ("#autoApplyButton",), ("#filter_apply_btn",)
COLUMN = ("th.Accountnumber", ".Accountnumber")
COLUMN_MENU = tuple(f"{column} .menu-toggle-btn" for column in COLUMN)
MENU = ":is(table-column-menu, .ui-tieredmenu)"


def section(title: str) -> str:
    """Return the selector of a filter: the smallest element that holds both its title and its button."""
    titled = "contains(concat(' ', normalize-space(@class), ' '), ' filter-title-ellipsis ')"
    says = f"normalize-space(translate(., '\u00a0', ' '))='{title}'"
    button = "contains(concat(' ', normalize-space(@class), ' '), ' c-btn ')"
    return f"xpath=//*[{titled} and {says}]/ancestor::*[.//*[{button}]][1]"


MONTH, ACCOUNT = section("Invoice month"), section("Account number")
MONTH_ITEMS = (f"{MONTH} >> .singleselect-dropdown-item", ".singleselect-dropdown-item")
MONTHS_SHOWN = guess("td.Invoicemonth")
FIND_MONTH = tuple(f"{MONTH} >> {field}" for field in ("[placeholder=Search]", "[aria-label=searchbox]"))


async def open_workbook(tab: PortalPage, label: str) -> None:
    """Go to the folder and open one workbook with its filters."""
    await tab.click(WORKSPACE)
    await tab.click(SHARED)
    await tab.double_click(FOLDER)
    await tab.double_click(
        (
            f"div.ws-grid__item__description >> says={label}",
            f".ws-grid__item[aria-label='{label}' i]",
            f".ws-grid__item[aria-label*='{label}' i]",
        )
    )
    await tab.find(PANEL)
    if not await tab.shown((MONTH,)):
        await tab.click(PANEL)
    await tab.find((MONTH,))


async def choose_month(tab: PortalPage, today: date) -> None:
    """Set the invoice month to that of the cycle's end, and read back filter and table."""
    tab.begin("choose the month")
    target, wanted = tab.job.target, "%b %Y"

    def is_month(text: str) -> bool:
        return names_month(text, target.end) > 0

    if await reads(tab, MONTH, MONTHS_SHOWN, is_month):
        return
    await tab.click((f"{MONTH} >> .c-btn",))
    await tab.month(MONTH_ITEMS, target.end, wanted, today, search=FIND_MONTH)
    if not await tab.is_ticked(AUTO_APPLY):
        await tab.click(APPLY)
    if not await tab.shown((MONTHS_SHOWN,)):
        await tab.is_at_rest(30)  # only the filter says its month, before it is applied: the table is drawn anew
    if not await reads(tab, MONTH, MONTHS_SHOWN, is_month, within=15):
        raise PortalChanged(f"The portal does not keep {target.end:{wanted}}.", step=tab.trail.step, selector=MONTH)


async def choose_account(tab: PortalPage) -> None:
    """Filter the workbook by the account, and read back filter and table."""
    tab.begin("choose the account")
    account = tab.job.target.account

    def is_account(text: str) -> bool:
        return names_account(account, text) > 0

    if await reads(tab, ACCOUNT, "td.Accountnumber", is_account):
        return
    await tab.hover(COLUMN)
    await tab.click(COLUMN_MENU)
    every = (f"{MENU} >> label=Select all", f"{MENU} >> says=Select all")
    await tab.tick(every, True)  # tick all first: from a mixed state unticking would not clear all
    await tab.tick(every, False)
    await tab.type((f"{MENU} >> [placeholder='Search...']",), account)
    item = (
        f"{MENU} label[for*='{account}']",
        f"{MENU} >> label={account}",
        f"{MENU} .filter-item-label >> says={account}",
    )
    if not await tab.arrives(item):
        raise not_listed(tab.trail.step)
    await tab.tick(item)
    await tab.click((f"{MENU} >> says=Ok",))
    if not await reads(tab, ACCOUNT, "td.Accountnumber", is_account, within=15):
        raise WrongAccount("The portal has chosen another account.", step=tab.trail.step)


async def reads(tab: PortalPage, title: str, cells: str, is_wanted: Callable[[str], bool], within: float = 0) -> bool:
    """Return whether the filter and all cells of the table are wanted, waiting up to *within* seconds; no cells are, too."""

    async def both() -> bool:
        chosen = await tab.texts((f"{title} >> .c-btn",))
        return len(chosen) == 1 and all(map(is_wanted, [*chosen, *filter(None, await tab.texts((cells,)))]))

    return await until(both, within)
