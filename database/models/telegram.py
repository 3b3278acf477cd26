"""Tables of Telegram: sessions, logins that have begun, and the sources whose files are fetched."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from database.access.encryption import Encrypted
from database.models.base import Base, JsonColumn, UtcDateTime, text_enum, utc_now


class TelegramState(StrEnum):
    """Whether a session can be used."""

    ACTIVE = "active"
    INACTIVE = "inactive"  # its owner has switched it off
    EXPIRED = "expired"  # Telegram no longer knows its key
    REVOKED = "revoked"  # its key was ended: from another device, or because two addresses used it at once
    BANNED = "banned"  # the account


class LoginKind(StrEnum):
    """How a login that is not finished has begun."""

    CODE = "code"
    UPLOAD = "upload"


class AccessLevel(StrEnum):
    """How a channel is reached."""

    PRIVATE = "private"  # with a session of its member
    PUBLIC = "public"  # by its user name, with a session of the installation or one that is named


class TargetStore(StrEnum):
    """Where the files of a source go."""

    LOCAL = "LOCAL"
    NAS = "NAS"
    S3 = "S3"


class TelegramSession(Base):
    """A session of a Telegram account. user_id None: it belongs to the installation, and serves public sources of everybody."""

    __tablename__ = "telegram_sessions"
    __table_args__ = (UniqueConstraint("key_fingerprint"), Index(None, "user_id"), Index(None, "phone_fingerprint"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # UUID
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    phone_number: Mapped[str | None] = mapped_column(Encrypted)  # with "+"; None: of a bot
    phone_fingerprint: Mapped[str | None] = mapped_column(String(64))
    session_string: Mapped[str] = mapped_column(Encrypted)  # Telethon's StringSession
    # Of the authorization key: a key that two processes use is ended by Telegram, so none is stored twice.
    key_fingerprint: Mapped[str] = mapped_column(String(64))
    api_id: Mapped[int]
    api_hash: Mapped[str] = mapped_column(Encrypted)
    account_id: Mapped[int | None] = mapped_column(BigInteger)  # of the account, as proved at its last test
    is_bot: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[TelegramState] = mapped_column(text_enum(TelegramState), default=TelegramState.ACTIVE)
    message: Mapped[str | None] = mapped_column(Text)  # one sentence on the state or the last test
    waits_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # end of a flood wait
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def __repr__(self) -> str:
        """Show which row it is, and no value of it."""
        return f"<TelegramSession {self.id}>"


class TelegramLogin(Base):
    """A login that has begun: a code was sent, or a session file was uploaded. It becomes a session, or it expires."""

    __tablename__ = "telegram_logins"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # UUID
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[LoginKind] = mapped_column(text_enum(LoginKind))
    phone_number: Mapped[str] = mapped_column(Encrypted)
    api_id: Mapped[int]
    api_hash: Mapped[str] = mapped_column(Encrypted)
    session_string: Mapped[str] = mapped_column(Encrypted)
    phone_code_hash: Mapped[str | None] = mapped_column(Encrypted)  # None: of an upload, or the code was taken
    account_id: Mapped[int | None] = mapped_column(BigInteger)  # None: not signed in yet
    failures: Mapped[int] = mapped_column(default=0, server_default="0")  # wrong codes and passwords
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def __repr__(self) -> str:
        """Show which row it is, and no value of it."""
        return f"<TelegramLogin {self.id}>"


class Source(Base):
    """A channel whose files are fetched: with which session, which of them, where to, and how far that has come."""

    __tablename__ = "sources"
    __table_args__ = (
        Index(None, "user_id"),
        Index(None, "session_id"),
        Index(None, "name"),
        Index(None, "schedule_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # UUID
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    access_level: Mapped[AccessLevel] = mapped_column(text_enum(AccessLevel))
    identifier: Mapped[str] = mapped_column(String(300))  # as the user gave it: number, user name or link
    channel_id: Mapped[int] = mapped_column(BigInteger)  # bare, positive
    access_hash: Mapped[int | None] = mapped_column(BigInteger)  # as the account of its session sees it
    username: Mapped[str | None] = mapped_column(String(64))  # without "@"; None: the channel is private
    channel_title: Mapped[str] = mapped_column(String(300))
    session_id: Mapped[str] = mapped_column(ForeignKey("telegram_sessions.id"))
    bot_token: Mapped[str | None] = mapped_column(Encrypted)  # kept; a bot cannot read a channel's history

    file_types: Mapped[list[str]] = mapped_column(JsonColumn, default=list)  # extensions without dot; empty: all
    filters: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)  # `scrapers.families.messaging.filters`
    target: Mapped[TargetStore] = mapped_column(text_enum(TargetStore), default=TargetStore.LOCAL)
    target_path: Mapped[str | None] = mapped_column(String(500))
    path_template: Mapped[str | None] = mapped_column(String(500))  # None: the one of the settings
    unpacks: Mapped[bool] = mapped_column(default=False, server_default=false())  # archives, each member a row
    keeps_texts: Mapped[bool] = mapped_column(default=False, server_default=false())

    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id", ondelete="SET NULL"))
    is_active: Mapped[bool] = mapped_column(default=True)  # False: its schedule is paused
    outcome: Mapped[str | None] = mapped_column(String(50))  # of its last run
    message: Mapped[str | None] = mapped_column(Text)
    last_message_id: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default="0"
    )  # everything up to it was seen
    last_scraped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of the last success
    total_messages_scraped: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    total_files_downloaded: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    def __repr__(self) -> str:
        """Show which row it is, and no value of it."""
        return f"<Source {self.id}>"
