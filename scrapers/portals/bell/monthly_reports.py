"""The monthly reports of the Enterprise Centre: each ordered once, collected from the notifications, then dismissed."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.locators import same
from scrapers.core.page import PortalPage, Selectors, guess
from scrapers.core.periods import months_in
from scrapers.core.spool import PartFile
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.portals.bell.columns import LOCALE, REPORTS
from scrapers.portals.bell.enterprise_login import BellEnterpriseCentre
from scrapers.portals.bell.workbooks import choose_account, choose_month, open_workbook
from scrapers.reading.values.ages import least_age

LINK = (
    "says=Enhanced Mobility Reports",
    "xpath=//*[@id='ec-goa-reports-app']/div[1]/section/main/div/div/div/ul/li[1]/a",
)
PLACES = "#ec-sidebar ul:nth-child(1) > li:nth-child({})"  # of My Reports, in three layouts
MY_REPORTS = (
    "#ec-sidebar >> says=My Reports",
    *(f"{PLACES.format(place)} > button:has-text('My Reports')" for place in (3, 2, 4)),
)
SERVICE = ("#ec-sidebar >> says=Service", *(f"{PLACES.format(place)} a:has-text('Service')" for place in (3, 2, 4)))
EXPORT, XLSX, CONFIRM = ("#export-btn",), ("li:has(.line-XLSX)", ".line-XLSX"), ("#btn-bc-export",)
ORDERED = (guess(":text-matches('being prepared|will be notified|en préparation|vous serez avis', 'i')"),)
EXPORT_FAILED = (guess(":text-matches('(export|request)[a-z ]* failed|could not be (made|created)|échou', 'i')"),)
BELL = ("li.kt-notification-content [aria-label=Notification]", "[aria-label=Notification]")
LIST = "#m_quick_sidebar_notification-wrap"
ENTRIES = f"{LIST} li.kt-notifi-li"

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
    taken, refused, list_covers = ORDERED, EXPORT_FAILED, True
    oldest = 45 * 60  # seconds; half an hour was too strict

    @asynccontextmanager
    async def area(self, page: PortalPage) -> AsyncIterator[PortalPage]:
        page.begin("open the reports")
        await page.find((*LINK, *MY_REPORTS))
        if not await page.shown(LINK):
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
        target = page.job.target
        # By name and account too: entries of other reports come on top between a look and a click.
        like = f"{ENTRIES}:has-text({json.dumps(report.name)}):has-text('{target.account}')"
        found = []
        for place, (names, text, age, is_ready) in enumerate(await page.raw.locator(like).evaluate_all(READ_ENTRIES)):
            # The selector matches entries that contain the account; the entry must be about it, the report and the month.
            says = (set(re.findall(r"\d{6,}", text)), months_in(text))
            is_named = names[1:2] and same(names[1], report.name)
            if is_named and says == ({target.account}, [(target.end.year, target.end.month)]):
                found.append(Entry(f"{like} >> nth={place}", is_ready, least_age(age), failed=not is_ready))
        return found

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        return await page.download((f"{entry.selector} >> em.line-download",))

    async def dismiss(self, page: PortalPage, entry: Entry) -> None:
        await page.click((f"{entry.selector} >> em.line-close",))
