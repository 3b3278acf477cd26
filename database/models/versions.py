"""Earlier versions of rows that the portal corrected, and watermarks: how far each spider has read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

import database.models.runs  # noqa: F401 - rows refer to its tables
from database.models.base import Base, JsonColumn, UtcDateTime


class Version(Base):
    """An earlier version of a row; the newest is in the row's own table."""

    __tablename__ = "versions"
    __table_args__ = (UniqueConstraint("table_name", "key", "number"), Index(None, "replaced_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(String(1000))  # JSON of the natural key, names in order
    number: Mapped[int]  # 1 is the oldest
    row: Mapped[dict[str, Any]] = mapped_column(JsonColumn)  # its columns; decimals, days and instants as text
    # Which wrote this version.
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    replaced_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Watermark(Base):
    """Up to when something is stored in full; written only by the transaction that closes a successful run."""

    __tablename__ = "watermarks"
    __table_args__ = (UniqueConstraint("spider", "target_key", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    spider: Mapped[str] = mapped_column(String(100))
    target_key: Mapped[str] = mapped_column(String(300))
    name: Mapped[str] = mapped_column(String(200))
    reached: Mapped[datetime] = mapped_column(UtcDateTime)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
