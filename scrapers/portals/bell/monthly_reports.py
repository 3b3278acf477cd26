"""The monthly reports of the Enterprise Centre: each ordered once, collected from the notifications, then dismissed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.page import PortalPage, Selectors
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.portals.bell.columns import LOCALE, REPORTS
from scrapers.portals.bell.enterprise_login import BellEnterpriseCentre
from scrapers.portals.bell.workbooks import choose_account, choose_month, open_workbook

LINK = (
    "xpath=//*[@id='ec-goa-reports-app']/div[1]/section/main/div/div/div/ul/li[1]/a",
    "a:text-is('Enhanced Mobility Reports')",
)
MY_REPORTS = ("#ec-sidebar button:text-is('My Reports')", "nav button:text-is('My Reports')")
SERVICE = ("#ec-sidebar a:text-is('Service')", "nav a:text-is('Service')", "#ec-sidebar :text-is('Service')")
EXPORT, XLSX = ("#export-btn", "button[aria-label=Export]"), ("li:has(.line-XLSX)",)
CONFIRM = ("#btn-bc-export", "[role=dialog] button:text-is('Export to Excel')")
PREPARING = (":text-matches('being prepared|will be notified', 'i')",)
EXPORT_FAILED = (":text-matches('export failed', 'i')",)
BELL = ("li.kt-notification-content [aria-label=Notification]", "[aria-label=Notification]")
LIST = "#m_quick_sidebar_notification-wrap"
ENTRIES = f"{LIST} li.kt-notifi-li"

AGES = {"a few seconds": 0, "a minute": 45, "an hour": 45 * 60}  # seconds from which the portal uses each word
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
      Four workbooks, independent of each other. The portal takes minutes to make one; what is not ready in time is
      collected by the next run, which does not order it again. Notifications that may be another run's are not touched.
    """

    name = "bell_monthly_reports"
    locale = LOCALE
    logins = (BellEnterpriseCentre,)
    reports = (
        Report("cost_overview", "Cost Overview Report", REPORTS["cost_overview"]),
        Report("usage_overview", "Usage Overview Report", REPORTS["usage_overview"]),
        Report("enhanced_user_profile", "Enhanced User Profile Report", REPORTS["enhanced_user_profile"]),
        Report("invoice_charge_report", "Invoice Charge Report", REPORTS["invoice_charge_report"]),
    )
    not_fetched = {"dtl": "Detail"}
    taken, refused, list_covers = PREPARING, EXPORT_FAILED, True
    oldest = 45 * 60  # seconds; half an hour was too strict

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
        await open_workbook(page, report.name)
        await choose_month(page, self.today())
        await choose_account(page)
        page.begin(f"export {report.slug}")
        await page.click(EXPORT)
        await page.click(XLSX)
        await page.find(CONFIRM)
        return CONFIRM

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
            # The selector matches entries that contain these texts; the entry must consist of them.
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
    Return the minimum age in seconds of a relative time; infinity for days, and for texts that are not understood.

    >>> least_age("a few seconds ago"), least_age("a minute ago"), least_age("12 minutes ago"), least_age("2 days ago")
    (0, 45, 690.0, inf)
    """
    said = " ".join(text.split()).removesuffix(" ago")
    if (minutes := re.fullmatch(r"(\d+) minutes", said)) is not None:
        return (int(minutes[1]) - 0.5) * 60
    return AGES.get(said, float("inf"))
