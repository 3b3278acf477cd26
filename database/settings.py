"""
Settings of the database room, and the base of all settings: environment variables, and `-s NAME=VALUE` before them.

One check tells that no `LATCHKEY_` name is misspelt.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from database import aliases

PREFIX = "LATCHKEY_"
COMMAND_LINE, ENVIRONMENT, DEFAULT = "-s", "environment", "default"  # where a value comes from, first to last
HIDDEN = "***"

_typed: dict[str, str] = {}  # what the command line says with -s


class SettingsError(Exception):
    """A setting is unknown or malformed. The text is one sentence that names the variable; it never quotes the value."""


class Given(NamedTuple):
    """A setting as it stands in this process; a secret is hidden."""

    variable: str  # the name it is given by, else the first of its names
    value: str
    default: str
    source: str


class RoomSettings(BaseSettings):
    """
    Base of every room's settings class; a room's class lists the variables of that room and nothing else.

    A secret is a SecretStr, or a field with `repr=False`.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True)
    rooms: ClassVar[list[type[RoomSettings]]] = []

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Remember the class, so that `check_names` knows every variable there is."""
        super().__pydantic_init_subclass__(**kwargs)
        RoomSettings.rooms.append(cls)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the command line before the environment."""
        return init_settings, _CommandLine(settings_cls), env_settings

    @classmethod
    def load(cls) -> Self:
        """Read command line and environment; a malformed value raises SettingsError with the variable's name."""
        try:
            settings = cls()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise SettingsError(f"{cls._named(first['loc'])}: {first['msg'].removeprefix('Value error, ')}") from None
        aliases.read(cls.aliases())
        return settings

    @classmethod
    def current(cls) -> Self:
        """Return the settings of this process, read once."""
        settings = read_once(cls)
        assert isinstance(settings, cls)
        return settings

    @classmethod
    def names(cls, name: str) -> list[str]:
        """Return the variables of a field, the one that wins first."""
        alias = cls.model_fields[name].validation_alias
        if alias is None:
            return [f"{cls.model_config['env_prefix']}{name}".upper()]
        return [str(choice).upper() for choice in getattr(alias, "choices", [alias])]

    @classmethod
    def variables(cls) -> set[str]:
        """Return every environment name that this class reads, aliases included."""
        return {variable for name in cls.model_fields for variable in cls.names(name)}

    @classmethod
    def texts(cls, name: str) -> list[tuple[str, str, str]]:
        """Return variable, text and source of every place that gives a field, the one that wins first."""
        is_empty_given = not cls.model_config.get("env_ignore_empty")
        return [
            (variable, values[variable], source)
            for source, values in ((COMMAND_LINE, _typed), (ENVIRONMENT, _environment()))
            for variable in cls.names(name)
            if variable in values and (values[variable] or is_empty_given)
        ]

    @classmethod
    def aliases(cls) -> Iterator[tuple[str, str]]:
        """Yield alias and own name of every setting whose value comes from an alias."""
        for name in cls.model_fields:
            own, *others = cls.names(name)
            if others and (texts := cls.texts(name)) and texts[0][0] != own:
                yield texts[0][0], own

    @classmethod
    def given(cls, name: str) -> Given:
        """Return a field as it stands, for people to read; what is malformed is shown as it stands, too."""
        field = cls.model_fields[name]
        default = field.get_default(call_default_factory=True)
        is_secret = isinstance(default, SecretStr) or not field.repr
        shown = str(default.get_secret_value() if isinstance(default, SecretStr) else default)
        shown = "" if default in (None, (), {}) else shown
        variable, text, source = next(iter(cls.texts(name)), (cls.names(name)[0], shown, DEFAULT))
        return Given(variable, HIDDEN if is_secret and text else text, shown, source)

    @classmethod
    def differing(cls) -> Iterator[str]:
        """Yield a sentence for every field that two variables give different values; the values are not shown."""
        for name in cls.model_fields:
            (wins, text, _), *others = cls.texts(name) or [("", "", "")]
            for variable, other, _ in others:
                if variable != wins and other != text:
                    yield f"{wins} and {variable} are both set and differ: {wins} is used."

    @classmethod
    def _named(cls, where: Sequence[int | str]) -> str:
        """Return the variable that a validation error is about: the one that gives the value, else the first."""
        field = str(where[0]) if where else ""
        name = next((n for n in cls.model_fields if field.upper() in (n.upper(), *cls.names(n))), None)
        return field.upper() if name is None else cls.given(name).variable


