"""What the pages of Bell know: the portal's facts, its sessions, and the files and sessions that are on their way."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sandbox.bell.files import File
from sandbox.messages import Gateway
from sandbox.portal import PortalState
from sandbox.signin import Session, Sessions
from sandbox.state import State
from sandbox.users import User

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
    "slow-download": "the file takes `slow_seconds`",
    "download-swallowed": "the first click on a download does nothing",
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
    "stale-notifications": "the list of notifications holds entries of other runs",
    "html-instead-of-xlsx": "an HTML page under the file's name",
    "session-lost-tab": "the reports' tab asks for a sign-in, in the first session",
}
DEFAULTS: dict[str, Any] = {
    "accounts": {},  # {user name: account numbers} in place of the derived ones
    "layout": "a",  # "b" for all users, the sign-in page included
    "cookie_banner": False,  # a cookie dialog over the sign-in page
    "maintenance": False,  # 503 for every request
    "render_ms": [30, 300],  # how long a page takes to draw an answer: shortest and longest
    "load_ms": 1500,  # how long a document takes until its `load`
    "pools_ms": 150,
    "filter_ms": 100,
    "overlay_ms": 400,
    "report_preview_ms": 100,
    "status_ms": 300,  # how often the table of reports is drawn anew
    "pdf_seconds": 0.5,  # how long an invoice takes; a tag `pdf-<seconds>` for one user
    "report_seconds": 1.0,  # how long a report takes; a tag `report-<seconds>` for one user
    "slow_report_seconds": 120.0,
    "slow_seconds": 3.0,
    "pdf_bytes": 0,
    "cookie_seconds": 3600,
    "midway_requests": 3,
    "centre_codes": True,  # False: the Enterprise Centre asks no user for a code
    "workbook_ms": 150,
    "search_ms": 100,
    "monthly_rows": 40,
    "notifications": [],  # [{"report": slug, "account": number or "All", "month": "Oct 2026", "age": seconds, "user": name}]
    "rate_limited_pages": 2,
}
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
COUNTED_IN_GROUPS = ("sign_ins_of", "exports_of", "files")


@dataclass(frozen=True)
class Ticket:
    """A permission to download a file, and the fault that the download meets: one of TROUBLES, or "" for none."""

    session: Session
    file: File
    trouble: str
    origin: str  # its sign-in page is shown if the session has ended meanwhile


class BellSessions(Sessions):
    """The frame's sessions, also found by key: the e-reports know a session by that alone."""

    def by_key(self, key: str, count: bool = False) -> Session | None:
        """Return a live session; count: one request against its life, which may be its end."""
        row = self._sessions.get(key)
        if row is None:
            return None
        if count:
            seconds = self._portal.configuration["session_seconds"]
            worn = row["good_for"] and row["requests"] >= row["good_for"]
            if worn or (seconds and self._portal.now() - row["made"] > seconds):
                self.kill(key)
                return None
            row["requests"] += 1
            self._sessions.touch(key)
        return Session(key, User.of(row["user"]), row["data"])

    def alive(self, key: str) -> bool:
        """Whether there is such a session."""
        return key in self._sessions


class BellState(PortalState):
    """
    Sessions of both ways in, and what is handed over.

    tickets: files that may be had, by ticket. handovers: key of the session that a token hands over to the e-reports.
    """

    word: ClassVar[str] = "bell"
    scenarios: ClassVar[Mapping[str, str]] = SCENARIOS
    defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    sender: ClassVar[str] = "BELL"
    message: ClassVar[str] = "Bell: your verification code is {code}. Do not share it."
    mail_sender: ClassVar[str] = "businessportal_portailaffaires@bell.ca"
    mail_subject: ClassVar[str] = "Bell Business Portal | Portail Affaires de Bell"
    code_digits: ClassVar[int] = 8

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        super().__init__(state, gateway, urls, own_hosts)
        self.sessions: BellSessions = BellSessions(self, self.passwords)
        self.tickets: dict[str, Ticket] = {}
        self.handovers: dict[str, str] = {}  # token -> key of the session that it hands over
        self._begin_counting()

    def _begin_counting(self) -> None:
        for name in COUNTED:
            self.counters.add(name, 0)
        for group in COUNTED_IN_GROUPS:
            self.counters.add_group(group)

    def reset(self) -> None:
        """Forget tickets and hand-overs too."""
        super().reset()
        self.tickets.clear()
        self.handovers.clear()
        self._begin_counting()

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

    def troubled(self, user: User, word: str, about: str = "", most: float = float("inf")) -> bool:
        """Whether a user meets a trouble now, and count it: `times-<k>` in the name says how often, else *most*."""
        if not user.says(word):
            return False
        table, key = self.state.table("troubles"), f"{word} {about} {user.name}"
        met = table.get(key, {"times": 0})["times"]
        table[key] = {"times": met + 1}
        return bool(met < user.number("times", most))
