"""Uploads to the customer's own server, and their answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

import database.models.runs  # noqa: F401 - rows refer to its tables
from database.models.base import Base, UtcDateTime, text_enum


class UploadState(StrEnum):
    """How far the upload of a file has come."""

    SENDING = "sending"  # a request is on its way, or its process was killed: the server may have the file
    STORED = "stored"
    FAILED = "failed"  # the next run sends it again
    REFUSED = "refused"  # for good: only `scrapy upload --again` sends it again
    CLIENT_GONE = "client_gone"  # refused, because the server no longer knows the client or workspace


class Upload(Base):
    """One content of one file, on its way to one address; the row is there before the first byte is sent."""

    __tablename__ = "uploads"
    __table_args__ = (UniqueConstraint("file_id", "sha256", "endpoint"), Index(None, "client_id", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("files.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    endpoint: Mapped[str] = mapped_column(String(500))  # URL
    state: Mapped[UploadState] = mapped_column(text_enum(UploadState))
    status: Mapped[int | None]  # of the last answer; None: there was none
    message: Mapped[str | None] = mapped_column(Text)  # what went wrong, without secrets
    tries: Mapped[int] = mapped_column(default=0)  # requests in all
    client_id: Mapped[int | None]  # its foreign key is in `database.models.carriers`
    # None: `scrapy upload`.
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    holder: Mapped[str] = mapped_column(String(200), default="")  # process that sent it last
    began_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of the last request
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None while a request is on its way
    again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # not before, as the server asked; None: any time
