"""A workbook of the Enhanced Mobility Reports: opens it and filters it by month and account."""

from datetime import date

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, until
from scrapers.core.periods import month_missing

WORKSPACE = ("app-aside-left ul > li:nth-child(3)",)
SHARED = ("p-treenode:nth-of-type(2) :text-is('Shared with me')", "p-treenode :text-is('Shared with me')")
FOLDER = ("#ws-grid__appfolder_0",)
PANEL = ("xpath=//*[@id='wb-sheet-container']/div/div/div[2]", "[aria-label=Filters]")
MONTH, ACCOUNT = (
    f"div:has(> .filter-title-ellipsis:text-is('{title}'))" for title in ("Invoice month", "Account number")
)
MONTH_ITEM = f"{MONTH} .singleselect-dropdown-item"
AUTO_APPLY, APPLY = ("#autoApplyButton",), ("#filter_apply_btn", "button:text-is('Apply')")
COLUMN_MENU = ("th.Accountnumber .menu-toggle-btn", "th:has-text('Account number') .menu-toggle-btn")
MENU = "table-column-menu .ui-tieredmenu"


async def open_workbook(tab: PortalPage, label: str) -> None:
    """Go to the folder and open one workbook with its filters."""
    await tab.click(WORKSPACE)
    await tab.click(SHARED)
    await tab.double_click(FOLDER)
    await tab.double_click(
        (f"div.ws-grid__item__description:has-text('{label}')", f".ws-grid__item[aria-label*='{label}' i]")
    )
    await tab.find(PANEL)
    if not await tab.shown((MONTH,)):
        await tab.click(PANEL)
    await tab.find((MONTH,))


async def choose_month(tab: PortalPage, today: date) -> None:
    """Set the invoice month to that of the cycle's end, and read back filter and table."""
    tab.begin("choose the month")
    target = tab.job.target
    wanted = f"{target.end:%b %Y}"
    if await reads(tab, MONTH, "td.Invoicemonth", wanted):
        return
    await tab.click((f"{MONTH} .c-btn",))
    await tab.shown((MONTH_ITEM,), within=10)
    offered = await tab.texts((MONTH_ITEM,))
    await tab.type((f"{MONTH} [placeholder=Search]", f"{MONTH} [aria-label=searchbox]"), wanted)
    item = (f"{MONTH_ITEM}:text-is('{wanted}')", f"{MONTH_ITEM}:has-text('{wanted}')")
    if not await tab.shown(item, within=10):
        raise month_missing(target.end, offered, "%b %Y", today)
    await tab.click(item)
    if not await (await tab.find(AUTO_APPLY)).is_checked():
        await tab.click(APPLY)
    if not await reads(tab, MONTH, "td.Invoicemonth", wanted, within=15):
        raise PortalChanged(f"The portal does not keep {wanted}.", step=tab.trail.step, selector=MONTH)


async def choose_account(tab: PortalPage) -> None:
    """Filter the workbook by the account, and read back filter and table."""
    tab.begin("choose the account")
    account = tab.job.target.account
    if await reads(tab, ACCOUNT, "td.Accountnumber", account):
        return
    await tab.click(COLUMN_MENU)
    every = (f"{MENU} label:text-is('Select all')", f"{MENU} :text-is('Select all')")
    await tab.tick(every, True)  # tick all first: from a mixed state unticking would not clear all
    await tab.tick(every, False)
    await tab.type((f"{MENU} [placeholder='Search...']",), account)
    item = (f"{MENU} label[for*='{account}']", f"{MENU} .filter-item-label:text-is('{account}')")
    if not await tab.shown(item, within=10):
        raise WrongAccount("The portal does not list the account.", step=tab.trail.step)
    await tab.tick(item, True)
    await tab.click((f"{MENU} button:text-is('Ok')",))
    if not await reads(tab, ACCOUNT, "td.Accountnumber", account, within=15):
        raise WrongAccount("The portal has chosen another account.", step=tab.trail.step)


async def reads(tab: PortalPage, section: str, cells: str, wanted: str, within: float = 0) -> bool:
    """Return whether the filter and all cells of the table are *wanted*, waiting up to *within* seconds; no cells match, too."""

    async def both() -> bool:
        chosen = await tab.text((f"{section} .c-btn",))
        return chosen == wanted and set(await tab.texts((cells,))) <= {wanted}

    return await until(both, within)
