"""The addresses and templates of the imitation, and whose accounts there are."""

from pathlib import Path

from sandbox import globys
from sandbox.aliases import Aliases
from sandbox.scripted.people import People
from sandbox.scripted.site import Site

FOLDER = Path(__file__).parent
IQ, ANALYZER = "iq", "bill_analyzer"
BASE = {"": "", IQ: "/iq/manage", ANALYZER: "/ba"}
START, HOME, TEXT_BILL, USAGE = "en", "my-telus", "my-telus/text-bill", "my-telus/usage"
INTENT = "tcom_mt_overview_button_download-text-bill"  # the link to the text bill carries it
FILES = ("files/get", "export.do", "api/content")
ALIASES = {
    "": Aliases(
        (START, HOME, TEXT_BILL, USAGE, "login", "verify", "Download"),
        {
            USAGE: ("my-telus/usage-overview", "my-telus/data?tab=usage"),
            "login": ("auth/login", "oauth2/login?realm=telus"),
            "verify": ("auth/challenge", "identity?step=2"),
            "Download": FILES,
        },
    ),
    IQ: Aliases(
        ("home", "usage", "queue", "login", "verify", "Download"),
        {
            "home": ("dashboard", "main?view=customer"),
            "usage": ("data/users", "usage-view?filter=heavy"),
            "queue": ("reports", "report-queue?page=1"),
            "login": ("auth/login", "oauth2/login?realm=iq"),
            "verify": ("auth/challenge", "identity?step=2"),
            "Download": FILES,
        },
    ),
    ANALYZER: Aliases(
        ("Enter", "Home", "Reports", "Report", "Bills", "Download"),
        {
            "Enter": ("sso", "token"),
            "Home": ("index.do?lang=en", "app/main"),
            "Reports": ("groupReports", "reports.do?group=detail"),
            "Report": ("reportView", "report.do?lang=en"),
            "Bills": ("statements", "bills.do?lang=en"),
            "Download": FILES,
        },
    ),
}
PEOPLE = People(lowest=30_000_000, below=9_999_999)  # eight digits
SITE = Site(BASE, ALIASES, FOLDER, Path(globys.__file__).parent)
