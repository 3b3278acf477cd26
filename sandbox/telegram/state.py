"""What the methods know: who has an account, the auth keys, the codes, the channels, who waits for how long."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.messages import Gateway
from sandbox.portal import PortalState
from sandbox.signin import Passwords, Sessions
from sandbox.state import State
from sandbox.telegram.channels import Channel
from sandbox.telegram.keys import UNREGISTERED, AuthKey, AuthKeys, ServerKey
from sandbox.telegram.people import MIDWAY, SCENARIOS, Account, account_of
from sandbox.telegram.world import World

COUNTED = (
    "auth_keys_made",
    "auth_keys_duplicated",
    "asked_while_waiting",
    "bad_salts",
    "bad_times",
    "cuts",
    "flood_waits",
    "parts",
    "references_expired",
    "same_key_connections_max",
    "unknown_methods",
)
FLOODS = {
    "flood-short": ("messages.getHistory", 5),
    "flood-long": ("messages.getHistory", 7_200),
    "flood-files": ("upload.getFile", 5),
}


class KeyHolders(Sessions):
    """The frame's sessions, which here are the auth keys with which somebody is signed in."""

    def __init__(self, portal: TelegramState, passwords: Passwords) -> None:
        super().__init__(portal, passwords)
        self._telegram = portal

    def kill_all_of(self, username: str) -> int:
        """End every session of a number; its keys are good for nothing but signing in again."""
        return self._telegram.end_sessions(username, UNREGISTERED)


