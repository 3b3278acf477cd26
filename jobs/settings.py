"""Settings of workers: how many crawls, how long and how big, how often they look."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, field_validator

from database.jobs.hours import parse_hours, parse_time
from database.settings import RoomSettings


class WorkerSettings(RoomSettings):
    """How a worker behaves."""

    engine: Literal["embedded", "prefect", "procrastinate", "scrapyd"] = Field(
        "embedded", description="What starts the crawls."
    )
    worker_slots: int = Field(2, ge=1, description="Crawls that a worker runs side by side.")
    worker_poll: float = Field(
        2.0,
        gt=0,
        validation_alias=AliasChoices("LATCHKEY_WORKER_POLL", "WORKER_SLEEP_SECONDS"),
        description="Seconds between two looks of a worker for due jobs.",
    )
    worker_run_once: bool = Field(
        False,
        validation_alias=AliasChoices("LATCHKEY_WORKER_RUN_ONCE", "WORKER_RUN_ONCE"),
        description="True lets a worker do what is due, then end, as `scrapy worker --once`.",
    )
    worker_drain: float = Field(
        120.0, ge=0, description="Seconds that running crawls get when a worker is told to stop."
    )
    worker_health: Path | None = Field(None, description="File with a worker's state; empty: in the data folder.")
    crawl_life: float = Field(3600.0, gt=0, description="Seconds after which a worker ends a crawl.")
    crawl_memory: int = Field(
        1500, ge=50, description="MB of memory, browser included, above which a worker ends a crawl."
    )
    missed_after: float = Field(10.0, gt=0, description="Minutes after which a due time counts as missed.")


class ScrapydSettings(RoomSettings):
    """Where Scrapyd is, for LATCHKEY_ENGINE=scrapyd."""

    scrapyd_url: str = Field("http://127.0.0.1:6800", description="Address of Scrapyd.")
    scrapyd_project: str = Field("latchkey", description="Name of the project there.")
    scrapyd_username: str = Field("", description="User name of Scrapyd; empty: it asks for none.")
    scrapyd_password: SecretStr = Field(SecretStr(""), description="Password of that user.")


class PrefectSettings(RoomSettings):
    """Where Prefect is, for LATCHKEY_ENGINE=prefect."""

    prefect_url: str = Field("http://127.0.0.1:4200/api", description="Address of Prefect's API.")
    prefect_pool: str = Field("latchkey", description="Work pool of the crawls.")
    prefect_python: Path | None = Field(
        None, description="Interpreter with Latchkey's packages, for Prefect's workers."
    )
    prefect_folder: Path | None = Field(None, description="Folder of Latchkey on Prefect's workers; empty: as here.")


class MailSettings(RoomSettings):
    """By what mails to users are sent."""

    smtp_address: str = Field(
        "",
        validation_alias=AliasChoices("LATCHKEY_SMTP_ADDRESS", "SMTP_ADDRESS"),
        description="Host of the SMTP server; empty: no mail is sent.",
    )
    smtp_port: int = Field(465, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["tls", "starttls", "none"] = Field(
        "tls", description="Its encryption; `none` is for a server on this machine."
    )
    email_address: str = Field(
        "",
        validation_alias=AliasChoices("LATCHKEY_EMAIL_ADDRESS", "EMAIL_ADDRESS"),
        description="Sender of our mails, and user name at the SMTP server.",
    )
    email_password: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("LATCHKEY_EMAIL_PASSWORD", "EMAIL_PASSWORD"),
        description="Password there; empty: it asks for none.",
    )


class AlertSettings(RoomSettings):
    """Where alerts go besides the mail addresses and channels of users."""

    alert_addresses: SecretStr = Field(
        SecretStr(""),
        description="Addresses as Apprise has them, separated by blanks, to which the alerts of all users go too.",
    )

    @field_validator("alert_addresses")
    @classmethod
    def check_addresses(cls, value: SecretStr) -> SecretStr:
        """Refuse what Apprise does not know, without repeating it."""
        if given := value.get_secret_value():
            from jobs.channels import split  # Apprise is imported where it is used

            split(given)
        return value

    @property
    def addresses(self) -> tuple[str, ...]:
        """Each address once."""
        return tuple(dict.fromkeys(self.alert_addresses.get_secret_value().split()))


class NoticeSettings(RoomSettings):
    """When people are told what they must act on."""

    notify_time_zone: str = Field("UTC", description="Time zone of messages, their quiet hours and the digest.")
    notify_quiet: str = Field("", description="Hours in which no message is sent, as 22:00-07:00; empty: none.")
    notify_repeat: float = Field(24.0, ge=1, description="Hours after which a cause that is not solved is told again.")
    notify_digest: Literal["daily", "weekly", "off"] = Field(
        "daily", description="How often the digest is sent; `weekly` is on Mondays."
    )
    notify_digest_at: str = Field("07:00", description="Time of day of the digest.")

    @field_validator("notify_time_zone")
    @classmethod
    def check_zone(cls, value: str) -> str:
        """Refuse a name that is no time zone."""
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("it is no time zone, as Europe/Zurich") from None
        return value

    @field_validator("notify_quiet")
    @classmethod
    def check_quiet(cls, value: str) -> str:
        """Refuse what is no range of hours."""
        if value:
            parse_hours(value)
        return value

    @field_validator("notify_digest_at")
    @classmethod
    def check_time(cls, value: str) -> str:
        """Refuse what is no time of day."""
        parse_time(value)
        return value
