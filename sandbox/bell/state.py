"""What the pages of Bell know: the portal's facts, and the form of its codes and messages."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.bell.pages import SITE
from sandbox.bell.people import PEOPLE
from sandbox.scripted import state as scripted
from sandbox.users import User

ZONE = ZoneInfo("America/Toronto")
SCENARIOS = {
    "ok": "signs in with the password alone; everything works",
    "sms": "a verification page with a choice of method; the code comes as a text message",
    "totp": "the code page at once, for the code of an authenticator app",
    "code-direct": "no choice of method: the code is sent at the submission of the password",
    "mfa-pending": "the verification page at the address of the sign-in page, until it is passed",
    "code-late": "the message comes `late_seconds` late",
    "code-never": "no message comes",
    "code-refused": "every code is refused",
    "wrong-password": "accepts `new-sesame` only",
    "locked": "the account is locked",
    "captcha": "a visible reCAPTCHA frame after the submission",
    "submit-503": "503 right after the password was submitted",
    "submit-hang": "no answer after the password was submitted",
    "submit-drop": "the connection breaks within the answer to the password",
    "multi": "three accounts; `multi-<n>` as a tag for more",
    "global-search": "the invoice page asks for the account by a search",
    "session-storage": "the session's token is in sessionStorage",
    "session-cookie": "the session's cookie ends with the browser",
    "signed-out-midway": "the first session dies after `midway_requests` requests",
    "session-replaced": "a session is another user's after `midway_requests` requests; a tag `replaced-<n>`: after n",
    "other-customer": "name and accounts of somebody else",
    "wrong-account": "another account than the chosen one is opened",
    "account-missing": "the first of the user's accounts is not listed",
    "not-published": "the newest month is not there yet",
    "purged": "only the newest three months are kept",
    "month-missing": "the second newest month is not there",
    "cache-error": "the e-reports lack their header menu until the browser is cleared and signed in again",
    "cache-error-always": "the e-reports always lack their header menu",
    "slow-report": "a report takes `slow_report_seconds`",
    "former-reports": "the table of reports holds entries of a week ago",
    "truncated-file": "the connection breaks within the file",
    "empty-file": "the file has no bytes",
    "html-instead-of-pdf": "an HTML page under the file's name",
    "wrong-type": "a file of another type under the file's name",
    "unsafe-zip": "a ZIP whose members would leave the folder",
    "zip": "the invoice comes as a ZIP of two PDFs",
    "foreign-member": "the second PDF of that ZIP is another account's",
    "slow-download": "the file takes `slow_seconds`",
    "download-swallowed": "the first click on a download does nothing",
    "cached-file": "each download brings the first file of its kind that the user has got",
    "rate-limited": "429 with Retry-After for the first two pages after sign-in",
    "rate-limited-bare": "the same without Retry-After",
    "maintenance": "503 after sign-in",
    "cookie-banner": "a cookie dialog after sign-in",
    "promo-overlay": "an advertisement whose backdrop swallows clicks",
    "overlay-late": "a feedback dialog over a later page",
    "policy-page": "new terms of service in place of every page",
    "unknown-page": "a page that nobody knows in place of every page",
    "layout-b": "another page structure after the password: labels, texts and component names still fit",
    "lang-fr": "refusals and messages in French",
    "no-pools": "an account without shared data",
    "no-filter": "none of the known views",
    "mail-html": "a code by mail comes as HTML only",
    "mail-french": "a code by mail comes in French",
    "wrong-sender": "a message of somebody else with another code comes first",
    "focus-stolen": "the business portal's page takes the focus away in the middle of the password",
    "auto-apply": "filters of a workbook apply by themselves",
    "wrong-month": "another month than the chosen one counts in a workbook",
    "wrong-account-file": "a workbook's file is about another account than its page",
    "mixed-file": "the usage file has rows of another account at its end",
    "unnamed-file": "the usage file has no column of accounts",
    "stale-notifications": "the list of notifications holds entries of other runs",
    "html-instead-of-xlsx": "an HTML page under the file's name",
    "session-lost-tab": "the reports' tab asks for a sign-in, in the first session",
}
DEFAULTS: dict[str, Any] = (
    scripted.DEFAULTS
    | {
        "pools_ms": 150,
        "filter_ms": 100,
        "report_preview_ms": 100,
        "pdf_seconds": 0.5,  # how long an invoice takes; a tag `pdf-<seconds>` for one user
        "report_seconds": 1.0,  # how long a report takes; a tag `report-<seconds>` for one user
        "slow_report_seconds": 120.0,
        "centre_codes": True,  # False: the Enterprise Centre asks no user for a code
        "workbook_ms": 150,
        "search_ms": 100,
        "monthly_rows": 40,
        "notifications": [],  # [{"report": slug, "account": number or "All", "month": "Oct 2026", "age": seconds, "user": name}]
    }
)
MAIL_CODE_LENGTH = 8
# Beside the frame's: codes that no key event typed, and the most tabs that one session had open at once.
COUNTED = (
    "account_changes",
    "codes_not_typed",
    "reports_asked",
    "exports_asked",
    "dismissals",
    "self_serve_pages_open_max",
    "ereports_pages_open_max",
    "enterprise_centre_pages_open_max",
)


class BellState(scripted.ScriptedState):
    """Sessions of both ways in, and what is handed over to the e-reports."""

    word: ClassVar[str] = "bell"
    scenarios: ClassVar[Mapping[str, str]] = SCENARIOS
    defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    site = SITE
    people = PEOPLE
    zone = ZONE
    linked = frozenset({"ereports"})
    late_pages = frozenset({"Usage/Details", "Billing/DownloadPDF", "StandardReports", "Analytics"})
    counted = COUNTED
    counted_in_groups = ("sign_ins_of", "exports_of", "files")
    sender: ClassVar[str] = "BELL"
    message: ClassVar[str] = "Bell: your verification code is {code}. Do not share it."
    mail_sender: ClassVar[str] = "businessportal_portailaffaires@bell.ca"
    mail_subject: ClassVar[str] = "Bell Business Portal | Portail Affaires de Bell"
    code_digits: ClassVar[int] = 8

    def new_code(self, by: str) -> str:
        """Make up a code: eight digits by text message, eight letters and digits by mail."""
        if by != "mail":
            return super().new_code(by)
        while True:
            code = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(MAIL_CODE_LENGTH))
            if not code.isalpha() and not code.isdecimal():
                return code

    def text_message(self, user: User) -> str:
        """Return what a user's text messages say, in the user's language."""
        if user.says("lang-fr"):
            return "Bell : utiliser le code {code} pour confirmer votre identité. Ne le partagez pas."
        return self.message
