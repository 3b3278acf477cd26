"""What the pages of My Telus know: scenarios, configuration, and the sessions of TELUS IQ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.globys import bills
from sandbox.scripted import state as scripted
from sandbox.telus.pages import PEOPLE, SITE

SCENARIOS = {
    **scripted.SCENARIOS,
    **bills.SCENARIOS,
    "ok": "signs in with the password alone; everything works",
    "interstitial": "a check of the connection in place of the first document of each origin; it clears by itself",
    "interstitial-often": "the same in place of every third document",
    "interstitial-stays": "a check of the connection after sign-in that never clears",
    "captcha": "a check of the connection after the password that never clears",
    "interstitial-fails": "the same, and its widget says that it failed",
    "sms": "a page that asks for a code, which comes as a text message",
    "mfa-push": "a page that asks to approve the sign-in in an app",
    "default-switched": "each return to the overview opens another account",
    "document-other-first": "the documents of a bill begin with another month's",
    "document-missing": "the documents of a bill lack the chosen month's",
    "foreign-member": "a member of the bundle is about another account",
    "unknown-members": "the bundle has further members",
    "no-airtime": "the bundle lacks the airtime detail",
    "member-missing": "the bundle lacks the individual detail",
    "iq-login": "TELUS IQ asks for the password",
    "iq-wrong-password": "TELUS IQ asks for the password, and refuses it",
    "iq-sms": "TELUS IQ asks for the password, and then for a code, which comes as a text message",
    "stale-iq": "TELUS IQ has a session of somebody else until that is logged out",
    "iq-session-lost": "the session of TELUS IQ dies when a report is asked for, once",
    "slow-report": "a report of the queue takes `slow_report_seconds`",
    "report-never": "a report of the queue is never ready",
    "report-fails": "a report of the queue fails",
    "former-reports": "the queue holds reports of other days, accounts and runs",
    "no-pools": "the usage page has no total",
    "skip-popup": "a pop-up with a button that skips it, after sign-in",
    "layout-b": "an older page structure: ids in place of test ids, no places in reports",
}
DEFAULTS: dict[str, Any] = (
    scripted.DEFAULTS
    | bills.SETTINGS
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
    counted = (
        "account_changes",
        "codes_not_typed",
        "reports_asked",
        "interstitials",
        "iq_sessions",
        "iq_log_outs",
        "iq_losses",
        "my_telus_pages_open_max",
        "iq_pages_open_max",
        "bill_analyzer_pages_open_max",
    )
    counted_in_groups = ("sign_ins_of", "exports_of", "files")
    sender: ClassVar[str] = "TELUS"
    message: ClassVar[str] = "TELUS: your one-time code is {code}."
