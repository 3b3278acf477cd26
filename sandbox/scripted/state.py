"""What scripted pages know: sessions found by key, files and sessions that are on their way, and what users meet."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sandbox.invented import MONTHS_KEPT, Month, published_months
from sandbox.messages import Gateway
from sandbox.portal import PortalState
from sandbox.scripted.files import File
from sandbox.scripted.people import SOMEBODY_ELSE, People
from sandbox.scripted.site import Site
from sandbox.signin import Session, Sessions, digest
from sandbox.state import State
from sandbox.users import User

# Scenarios that a portal gets with what this room and the frame do.
SCENARIOS: dict[str, str] = {
    "wrong-password": "accepts `new-sesame` only",
    "locked": "the account is locked",
    "totp": "a page that asks for the code of an authenticator app",
    "code-late": "the message comes `late_seconds` late",
    "code-never": "no message comes",
    "code-refused": "every code is refused",
    "submit-503": "503 right after the password was submitted",
    "submit-hang": "no answer after the password was submitted",
    "submit-drop": "the connection breaks within the answer to the password",
    "multi": "three accounts; `multi-<n>` as a tag for more",
    "session-cookie": "the session's cookie ends with the browser",
    "signed-out-midway": "the first session dies after `midway_requests` requests",
    "session-replaced": "a session is another user's after `midway_requests` requests; a tag `replaced-<n>`: after n",
    "other-customer": "name and accounts of somebody else",
    "wrong-account": "another account than the chosen one is opened",
    "account-missing": "the first of the user's accounts is not listed",
    "not-published": "the newest month is not there yet",
    "purged": "only the newest three months are kept",
    "month-missing": "the second newest month is not there",
    "truncated-file": "the connection breaks within the file",
    "empty-file": "the file has no bytes",
    "html-instead-of-pdf": "an HTML page under the file's name",
    "html-instead-of-csv": "the same for reports",
    "wrong-type": "a file of another type under the file's name",
    "unsafe-zip": "a ZIP whose members would leave the folder",
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
}
# Configuration that every scripted portal has beside the frame's.
DEFAULTS: dict[str, Any] = {
    "accounts": {},  # {user name: account numbers} in place of the derived ones
    "layout": "a",  # "b" for all users, the sign-in page included
    "cookie_banner": False,  # a cookie dialog over the sign-in page
    "maintenance": False,  # 503 for every request
    "render_ms": [30, 300],  # how long a page takes to draw an answer: shortest and longest
    "load_ms": 1500,  # how long a document takes until its `load`
    "overlay_ms": 400,
    "status_ms": 300,  # how often lists of reports are drawn anew
    "slow_seconds": 3.0,
    "pdf_bytes": 0,
    "cookie_seconds": 3600,
    "midway_requests": 3,
    "rate_limited_pages": 2,
}


@dataclass(frozen=True)
class Ticket:
    """A permission to download a file, and the fault that the download meets: one of TROUBLES, or "" for none."""

    session: Session
    file: File
    trouble: str
    origin: str  # its sign-in page is shown if the session has ended meanwhile


class KeyedSessions(Sessions):
    """The frame's sessions, also found by key: an origin that hangs on another's session knows it by that alone."""

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
            self._replace(row)
            self._sessions.touch(key)
        return Session(key, User.of(row["user"]), row["data"])

    def _replace(self, row: dict[str, Any]) -> None:
        """Make a session another user's in the scenario `session-replaced`, as a sign-in in the same browser does."""
        user = User.of(row["user"])
        after = user.number("replaced", self._portal.configuration["midway_requests"])
        if user.says("session-replaced") and row["requests"] > after:
            row["user"], row["data"] = SOMEBODY_ELSE, dict(row["begun"])

    def spawn(self, user: User, **data: Any) -> str:
        """Begin a session that another one vouches for, with no password: no sign-in is counted. Returns its cookie's value."""
        secret = secrets.token_urlsafe(32)
        self._portal.reveal("cookies", secret)
        self._portal.counters.add("sessions_created")
        row = {"user": user.name, "made": self._portal.now(), "requests": 0, "good_for": 0}
        self._sessions[digest(secret)] = row | {"data": data, "begun": dict(data)}
        return secret

    def alive(self, key: str) -> bool:
        """Whether there is such a session."""
        return key in self._sessions


class ScriptedState(PortalState):
    """
    Sessions, and what is handed over.

    tickets: files that may be had, by ticket. handovers: key of the session that a token hands over to another origin.
    cached: files of the scenario `cached-file`, by user name and kind.
    """

    site: ClassVar[Site]
    people: ClassVar[People]
    zone: ClassVar[ZoneInfo]
    months_kept: ClassVar[int] = MONTHS_KEPT
    linked: ClassVar[frozenset[str]] = frozenset()  # origins whose sessions hang on those of another one
    late_pages: ClassVar[frozenset[str]] = frozenset()  # pages over which the feedback dialog comes late
    counted: ClassVar[tuple[str, ...]] = ()  # numbers and groups that are counted beside the frame's
    counted_in_groups: ClassVar[tuple[str, ...]] = ("sign_ins_of", "files")

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        super().__init__(state, gateway, urls, own_hosts)
        self.sessions: KeyedSessions = KeyedSessions(self, self.passwords)
        self.tickets: dict[str, Ticket] = {}
        self.handovers: dict[str, str] = {}
        self.cached: dict[tuple[str, str], File] = {}
        self._begin_counting()

    def _begin_counting(self) -> None:
        for name in self.counted:
            self.counters.add(name, 0)
        for group in self.counted_in_groups:
            self.counters.add_group(group)

    def reset(self) -> None:
        """Forget tickets, hand-overs and cached files too."""
        super().reset()
        self.cached.clear()
        self.tickets.clear()
        self.handovers.clear()
        self._begin_counting()

    @property
    def today(self) -> date:
        """The portal's day."""
        return datetime.fromtimestamp(self.now(), self.zone).date()

    def published(self, user: User) -> list[Month]:
        """Return the months whose cycle has ended, newest first; by default a user's cycles are calendar months."""
        return published_months(self.today, self.months_kept)

    def troubled(self, user: User, word: str, about: str = "", most: float = float("inf")) -> bool:
        """Whether a user meets a trouble now, and count it: `times-<k>` in the name says how often, else *most*."""
        if not user.says(word):
            return False
        table, key = self.state.table("troubles"), f"{word} {about} {user.name}"
        met = table.get(key, {"times": 0})["times"]
        table[key] = {"times": met + 1}
        return bool(met < user.number("times", most))

    # Sessions of origins that hang on another's

    def hand_over(self, session: Session) -> str:
        """Return a token, good once, with which another origin takes a session over."""
        token = secrets.token_urlsafe(24)
        self.reveal("tokens", token)
        self.handovers[token] = session.key
        return token

    def taken_over(self, token: str) -> Session | None:
        """Return the session that a token hands over, once."""
        return self.sessions.by_key(self.handovers.pop(token, ""))

    def link(self, origin: str, session: Session) -> str:
        """Return the value of the cookie by which an origin knows another one's session."""
        secret = secrets.token_urlsafe(32)
        self.reveal("cookies", secret)
        self.state.table(f"linked {origin}")[digest(secret)] = {"session": session.key}
        return secret

    def session_key(self, origin: str, secret: str) -> str:
        """Return the key of the session that an origin's cookie stands for; "" where there is none."""
        key = digest(secret)
        if origin not in self.linked:
            return key
        return str(self.state.table(f"linked {origin}").get(key, {}).get("session", ""))
