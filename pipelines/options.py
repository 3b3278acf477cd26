"""What the pipelines can be told through the environment."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Formatter

from pydantic import Field, field_validator

from database.settings import RoomSettings, database_settings

FIELDS = {"portal", "account", "period", "report", "name"}


class PipelineSettings(RoomSettings):
    """Where files go and what they are called there."""

    files: Path | None = Field(None, description="Folder of the file store; empty means `files` in the data folder.")
    files_path: str = Field(
        "{portal}/{account}/{period}/{name}",
        description="Path of a file below the store, from portal, account, period, report and name.",
    )

    @field_validator("files_path")
    @classmethod
    def known_fields(cls, value: str) -> str:
        """Refuse a template with a field that we do not fill, or without the name."""
        used = {field for _, field, _, _ in Formatter().parse(value) if field is not None}
        if used - FIELDS or "name" not in used:
            raise ValueError(f"the template may use {', '.join(sorted(FIELDS))} and must use name")
        return value

    @property
    def store(self) -> Path:
        """Folder of the file store."""
        return self.files or database_settings().data_dir / "files"


@cache
def pipeline_settings() -> PipelineSettings:
    """Return the settings of this process, read once."""
    settings = PipelineSettings.load()
    assert isinstance(settings, PipelineSettings)
    return settings
