"""Settings of crawls, and the base of portals' own settings. Scrapy's settings are in `scrapers/settings.py`."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from database.settings import RoomSettings, SettingsError, nearest, typed_names

# Suffixes of a credential's variables (`BELL_USERNAME`), which are read by `scrapers.logins.credentials`.
CREDENTIAL = ("_USERNAME", "_PASSWORD", "_TOTP_SECRET", "_RECEIVER")
NEAR = 0.9  # similarity from which a variable counts as a misspelt setting


def _sound_address(value: str) -> str:
    try:
        address = urlsplit(value)
        is_sound = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        is_sound = False
    if value and not is_sound:
        raise ValueError("it must look like https://server.example")
    if value and "@" in address.netloc:
        raise ValueError("user name and password do not belong into an address")
    return value


Address = Annotated[str, AfterValidator(_sound_address)]  # of a host, without secrets; empty: the real one


class CrawlSettings(RoomSettings):
    """How crawls behave: browser, waits, pace. Waits are in seconds."""

    headless: bool = Field(
        True,
        validation_alias=AliasChoices("LATCHKEY_HEADLESS", "HEADLESS"),
        description="False shows the browser's window.",
    )
    browser: Literal["chrome", "firefox", "edge", "safari"] = Field(
        "chrome",
        validation_alias=AliasChoices("LATCHKEY_BROWSER", "BROWSER_TYPE"),
        description="Which browser runs flows.",
    )
    browser_path: Path | None = Field(None, description="Browser to start; empty means the first one that is found.")
    browser_pages: int = Field(
        2, ge=1, description="Sessions that may sign in and be visited side by side in the browser."
    )
    requests_in_flight: int = Field(16, ge=1, description="HTTP requests in flight to one portal at most.")
    page_wait: float = Field(30.0, gt=0, description="How long a flow waits for a named element.")
    flow_wait: float = Field(900.0, gt=0, description="How long a whole flow may take.")
    sign_in_wait: float = Field(300.0, gt=0, description="How long a sign-in may take, codes included.")
    wall_wait: float = Field(45.0, ge=0, description="How long a flow waits for a bot wall to clear by itself.")
    code_wait: float = Field(120.0, gt=0, description="How long a sign-in waits for its one-time code.")
    person_wait: float = Field(300.0, gt=0, description="How long a person may take to finish a sign-in.")
    assist_host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address on which a sign-in listens that is finished from the control room; `scrapy serve` connects to it.",
    )
    busy_wait: float = Field(600.0, ge=0, description="How long a run waits for another run in the same session.")
    download_wait: float = Field(120.0, gt=0, description="How long a download may take to start.")
    report_wait: float = Field(600.0, ge=0, description="How long a run waits for a report that the portal is making.")
    retry_wait: float = Field(60.0, ge=0, description="Longest pause between two tries of one request.")
    splash_url: Address = Field(
        "", description="Address of a Splash server, for what is rendered by it (http://127.0.0.1:8050)."
    )
    splash_username: str = Field("", description="User name at Splash, where it asks for one.")
    splash_password: SecretStr = Field(SecretStr(""), description="Password at Splash.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Form of log lines: text, or json with one object a line."
    )
    sentry_dsn: SecretStr = Field(
        SecretStr(""),
        description="Address (DSN) of a server of Sentry's protocol that errors are told to; empty: they are not sent.",
    )
    evidence: bool = Field(True, description="Keep a bundle of every failed run.")
    credentials_file: Path | None = Field(None, description="JSON file of credentials with mode 600.")

    @field_validator("sentry_dsn")
    @classmethod
    def sound_dsn(cls, value: SecretStr) -> SecretStr:
        """Refuse what no server gives out."""
        dsn = value.get_secret_value()
        if dsn and not re.fullmatch(r"https?://\w+@[\w.:\[\]-]+(/[\w./-]*)?/\d+", dsn):
            raise ValueError("it must look like https://key@server.example/1")
        return value


@cache
def crawl_settings() -> CrawlSettings:
    """Return the settings of this process, read once."""
    settings = CrawlSettings.load()
    assert isinstance(settings, CrawlSettings)
    return settings


class PortalSettings(RoomSettings):
    """
    Base of a portal's own settings, in `scrapers/portals/<portal>/settings.py`: `BELL_HEADER_WAIT` is `header_wait`.

    An empty variable is one that is not set.
    """

    model_config = SettingsConfigDict(env_ignore_empty=True)
    portal: ClassVar[str] = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Set the prefix of the variables to the portal's word."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.model_config["env_prefix"] = f"{cls.portal.upper()}_"


def portal_settings(portal: str) -> list[type[PortalSettings]]:
    """Return the settings classes of a portal that are loaded: those of its own and its logins'."""
    return [
        kind for kind in RoomSettings.rooms if issubclass(kind, PortalSettings) and kind.portal == portal and portal
    ]


def check_portal(portal: str) -> None:
    """
    Raise SettingsError for the first setting of a portal that is malformed or misspelt.

    A `BELL_…` variable in the environment may belong to another program: it counts as misspelt only if it is very like a
    setting. On the command line every one that is not a setting is refused.
    """
    known: set[str] = set()
    for kind in portal_settings(portal):
        kind.load()
        known |= kind.variables()
    prefix, typed = f"{portal.upper()}_", typed_names()
    for name in sorted({*os.environ, *typed} - known):
        if not name.startswith(prefix) or (name not in typed and name.endswith(CREDENTIAL)):
            continue
        if name.endswith(CREDENTIAL):
            raise SettingsError(
                f"-s {name}: credentials are no settings; `scrapy credentials add {portal}` stores one."
            )
        close = nearest(name, known, NEAR if name not in typed else 0.6)
        if close is not None or name in typed:
            hint = f"Did you mean {close}?" if close else "`scrapy doctor --settings` lists the names there are."
            raise SettingsError(f"{name} is not a setting of {portal}. {hint}")
