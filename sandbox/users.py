"""What a user name says: the scenario, its tags, and what is derived from it: TOTP secret, telephone and mailbox."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

PASSWORD = "open-sesame"
NEW_PASSWORD = "new-sesame"  # the only one that the scenario `wrong-password` accepts
TOTP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class User:
    """A user name taken apart: `sms+phone-5+a@example.com` is the scenario `sms` with the tags `phone-5` and `a`."""

    name: str
    scenario: str
    tags: tuple[str, ...]

    @classmethod
    def of(cls, name: str) -> User:
        """Read a user name; names that differ only in case or outer blanks are one user."""
        name = name.strip().lower()
        scenario, *tags = name.partition("@")[0].split("+")
        return cls(name, scenario, tuple(tags))

    def says(self, *words: str) -> bool:
        """Whether one of the words is the scenario or a tag."""
        return self.scenario in words or any(tag in words for tag in self.tags)

    def value(self, word: str) -> str | None:
        """Return what follows `word-` in a tag: `late-1.5` says "1.5" for the word `late`; None without such a tag."""
        return next((tag[len(word) + 1 :] for tag in self.tags if tag.startswith(f"{word}-")), None)

    def number(self, word: str, default: float = 0.0) -> float:
        """Return the number in a tag `word-<number>`, else the default."""
        said = self.value(word)
        return float(said) if said and re.fullmatch(r"\d+(\.\d+)?", said) else default


def default_password(username: str) -> str:
    """Return the initial password of a user."""
    return NEW_PASSWORD if User.of(username).scenario == "wrong-password" else PASSWORD


def totp_secret(username: str) -> str:
    """Return the base32 secret (32 characters) with which the user's authenticator app makes codes."""
    return base64.b32encode(hashlib.sha256(f"totp {User.of(username).name}".encode()).digest()[:20]).decode()


def totp_code(secret: str, step: int) -> str:
    """Return the six digits of RFC 6238 for a base32 secret and a step (Unix time // 30)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def phone(username: str) -> str:
    """Return the telephone that gets the user's codes (E.164, invented): shared by all with the same tag `phone-<n>`."""
    return f"+155501{_number(username, 'phone'):05d}"


def mailbox(username: str) -> str:
    """Return the mail address that gets the user's codes (invented): shared by all with the same tag `mailbox-<n>`."""
    return f"codes{_number(username, 'mailbox')}@example.com"


def _number(username: str, word: str) -> int:
    """Return the number of a tag `word-<n>`, below 10,000; without one, a number above, derived from the name."""
    user = User.of(username)
    shared = user.value(word)
    if shared is not None and shared.isdecimal():
        return int(shared) % 10_000
    return 10_000 + int.from_bytes(hashlib.sha256(user.name.encode()).digest()[:8], "big") % 90_000
