"""The fields of sources: what is taken for a name, a channel, file types, a folder, a schedule."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, TypeAdapter, WithJsonSchema

from jobs.cron import check_cron, check_zone
from scrapers.families.messaging.filters import Filters, Type
from scrapers.families.messaging.templates import check_folder, check_template

TYPE: TypeAdapter[str] = TypeAdapter(Type)


def _line(value: str) -> str:
    text = value.strip()
    if not text or not text.isprintable():
        raise ValueError("it must be one line of plain text")
    return text


def _cron(value: str | None) -> str | None:
    return check_cron(value) if value and value.strip() else value and ""


def _folder(value: str | None) -> str | None:
    return check_folder(value) if value else value


def _template(value: str | None) -> str | None:
    return check_template(value) if value and value.strip() else value and ""


def _token(value: str | None) -> str | None:
    if value and not re.fullmatch(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}", value.strip()):
        raise ValueError("that is no token of a bot")
    return value.strip() if value else value


def _once(value: list[str] | None) -> list[str] | None:
    return list(dict.fromkeys(value)) if value is not None else None


def _type(value: str) -> str:
    return TYPE.validate_python(value)


def _printable(value: Filters) -> Filters:
    """Refuse texts that no database takes."""
    texts = [text for texts in value.model_dump().values() if isinstance(texts, tuple) for text in texts]
    if not all(str(text).isprintable() for text in texts):
        raise ValueError("each text must be one line of plain text")
    return value


def _active(value: bool | str) -> str:
    """Accept true and false for the words of the scraper."""
    return {True: "active", False: "inactive"}.get(value, str(value)) if isinstance(value, bool) else value


Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Weekly reports"]), AfterValidator(_line)]
ChannelText = Annotated[
    str, Field(min_length=1, max_length=300, examples=["@technews", "https://t.me/technews", "1234567890"])
]
ChannelId = Annotated[
    StrictInt | ChannelText, Field(union_mode="left_to_right", description="Id, @name, or a link of t.me.")
]
FileTypes = Annotated[
    list[Annotated[str, AfterValidator(_type)]],
    Field(max_length=100, description="Extensions; empty: all.", examples=[["pdf", "tar.gz"]]),
    AfterValidator(_once),
]
# Of several values one may stand alone, and sizes may have units: more than a schema says.
SourceFilters = Annotated[
    Filters,
    AfterValidator(_printable),
    WithJsonSchema({"type": "object", "description": "Which files beside their types: sizes, days, names, captions …"}),
]
TargetPath = Annotated[str | None, Field(max_length=300, examples=["reports/weekly"]), AfterValidator(_folder)]
Template = Annotated[str | None, Field(max_length=500), AfterValidator(_template)]
Cron = Annotated[str | None, Field(max_length=200, examples=["0 */6 * * *"]), AfterValidator(_cron)]
Zone = Annotated[str, Field(max_length=50, examples=["Europe/Zurich"]), AfterValidator(check_zone)]
BotToken = Annotated[str | None, Field(max_length=200), AfterValidator(_token)]
SessionWord = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
Active = Annotated[Literal["active", "inactive"] | StrictBool, AfterValidator(_active)]
