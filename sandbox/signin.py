"""What every portal needs for a sign-in: passwords with locks, one-time codes, visits with form tokens, sessions."""

from __future__ import annotations

import hashlib
import secrets
from asyncio import Task
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from typing import Any

from sandbox.base import PortalBase
from sandbox.users import TOTP_SECONDS, User, default_password, totp_code, totp_secret

FACTORS_BY_MESSAGE = ("sms", "mail", "code-late", "code-never", "code-refused")
STRANGERS = {
    "sms": "STRANGER",
    "mail": "codes@stranger.example",
}  # who messages are from that have nothing to do with us


class Answer(StrEnum):
    """What became of a password or a code."""

    GOOD = "good"
    REFUSED = "refused"
    LOCKED = "locked"  # passwords
    USED = "used"  # codes from here on
    EXPIRED = "expired"
    TOO_MANY = "too many"


def digest(secret: str) -> str:
    """Return what the state file keeps in place of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()[:40]


class Passwords:
    """Who may come in: five refused passwords in a row lock a user."""

    def __init__(self, portal: PortalBase) -> None:
        self._portal = portal
        self._users = portal.state.table("users")

    def row(self, username: str) -> dict[str, Any]:
        """Return what is kept of a user: `password` (a digest), `failed`, `locked`, `session_requests`, …."""
        return self._users.setdefault(User.of(username).name, {"failed": 0, "locked": False})

    def change(self, username: str, changes: dict[str, Any]) -> None:
        """Change a user; `password` comes in clear and is kept as a digest."""
        row = {**self.row(username), **changes}
        if "password" in changes:
            self._portal.reveal("passwords", changes["password"])
            row["password"] = digest(changes["password"])
        self._users[User.of(username).name] = row

    def submit(self, username: str, password: str) -> Answer:
        """Judge a submitted password, and count it. An unknown user is refused like a wrong password."""
        user, counters = User.of(username), self._portal.counters
        counters.add_to("submissions", user.name)
        row = self.row(username)
        known = user.scenario in self._portal.scenarios
        right = compare_digest(row.get("password") or digest(default_password(username)), digest(password))
        if row["locked"] or (known and user.says("locked")):
            answer = Answer.LOCKED
        elif known and right:
            row["failed"], answer = 0, Answer.GOOD
        else:
            counters.add("refused")
            row["failed"] += 1
            answer = Answer.REFUSED
            if row["failed"] >= self._portal.configuration["refusals_before_lock"]:
                row["locked"] = True
                counters.add("locks")
        self._users[user.name] = row
        return answer


class Codes:
    """One-time codes. Each belongs to one visit, is good for five minutes and once; a newer one replaces it."""

    def __init__(self, portal: PortalBase, passwords: Passwords) -> None:
        self._portal, self._passwords = portal, passwords
        self._codes = portal.state.table("codes")
        self._steps = portal.state.table("totp_steps")

    @staticmethod
    def factor(user: User) -> str:
        """Return the second factor that a user has to show: "sms", "totp" or "" for none."""
        return "totp" if user.says("totp") else "sms" if user.says(*FACTORS_BY_MESSAGE) else ""

    def send(self, user: User, visit: str) -> None:
        """Make a code for a visit and have it sent, as the user's tags say: by text message, or by mail with the tag `mail`."""
        self._send(user, visit, self._way(user))

    def mail(self, user: User, visit: str) -> None:
        """Make a code for a visit and have it sent by mail."""
        self._send(user, visit, "mail")

    def _send(self, user: User, visit: str, by: str) -> None:
        portal, send = self._portal, self._sender(by)
        portal.counters.add("code_requests")
        former = self._make(by) if user.says("reorder", "stale") else ""
        code = self._make(by, user)
        self._codes[visit] = {"code": digest(code), "user": user.name, "made": portal.now(), "used": False, "tries": 0}
        if user.says("code-never"):
            return
        late = portal.configuration["late_seconds"] if user.says("code-late") else user.number("late")
        last = None
        if user.says("wrong-sender"):
            last = send(user, self._make(by), sender=STRANGERS[by], after=late)
        if user.says("stale"):
            last = send(user, former, age=90.0, after=0.0 if last else late, before=last)
        last = send(user, code, after=0.0 if last else late, before=last)
        if user.says("reorder"):
            older = {"dated": 5.0} if by == "mail" else {}
            last = send(user, former, before=last, **older)
        if user.says("double"):
            send(user, code, after=0.1, before=last)

    def send_former(self, user: User, by: str = "") -> Task[bool]:
        """Send a code that is good for nothing, by "sms" or "mail": a message older than what will be asked for next."""
        by = by or self._way(user)
        return self._sender(by)(user, self._make(by))

    def _way(self, user: User) -> str:
        return "mail" if user.says("mail") else "sms"

    def _sender(self, by: str) -> Callable[..., Task[bool]]:
        return self._portal.send_mail if by == "mail" else self._portal.send

    def check(self, user: User, visit: str, code: str) -> Answer:
        """Judge a code typed in a visit. A code that is not GOOD leaves the visit where it is."""
        by_app = self.factor(user) == "totp" and visit not in self._codes
        answer = self._check_totp(user, code) if by_app else self._check_sent(user, visit, code)
        self._portal.counters.add("codes_used" if answer is Answer.GOOD else "codes_refused")
        self._portal.state.flush()
        return answer

    def _check_sent(self, user: User, visit: str, code: str) -> Answer:
        row = self._codes.get(visit)
        if row is None or row["user"] != user.name:
            return Answer.REFUSED
        row = {**row, "tries": row["tries"] + 1}
        if row["used"]:
            answer = Answer.USED
        elif row["tries"] > self._portal.configuration["code_tries"]:
            answer = Answer.TOO_MANY
        elif self._portal.now() - row["made"] > self._portal.configuration["code_seconds"]:
            answer = Answer.EXPIRED
        elif user.says("code-refused") or not compare_digest(row["code"], digest(code.strip())):
            answer = Answer.REFUSED
        else:
            row["used"], answer = True, Answer.GOOD
        self._codes[visit] = row
        return answer

    def _check_totp(self, user: User, code: str) -> Answer:
        now = int(self._portal.now() // TOTP_SECONDS)
        used = self._steps.setdefault(user.name, {"steps": []})["steps"]
        secret = self._passwords.row(user.name).get("totp_secret") or totp_secret(user.name)
        for step in (now - 1, now, now + 1):
            if compare_digest(totp_code(secret, step), code.strip()):
                if step in used:
                    return Answer.USED
                self._portal.reveal("codes", code.strip())
                self._steps[user.name] = {"steps": [*used[-50:], step]}
                return Answer.GOOD
        return Answer.REFUSED

    def _make(self, by: str, user: User | None = None) -> str:
        planned = self._passwords.row(user.name).get("next_codes") if user else None
        code = planned.pop(0) if planned else self._portal.new_code(by)
        self._portal.reveal("codes", code)
        return str(code)


class Visits:
    """What is known of a browser before it is signed in, and the tokens that its forms must bring back."""

    def __init__(self, portal: PortalBase) -> None:
        self._portal = portal
        self._visits = portal.state.table("visits")

    def find(self, secret: str | None) -> str | None:
        """Return the key of a visit by its cookie value; None when it is unknown."""
        key = digest(secret) if secret else ""
        return key if key in self._visits else None

    def is_open(self, visit: str) -> bool:
        """Whether a visit still lasts."""
        return visit in self._visits

    def open(self) -> tuple[str, str]:
        """Begin a visit; return its key and the value for its cookie."""
        secret = secrets.token_urlsafe(24)
        self._portal.reveal("cookies", secret)
        self._visits[digest(secret)] = {"token": "", "token_made": 0.0, "user": ""}
        return digest(secret), secret

    def row(self, visit: str) -> dict[str, Any]:
        """Return what is kept of a visit; `user` is who has shown a password and owes a code."""
        return self._visits[visit]

    def change(self, visit: str, **changes: Any) -> None:
        """Change what is kept of a visit."""
        self._visits[visit] = {**self._visits[visit], **changes}

    def token(self, visit: str) -> str:
        """Make the token of the form that is being shown; the one of an earlier page is stale from now on."""
        token = secrets.token_urlsafe(18)
        self._portal.reveal("tokens", token)
        self.change(visit, token=digest(token), token_made=self._portal.now())
        return token

    def take(self, visit: str, token: str) -> bool:
        """Whether this is the token of the last form shown; it is good once and for fifteen minutes."""
        row = self._visits[visit]
        good = bool(row["token"]) and compare_digest(row["token"], digest(token))
        if good:
            self.change(visit, token="")
        return good and self._portal.now() - row["token_made"] <= self._portal.configuration["token_seconds"]

    def end(self, visit: str) -> None:
        """Forget a visit."""
        self._visits.pop(visit, None)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is alive: `key` names it without giving it away, `data` is the portal's own (call `keep` after a change)."""

    key: str
    user: User
    data: dict[str, Any]


class Sessions:
    """Who is signed in, and for how many requests or seconds more."""

    def __init__(self, portal: PortalBase, passwords: Passwords) -> None:
        self._portal, self._passwords = portal, passwords
        self._sessions = portal.state.table("sessions")
        self._former = portal.state.table("former_sessions")

    def open(self, user: User, **data: Any) -> str:
        """Sign a user in, and count it; return the value for the session's cookie or token."""
        secret = secrets.token_urlsafe(32)
        self._portal.reveal("cookies", secret)
        row = self._passwords.row(user.name)
        born = row["sessions"] = row.get("sessions", 0) + 1
        self._portal.counters.add("sign_ins")
        self._portal.counters.add("sessions_created")
        self._sessions[digest(secret)] = {
            "user": user.name,
            "made": self._portal.now(),
            "requests": 0,
            "good_for": self._good_for(user, row, born),
            "data": data,
            "begun": dict(data),
        }
        self._passwords.change(user.name, {"sessions": born})
        return secret

    def _good_for(self, user: User, row: dict[str, Any], born: int) -> int:
        """Return how many requests a new session is good for; 0 is any number."""
        if row.get("session_requests") is not None:
            return int(row["session_requests"])
        if user.value("expires"):
            return int(user.number("expires"))
        if user.says("signed-out-midway") and born == 1:
            return int(self._portal.configuration["midway_requests"])
        return int(self._portal.configuration["session_requests"])

    def use(self, secret: str | None) -> Session | None:
        """Return the session of a cookie and count one request against its life; None when it is over or unknown."""
        key = digest(secret) if secret else ""
        row = self._sessions.get(key)
        if row is None:
            return None
        seconds = self._portal.configuration["session_seconds"]
        if (row["good_for"] and row["requests"] >= row["good_for"]) or (
            seconds and self._portal.now() - row["made"] > seconds
        ):
            self.kill(key)
            return None
        row["requests"] += 1
        self._sessions.touch(key)
        return Session(key, User.of(row["user"]), row["data"])

    def look(self, secret: str | None) -> Session | None:
        """Return the session of a cookie without counting a request."""
        row = self._sessions.get(digest(secret) if secret else "")
        return Session(digest(secret or ""), User.of(row["user"]), row["data"]) if row else None

    def keep(self, session: Session) -> None:
        """Write a session's data through."""
        self._sessions[session.key] = self._sessions[session.key]

    def kill(self, key: str) -> None:
        """End a session before its time, and count it."""
        row = self._sessions.pop(key, None)
        if row is not None:
            self._former[key] = {"user": row["user"]}
            self._portal.counters.add("sessions_died")

    def kill_all_of(self, username: str) -> int:
        """End every session of a user; return how many."""
        keys = [key for key, row in self._sessions.items() if row["user"] == User.of(username).name]
        for key in keys:
            self.kill(key)
        return len(keys)

    def former_user(self, key: str) -> str:
        """Return whose session a key was that has died; "" where none has."""
        row = self._former.get(key)
        return str(row["user"]) if row else ""

    def close(self, key: str) -> None:
        """End a session because its user signed out."""
        self._sessions.pop(key, None)
