"""The monthly reports: members of the raw data's ZIP, and three reports of the tab Others."""

import asyncio

from scrapers.core.page import PortalPage
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import check_file
from scrapers.families.carriers.reports import MonthlyReports, Report
from scrapers.portals.verizon.columns import LOCALE, REPORTS
from scrapers.portals.verizon.dates import Days, NewestMonth, NoDates
from scrapers.portals.verizon.filters import fetch_report
from scrapers.portals.verizon.login import VerizonLogin
from scrapers.portals.verizon.raw_data import fetch_raw_data

MEMBERS = {
    "account_wireless": ("Account & Wireless Summary", r"account[\W_]*(and)?[\W_]*wireless[\W_]*summary"),
    "wireless_charges_detail": ("Acct & Wireless Charges Detail", r"wireless[\W_]*charges[\W_]*detail"),
    "wireless_usage_detail": ("Wireless Usage Detail", r"wireless[\W_]*usage[\W_]*detail"),
}
OPTIONAL = "wireless_usage_detail"
OTHERS = {  # name at the portal, and the dates that are chosen
    "device_report": ("Offer recovery & early termination fees", NewestMonth),
    "activation_and_deactivation": ("Activation & deactivation", Days),
    "suspended_wireless_numbers": ("Suspended wireless number", NoDates),
}
DATED = "activation_and_deactivation"  # the others are made of the present state


class VerizonMonthlyReports(MonthlyReports):
    """
    Portal
      Verizon, My Business, raw data and reports (https://mb.verizonwireless.com)
    Caveats
      Three of the files are members of one ZIP, which has no filter by account: it may hold the user's other accounts. Suspended
      lines are those of the present. The fees are kept of the newest month alone: for an older cycle they are no longer available.
    """

    name = "verizon_monthly_reports"
    locale = LOCALE
    logins = (VerizonLogin,)
    reports = (
        *(
            Report(slug, name, REPORTS[slug], "raw_data", member, required=slug != OPTIONAL, of_user=True)
            for slug, (name, member) in MEMBERS.items()
        ),
        *(Report(slug, name, REPORTS[slug], "other_report", dated=slug == DATED) for slug, (name, _) in OTHERS.items()),
    )

    async def raw_data(self, page: PortalPage, *_reports: Report) -> PartFile:
        """Download the ZIP of the month in which the cycle ends."""
        return await fetch_raw_data(page, page.job.target.end, self.today())

    async def other_report(self, page: PortalPage, report: Report) -> PartFile:
        """Download a report of the tab Others. Raises PortalChanged where it says that it is of another month than the chosen one."""
        name, kind = OTHERS[report.slug]
        dates = kind()
        part = await fetch_report(page, "Others", f"Other reports: {name}", dates, self.today())
        if isinstance(dates, NewestMonth) and (month := dates.month) is not None:
            await asyncio.to_thread(check_file, part, page.job.target.account, [(month.year, month.month)])
        return part
