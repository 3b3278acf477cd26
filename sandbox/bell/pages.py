"""The templates of the imitation and the first path part of its origins."""

from pathlib import Path

from sandbox.aliases import Aliases
from sandbox.scripted.site import Site

FOLDER = Path(__file__).parent
BASE = {
    "": "/corporateselfserve",
    "ereports": "/ereports",
    "enterprise_centre": "/ec",
    "business_portal": "/idp",
}
FOREVER = 86_400
# The pages of each origin, and other addresses of those whose address is not known.
ALIASES = {
    "": Aliases(
        ("Login", "Verify", "Home", "Usage/Details", "Billing/DownloadPDF", "Billing/Prepare", "Download"),
        {
            "Verify": ("auth/challenge", "identity?step=2"),
            "Home": ("app/overview", "portal/start.do?lang=en", "MyBell", "spa?view=landing"),
            "Usage/Details": ("app/usage", "mobility/usage.do?lang=en", "u/details?tab=1"),
            "Billing/DownloadPDF": ("app/invoices", "billing/pdf.do?lang=en", "documents?kind=invoice"),
            "Billing/Prepare": ("app/invoices/wait", "billing/ready.do?lang=en"),
            "Download": ("files/get", "export.do", "api/content"),
        },
    ),
    "ereports": Aliases(
        ("Enter", "Home", "StandardReports", "Download"),
        {
            "Enter": ("sso", "token"),
            "Home": ("index.do?lang=en", "app/main"),
            "StandardReports": ("standard.do?lang=en", "app/reports", "list?group=standard"),
            "Download": ("files/get", "export.do", "api/content"),
        },
    ),
    "enterprise_centre": Aliases(
        ("Home", "MyReports/Service", "Analytics", "Download"),
        {
            "Home": ("app/home", "start?lang=en"),
            "MyReports/Service": ("app/reports", "goa?section=service"),
            "Analytics": ("insights", "bc/main?tab=1"),
            "Download": ("files/get", "export.do", "api/content"),
        },
    ),
    "business_portal": Aliases(("Login", "IG.OTP", "Download"), {}),
}

SITE = Site(BASE, ALIASES, FOLDER)
render = SITE.render
