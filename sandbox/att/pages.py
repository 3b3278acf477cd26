"""The addresses and templates of the imitation, and whose accounts there are."""

from pathlib import Path

from sandbox import globys
from sandbox.aliases import Aliases
from sandbox.scripted.people import People
from sandbox.scripted.site import Site

FOLDER = Path(__file__).parent
BASE = {"": "/premiercare"}
ALIASES = {
    "": Aliases(
        ("login", "password", "verify", "home", "reports", "Billing", "Reports", "Report", "Bills", "Download"),
        {
            "login": ("signin", "auth?step=user"),
            "password": ("signin/secret", "auth/next?step=2"),
            "verify": ("signin/verify", "auth/otp?step=3"),
            "home": ("welcome", "index.jsp?lang=en"),
            "reports": ("reporting", "reports.jsp?lang=en"),
            "Billing": ("billing/start", "globys/index?tab=1"),
            "Reports": ("billing/groupReports", "reports.do?group=detail"),
            "Report": ("billing/reportView", "report.do?lang=en"),
            "Bills": ("billing/statements", "bills.do?lang=en"),
            "Download": ("files/get", "export.do", "api/content"),
        },
    )
}
PEOPLE = People(lowest=280_000_000_000, below=9_999_999_999)  # twelve digits
SITE = Site(BASE, ALIASES, FOLDER, Path(globys.__file__).parent)
