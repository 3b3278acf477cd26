"""The monthly reports of the Enterprise Centre: each ordered once, collected from the notifications, then dismissed."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.locators import containing
from scrapers.core.page import PortalPage, Selectors, guess
from scrapers.core.periods import DAYS, months_in
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import numbers_like
from scrapers.families.carriers.ordered import Entry, OrderedReports
from scrapers.families.carriers.reports import Report
from scrapers.portals.bell.columns import LOCALE, REPORTS
from scrapers.portals.bell.enterprise_login import BellEnterpriseCentre
from scrapers.portals.bell.workbooks import WORKSPACE, choose_account, choose_month, open_workbook
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
SERVICE = ("#ec-sidebar >> says=Service",)
EXPORT = ("#export-btn", guess("role=button|Export"))
CONFIRM = ("#btn-bc-export", guess(":is([role=dialog], dialog) :is(button, [role=button]):text-matches('export', 'i')"))
XLSX = (".line-XLSX", "li:has(.line-XLSX):not(:has(li))")
ORDERED = (guess(":text-matches('being prepared|will be notified|en préparation|vous serez avis', 'i')"),)
EXPORT_FAILED = (guess(":text-matches('(export|request)[a-z ]* failed|could not be (made|created)|échou', 'i')"),)
BELL = ("li.kt-notification-content [aria-label=Notification]", "[aria-label=Notification]")
LIST = "#m_quick_sidebar_notification-wrap"
ENTRIES = "li.kt-notifi-li"
OPENED = (ENTRIES, f"{LIST} li", LIST)
TAB = 90  # seconds in which the reports' tab opens
FAILED = (
    r"fail|error|could not|cannot|échou|erreur"  # of a report that is not there; in words not known it is waited for
)

READ_ENTRIES = """entries => entries.map(entry => [
  [...entry.querySelectorAll("b")].map(name => name.textContent.trim())[1] ?? entry.innerText,
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
            if not await page.shown(SERVICE):
                await page.click(MY_REPORTS)
            await page.click(SERVICE)
        async with page.new_tab(LINK, within=TAB) as tab:
            await tab.find((*BELL, *WORKSPACE), within=TAB)
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
        if not await page.shown(OPENED):
            await page.click(BELL)
            await page.arrives(OPENED)  # an empty list may have no size
        target, name = page.job.target, report.name.removesuffix(" Report")
        # By its name, too: entries of other reports come on top between a look and a click.
        like = f"{ENTRIES}:has-text({json.dumps(name)})"
        found = []
        for place, (named, text, age, is_ready) in enumerate(await page.raw.locator(like).evaluate_all(READ_ENTRIES)):
            accounts, months = numbers_like(target.account, text), months_in(DAYS.sub("", text))
            is_other = accounts - {target.account} or set(months) - {(target.end.year, target.end.month)}
            if containing(name).search(named) and not is_other:
                failed = not is_ready and re.search(FAILED, text, re.I) is not None
                is_stated = bool(accounts and months)
                found.append(Entry(f"{like} >> nth={place}", is_ready, least_age(age), failed, is_stated))
        return found

    async def refresh(self, page: PortalPage) -> None:
        await page.click(BELL)
        if await page.shown(OPENED):  # it does not close the list
            await page.reload()

    async def collect(self, page: PortalPage, entry: Entry) -> PartFile:
        return await page.download((f"{entry.selector} >> em.line-download",))

    async def dismiss(self, page: PortalPage, entry: Entry) -> None:
        await page.click((f"{entry.selector} >> em.line-close",))
