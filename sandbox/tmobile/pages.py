"""The addresses and templates of the imitation, and its customers."""

from pathlib import Path

from sandbox.aliases import Aliases
from sandbox.scripted.people import People
from sandbox.scripted.site import Site

FOLDER = Path(__file__).parent
IDENTITY = "identity"
BASE = {"": "", IDENTITY: ""}
START, LANGUAGE = "business", "language"
APPS = "apps/tfb_billing"
DASHBOARD, REPORTING = f"{APPS}/dashboard", f"{APPS}/reporting"
BILLING, BILL = f"{APPS}/billing", f"{APPS}/bill"
USER, PASSWORD, CODE = "signin/v2", "signin/v2/password", "signin/v2/code"
ALIASES = {
    "": Aliases(
        (START, LANGUAGE, "Enter", "Download", DASHBOARD, REPORTING, BILLING, BILL),
        {
            START: ("welcome", "home?lang=none"),
            LANGUAGE: ("lightbox", "choose?of=language"),
            "Enter": ("implicit/callback", "callback?from=account"),
            "Download": (f"{APPS}/file", "api/content", "export?kind=file"),
            REPORTING: (f"{APPS}/reports", "apps/reporting?view=templates"),
            BILLING: (f"{APPS}/billing-list", "apps/billing?view=accounts"),
            BILL: (f"{APPS}/billing/detail", "apps/account?view=bill"),
        },
    ),
    IDENTITY: Aliases(
        (USER, PASSWORD, CODE),
        {
            USER: ("oauth2/v1/auth", "login?client_id=TFBBilling"),
            PASSWORD: ("oauth2/v1/password", "challenge?kind=password"),
            CODE: ("oauth2/v1/otp", "second-factor?kind=code"),
        },
    ),
}
QUERIES = (  # addresses of the request for documents: what they hold is known, not where they begin
    "/api/britebill/documents/query",
    f"/{APPS}/v1/britebill/documents/query",
    "/gateway/bills/britebill/documents/query/v2",
)
PEOPLE = People(lowest=200_000_000, below=799_999_999)  # nine digits
SITE = Site(BASE, ALIASES, FOLDER)
