"""A workbook of the Enhanced Mobility Reports: opens it, filters it by month and account, and opens its export."""

import json
from datetime import date

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, Selectors, guess, until
from scrapers.core.periods import names_month
from scrapers.families.carriers.accounts import names_account, not_listed, numbers_like, saying

ASIDE = "app-aside-left"
WORKSPACE = (f"{ASIDE} ul > li:nth-child(3)", f"xpath=//{ASIDE}/div/div/div/ul/li[3]")
SHARED = ("p-treenode >> says=Shared with me", "xpath=(//p-treenode)[2]")
FOLDER = ("#ws-grid__appfolder_0",)
PANEL = ("xpath=//*[@id='wb-sheet-container']/div/div/div[2]", guess("role=button|Filters"))
AUTO_APPLY, APPLY = ("#autoApplyButton",), ("#filter_apply_btn", guess("role=button|Apply"))
COLUMN = ("th.Accountnumber", ".Accountnumber")
COLUMN_MENU = tuple(f"{column} .menu-toggle-btn" for column in COLUMN)
READ_COLUMN = """heads => heads.flatMap(head => [...head.closest("table")?.rows ?? []]
  .map(row => head.cellIndex >= 0 && row.cells[head.cellIndex] || head).filter(cell => cell !== head).map(cell => cell.innerText))"""
KEPT = 15  # seconds in which what was chosen is shown
MENU = ":is(table-column-menu, .ui-tieredmenu)"
EVERY = (f"{MENU} >> label=Select all", f"{MENU} >> says=Select all")
ACCOUNTS_SHOWN = guess("td.Accountnumber")


def section(title: str) -> str:
    """Return the selector of a filter: the largest element that holds its title and no other filter's."""
    titled = "contains(concat(' ', normalize-space(@class), ' '), ' filter-title-ellipsis ')"
    return f".filter-title-ellipsis:has-text('{title}') >> xpath=ancestor::*[count(.//*[{titled}])=1][last()]"


MONTH, ACCOUNT = section("Invoice month"), section("Account number")
MONTH_ITEMS = (f"{MONTH} >> .singleselect-dropdown-item", ".singleselect-dropdown-item")
MONTHS_SHOWN = guess("td.Invoicemonth")
FIND_MONTH = tuple(f"{MONTH} >> {field}" for field in ("[placeholder=Search]", "[aria-label=searchbox]"))
EXPORT = ("#export-btn", guess("role=button|Export"))
XLSX = (".line-XLSX", "li:has(.line-XLSX):not(:has(li))")
CONFIRM = ("#btn-bc-export", guess(":is([role=dialog], dialog) :is(button, [role=button]):text-matches('export', 'i')"))


async def open_workbook(tab: PortalPage, label: str) -> None:
    """Go to the folder and open one workbook with its filters."""
    await tab.click(WORKSPACE)
    await tab.click(SHARED)
    await tab.double_click(FOLDER)
    await tab.double_click(
        (
            f"div.ws-grid__item__description >> says={label}",
            f".ws-grid__item[aria-label='{label}' i]",
            f"div.ws-grid__item__description:has-text({json.dumps(label)})",
            f".ws-grid__item[aria-label*='{label}' i]",
        )
    )
    await tab.find((MONTH, *PANEL))
    if not await tab.shown((MONTH,)):
        await tab.click(PANEL)
        if not await tab.arrives((MONTH,)):  # the panel was open and its filters late: the click has closed it
            await tab.click(PANEL)
    await tab.find((MONTH,))


async def choose_month(tab: PortalPage, today: date) -> None:
    """Set the invoice month to that of the cycle's end, and read back filter and table."""
    tab.begin("choose the month")
    target, wanted = tab.job.target, "%b %Y"

    def is_month(text: str) -> bool:
        return names_month(text, target.end) > 0

    async def reads_month() -> bool:
        chosen = await tab.texts((f"{MONTH} >> .c-btn",))
        return len(chosen) == 1 and all(map(is_month, [*chosen, *filter(None, await tab.texts((MONTHS_SHOWN,)))]))

    if await reads_month():
        return
    await tab.click((f"{MONTH} >> .c-btn",))
    await tab.month(MONTH_ITEMS, target.end, wanted, today, search=FIND_MONTH)
    if not await is_on(tab, AUTO_APPLY):
        await tab.click(APPLY)
    if not await tab.shown((MONTHS_SHOWN,)):
        await tab.is_at_rest(30)  # only the filter says its month, before it is applied: the table is drawn anew
    if not await until(reads_month, KEPT):
        raise PortalChanged(f"The portal does not keep {target.end:{wanted}}.", step=tab.trail.step, selector=MONTH)


async def choose_account(tab: PortalPage) -> None:
    """
    Filter the workbook by the account, and read back what filter and table say.

    They may say nothing of it: then the account was ticked alone, and the file must prove it.
    """
    tab.begin("choose the account")
    account = tab.job.target.account

    async def named() -> set[str]:
        said = [*await tab.texts((ACCOUNT,)), *await tab.texts((ACCOUNTS_SHOWN,))]
        for column in COLUMN:
            said += await tab.scope.locator(column).evaluate_all(READ_COLUMN)
        return set().union(*(numbers_like(account, text) for text in said))

    async def is_alone() -> bool:
        return await named() == {account}

    if await is_alone():
        return
    for _ in range(2):  # a list that is drawn anew may have lost the choice
        await tick_account(tab, account)
        if (
            await until(is_alone, min(3, KEPT))
            or (await tab.is_at_rest(KEPT) and not await named())
            or await until(is_alone, KEPT)
        ):
            return
    raise WrongAccount("The portal has chosen another account.", step=tab.trail.step)


async def tick_account(tab: PortalPage, account: str) -> None:
    """Tick one account alone in the menu of its column."""
    await tab.hover(COLUMN)
    await tab.click(COLUMN_MENU)
    await tab.find(EVERY)
    if await is_on(tab, EVERY) is None:
        await tab.click(EVERY)  # drawn without a state: all are ticked at first
    else:
        await tab.tick(EVERY, True)  # tick all first: from a mixed state unticking would not clear all
        await tab.tick(EVERY, False)
    await tab.type((f"{MENU} >> [placeholder='Search...']",), account)
    items = (f"{MENU} label[for*='{account}']", f"{MENU} .filter-item-label")
    ours = (items[0], f"{items[1]}{saying(account)}")
    await tab.shown(ours, within=8)  # the search may take so long
    if await is_on(tab, ours) is None:
        await tab.is_at_rest(8)  # an item that is drawn without a state must be clicked once
    await tab.pick(items, account, match=names_account, missing=lambda _offered: not_listed())
    await tab.click((f"{MENU} >> says=Ok",))


async def open_export(tab: PortalPage) -> Selectors:
    """Open the dialog that exports the workbook as XLSX; return the selectors of its button."""
    await tab.click(EXPORT)
    await tab.click(XLSX)
    await tab.find(CONFIRM)
    return CONFIRM


async def is_on(tab: PortalPage, box: Selectors) -> bool | None:
    """Return the state of a check box; None where there is none."""
    try:
        return await tab.is_ticked(box, within=1)
    except PortalChanged:
        return None
