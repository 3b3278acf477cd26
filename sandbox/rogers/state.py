"""What the pages of Rogers know: scenarios, configuration, codes by mail, and the days on which accounts are billed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.invented import Month, number
from sandbox.rogers.pages import BILLS, NOTIFICATIONS, PEOPLE, REPORT, REPORTS, SITE
from sandbox.scripted import state as scripted

SENDER = "notifications@rci.rogers.com"
SCENARIOS = {
    **scripted.SCENARIOS,
    "ok": "a choice of methods after the password, then a code by mail in six boxes; everything works",
    "cold-cache": "the password's field is `cold_ms` late in a browser that was not here before",
    "cold-always": "the password's field is `cold_ms` late each time",
    "no-code": "no code is asked for",
    "code-direct": "no choice of methods: the code was sent",
    "text-first": "the text message is the first method, the mail the second",
    "no-mail": "no mail among the methods",
    "mail-html": "a code by mail comes as HTML only",
    "wrong-sender": "a message of somebody else with another code comes first",
    "captcha": "a visible reCAPTCHA frame after the submission",
    "filter-fails": "an account that is selected changes nothing",
    "month-filter-fails": "a bill cycle or bill date that is chosen changes nothing",
    "filter-resets": "an export resets account and bill cycle",
    "export-resets": "the dialog of an export resets account and bill cycle before the file is made",
    "account-switched": "another tab of the session puts the account back when a report is run or users are listed",
    "dialog-remains": "the dialog of accounts stays open when one was selected",
    "first-item-other": "a search for an account lists another one first",
    "namesake-first": "searches and bills list an account first whose number begins with the same digits",
    "wrong-month": "reports and bills of another month than the chosen one",
    "wrong-account-file": "files are about another account than their page",
    "mixed-file": "reports have rows of another account at their end",
    "unnamed-file": "reports have no column of accounts",
    "slow-report": "an extract takes `slow_report_seconds`",
    "report-never": "an extract is never completed",
    "report-fails": "an extract fails",
    "former-reports": "the list of requests holds those of other accounts, reports and days",
    "report-expired": "a completed extract is past its expiry date, and the next one is not",
    "header-missing": "the ZIP of an extract lacks its header file",
    "header-differs": "the header file has a column less than the data",
    "foreign-extract": "the extract of a request is another account's",
    "no-pools": "the account has no shared data",
    "usage-unknown": "the usage of the second number is not available",
    "selection-lost": "a selected page is no longer selected when the next one is shown",
    "row-other-first": "the list of bills begins with another account's",
    "rows-move": "the same, and its rows move between a look and a click: the bill is that of the row above",
    "dialog-stays": "the viewer shows a bill of the user's last account, opened before",
    "viewer-nested": "the viewer's frame is in another frame",
    "viewer-late": "the viewer takes `late_ms`",
    "viewer-fails": "the viewer says that it cannot show the bill",
    "no-complete-bill": "the viewer offers no complete bill",
    "total-differs": "an invoice asks for more than the list of bills and its lines",
    "invoice-french": "invoices are in French; a tag `invoice-layout-<1 to 4>` picks their layout",
    "layout-b": "an older page structure: menu, sign-in and lists without their places",
}
DEFAULTS: dict[str, Any] = scripted.DEFAULTS | {
    "codes": True,  # False: no user is asked for a code
    "bundle_ms": 200,  # when the password's field is there
    "cold_ms": 45_000,  # the same in the scenarios `cold-cache` and `cold-always`
    "search_ms": 100,  # when a search has its accounts
    "report_ms": 150,  # when the list of bills and the viewer are there
    "usage_ms": 150,  # when figures of usage are there
    "late_ms": 2500,  # when the viewer is there in the scenario `viewer-late`
    "menu_ms": 10_000,  # how long the viewer's menu stays
    "report_rows": 30,
    "users": 25,  # numbers of an account
    "users_per_page": 10,
    "report_seconds": 1.0,  # how long an extract takes; a tag `report-<seconds>` for one user
    "slow_report_seconds": 600.0,
    "expiry_days": 7,
}


class RogersState(scripted.ScriptedState):
    """Facts of the portal."""

    word: ClassVar[str] = "rogers"
    scenarios: ClassVar[Mapping[str, str]] = SCENARIOS
    defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    site = SITE
    people = PEOPLE
    zone = ZoneInfo("America/Toronto")
    linked = frozenset({""})  # the identity provider begins sessions, and hands them over
    late_pages = frozenset({REPORTS, REPORT, NOTIFICATIONS, BILLS})
    counted = (
        "account_changes",
        "cold_starts",
        "codes_not_typed",
        "searches_not_typed",
        "reports_asked",
        "rogers_pages_open_max",
        "identity_pages_open_max",
    )
    counted_in_groups = ("sign_ins_of", "exports_of", "files")
    sender: ClassVar[str] = "ROGERS"
    message: ClassVar[str] = "Rogers: your verification code is {code}."
    mail_sender: ClassVar[str] = SENDER
    mail_subject: ClassVar[str] = "Your Rogers verification code"


def billed_on(account: str, month: Month) -> date:
    """Return the day of a month on which an account is billed: any from the first to the 28th."""
    return date(month.year, month.number, 1 + number("billed", account, below=28))
