"""Settings of Telegram: the server, how long its answers are waited for, and what bounds sign-ins."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from database.settings import SettingsError
from scrapers.core.settings import PortalSettings

PEM = b"-----BEGIN RSA PUBLIC KEY-----"


class TelegramSettings(PortalSettings):
    """`TELEGRAM_…` variables."""

    portal: ClassVar[str] = "telegram"

    server: str = Field(
        "",
        description="Address and port of a server in the place of Telegram's own, such as a test data centre's; "
        "empty: the one that a session names.",
    )
    server_key: Path | None = Field(
        None, description="File with that server's public RSA key (PKCS#1, PEM); for Telegram's own none is needed."
    )
    api_id: int | None = Field(
        None, ge=1, lt=2**31, description="API id of this installation's app (my.telegram.org), for the command line."
    )
    api_hash: SecretStr = Field(SecretStr(""), description="API hash of that app.")
    connect_wait: float = Field(10.0, gt=0, le=120, description="Seconds that one try to connect may take.")
    call_wait: float = Field(45.0, gt=0, le=600, description="Seconds that a request of the API or a command may take.")
    busy_wait: float = Field(
        5.0, ge=0, le=600, description="Seconds that the API or a command waits for a session that is in use."
    )
    login_minutes: float = Field(
        10.0, gt=0, le=60, description="Minutes within which the code of a login is to be given."
    )
    upload_minutes: float = Field(
        60.0, gt=0, le=1440, description="Minutes within which an uploaded session is to be finalized."
    )
    login_guesses: int = Field(5, ge=1, le=20, description="Wrong codes and passwords after which a login ends.")
    code_seconds: float = Field(60.0, ge=0, le=3600, description="Seconds between two codes for one phone number.")
    codes_per_hour: int = Field(3, ge=1, le=20, description="Codes for one phone number within an hour.")

    @field_validator("server")
    @classmethod
    def check_server(cls, value: str) -> str:
        """Refuse what is no address with a port. A name is none: a session holds an address."""
        if value:
            try:
                split_server(value)
            except ValueError:
                raise ValueError("it must look like 149.154.167.40:443") from None
        return value

    @property
    def place(self) -> tuple[str, int] | None:
        """Address and port of `server`; None: what a session names."""
        return split_server(self.server) if self.server else None

    def read_key(self) -> bytes | None:
        """Return the key of `server_key`; raise SettingsError where the file has none."""
        if self.server_key is None:
            return None
        try:
            key = self.server_key.read_bytes()
        except OSError as error:
            raise SettingsError(f"TELEGRAM_SERVER_KEY: the file cannot be read: {error.strerror}.") from None
        if PEM not in key:
            raise SettingsError("TELEGRAM_SERVER_KEY: the file holds no public RSA key (PKCS#1, PEM).")
        return key


def split_server(text: str) -> tuple[str, int]:
    """
    Return address and port; raise ValueError where the text is no such thing.

    >>> split_server("[2001:db8::1]:443")
    ('2001:db8::1', 443)
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("no port")
    return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).compressed, int(port)
