"""What the pages of T-Mobile know: scenarios, configuration, codes by mail, and the days on which cycles end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.invented import Month
from sandbox.scripted import state as scripted
from sandbox.tmobile.pages import BILL, BILLING, PEOPLE, REPORTING, SITE
from sandbox.users import User

SENDER = "customercare@notifications.t-mobile.com"
MID_MONTH = 15
SCENARIOS = {
    **scripted.SCENARIOS,
    "ok": "user name, password, then a code by mail; everything works",
    "no-code": "no code is asked for",
    "mail-html": "the code's mail is HTML only",
    "wrong-sender": "a message of somebody else with another code comes first",
    "captcha": "a visible reCAPTCHA frame after the submission",
    "blocked": "the password is right, and then the connection is refused with 403, whatever is asked for",
    "mid-month": "cycles end on the 15th; a tag `cycle-day-<n>`: on the nth",
    "two-years": "the list of bills has eighteen periods: each label that has no year may be there twice",
    "filter-fails": "an account that is chosen, or searched for, changes nothing",
    "month-filter-fails": "a billing period that is chosen changes nothing",
    "read-back-late": "a filter shows what was chosen `late_ms` late",
    "filter-ignored": "the filters show what was chosen, and reports are made for the last account and the month before",
    "filters-stay": "a template that was run leaves the filters as they are",
    "period-late": "the billing periods take `late_ms`",
    "tree-deep": "accounts are five levels below the tree's root; a tag `levels-<n>`: n levels",
    "namesake-first": "tree and list of bills have an account first that begins with the same digits",
    "confirmation-late": "the note that a report was asked for takes `late_ms`",
    "confirmation-never": "the report is asked for, and no note says so",
    "went-wrong": "My reports says once that something went wrong; `times-<k>`: k times",
    "went-wrong-always": "My reports says each time that something went wrong",
    "dialog-icon": "a dialog over the reports that a cross closes",
    "dialog-escape": "a dialog over the reports that Escape alone closes",
    "dialog-reload": "a dialog over the reports that goes away when the page is loaded again",
    "slow-report": "a report takes `slow_report_seconds`",
    "report-never": "a report is never completed",
    "report-fails": "a report fails; `times-<k>`: the first k of each template",
    "former-reports": "My reports holds those of other months, accounts, days and templates",
    "run-date-plain": "dates in My reports have ordinary spaces",
    "wrong-month": "reports and bills of another month than their page says",
    "wrong-account-file": "files are about another account than their page",
    "mixed-file": "reports have rows of another account at their end",
    "unnamed-file": "reports have no column of accounts",
    "row-other-first": "the list of bills begins with another account's, also after a search",
    "rows-move": "the same, and a click opens the row above",
    "usage-filter-fails": "the kind of usage that is chosen changes nothing",
    "usage-missing": "the history of usage lacks the month that ends next",
    "usage-unknown": "the history of usage says of that month that it is not available",
    "query-twice": "documents are asked for twice: the first answer has no history",
    "query-late": "the answer with the history takes `late_ms`",
    "query-fails": "the request for the history gets 500",
    "no-detailed-bill": "a bill has no choice of a detailed one",
    "total-differs": "an invoice asks for more than its page and its lines",
    "invoice-french": "invoices are in French; a tag `invoice-layout-<1 to 4>` picks their layout",
    "layout-b": "another page structure: menu, tree and lists without their ids and places",
}
DEFAULTS: dict[str, Any] = scripted.DEFAULTS | {
    "codes": True,  # False: no user is asked for a code
    "language": True,  # False: no browser is asked for its language
    "blocked": False,  # 403 for every page of the sign-in
    "frame_ms": 100,  # when the language's frame is there
    "language_ms": 250,  # when its content is
    "period_ms": 300,  # when the billing periods are there
    "tree_ms": 60,  # when the branches of the tree are
    "confirm_ms": 150,  # when the note that a report was asked for is there
    "list_ms": 120,  # when My reports and the list of bills are there
    "late_ms": 2500,  # how long what is late takes
    "report_rows": 30,
    "report_seconds": 1.0,  # how long a report takes; a tag `report-<seconds>` for one user
    "slow_report_seconds": 420.0,
    "levels": 3,  # of the tree, above accounts
}


class TmobileState(scripted.ScriptedState):
    """Facts of the portal."""

    word: ClassVar[str] = "tmobile"
    scenarios: ClassVar[Mapping[str, str]] = SCENARIOS
    defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    site = SITE
    people = PEOPLE
    zone = ZoneInfo("America/New_York")
    linked = frozenset({""})  # the identity pages begin sessions, and hand them over
    late_pages = frozenset({REPORTING, BILLING, BILL})
    counted = (
        "account_changes",
        "codes_not_typed",
        "languages_chosen",
        "reports_asked",
        "reports_of_no_filter",
        "tmobile_pages_open_max",
        "identity_pages_open_max",
    )
    counted_in_groups = ("sign_ins_of", "exports_of", "files")
    sender: ClassVar[str] = "T-Mobile"
    message: ClassVar[str] = "T-Mobile: your verification code is {code}."
    mail_sender: ClassVar[str] = SENDER
    mail_subject: ClassVar[str] = "Your T-Mobile verification code"

    def new_code(self, by: str) -> str:
        """Make up a code: six to eight digits."""
        length = 6 + secrets.randbelow(3)
        return f"{secrets.randbelow(10**length):0{length}d}"

    def published(self, user: User) -> list[Month]:
        """Return the months of cycles that have ended; one that ends within a month is published in that month."""
        months, this = super().published(user), Month(self.today.year, self.today.month)
        return [this, *months[:-1]] if this.closes_on(closing(user)) < self.today else months


def closing(user: User) -> int:
    """Return the day of the month on which the user's cycles end; 0 for its last."""
    return int(user.number("cycle-day", MID_MONTH if user.says("mid-month") else 0))