class _CommandLine(PydanticBaseSettingsSource):
    """What `-s NAME=VALUE` says, under the name that wins over every other source's."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value of a field, the key it is given under, and that it is no JSON."""
        kind: Any = self.settings_cls
        key = kind.names(field_name)[0] if field.validation_alias else field_name
        return next((text for _, text, source in kind.texts(field_name) if source == COMMAND_LINE), None), key, False

    def __call__(self) -> dict[str, Any]:
        """Return the values of all fields that the command line gives."""
        found = [self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items()]
        return {key: value for value, key, _ in found if value is not None}


@cache
def read_once(kind: type[RoomSettings]) -> RoomSettings:
    """Return the settings of a class as this process has read them at first; `RoomSettings.current` is typed."""
    return kind.load()


def _environment() -> Mapping[str, str]:
    """Return the environment with its names as they are compared: pydantic-settings ignores their case."""
    return {name.upper(): value for name, value in os.environ.items()}


def read_command_line(arguments: Sequence[str]) -> None:
    """
    Take the `-s NAME=VALUE` of a command line as settings, before any environment variable.

    arguments: those of Scrapy, the program's name left out. Scrapy's own settings among them are not looked at again.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("-s", "--set", action="append", default=[])
    try:
        found = parser.parse_known_args(list(arguments))[0].set
    except argparse.ArgumentError:
        found = []  # -s without a value: Scrapy's own parser tells
    _typed.clear()
    _typed.update((name, value) for name, equals, value in (each.partition("=") for each in found) if equals)


def typed_names() -> frozenset[str]:
    """Return the names that the command line gives with -s, Scrapy's own among them."""
    return frozenset(_typed)


def check_names(modules: Iterable[str], environment: Iterable[str] | None = None) -> None:
    """
    Raise SettingsError for the first `LATCHKEY_…` variable that no room knows (pydantic-settings ignores those).

    modules: dotted names of the rooms' settings modules, imported here, as far as a name is in none of those before, so
    that their classes are registered.
    """
    given = {*os.environ, *_typed} if environment is None else set(environment)
    ours = sorted(name for name in given if name.startswith(PREFIX))
    known: set[str] = set()
    for module in modules:
        import_module(module)
        known = set().union(*(room.variables() for room in RoomSettings.rooms))
        if known.issuperset(ours):
            return
    for name in ours:
        if name not in known:
            close = nearest(name, known)
            hint = (
                f" Did you mean {close}?"
                if close
                else " Unset it; `scrapy doctor --settings` lists the names there are."
            )
            raise SettingsError(f"{name} is not a setting of Latchkey.{hint}")


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that is most like another one; None when none is. cutoff: 0 for any, 1 for equal ones."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1, cutoff=cutoff)), None)


class DatabaseSettings(RoomSettings):
    """Where things are remembered and under which keys."""

    data_dir: Path = Field(
        Path(".latchkey"), description="Folder of the database, file store, spool, bundles and logs."
    )
    database_url: str = Field(
        "",
        validation_alias=AliasChoices("LATCHKEY_DATABASE_URL", "DATABASE_URL"),
        description="SQLAlchemy URL; empty means SQLite in the data folder.",
        repr=False,  # it may hold a password
    )
    db_auto_create: bool = Field(
        False,
        validation_alias=AliasChoices("LATCHKEY_DB_AUTO_CREATE", "DB_AUTO_CREATE"),
        description="True lets `scrapy serve` and `scrapy worker` make the tables of an empty database.",
    )
    encryption_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=AliasChoices("LATCHKEY_ENCRYPTION_KEYS", "ENCRYPTION_KEY"),
        description="Fernet keys, separated by commas: the first one encrypts, all of them decrypt.",
        repr=False,
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
