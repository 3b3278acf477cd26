"""Encryption at rest: one key ring per process, and the column type that uses it."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

from database.settings import SettingsError, database_settings

KEYS = "LATCHKEY_ENCRYPTION_KEYS"
LOST_KEY = f"A stored value is under a key that {KEYS} does not hold: add the old key behind the new one."


class UnreadableSecret(Exception):
    """A value was encrypted under a key that is not in the ring: add the old key behind the new one."""


class KeyRing:
    """Fernet keys, newest first: the first encrypts, all decrypt; also the key of our HMACs."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise SettingsError(f"{KEYS} is not set: run `scrapy generate-key --save`, or set it to a key of your own.")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise SettingsError(f"{KEYS} holds a malformed key: each is what `scrapy generate-key` prints.") from None
        self._hmac_keys = [hashlib.sha256(b"latchkey-hmac" + key.encode()).digest() for key in keys]

    def encrypt(self, text: str) -> str:
        """Return the token under which *text* is stored."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Return the text of a stored token; raise UnreadableSecret when no key fits."""
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken:
            raise UnreadableSecret(LOST_KEY) from None

    def rotate(self, token: str) -> str:
        """Return the same text under the newest key."""
        try:
            return self._fernet.rotate(token.encode()).decode()
        except InvalidToken:
            raise UnreadableSecret(LOST_KEY) from None

    def fingerprints(self, text: str) -> list[str]:
        """Return the HMAC-SHA256 of *text* under every key, newest first: compare with any, store the first."""
        return [hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for key in self._hmac_keys]


def read_keys(path: Path) -> tuple[str, ...]:
    """Return the keys of a key file; refuse one that others can read."""
    if not path.exists():
        return ()
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path} can be read by others: run `chmod 600 {path}`.")
    return tuple(line.strip() for line in path.read_text().splitlines() if line.strip())


def write_private(path: Path, text: str) -> None:
    """Write *text* to a new file that only its owner can read; an existing file is left alone and raises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


@cache
def key_ring() -> KeyRing:
    """Return the key ring of this process: from the environment, else from the key file."""
    settings = database_settings()
    return KeyRing(settings.encryption_keys or read_keys(settings.key_file))


class Encrypted(TypeDecorator[str]):
    """A text column that holds a Fernet token; None stays None."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """Encrypt on the way in."""
        return None if value is None else key_ring().encrypt(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        """Decrypt on the way out."""
        return None if value is None else key_ring().decrypt(value)
