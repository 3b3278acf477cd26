"""The table of changes and of uses of secrets, and what is written into it whenever a row of some other tables changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Index, String, event, insert, inspect
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column

from database.access.addresses import storable
from database.actors import current_actor
from database.models.base import Base, JsonColumn, UtcDateTime, utc_now


class AuditEntry(Base):
    """One change, or one use of a secret. It holds no secret, and is never changed, but for names that are erased."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "at"), Index(None, "action"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    actor: Mapped[str] = mapped_column(String(320))  # mail address of a user, or user of the operating system
    via: Mapped[str] = mapped_column(String(100))  # web, or the command that was typed
    address: Mapped[str] = mapped_column(String(255))  # network address, or host name for a command
    action: Mapped[str] = mapped_column(String(50))  # such as `credential.changed`
    subject: Mapped[str] = mapped_column(String(500))  # what it was done to
    detail: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)  # None: nothing more is known


def record(session: Session | Connection, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
    """
    Write down a change or a use of a secret.

    action: what it was done to and what was done, such as `credential.changed`. subject: which one, for people. Neither
    those nor *detail* may hold a secret.
    """
    actor = current_actor()
    session.execute(
        insert(AuditEntry).values(
            at=utc_now(),
            actor=storable(actor.name)[:320],
            via=storable(actor.via)[:100],
            address=storable(actor.address)[:255],
            action=action,
            subject=storable(subject)[:500],
            detail=dict(detail) if detail else None,
        )
    )


# What people change, by table: how the audit calls it, and the columns that name a row of it.
AUDITED = {
    "credentials": ("credential", ("portal", "username")),
    "clients": ("client", ("name",)),
    "workspaces": ("workspace", ("name",)),
    "accounts": ("account", ("number",)),
    "scraper_configs": ("account_credential", ("account_id",)),
    "schedules": ("schedule", ("name",)),
}
UNSAID = frozenset({"changed_at", "created_at", "seen_until"})  # columns that change by themselves


def _named(target: Any, columns: tuple[str, ...]) -> str:
    return " ".join(str(getattr(target, column)) for column in columns)


def note_added(connection: Connection, row: Any) -> None:
    """Write down that a row was added, where that was done without the unit of work."""
    _note(inspect(row).mapper, connection, row, "added", None)


@event.listens_for(Mapper, "after_insert")
def _added(mapper: Mapper[Any], connection: Connection, target: Any) -> None:
    _note(mapper, connection, target, "added", None)


@event.listens_for(Mapper, "after_delete")
def _removed(mapper: Mapper[Any], connection: Connection, target: Any) -> None:
    _note(mapper, connection, target, "removed", None)


@event.listens_for(Mapper, "after_update")
def _changed(mapper: Mapper[Any], connection: Connection, target: Any) -> None:
    if mapper.local_table.name not in AUDITED:  # type: ignore[attr-defined]
        return
    known = {column.key for column in mapper.column_attrs} - UNSAID
    changed = sorted(each.key for each in inspect(target).attrs if each.key in known and each.history.has_changes())
    if changed:
        _note(mapper, connection, target, "changed", {"columns": changed})  # their names; a value may be a secret


def _note(mapper: Mapper[Any], connection: Connection, target: Any, did: str, detail: dict[str, Any] | None) -> None:
    if (found := AUDITED.get(mapper.local_table.name)) is None:  # type: ignore[attr-defined]
        return
    kind, columns = found
    record(connection, f"{kind}.{did}", _named(target, columns), detail)
