"""Schedules as people write them: options of a command, or the tables of a TOML file; every field is checked."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from database.jobs.hours import parse_hours, parse_time
from database.models.jobs import MissedRuns
from jobs.cron import check_cron, check_zone


class BadSchedule(ValueError):
    """A schedule cannot be as it is written. The text is one sentence that names the field."""


def _hours(value: str) -> str:
    parse_hours(value)
    return value


def _time(value: str) -> str:
    parse_time(value)
    return value


def _texts(value: Any) -> Any:
    """Accept one text, or texts with commas between them, in the place of a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _all(value: Any) -> Any:
    return None if value in ("all", ["all"]) else _texts(value)


Texts = Annotated[list[str], BeforeValidator(_texts), Field(min_length=1)]


class Definition(BaseModel):
    """A schedule: the fields are those of the table, in the words of a person."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    spiders: Texts
    accounts: Annotated[list[str] | None, BeforeValidator(_all)] = None
    client: Annotated[str, Field(max_length=100)] | None = None
    arguments: dict[str, str] | None = None
    cron: Annotated[str, AfterValidator(check_cron)]
    time_zone: Annotated[str, AfterValidator(check_zone)]
    hours: Annotated[str, AfterValidator(_hours)] | None = None
    jitter: Annotated[int, Field(ge=0, le=86_400)] = 0
    missed: Literal["once", "skip", "each"] = "once"
    fresh_by: Annotated[str, AfterValidator(_time)] | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0

    def fields(self) -> dict[str, Any]:
        """Return the columns of the table, but for the name."""
        found = self.model_dump(exclude={"name"})
        return {**found, "missed": MissedRuns(self.missed), "arguments": self.arguments or None}


def define(given: dict[str, Any]) -> Definition:
    """Return a schedule; raise BadSchedule for the first field that is wrong."""
    try:
        return Definition(**given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "schedule"
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        if first["type"] == "extra_forbidden":
            said = f"there is no such field; there are {', '.join(Definition.model_fields)}"
        raise BadSchedule(f"{field}: {said}.") from None


def read_definitions(path: Path) -> list[Definition]:
    """
    Return the schedules of a TOML file with a table `[[schedule]]` for each; raise BadSchedule, OSError.

    Two of one name are refused.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSchedule(f"{path} is not TOML: {error}.") from None
    tables = data.get("schedule")
    if not isinstance(tables, list) or set(data) != {"schedule"} or not all(isinstance(each, dict) for each in tables):
        raise BadSchedule(f"{path}: it must hold tables [[schedule]], and nothing else.")
    found: dict[str, Definition] = {}
    for place, table in enumerate(tables, 1):
        try:
            one = define(table)
        except BadSchedule as error:
            raise BadSchedule(f"{path}: schedule {table.get('name', place)}: {error}") from None
        if one.name in found:
            raise BadSchedule(f"{path}: two schedules are called {one.name}.")
        found[one.name] = one
    return list(found.values())
