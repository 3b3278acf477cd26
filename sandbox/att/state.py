"""What the pages of Premier Care know: scenarios, configuration, codes by mail, and browsers that are trusted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.att.pages import PEOPLE, SITE
from sandbox.globys.bills import SETTINGS
from sandbox.scripted import state as scripted
from sandbox.signin import digest
from sandbox.users import User

SENDERS = ("premier@premier.wireless.att-mail.com", "noreply@e.online.att-mail.com", "noreply@cbus.att-mail.com")
SCENARIOS = {
    "ok": "a choice of methods after the password, then a code; everything works",
    "no-code": "no code is asked for",
    "code-direct": "no choice of method: a preferred one was saved",
    "mfa-pending": "the verification stands at the address of the sign-in, until it is passed",
    "two-mails": "two mail addresses to choose from",
    "no-mail": "no mail address to choose from",
    "code-late": "the message comes `late_seconds` late",
    "code-never": "no message comes",
    "code-refused": "every code is refused",
    "mail-html": "a code by mail comes as HTML only",
    "wrong-sender": "a message of somebody else with another code comes first",
    "totp": "a page that asks for the code of an authenticator app",
    "wrong-password": "accepts `new-sesame` only",
    "locked": "the account is locked",
    "captcha": "a visible reCAPTCHA frame after the submission",
    "submit-503": "503 right after the password was submitted",
    "submit-hang": "no answer after the password was submitted",
    "submit-drop": "the connection breaks within the answer to the password",
    "multi": "three accounts; `multi-<n>` as a tag for more",
    "session-cookie": "the session's cookie ends with the browser",
    "signed-out-midway": "the first session dies after `midway_requests` requests",
    "other-customer": "name and accounts of somebody else",
    "wrong-account": "another account than the chosen one is opened",
    "account-missing": "the first of the user's accounts is not listed",
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
    "total-differs": "an invoice asks for more than the list of bills and its lines",
    "invoice-french": "invoices are in French; a tag `invoice-layout-<1 to 4>` picks their layout",
    "older-labels": "reports without `(GB usage)` in their names",
    "renamed-file": "an export is called detail_report.csv",
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
    "feedback-overlay": "the invitation to a survey over the page after sign-in",
    "policy-page": "new terms of service in place of every page",
    "unknown-page": "a page that nobody knows in place of every page",
    "layout-b": "the older form for codes, and no places in billing pages",
}
DEFAULTS: dict[str, Any] = (
    scripted.DEFAULTS
    | SETTINGS
    | {
        "codes": True,  # False: no user is asked for a code
        "device_seconds": 365 * 24 * 3600,  # how long a browser stays trusted
    }
)


class AttState(scripted.ScriptedState):
    """Facts of the portal, and the browsers that users trust."""

    word: ClassVar[str] = "att"
    scenarios: ClassVar[Mapping[str, str]] = SCENARIOS
    defaults: ClassVar[Mapping[str, Any]] = DEFAULTS
    site = SITE
    people = PEOPLE
    zone = ZoneInfo("America/New_York")
    late_pages = frozenset({"Reports", "Bills", "reports"})
    counted = ("account_changes", "devices_trusted", "codes_spared")
    counted_in_groups = ("sign_ins_of", "exports_of", "files")
    sender: ClassVar[str] = "ATT"
    message: ClassVar[str] = "AT&T: your code is {code}. Don't share it."
    mail_sender: ClassVar[str] = SENDERS[0]
    mail_subject: ClassVar[str] = "Your AT&T code"

    def new_code(self, by: str) -> str:
        """Make up a code: six to eight digits."""
        length = 6 + secrets.randbelow(3)
        return f"{secrets.randbelow(10**length):0{length}d}"

    def send_mail(self, user: User, code: str, sender: str = "", dated: float = 0.0, **how: Any) -> asyncio.Task[bool]:
        """Send a mail with a code: from the first of SENDERS, or from the one that a tag `sender-<1 to 3>` picks."""
        own = SENDERS[(int(user.number("sender", 1)) - 1) % len(SENDERS)]
        return super().send_mail(user, code, sender or own, dated, **how)

    def trust(self, user: User) -> str:
        """Return the value of the cookie by which a browser is trusted for a user from now on."""
        secret = secrets.token_urlsafe(24)
        self.reveal("cookies", secret)
        self.state.table("devices")[digest(secret)] = {"user": user.name}
        self.counters.add("devices_trusted")
        return secret

    def trusts(self, user: User, secret: str | None) -> bool:
        """Whether a browser is trusted for a user."""
        return bool(secret) and self.state.table("devices").get(digest(secret or ""), {}).get("user") == user.name