class TelegramState(PortalState):
    """Accounts by phone number, channels, keys."""

    word = "telegram"
    scenarios: ClassVar = SCENARIOS
    sender = "Telegram"
    message = "Login code: {code}. Do not give this code to anyone, even if they say they are from Telegram!"
    code_digits = 5
    defaults: ClassVar = {
        "users": {},  # {phone number: [words]}: what is seen beside the scenario
        "requests_midway": 5,  # requests about content before the scenarios …-midway end the session
        "floods": [],  # [{"method": "messages.getHistory", "seconds": 5, "times": 1, "number": …}]
        "codes_per_day": 5,  # codes for one number within a day, before FLOOD_WAIT
        "reference_seconds": 7_200,  # life of a file reference
        "salt_seconds": 3_600,  # how long a salt is good; the former one stays good as long again
        "skew_seconds": 0,  # by how much the server's time is ahead of the system's
        "strict_parts": False,  # a part of a file has to lie within one megabyte
        "cuts": 1,  # how often the connection breaks within each file in the scenario `cut`
        "file_dc": 2,  # the data centre of all files; another than 2 has to be asked with an imported authorization
        "one_connection_per_key": False,  # a second connection at once kills a key, from whichever address it comes
    }

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        super().__init__(state, gateway, urls, own_hosts)
        self.sessions = KeyHolders(self, self.passwords)
        self.server_key = ServerKey(state.path.parent)
        self.keys = AuthKeys(state)
        self.world = World(state)
        self.secrets |= {"auth_keys": [], "passwords": [], "bot_tokens": []}
        self._sent_codes = state.table("sent_codes")
        self._waits = state.table("waits")
        self._members = state.table("members")
        self._marks = state.table("marks")
        self._count_from_zero()

    def reset(self) -> None:
        """Forget what the frame forgets; the server's RSA key stays."""
        super().reset()
        self._count_from_zero()

    def _count_from_zero(self) -> None:
        for name in COUNTED:
            self.counters.add(name, 0)
        for group in ("file_bytes", "errors"):
            self.counters.add_group(group)

    def protocol_now(self) -> float:
        """The time in messages' ids: the system's, whichever way the portal's clock was turned, with `skew_seconds`."""
        return time.time() + float(self.configuration["skew_seconds"])

    def account(self, number: str) -> Account | None:
        """Return whose number it is; None where it is none of ours."""
        return account_of(number, self.configuration["users"])

    def is_member(self, account: Account, channel: Channel) -> bool:
        """Whether an account has a dialog with a channel."""
        if account.says("no-channels") or account.is_bot:
            return False
        return channel.joined or f"{account.number} {channel.word}" in self._members

    def join(self, account: Account, channel: Channel) -> None:
        """Make an account a member of a channel."""
        self._members[f"{account.number} {channel.word}"] = {}

    # Sessions

    def sign_in(self, key: AuthKey, account: Account) -> None:
        """Sign somebody in with a key, and count it."""
        self.counters.add("sign_ins")
        self.counters.add("sessions_created")
        self.keys.keep(key, number=account.number, owes="", error="", requests=0)

    def end_sessions(self, number: str, error: str) -> int:
        """End every session of a number with an error; return how many there were."""
        keys = self.keys.of(number.removeprefix("+"))
        for key in keys:
            self.end_session(key, error)
        return len(keys)

    def end_session(self, key: AuthKey, error: str) -> None:
        """End a session before its time; its requests are answered with an error from now on."""
        self.counters.add("sessions_died")
        self.keys.keep(key, number="", owes="", error="" if error == UNREGISTERED else error)

    def ended_midway(self, key: AuthKey, account: Account) -> str:
        """Count a request about content; return the error with which the session has just ended, or ""."""
        word = next((each for each in MIDWAY if account.says(each)), "")
        if not word:
            return ""
        self.keys.keep(key, requests=key.row["requests"] + 1)
        if key.row["requests"] <= self.configuration["requests_midway"]:
            return ""
        if self.once(f"midway {account.number}", "ended") or word == "banned-midway":
            self.end_session(key, MIDWAY[word])
            return MIDWAY[word]
        return ""

    def is_banned(self, account: Account) -> bool:
        """Whether the scenario `banned-midway` has ended this account."""
        return account.says("banned-midway") and f"midway {account.number} ended" in self._marks

    # Codes

    def new_sent_code(self, account: Account) -> str:
        """Make a code for a number and send it; return the hash that belongs to it. `code-…` words say what becomes of it."""
        self.counters.add("code_requests")
        planned = self.passwords.row(f"+{account.number}").get("next_codes")
        code, ticket = str(planned.pop(0)) if planned else self.new_code("sms"), secrets.token_hex(9)
        self.reveal("codes", code)
        self._sent_codes[ticket] = {"number": account.number, "code": code, "made": self.now(), "used": False}
        if not account.says("code-never"):
            after = float(self.configuration["late_seconds"]) if account.says("code-late") else 0.0
            task = self.gateway.send(
                self.configuration["sms_url"],
                self.configuration["sender"] or self.sender,
                f"+{account.number}",
                self.message.format(code=code),
                after=after,
            )
            task.add_done_callback(self._count_sent)
        return ticket

    def sent_code(self, ticket: str) -> dict[str, Any] | None:
        """Return what is known of a sent code by its hash: `number`, `code`, `made`, `used`."""
        return self._sent_codes.get(ticket)

    def use_code(self, ticket: str) -> None:
        """Note that a code was used; it is good once."""
        self.counters.add("codes_used")
        self._sent_codes[ticket] = {**self._sent_codes[ticket], "used": True}

    def last_code(self, number: str) -> str:
        """Return the newest code of a number; "" where none was sent."""
        rows = [row for row in self._sent_codes.values() if row["number"] == number.removeprefix("+")]
        return str(max(rows, key=lambda row: float(row["made"]))["code"]) if rows else ""

    def codes_today(self, number: str) -> int:
        """Return how many codes were sent to a number within the last day."""
        rows = [row for row in self._sent_codes.values() if row["number"] == number]
        return sum(row["made"] > self.now() - 86_400 for row in rows)

    # Waits

    def wait_for(self, number: str, method: str) -> int:
        """Return for how many seconds a number has to wait before it may call a method; 0 where it need not."""
        row = self._waits.get(f"{number} {method}")
        left = row["until"] - self.now() if row else 0
        if left > 0:
            self.counters.add("asked_while_waiting")
            return int(left) + 1
        for seconds, times, mark in self._floods(number, method):
            if self.count_once(mark, times):
                self.counters.add("flood_waits")
                self._waits[f"{number} {method}"] = {"until": self.now() + seconds}
                return seconds
        return 0

    def _floods(self, number: str, method: str) -> list[tuple[int, int, str]]:
        """Return the waits that the configuration and the scenario have for a method: seconds, how often, and a mark."""
        found = []
        for place, flood in enumerate(self.configuration["floods"]):
            if flood["method"] == method and flood.get("number", number).removeprefix("+") == number:
                found.append((int(flood["seconds"]), int(flood.get("times", 1)), f"flood {place} {flood} {number}"))
        account = self.account(number)
        for word, (asked, seconds) in FLOODS.items():
            if account and account.says(word) and asked == method:
                found.append((seconds, 1, f"{word} {number}"))
        return found

    # Marks

    def once(self, *names: str) -> bool:
        """Whether this is the first time that it is asked for these names."""
        return self.count_once(" ".join(names), 1)

    def count_once(self, name: str, times: int) -> bool:
        """Whether it was asked fewer than so many times for this name; counts."""
        count = self._marks.get(name, {}).get("count", 0)
        if count >= times:
            return False
        self._marks[name] = {"count": count + 1}
        return True

    @property
    def reference_generation(self) -> int:
        """File references of an older generation have expired."""
        return int(self._marks.get("references", {}).get("count", 0))

    def expire_references(self) -> None:
        """Have all file references that were given expire now."""
        self._marks["references"] = {"count": self.reference_generation + 1}
