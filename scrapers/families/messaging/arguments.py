"""What the spiders of sources are asked for: their arguments, and the target of a job."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator

from scrapers.core.spider import SpiderArguments

ALL = "all"


class SourceArguments(SpiderArguments):
    """Arguments of the spiders of sources."""

    aims: ClassVar[frozenset[str]] = SpiderArguments.aims | {"source"}
    source: tuple[str, ...] = Field(
        (), description="Names or ids of sources, separated by commas; all: those that are active."
    )
    since: date | None = Field(
        None, description="Look again at messages from this day on (YYYY-MM-DD, UTC), also at those seen."
    )
    texts: bool | None = Field(
        None, description="yes or no: keep the texts of messages, encrypted; else as the source says."
    )

    @field_validator("source", mode="before")
    @classmethod
    def split_sources(cls, value: Any) -> Any:
        """Accept `News,Reports`."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class SourceTarget(BaseModel):
    """The target of a job: a source, by its id."""

    source: str
