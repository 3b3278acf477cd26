"""The declarative base, and the column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Enum, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from database.dialects import postgresql

# Named constraints, so that Alembic can alter them on both databases.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMING)


class Json(TypeDecorator[Any]):
    """JSON; JSONB on PostgreSQL, because its plain JSON type cannot be compared. None is SQL's NULL."""

    impl = JSON
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        """Return the type of a database."""
        kind: TypeEngine[Any] = (
            postgresql.JSONB(none_as_null=True) if dialect.name == "postgresql" else JSON(none_as_null=True)
        )
        return dialect.type_descriptor(kind)  # type: ignore[no-any-return]


JsonColumn = Json()


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database (SQLite would give it back naive)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse naive times, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def text_enum(enum: type[StrEnum]) -> Enum:
    """Return a column type that stores an enum's values as text (no PostgreSQL type for a downgrade to forget)."""
    return Enum(
        enum,
        native_enum=False,
        length=30,
        values_callable=lambda e: [member.value for member in e],
        validate_strings=True,  # else any text is stored and the row cannot be read again
    )
