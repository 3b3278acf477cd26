"""The monthly reports of the Enterprise Centre: each ordered once, collected from the notifications, then dismissed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, Selectors, until
from scrapers.core.periods import month_missing
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.portals.bell.columns import REPORTS
from scrapers.portals.bell.enterprise_login import BellEnterpriseCentre

LINK = (
    "xpath=//*[@id='ec-goa-reports-app']/div[1]/section/main/div/div/div/ul/li[1]/a",
    "a:text-is('Enhanced Mobility Reports')",
)
MY_REPORTS = ("#ec-sidebar button:text-is('My Reports')", "nav button:text-is('My Reports')")
SERVICE = ("#ec-sidebar a:text-is('Service')", "nav a:text-is('Service')", "#ec-sidebar :text-is('Service')")
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
EXPORT, XLSX = ("#export-btn", "button[aria-label=Export]"), ("li:has(.line-XLSX)",)
CONFIRM = ("#btn-bc-export", "[role=dialog] button:text-is('Export to Excel')")
PREPARING = (":text-matches('being prepared|will be notified', 'i')",)
EXPORT_FAILED = (":text-matches('export failed', 'i')",)
BELL = ("li.kt-notification-content [aria-label=Notification]", "[aria-label=Notification]")
LIST = "#m_quick_sidebar_notification-wrap"
ENTRIES = f"{LIST} li.kt-notifi-li"

AGES = {"a few seconds": 0, "a minute": 45, "an hour": 45 * 60}  # seconds from which on the portal says so
READ_ENTRIES = """entries => entries.map(entry => [
  [...entry.querySelectorAll("b")].map(name => name.textContent.trim()),
  entry.innerText,
  entry.querySelector(".kt-notifi-time")?.textContent.trim() ?? "",
  entry.querySelector("em.line-download") !== null,
])"""


class BellMonthlyReports(OrderedReports):
    """
    Portal
      Bell, Enterprise Centre, Enhanced Mobility Reports (https://enterprisecentre.bell.ca)
    Caveats
      Four workbooks, independent of each other. The portal takes a while to make one; a run that cannot wait leaves the
      rest to the next run, which collects without asking again. Notifications that may be another run's are left alone.
    """

    name = "bell_monthly_reports"
    logins = (BellEnterpriseCentre,)
    reports = (
        Report("cost_overview", "Cost Overview Report", REPORTS["cost_overview"]),
        Report("usage_overview", "Usage Overview Report", REPORTS["usage_overview"]),
        Report("enhanced_user_profile", "Enhanced User Profile Report", REPORTS["enhanced_user_profile"]),
        Report("invoice_charge_report", "Invoice Charge Report", REPORTS["invoice_charge_report"]),
    )
    not_fetched = {"dtl": "Detail"}
    taken, refused = PREPARING, EXPORT_FAILED
    oldest = 45 * 60  # half an hour was too strict

    @asynccontextmanager
    async def area(self, page: PortalPage) -> AsyncIterator[PortalPage]:
        page.begin("open the reports")
        if await page.shown((*LINK, *MY_REPORTS), within=crawl_settings().page_wait) not in LINK:
            await page.click(MY_REPORTS)
            await page.click(SERVICE)
        async with page.new_tab(LINK) as tab:
            await tab.find(BELL)
            yield tab

    async def order(self, page: PortalPage, report: Report) -> Selectors:
        await self.open_workbook(page, report.name)
        await self.choose_month(page)
        await self.choose_account(page)
        page.begin(f"export {report.slug}")
        await page.click(EXPORT)
        await page.click(XLSX)
        await page.find(CONFIRM)
        return CONFIRM

    async def open_workbook(self, tab: PortalPage, label: str) -> None:
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

    async def choose_month(self, tab: PortalPage) -> None:
        """Set the invoice month to that of the cycle's end, and read back what counts."""
        tab.begin("choose the month")
        target = tab.job.target
        wanted = f"{target.end:%b %Y}"
        if await self.reads(tab, MONTH, "td.Invoicemonth", wanted):
            return
        await tab.click((f"{MONTH} .c-btn",))
        await tab.shown((MONTH_ITEM,), within=10)
        offered = await tab.texts((MONTH_ITEM,))
        await tab.type((f"{MONTH} [placeholder=Search]", f"{MONTH} [aria-label=searchbox]"), wanted)
        item = (f"{MONTH_ITEM}:text-is('{wanted}')", f"{MONTH_ITEM}:has-text('{wanted}')")
        if not await tab.shown(item, within=10):
            raise month_missing(target.end, offered, "%b %Y", self.today())
        await tab.click(item)
        if not await (await tab.find(AUTO_APPLY)).is_checked():
            await tab.click(APPLY)
        if not await self.reads(tab, MONTH, "td.Invoicemonth", wanted, within=15):
            raise PortalChanged(f"The portal does not keep {wanted}.", step=tab.trail.step, selector=MONTH)

    async def choose_account(self, tab: PortalPage) -> None:
        """Narrow the workbook to the account, and read back what counts."""
        tab.begin("choose the account")
        account = tab.job.target.account
        if await self.reads(tab, ACCOUNT, "td.Accountnumber", account):
            return
        await tab.click(COLUMN_MENU)
        every = (f"{MENU} label:text-is('Select all')", f"{MENU} :text-is('Select all')")
        await tab.tick(every, True)  # also where some are ticked: only then unticking reaches them all
        await tab.tick(every, False)
        await tab.type((f"{MENU} [placeholder='Search...']",), account)
        item = (f"{MENU} label[for*='{account}']", f"{MENU} .filter-item-label:text-is('{account}')")
        if not await tab.shown(item, within=10):
            raise WrongAccount("The portal does not list the account.", step=tab.trail.step)
        await tab.tick(item, True)
        await tab.click((f"{MENU} button:text-is('Ok')",))
        if not await self.reads(tab, ACCOUNT, "td.Accountnumber", account, within=15):
            raise WrongAccount("The portal has chosen another account.", step=tab.trail.step)

    async def reads(self, tab: PortalPage, section: str, cells: str, wanted: str, within: float = 0) -> bool:
        """Tell whether filter and table both say *wanted*, waiting so long until they do; a table without it says nothing."""

        async def both() -> bool:
            chosen = await tab.text((f"{section} .c-btn",))
            return chosen == wanted and set(await tab.texts((cells,))) <= {wanted}

        return await until(both, within)

    # Collecting

    async def entries(self, page: PortalPage, report: Report) -> list[Entry]:
        if not await page.shown((f"{LIST} li", LIST)):
            await page.click(BELL)
            await page.find((f"{LIST} li", LIST))
        target, label = page.job.target, report.name
        month = f"{target.end:%b %Y}"
        like = (
            f"{ENTRIES}:has(b:text-matches('^\\s*{label}\\s*$', 'i')):has-text('{target.account}'):has-text('{month}')"
        )
        found = []
        for place, (names, text, age, is_ready) in enumerate(await page.raw.locator(like).evaluate_all(READ_ENTRIES)):
            # The selector takes what contains these; what counts is that the entry says these and nothing else.
            says = (set(re.findall(r"\d{6,}", text)), set(re.findall(r"\b[A-Z][a-z]{2} 20\d\d\b", text)))
            if names[1:2] and names[1].casefold() == label.casefold() and says == ({target.account}, {month}):
                found.append(Entry(f"{like} >> nth={place}", is_ready, least_age(age), failed=not is_ready))
        return found

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        return await page.download((f"{entry.selector} >> em.line-download",))

    async def dismiss(self, page: PortalPage, entry: Entry) -> None:
        await page.click((f"{entry.selector} >> em.line-close",))


def least_age(text: str) -> float:
    """
    Return how many seconds ago something was at least, by a relative age; what is days old, or not understood, is infinitely old.

    >>> least_age("a few seconds ago"), least_age("a minute ago"), least_age("12 minutes ago"), least_age("2 days ago")
    (0, 45, 690.0, inf)
    """
    said = " ".join(text.split()).removesuffix(" ago")
    if (minutes := re.fullmatch(r"(\d+) minutes", said)) is not None:
        return (int(minutes[1]) - 0.5) * 60
    return AGES.get(said, float("inf"))
