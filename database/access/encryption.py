"""Encryption at rest: one key ring per process, and the column type that uses it."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import stat
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Column, Text, event
from sqlalchemy.types import TypeDecorator

from database.settings import DatabaseSettings, SettingsError, database_settings

logger = logging.getLogger(__name__)

KEYS = "LATCHKEY_ENCRYPTION_KEYS"


class UnreadableSecret(Exception):
    """A value was encrypted under a key that is not in the ring: add the old key behind the new one."""

    def __init__(self, where: str = "") -> None:
        super().__init__(
            f"A stored value{f' in {where}' if where else ''} is under a key that {KEYS} does not hold: "
            "add the old key behind the new one (`scrapy keys list` names the rows)."
        )


class KeyRing:
    """
    Fernet keys, newest first: the first encrypts, all decrypt.

    With a *file* in place of keys a ring follows it: processes that run learn a new key without a restart.
    """

    def __init__(self, keys: tuple[str, ...], file: Path | None = None) -> None:
        self._file, self._mark = file, _mark(file)
        # After the mark, so that a change in between is seen.
        self._use(keys if file is None else read_keys(file))

    def _use(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise SettingsError(f"{KEYS} is not set: run `scrapy generate-key --save`, or set it to a key of your own.")
        try:
            self._each = [Fernet(key) for key in keys]
        except ValueError:
            variable = DatabaseSettings.given("encryption_keys").variable
            raise SettingsError(
                f"{variable} holds a malformed key: each is what `scrapy generate-key` prints."
            ) from None
        self._fernet = MultiFernet(self._each)
        self._hmac_keys = [hashlib.sha256(b"latchkey-hmac" + key.encode()).digest() for key in keys]
        # Shown to people to tell keys apart; the key cannot be derived from it.
        self.names = tuple(hashlib.sha256(b"latchkey-name" + key.encode()).hexdigest()[:8] for key in keys)

    def _follow(self) -> None:
        """Read the key file again if it has changed."""
        if self._file is None or (mark := _mark(self._file)) == self._mark:
            return
        try:
            self._use(read_keys(self._file))
        except (SettingsError, OSError) as error:
            # The keys in memory stay valid; the next process that starts reports the error.
            logger.warning("The key file has changed and cannot be used (%s): the keys from before stay.", error)
        self._mark = mark

    def encrypt(self, text: str) -> str:
        """Return the token under which *text* is stored."""
        self._follow()  # a key that was added meanwhile is the newest: what is under the old one must not grow again
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, token: str, where: str = "") -> str:
        """Return the text of a stored token; raise UnreadableSecret, which names *where* it is, when no key fits."""
        while True:
            tried = self._fernet
            try:
                return tried.decrypt(token.encode()).decode()
            except InvalidToken:
                self._follow()
                if self._fernet is tried:
                    raise UnreadableSecret(where) from None

    def rotate(self, token: str) -> str:
        """Return the same text under the newest key."""
        return self.encrypt(self.decrypt(token))

    def key_of(self, token: str) -> int | None:
        """Return which key a token is under, 0 for the newest; None when it is none of the ring's."""
        self._follow()
        for number, fernet in enumerate(self._each):
            try:
                fernet.decrypt(token.encode())
            except InvalidToken:
                continue
            return number
        return None

    def fingerprints(self, text: str) -> list[str]:
        """Return the HMAC-SHA256 of *text* under every key: what versions before database.access.fingerprints stored."""
        return [fingerprint(key, text) for key in self._hmac_keys]


def fingerprint(key: bytes, text: str) -> str:
    """Return the HMAC-SHA256 of *text*, in hexadecimal."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _mark(file: Path | None) -> tuple[int, ...] | None:
    """Return what differs when a file has another content; None when there is none."""
    try:
        status = file.stat() if file is not None else None
    except OSError:
        return None
    return None if status is None else (status.st_ino, status.st_size, status.st_mtime_ns)


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


def replace_keys(path: Path, keys: Iterable[str]) -> None:
    """Replace a key file atomically: a concurrent reader sees all the old keys or all the new ones."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        write_private(new, "".join(f"{key}\n" for key in keys))
        with new.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


@cache
def key_ring() -> KeyRing:
    """Return the key ring of this process: from the environment, else from the key file."""
    settings = database_settings()
    return KeyRing(settings.encryption_keys, None if settings.encryption_keys else settings.key_file)


class Encrypted(TypeDecorator[str]):
    """A text column that holds a Fernet token; None stays None."""

    impl = Text
    cache_ok = True
    column: Column[Any] | None = None  # the column that has this type

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """Encrypt on the way in."""
        return None if value is None else key_ring().encrypt(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        """Decrypt on the way out."""
        return None if value is None else key_ring().decrypt(value, str(self.column) if self.column is not None else "")


@event.listens_for(Encrypted, "after_parent_attach", propagate=True)
def _know_column(kind: Encrypted, column: Column[Any]) -> None:
    kind.column = column  # an unreadable value can then say where it is
