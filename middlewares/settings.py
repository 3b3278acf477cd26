"""Settings of the mailboxes that are read for codes."""

from __future__ import annotations

import json
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from database.access.addresses import address as spelt
from database.settings import RoomSettings

PORTS = {"tls": 993, "starttls": 143, "none": 143}
Security = Literal["tls", "starttls", "none"]


class Mailbox(BaseModel):
    """One mailbox on an IMAP server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: tuple[str, ...]  # with several, a mail's recipients tell which one it is for
    host: str
    port: int = Field(0, ge=0, le=65535)  # 0: the default of the protocol
    user: str = ""
    password: SecretStr
    folder: str = "INBOX"
    security: Security = "tls"
    ca_file: Path | None = None
    numbered: int = Field(0, exclude=True)  # place in LATCHKEY_MAILBOXES; 0: it has variables of its own

    @field_validator("address", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        """Accept addresses separated by commas, each in the spelling in which receivers are compared."""
        found = tuple(map(spelt, filter(str.strip, value.split(",")))) if isinstance(value, str) else value
        if not found or not all("@" in str(each) for each in found):
            raise ValueError("it must be a mail address, or several separated by commas")
        return found

    @field_validator("ca_file")
    @classmethod
    def is_there(cls, value: Path | None) -> Path | None:
        """Refuse a file that is not there."""
        if value is not None and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @model_validator(mode="after")
    def plain_only_here(self) -> Self:
        """Refuse a connection without TLS to any other machine."""
        if self.security == "none" and not is_this_machine(self.host):
            raise ValueError("none is for a server on this machine only: use tls or starttls")
        return self

    @property
    def login(self) -> str:
        """User name at the server."""
        return self.user or self.address[0]

    @property
    def at(self) -> str:
        """Server and port."""
        return f"{self.host}:{self.port or PORTS[self.security]}"

    def setting(self, name: str) -> str:
        """Return the name of the setting of a field, as in `LATCHKEY_MAILBOX_HOST`."""
        return f"`{name}` in LATCHKEY_MAILBOXES" if self.numbered else f"LATCHKEY_MAILBOX_{name.upper()}"


def is_this_machine(host: str) -> bool:
    """Tell whether a host is a loopback one."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class MailboxSettings(RoomSettings):
    """Mailboxes that are read, and only read, while a sign-in waits for a code that comes by mail."""

    mailbox_address: str = Field("", description="Mail address that codes are sent to; several: separated by commas.")
    mailbox_host: str = Field("", description="IMAP server of the mailbox.", validate_default=True)
    mailbox_port: int = Field(0, ge=0, le=65535, description="Port of the IMAP server; 0: 993, or 143 without tls.")
    mailbox_user: str = Field("", description="User name at the IMAP server; empty: the first address.")
    mailbox_password: SecretStr = Field(
        SecretStr(""), description="Password at the IMAP server.", validate_default=True
    )
    mailbox_folder: str = Field("INBOX", min_length=1, description="Folder in which codes arrive.")
    mailbox_security: Security = Field("tls", description="tls, starttls, or none for a server on this machine.")
    mailbox_ca_file: Path | None = Field(None, description="Certificates to trust in place of the system's.")
    mailboxes: Annotated[tuple[Mailbox, ...], NoDecode] = Field(
        (),
        description='Further mailboxes: JSON list of {"address", "host", "password", …} as the settings above.',
        repr=False,  # it holds passwords
    )
    mailbox_poll: float = Field(2.0, gt=0, description="Seconds between two looks into a mailbox.")
    mailbox_wait: float = Field(15.0, gt=0, description="Seconds that an IMAP server may take for one answer.")
    mailbox_clock_skew: float = Field(
        60.0, ge=0, description="Seconds that a mail may be dated before the request that it answers."
    )

    @field_validator("mailbox_host", "mailbox_password")
    @classmethod
    def complete(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse an address without its server or password."""
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if info.data.get("mailbox_address") and not text:
            raise ValueError("it is not set, and LATCHKEY_MAILBOX_ADDRESS is")
        return value

    @field_validator("mailbox_address")
    @classmethod
    def is_address(cls, value: str) -> str:
        """Refuse what is no mail address."""
        if value:
            Mailbox.split(value)
        return value

    @field_validator("mailbox_security")
    @classmethod
    def plain_only_here(cls, value: str, info: ValidationInfo) -> str:
        """Refuse a connection without TLS to any other machine."""
        if value == "none" and (host := info.data.get("mailbox_host")) and not is_this_machine(host):
            raise ValueError("none is for a server on this machine only: use tls or starttls")
        return value

    @field_validator("mailbox_ca_file")
    @classmethod
    def is_there(cls, value: Path | None) -> Path | None:
        """Refuse a file that is not there."""
        return Mailbox.is_there(value)

    @field_validator("mailboxes", mode="before")
    @classmethod
    def from_json(cls, value: Any) -> Any:
        """Read the JSON of the environment, and say which entry is wrong without quoting it."""
        if not isinstance(value, str):
            return value
        try:
            entries = json.loads(value) if value.strip() else []
        except ValueError:
            raise ValueError("it is not JSON") from None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("it must be a JSON list of objects")
        found = []
        for number, entry in enumerate(entries, start=1):
            try:
                found.append(Mailbox(**{**entry, "numbered": number}))
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                where = f"`{first['loc'][0]}` of " if first["loc"] else ""
                raise ValueError(f"{where}entry {number}: {first['msg'].removeprefix('Value error, ')}") from None
        return tuple(found)

    def every(self) -> tuple[Mailbox, ...]:
        """Return every mailbox that is set."""
        if not self.mailbox_address:
            return self.mailboxes
        own = Mailbox(
            address=Mailbox.split(self.mailbox_address),
            host=self.mailbox_host,
            port=self.mailbox_port,
            user=self.mailbox_user,
            password=self.mailbox_password,
            folder=self.mailbox_folder,
            security=self.mailbox_security,
            ca_file=self.mailbox_ca_file,
        )
        return (own, *self.mailboxes)

    def of(self, receiver: str) -> Mailbox | None:
        """Return the mailbox of the address *receiver*; None when no configured mailbox has it."""
        return next((mailbox for mailbox in self.every() if spelt(receiver) in mailbox.address), None)


@cache
def mailbox_settings() -> MailboxSettings:
    """Return the settings of this process, read once."""
    settings = MailboxSettings.load()
    assert isinstance(settings, MailboxSettings)
    return settings
