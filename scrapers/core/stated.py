"""
The descriptions of portals and families, in the `__init__.py` of their folders, and functions to find them.

Reading it imports those packages alone: no spider, no login, no table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules, resolve_name
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

PORTALS, FAMILIES = "scrapers.portals", "scrapers.families"


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal, as `PORTAL` in the `__init__.py` of its folder."""

    word: str  # name of the folder, and prefix of its spiders, logins and environment variables
    name: str  # for people
    family: str  # name of a folder of scrapers/families
    time_zone: str  # IANA name: defines today's date at the portal
    locale: str  # language and country of its pages, as `en_CA`
    morning: int = 6  # hour of its day from which it has what was not published yet the day before


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a family's jobs, as an option of `scrapy sync` and the spiders' argument of the same name."""

    name: str
    help: str
    short: str = ""  # one-letter form of the option; empty: none


@dataclass(frozen=True, slots=True)
class Export:
    """A type of record that `scrapy export records` offers with columns of its own, in the place of a table as it stands."""

    query: str  # `module:function`; it returns scrapers.core.exports.Records, and its docstring says what these are


@dataclass(frozen=True, slots=True)
class Family:
    """A family of portals, as `FAMILY` in the `__init__.py` of its folder."""

    word: str  # name of the folder
    exports: Mapping[str, Export] = field(default_factory=dict)  # by type of record; the first is the usual one
    counts: tuple[str, ...] = ("files", "records")  # what `scrapy sync` adds up: names in Job.result or Job.counts
    target: Target | None = None
    has_accounts: bool = False  # clients have accounts at its portals, and credentials belong to clients
    models: tuple[
        str, ...
    ] = ()  # modules with tables of its own outside database.models, which are found by themselves
    uploads: str = ""  # `module:function`, a database.uploads.Addresses; empty: its files are not sent on


def portals(places: Iterable[str] = ()) -> dict[str, Portal]:
    """
    Return the description of every portal, by its word.

    places: packages like `scrapers.portals` beside our own, or portals' own folders (SPIDER_MODULES).
    """
    return {portal.word: portal for place in dict.fromkeys((PORTALS, *places)) for portal in _stated(place, "PORTAL")}


def families() -> dict[str, Family]:
    """Return the description of every family, by its word."""
    return {family.word: family for family in _stated(FAMILIES, "FAMILY")}


def family_of(portal: str, places: Iterable[str] = ()) -> Family | None:
    """Return the family of a portal, by its word; None for a portal that no folder states."""
    stated = portals(places).get(portal)
    return None if stated is None else families()[stated.family]


def with_accounts(places: Iterable[str] = ()) -> dict[str, str]:
    """Return name by word of the portals at which clients have accounts."""
    known = families()
    return {each.word: each.name for each in portals(places).values() if known[each.family].has_accounts}


def today_at(portal: str, at: datetime) -> date:
    """Return the date of an instant at a portal, by its word; that in UTC where no folder states the portal."""
    stated = portals().get(portal)
    return at.astimezone(ZoneInfo(stated.time_zone) if stated is not None else UTC).date()


def portal_of(module: str) -> Portal | None:
    """Return the Portal of the innermost package of an imported module; None when it is in no portal's package."""
    while module:
        stated = getattr(sys.modules.get(module), "PORTAL", None)
        if isinstance(stated, Portal):
            return stated
        module = module.rpartition(".")[0]
    return None


def record_tables() -> dict[str, Any]:
    """Return every table whose rows name the run that wrote them, by name: those are types of record."""
    from database.models import all_tables

    for family in families().values():
        for module in family.models:
            import_module(module)
    tables = all_tables().tables
    return {name: tables[name] for name in sorted(tables) if "run_id" in tables[name].columns}


def resolve(name: str) -> Any:
    """Import and return the object that `module:function` names."""
    return resolve_name(name)


def _stated(place: str, name: str) -> Iterator[Any]:
    """Yield the attribute *name* of a package, or of the packages in it."""
    try:
        spec = find_spec(place)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.submodule_search_locations is None:
        return  # a module has no description and must not be imported
    package = import_module(place)
    if hasattr(package, name):
        yield getattr(package, name)
        return
    for found in sorted(iter_modules(package.__path__), key=lambda found: found.name):
        if found.ispkg and hasattr(inner := import_module(f"{place}.{found.name}"), name):
            yield getattr(inner, name)


def modules_of(place: str) -> Iterator[ModuleType]:
    """
    Import a package and its modules, and yield them, but those that it names as WITHOUT_SPIDERS.

    Such a module has neither spiders nor logins, and what it imports takes long.
    """
    package = import_module(place)
    yield package
    for _, name, is_package in iter_modules(getattr(package, "__path__", ())):
        if is_package:
            yield from modules_of(f"{place}.{name}")
        elif name not in getattr(package, "WITHOUT_SPIDERS", ()):
            yield import_module(f"{place}.{name}")
