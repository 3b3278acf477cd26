"""The addresses and templates of the imitation, whose accounts there are, and how pages write their numbers."""

from pathlib import Path

from sandbox.aliases import Aliases
from sandbox.scripted.people import People
from sandbox.scripted.site import Site

FOLDER = Path(__file__).parent
IDENTITY = "identity"
BASE = {"": "/bizonline", IDENTITY: ""}
START, LANDING = "homePage.do", "landing.do"
REPORTS, REPORT = "prm-reports.do", "report.do"
NOTIFICATIONS, GROUP, USAGE = "prm-duns.do", "duns-account.do", "duns-usage.do"
BILLS, BILL, SHELL, VIEWER = "prm-bizInvoicePayment.do", "bill.do", "bill-shell.do", "bill-view.do"
SEARCH, CYCLES, EXPORT, ACCEPTED = "find-account.do", "bill-cycles.do", "export-text.do", "request-accepted.do"
ALIASES = {
    "": Aliases(
        (
            *(START, LANDING, "Enter", "Download"),
            *(REPORTS, REPORT, NOTIFICATIONS, GROUP, USAGE, BILLS, BILL, SHELL, VIEWER),
            *(SEARCH, CYCLES, EXPORT, ACCEPTED),
        ),
        {
            LANDING: ("welcome.do", "main.do?view=landing"),
            "Enter": ("auth/callback", "sso.do?from=idp"),
            "Download": ("files/get", "export.do", "api/content"),
            REPORT: ("runReport.do", "reportResult.do?type=1"),
            GROUP: ("getDunsCtns.do", "ban.do?view=usage"),
            USAGE: ("ctnUsage.do", "ctn.do?view=usage"),
            BILL: ("briteBill.do", "invoice.do?view=bill"),
            SHELL: ("briteBillFrame.do", "frame.do?of=bill"),
            VIEWER: ("viewer.do", "britebill/view?lang=en"),
            SEARCH: ("accountSearch.do", "popup.do?name=accounts"),
            CYCLES: ("billCycleDates.do", "dates.do?name=cycles"),
            EXPORT: ("exportOptions.do", "options.do?name=export"),
            ACCEPTED: ("requestSubmitted.do", "notice.do?name=submitted"),
        },
    ),
    IDENTITY: Aliases(
        ("user", "password", "verify"),
        {
            "user": ("signin", "oauth2/authorize?client=bizonline"),
            "password": ("signin/password", "oauth2/login?step=2"),
            "verify": ("signin/otp", "oauth2/otp?step=3"),
        },
    ),
}
PEOPLE = People(lowest=200_000_000, below=799_999_999)  # nine digits
SITE = Site(BASE, ALIASES, FOLDER)


def shown_number(account: str) -> str:
    """Return an account number as pages write it: even ones with hyphens."""
    return f"{account[0]}-{account[1:5]}-{account[5:]}" if int(account[-1]) % 2 == 0 else account
