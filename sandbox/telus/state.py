"""What the pages of My Telus know: scenarios, configuration, and the sessions of TELUS IQ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.globys.bills import SETTINGS
from sandbox.scripted import state as scripted
from sandbox.telus.pages import PEOPLE, SITE

SCENARIOS = {
    "ok": "signs in with the password alone; everything works",
    "wrong-password": "accepts `new-sesame` only",
    "locked": "the account is locked",
    "interstitial": "a check of the connection in place of the first document of each origin; it clears by itself",
    "interstitial-often": "the same in place of every third document",
    "interstitial-stays": "a check of the connection after sign-in that never clears",
    "captcha": "a check of the connection after the password that never clears",
    "interstitial-fails": "the same, and its widget says that it failed",
    "sms": "a page that asks for a code, which comes as a text message",
    "totp": "the same for the code of an authenticator app",
    "mfa-push": "a page that asks to approve the sign-in in an app",
    "code-late": "the message comes `late_seconds` late",
    "code-never": "no message comes",
    "code-refused": "every code is refused",
    "submit-503": "503 right after the password was submitted",
    "submit-hang": "no answer after the password was submitted",
    "submit-drop": "the connection breaks within the answer to the password",
    "multi": "three accounts; `multi-<n>` as a tag for more",
    "session-cookie": "the session's cookie ends with the browser",
    "signed-out-midway": "the first session dies after `midway_requests` requests",
    "other-customer": "name and accounts of somebody else",
    "wrong-account": "another account than the chosen one is opened",
    "account-missing": "the first of the user's accounts is not listed",
    "default-switched": "each return to the overview opens another account",
    "not-published": "the newest month is not there yet",
    "purged": "only the newest three months are kept",
    "month-missing": "the second newest month is not there",
    "filter-fails": "filters of accounts change nothing",
    "month-filter-fails": "filters of months change nothing",
    "filter-resets": "an export resets the filters",
    "first-item-other": "a search for an account lists another one first",
    "namesake-first": "a search for an account lists one first whose number begins with the same digits",
    "wrong-month": "reports and bills of another month than the chosen one",
    "wrong-account-file": "files are about another account than their page",
    "row-other-first": "the list of bills begins with another account's",
    "document-other-first": "the documents of a bill begin with another month's",
    "document-missing": "the documents of a bill lack the chosen month's",
    "total-differs": "an invoice asks for more than the list of bills and its lines",
    "invoice-french": "invoices are in French; a tag `invoice-layout-<1 to 4>` picks their layout",
    "foreign-member": "a member of the bundle is about another account",
    "unknown-members": "the bundle has further members",
    "no-airtime": "the bundle lacks the airtime detail",
    "member-missing": "the bundle lacks the individual detail",
    "renamed-file": "an export is called detail_report.csv",
    "iq-login": "TELUS IQ asks for the password",
    "stale-iq": "TELUS IQ has a session of somebody else until that is logged out",
    "iq-session-lost": "the session of TELUS IQ dies when a report is asked for, once",
    "slow-report": "a report of the queue takes `slow_report_seconds`",
    "report-never": "a report of the queue is never ready",
    "report-fails": "a report of the queue fails",
    "former-reports": "the queue holds reports of other days, accounts and runs",
    "no-pools": "the usage page has no total",
    "truncated-file": "the connection breaks within the file",
    "empty-file": "the file has no bytes",
    "html-instead-of-pdf": "an HTML page under the file's name",
    "html-instead-of-csv": "the same for reports",
    "wrong-type": "a file of another type under the file's name",
    "unsafe-zip": "a ZIP whose members would leave the folder",
    "slow-download": "the file takes `slow_seconds`",
    "download-swallowed": "the first click on a download does nothing",
    "rate-limited": "429 with Retry-After for the first two pages after sign-in",
    "rate-limited-bare": "the same without Retry-After",
    "maintenance": "503 after sign-in",
    "cookie-banner": "a cookie dialog after sign-in",
    "promo-overlay": "an advertisement whose backdrop swallows clicks",
    "overlay-late": "a feedback dialog over a later page",
    "skip-popup": "a pop-up with a button that skips it, after sign-in",
    "policy-page": "new terms of service in place of every page",
    "unknown-page": "a page that nobody knows in place of every page",
    "layout-b": "an older page structure: ids in place of test ids, no places in reports",
}
DEFAULTS: dict[str, Any] = (
    scripted.DEFAULTS
    | SETTINGS
    | {
        "form_ms": 600,  # how long the sign-in form takes to be drawn
        "interstitial": "",  # "clears" or "stays": a check of the connection for all, on each origin
        "interstitial_ms": 700,  # how long a check that clears takes
        "menu_ms": 1500,  # how long the menu Bill Options stays
        "usage_ms": 150,  # when the usage page has its figures
        "bans_ms": 300,  # when TELUS IQ has filled its list of accounts
        "report_seconds": 1.0,  # how long a report of the queue takes; a tag `report-<seconds>` for one user
        "slow_report_seconds": 360.0,
    }
)


class TelusState(scripted.ScriptedState):
    """Facts of the portal."""

    word: ClassVar[str] = "telus"
    scenarios: ClassVar[Mapping[str, str]] = SCENARIOS
    defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    site = SITE
    people = PEOPLE
    zone = ZoneInfo("America/Toronto")
    months_kept = 13
    linked = frozenset({"bill_analyzer"})
    late_pages = frozenset({"my-telus/text-bill", "my-telus/usage", "Reports", "Bills", "usage"})
    counted = ("account_changes", "codes_not_typed", "reports_asked", "interstitials", "iq_sessions", "iq_log_outs")
    counted_in_groups = ("sign_ins_of", "exports_of", "files")
    sender: ClassVar[str] = "TELUS"
    message: ClassVar[str] = "TELUS: your one-time code is {code}."
