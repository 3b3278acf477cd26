"""SQLAlchemy's modules of our two databases, imported at their first use: a process mostly needs one of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
else:

    class _Late:
        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module(f"sqlalchemy.dialects.{self._name}"), name)

    postgresql, sqlite = _Late("postgresql"), _Late("sqlite")

__all__ = ["postgresql", "sqlite"]
