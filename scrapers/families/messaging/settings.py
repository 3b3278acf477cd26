"""Settings of sources: what their files are called, how long a run waits, how often it tries."""

from __future__ import annotations

from pydantic import Field, field_validator

from database.settings import RoomSettings
from scrapers.families.messaging.templates import DEFAULT, check_template


class MessagingSettings(RoomSettings):
    """`LATCHKEY_SOURCES_…` variables."""

    sources_path: str = Field(DEFAULT, description="Path of a file below its source's target.")
    sources_flood_wait: float = Field(
        60.0, ge=0, le=3600, description="Longest pause in seconds that a run waits for; for a longer one it ends."
    )
    sources_tries: int = Field(5, ge=1, le=100, description="Runs in which a file that fails is tried.")
    sources_checked: int = Field(
        100, ge=0, le=10_000, description="Newest known messages that each run looks at for edits and deletions."
    )

    @field_validator("sources_path")
    @classmethod
    def known_template(cls, value: str) -> str:
        """Refuse a template that cannot be used."""
        return check_template(value)
