"""The table of changes and of uses of secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from database.models.base import Base, JsonColumn, UtcDateTime, utc_now


class AuditEntry(Base):
    """One change, or one use of a secret. It holds no secret, and is never changed."""

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
