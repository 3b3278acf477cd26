"""What the database room can be told through the environment, and the one check that no `LATCHKEY_` name is misspelt."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "LATCHKEY_"


class SettingsError(Exception):
    """A setting is unknown or malformed. The text is one sentence that names the variable; it never quotes the value."""


class RoomSettings(BaseSettings):
    """Base of every room's settings class; a room's class lists the variables of that room and nothing else."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True)
    rooms: ClassVar[list[type[RoomSettings]]] = []

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Remember the class, so that `check_names` knows every variable there is."""
        super().__pydantic_init_subclass__(**kwargs)
        RoomSettings.rooms.append(cls)

    @classmethod
    def load(cls) -> Self:
        """Read the environment; a malformed value raises SettingsError with the variable's name."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = str(first["loc"][0]) if first["loc"] else ""
            name = next((n for n in cls.variables() if n.lower().endswith(field.lower())), f"{PREFIX}{field.upper()}")
            raise SettingsError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None

    @classmethod
    def variables(cls) -> set[str]:
        """Return every environment name that this class reads, aliases included."""
        names: set[str] = set()
        for name, field in cls.model_fields.items():
            alias = field.validation_alias
            if alias is None:
                names.add(f"{PREFIX}{name.upper()}")
            else:
                names |= {str(choice).upper() for choice in getattr(alias, "choices", [alias])}
        return names


def check_names(modules: Iterable[str], environment: Iterable[str] | None = None) -> None:
    """
    Raise SettingsError for the first `LATCHKEY_…` variable that no room knows (pydantic-settings ignores those).

    modules: dotted names of the rooms' settings modules, imported here so that their classes are registered.
    """
    for module in modules:
        import_module(module)
    known = set().union(*(room.variables() for room in RoomSettings.rooms))
    for name in sorted(os.environ if environment is None else environment):
        if name.startswith(PREFIX) and name not in known:
            from difflib import get_close_matches

            close = get_close_matches(name, known, n=1)
            hint = (
                f" Did you mean {close[0]}?"
                if close
                else " Unset it; `scrapy doctor --settings` lists the names there are."
            )
            raise SettingsError(f"{name} is not a setting of Latchkey.{hint}")


class DatabaseSettings(RoomSettings):
    """Where things are remembered and under which keys."""

    data_dir: Path = Field(
        Path(".latchkey"), description="Folder of the database, file store, spool, bundles and logs."
    )
    database_url: str = Field("", description="SQLAlchemy URL; empty means SQLite in the data folder.")
    encryption_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Fernet keys, separated by commas: the first one encrypts, all of them decrypt."
    )
    sign_in_budget: int = Field(6, ge=1, description="Sign-in attempts per login and credential within 24 hours.")
    lock_rest_hours: float = Field(12.0, gt=0, description="Rest of a credential after a lock or a captcha.")
    mfa_rest_hours: float = Field(4.0, gt=0, description="Rest of a credential after a refused code.")
    lease_seconds: float = Field(60.0, ge=1, description="Life of a lease; its holder renews it every third of that.")

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def split_keys(cls, value: Any) -> Any:
        """Accept the comma-separated text of the environment."""
        return tuple(key.strip() for key in value.split(",") if key.strip()) if isinstance(value, str) else value

    @property
    def url(self) -> str:
        """SQLAlchemy URL, with the driver that we install."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'latchkey.db'}"
        for scheme in ("postgres://", "postgresql://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url

    @property
    def key_file(self) -> Path:
        """File that holds the keys when the environment does not; one key a line, newest first, mode 600."""
        return self.data_dir / "encryption.keys"


@cache
def database_settings() -> DatabaseSettings:
    """Return the settings of this process, read once."""
    return DatabaseSettings.load()
