"""Who signs in: a phone number picks the scenario; bots have tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.users import NEW_PASSWORD, PASSWORD, User

COUNTRY = "99966"  # of no country: Telegram's own test servers take numbers that begin with it
FIRST_USER = 6_100_000_000
FIRST_BOT = 7_100_000_000

# The place in this list is part of a phone number.
SCENARIOS = {
    "ok": "everything works",
    "code-late": "the message with the code comes late",
    "code-never": "no message comes",
    "code-refused": "no code is right",
    "code-expired": "each code is too old",
    "password": "a password is wanted after the code",
    "wrong-password": "a password is wanted, and only new-sesame is right",
    "banned": "no code is sent: the number is banned",
    "unoccupied": "the code is right, but nobody has an account with the number",
    "code-flood": "no code is sent for a day: too many were asked for",
    "flood-short": "the first request for a history has to wait 5 seconds",
    "flood-long": "the first request for a history has to wait 2 hours",
    "flood-files": "the first part of a file has to wait 5 seconds",
    "reference-expired": "file references of lists have expired, those of messages fetched by id are good",
    "revoked-midway": "the session ends after 5 requests about content: AUTH_KEY_UNREGISTERED",
    "banned-midway": "the account is banned after 5 requests about content: USER_DEACTIVATED_BAN",
    "expired-midway": "the session expires after 5 requests about content: SESSION_EXPIRED",
    "cut": "the connection breaks within each file, once",
    "noforwards": "every channel forbids saving",
    "many-dialogs": "230 channels more, and more than two pages of dialogs",
    "no-channels": "a person and a small group are all dialogs",
    "kicked": "every channel is private to the account: CHANNEL_PRIVATE",
}
MIDWAY = {
    "revoked-midway": "AUTH_KEY_UNREGISTERED",
    "banned-midway": "USER_DEACTIVATED_BAN",
    "expired-midway": "SESSION_EXPIRED",
}
WORDS = tuple(SCENARIOS)


def phone_number(scenario: str, number: int = 0) -> str:
    """Return the phone number, with its plus, of the n-th person in a scenario (n below 10,000)."""
    return f"+{COUNTRY}{WORDS.index(scenario):02d}{number % 10_000:04d}"


def bot_token(number: int = 0) -> str:
    """Return the token of the n-th bot (n below 10,000); any other token is refused."""
    bot = FIRST_BOT + number % 10_000
    return f"{bot}:AA{hashlib.sha256(f'bot {bot}'.encode()).hexdigest()[:33]}"


@dataclass(frozen=True, slots=True)
class Account:
    """
    Somebody with an account.

    number: digits of the phone number, or `bot` and a number. id: of the user. user: with scenario and tags.
    """

    number: str
    id: int
    user: User

    @property
    def is_bot(self) -> bool:
        """Whether it is a bot, which may do less."""
        return self.number.startswith("bot")

    def says(self, *words: str) -> bool:
        """Whether one of the words is the scenario or a tag of the number."""
        return self.user.says(*words)

    @property
    def password(self) -> str:
        """The password that is wanted after the code; "" where none is."""
        if self.says("wrong-password"):
            return NEW_PASSWORD
        return PASSWORD if self.says("password") else ""


def account_of(number: str, tags: Mapping[str, Sequence[str]]) -> Account | None:
    """Return whose phone number or bot it is; None where the number is not possible. tags: by number, further words."""
    digits = number.strip().removeprefix("+").replace(" ", "")
    if digits.startswith("bot"):
        return Account(digits, FIRST_BOT + int(digits[3:]), User(digits, "ok", ()))
    place = digits.removeprefix(COUNTRY)
    if not digits.startswith(COUNTRY) or len(place) != 6 or not place.isdecimal() or int(place[:2]) >= len(WORDS):
        return None
    user = User(digits, WORDS[int(place[:2])], tuple(tags.get(f"+{digits}", tags.get(digits, ()))))
    return Account(digits, FIRST_USER + int(place), user)


def bot_of(token: str) -> Account | None:
    """Return whose token it is; None where there is no such bot."""
    name = token.partition(":")[0]
    number = int(name) - FIRST_BOT if name.isdecimal() else -1
    if not 0 <= number < 10_000 or bot_token(number) != token:
        return None
    return account_of(f"bot{number}", {})
