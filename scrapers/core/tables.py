"""The tables that a spider may write to, as far as its modules name them."""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import Table

from database.models.base import Base
from database.upsert import table_of
from scrapers.core.items import Record


def tables_of(spider: type) -> set[Table]:
    """Return the tables that the loaded modules in the packages of a spider and its bases name: those of portal, family, core."""
    own = {cls.__module__ for cls in spider.__mro__ if not cls.__module__.startswith(("scrapy.", "builtins"))}
    packages = tuple(f"{package}." for module in own if (package := module.rpartition(".")[0]))
    modules = [module for name, module in list(sys.modules.items()) if name in own or name.startswith(packages)]
    models = {model for module in modules for value in list(vars(module).values()) if (model := _model(value))}
    # Functions of ours write the tables that belong to those: a sync with its faults.
    beside = {model.__module__ for model in models}
    mapped = (mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__module__ in beside)
    return {table_of(model) for model in mapped}


def _model(value: Any) -> type[Base] | None:
    """Return the model that an object of a module is or names."""
    if not isinstance(value, type) or not issubclass(value, (Base, Record)):
        return None
    model = getattr(value, "table", None) if issubclass(value, Record) else value
    return model if hasattr(model, "__table__") else None
