"""The templates of the imitation and the first path part of its origins."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sandbox.aliases import Aliases

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

_environment = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def render(template: str, **values: Any) -> Markup:
    """Return a template's HTML; `template` is its name without `.html`."""
    return Markup(_environment.get_template(f"{template}.html").render(**values))


def dialog(name: str, title: str, text: str, *buttons: tuple[str, str]) -> Markup:
    """Return an overlay with a backdrop that intercepts clicks; buttons are (text, spoken label or "")."""
    macros: Any = _environment.get_template("macros.html").module
    return Markup(macros.dialog(name, title, text, buttons))
