"""What the pages of Premier Care know: scenarios, configuration, codes by mail, and browsers that are trusted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.att.pages import PEOPLE, SITE
from sandbox.globys import bills
from sandbox.scripted import state as scripted
from sandbox.signin import digest
from sandbox.users import User

SENDERS = ("premier@premier.wireless.att-mail.com", "noreply@e.online.att-mail.com", "noreply@cbus.att-mail.com")
SCENARIOS = {
    **scripted.SCENARIOS,
    **bills.SCENARIOS,
    "ok": "a choice of methods after the password, then a code; everything works",
    "user-refused": "the user name is refused before a password is asked for",
    "user-locked": "the account is said to be locked before a password is asked for",
    "no-code": "no code is asked for",
    "code-direct": "no choice of method: a preferred one was saved",
    "mfa-pending": "the verification stands at the address of the sign-in, until it is passed",
    "two-mails": "two mail addresses to choose from",
    "no-mail": "no mail address to choose from",
    "mail-html": "a code by mail comes as HTML only",
    "wrong-sender": "a message of somebody else with another code comes first",
    "captcha": "a visible reCAPTCHA frame after the submission",
    "older-labels": "reports without `(GB usage)` in their names",
    "feedback-overlay": "the invitation to a survey over the page after sign-in",
    "layout-b": "the older form for codes, and no places in billing pages",
}
DEFAULTS: dict[str, Any] = (
    scripted.DEFAULTS
    | bills.SETTINGS
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
    counted = ("account_changes", "devices_trusted", "codes_spared", "premier_care_pages_open_max")
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
