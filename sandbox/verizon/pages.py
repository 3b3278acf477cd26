"""The addresses and templates of the imitation, and whose accounts there are."""

from dataclasses import dataclass
from pathlib import Path

from sandbox.aliases import Aliases
from sandbox.scripted.people import People
from sandbox.scripted.site import Site

FOLDER = Path(__file__).parent
HOME = "home"  # the origin of the portal itself; the main one is that of the sign-in
BASE = {"": "/account/business", HOME: "/mbt/secure"}
LOGIN, VERIFY, CONFIRM, CONTINUE = "ilogin", "verify", "confirm", "continue"
ENTER, HUB, LANDING = "Enter", "hub", "overview"
REPORTS, RAW, REPORT = "reports", "raw-data", "report"
BILL, BILLS = "bill-details", "previous-bills"
ALIASES = {
    "": Aliases(
        (LOGIN, VERIFY, CONFIRM, CONTINUE),
        {
            VERIFY: ("pwdless", "auth?step=2"),
            CONTINUE: ("redirect", "sso?goto=mbt"),
        },
    ),
    HOME: Aliases(
        (ENTER, HUB, LANDING, REPORTS, RAW, REPORT, BILL, BILLS, "Download"),
        {
            ENTER: ("callback", "sso?from=ilogin"),
            HUB: ("welcomehub", "start?view=hub"),
            LANDING: ("dashboard", "main?view=home"),
            REPORTS: ("reporting/home", "insights?view=all"),
            RAW: ("reporting/raw", "insights-raw?type=raw"),
            REPORT: ("reporting/view", "insights-view?type=1"),
            BILL: ("billing/details", "bills?view=details"),
            BILLS: ("billing/history", "bills-previous?view=all"),
            "Download": ("reporting/file", "export", "api/content"),
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Customers(People):
    """Customers whose account numbers have nine digits, with a suffix for users tagged `hyphens`."""

    def numbered(self, owner: str, count: int) -> list[str]:
        """Return account numbers of an owner, all different."""
        found = People.numbered(self, owner, count)
        return [f"{number}-00001" for number in found] if "hyphens" in owner else found


PEOPLE = Customers(lowest=200_000_000, below=799_999_999)
SITE = Site(BASE, ALIASES, FOLDER)
