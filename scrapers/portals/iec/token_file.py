"""The token file of other IEC clients: six fields as JSON, mode 600, in clear or under a Fernet key."""

from __future__ import annotations

import json
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from database.access.encryption import write_private
from database.settings import SettingsError
from scrapers.logins.conversation import Tokens
from scrapers.portals.iec.settings import IecSettings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY = "IEC_TOKEN_ENCRYPTION_KEY"


def write(path: Path, tokens: Tokens) -> None:
    """Write tokens to a new file; raise SettingsError when there is one already, or the key is malformed."""
    text = json.dumps(
        {
            "access_token": tokens.access,
            "refresh_token": tokens.refresh,
            "id_token": tokens.id,
            "token_type": tokens.kind,
            "expires_in": max(0, round(tokens.expires_at - time.time())),
            "scope": tokens.scope,
        }
    )
    fernet = _fernet()
    try:
        write_private(path, fernet.encrypt(text.encode()).decode() if fernet else text)
    except FileExistsError:
        raise SettingsError(f"{path} exists already: name another file, or move it away.") from None


def read(path: Path) -> Tokens:
    """
    Return the tokens of a file. They are not verified, so they count as expired: the first use renews them.

    Raises SettingsError for a file that is missing, readable by others, or malformed.
    """
    if not path.is_file():
        raise SettingsError(f"{path} is no file.")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path} can be read by others: run `chmod 600 {path}`.")
    from cryptography.fernet import InvalidToken

    data = path.read_bytes()
    if (fernet := _fernet()) is not None:
        with suppress(InvalidToken):  # such a file may also be in clear
            data = fernet.decrypt(data)
    try:
        given = json.loads(data)
        fields = {name: given[name] for name in ("access_token", "id_token", "refresh_token", "token_type", "scope")}
        if not all(isinstance(value, str) for value in fields.values()) or "expires_in" not in given:
            raise ValueError("a field is no text")
    except (ValueError, KeyError, TypeError):
        hint = "" if _fernet() else f" If it is encrypted, set {KEY}."
        raise SettingsError(
            f"{path} is no token file: it needs the six fields of OKTA's answer as JSON.{hint}"
        ) from None
    return Tokens(
        access=fields["access_token"],
        id=fields["id_token"],
        refresh=fields["refresh_token"],
        subject="",
        expires_at=0,
        scope=fields["scope"],
        kind=fields["token_type"],
    )


def _fernet() -> Fernet | None:
    from cryptography.fernet import Fernet as Key

    key = IecSettings.current().token_encryption_key.get_secret_value()
    try:
        return Key(key) if key else None
    except ValueError:
        raise SettingsError(f"{KEY} is no Fernet key: `scrapy generate-key` prints one.") from None
