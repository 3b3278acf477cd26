"""The monthly reports: the bundle of a bill, and the device summary of Bill Analyzer."""

from scrapers.core.page import PortalPage, guess
from scrapers.core.periods import months_in
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import the_one
from scrapers.families.carriers.globys import REPORTS as REPORT_MENU
from scrapers.families.carriers.globys import Globys
from scrapers.families.carriers.reports import MonthlyReports, Report
from scrapers.portals.telus.columns import LOCALE, REPORTS
from scrapers.portals.telus.login import MyTelus
from scrapers.portals.telus.my_telus import ANALYZER, bill_option, go_home, tab

TEXT_BILL = (
    "a[href='/my-telus/text-bill?intcmp=tcom_mt_overview_button_download-text-bill']",
    "a[href*='/my-telus/text-bill']",
)
BILLS = "div[role=link]"
NAMES = "January|February|March|April|May|June|July|August|September|October|November|December"
MONTHS = (f"{BILLS}:text-matches('{NAMES}', 'i')", f"{BILLS}:has(:text-matches('{NAMES}', 'i'))")
TO_ANALYZER = ("xpath=//*[@id='navOpen']/li[2]/a", guess("#navOpen >> says=Bill Analyzer"))
DETAIL_REPORTS, SECTION, DEVICES = ("#navMenuItem6",), "#heading42", "#collapse42"
BUTTON = "button[id*=btnSelectSummaryReport]"
EXPAND = (f"{SECTION} >> says=Mobility Device Summary", f"{SECTION} [aria-expanded]", SECTION)
# The month of a bill stands below the heading of its year.
READ_BILLS = """bills => bills.map(bill => {
  const years = [...document.querySelectorAll("h2")].filter(head => /(19|20)\\d\\d/.test(head.textContent)
    && head.compareDocumentPosition(bill) & Node.DOCUMENT_POSITION_FOLLOWING);
  return [bill.innerText, years.at(-1)?.textContent.match(/(?:19|20)\\d\\d/)[0] ?? ""];
})"""


class TelusMonthlyReports(MonthlyReports):
    """
    Portal
      TELUS, My Telus and Bill Analyzer (https://www.telus.com/my-telus)
    Caveats
      Bills go back about 13 months. The bundle of a bill holds two or three reports; Bill Analyzer makes the device summary.
    """

    name = "telus_monthly_reports"
    locale = LOCALE
    logins = (MyTelus,)
    reports = (
        Report("group_summary", "Group Summary", REPORTS["group_summary"], "bundle", "group.?summary"),
        Report("individual_detail", "Individual Detail", REPORTS["individual_detail"], "bundle", "individual.?detail"),
        Report("airtime_detail", "Airtime Detail", REPORTS["airtime_detail"], "bundle", "airtime.?detail", False),
        Report("mobility_device", "Mobility Device Summary", REPORTS["mobility_device"], "devices"),
    )

    async def bundle(self, page: PortalPage, *_reports: Report) -> PartFile:
        """Download the ZIP of the bill of the cycle's month."""
        page.begin("open the bills")
        async with bill_option(page, TEXT_BILL, MONTHS) as bills:
            bills.begin("choose the month")
            target = bills.job.target
            await bills.find(MONTHS)
            read = await bills.scope.locator(BILLS).evaluate_all(READ_BILLS)
            offered = [text if year in text else f"{text} {year}" for text, year in read]
            months = [(place, text) for place, text in enumerate(offered) if months_in(text)]
            place = the_one(months, target.account, target.end, self.today())
            return await bills.download((f"{BILLS} >> nth={place}",))

    async def devices(self, page: PortalPage, *_reports: Report) -> PartFile:
        """Export the device summary."""
        page.begin("open Bill Analyzer")
        await go_home(page)
        async with tab(page, TO_ANALYZER, ANALYZER) as there:
            analyzer = Globys(there, self.today())
            await analyzer.open(DETAIL_REPORTS, (SECTION,), REPORT_MENU)
            await analyzer.choose_account()
            await analyzer.choose_month("b")
            if not await there.shown((f"{DEVICES} {BUTTON}",)):
                await there.click(EXPAND)
                await there.arrives((f"{DEVICES} {BUTTON}",))
            await analyzer.view("Mobility Device Summary", ("Mobility Device",), DEVICES, BUTTON)
            return await analyzer.export()
