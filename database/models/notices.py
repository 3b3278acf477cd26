"""Tables of what is told to people: who is told, the causes for which they must act, and each message on its way."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database.access.encryption import Encrypted
from database.models.base import Base, JsonColumn, UtcDateTime, text_enum, utc_now
from database.models.carriers import Client

OF_ALL = text("client_id IS NULL")


class NoticeKind(StrEnum):
    """What a message says."""

    BEGAN = "began"  # a cause, for the first time since it began
    STILL = "still"  # the same again
    SOLVED = "solved"  # the end of one that was told
    PAST = "past"  # a cause that was over before it could be told
    DIGEST = "digest"


class NoticeResult(StrEnum):
    """What has become of a message."""

    PENDING = "pending"
    SENT = "sent"
    SKIPPED = "skipped"  # there was nothing left to tell


class NoticeAddress(Base):
    """An address that is told: a mail address, or one of Apprise's with the secrets in it."""

    __tablename__ = "notice_addresses"
    __table_args__ = (
        UniqueConstraint("client_id", "fingerprint"),
        # NULL differs from NULL in the constraint above.
        Index("uq_notice_addresses_of_all", "fingerprint", unique=True, sqlite_where=OF_ALL, postgresql_where=OF_ALL),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # None: for all clients that have no address of their own, and for what belongs to none.
    client_id: Mapped[int | None] = mapped_column(ForeignKey(Client.id, ondelete="CASCADE"))
    service: Mapped[str] = mapped_column(String(50))  # mail, or the scheme of its address
    address: Mapped[str] = mapped_column(Encrypted)
    fingerprint: Mapped[str] = mapped_column(String(64))  # of the address, by which it is known again
    actors: Mapped[list[str]] = mapped_column(JsonColumn)  # whose part it is told: owner, operator, developer
    digest: Mapped[bool]  # whether it gets the digest
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    def __repr__(self) -> str:
        """Show which row it is, and nothing of its address."""
        return f"<NoticeAddress {self.id}>"


class Cause(Base):
    """Why a person must act, from its first failure until it is solved. One that comes back uses the same row."""

    __tablename__ = "notice_causes"
    __table_args__ = (UniqueConstraint("key"), Index(None, "check_at"), Index(None, "portal", "username"))

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(
        String(700)
    )  # portal, outcome, client, and user name or target where one owner acts
    portal: Mapped[str] = mapped_column(String(50))
    outcome: Mapped[str] = mapped_column(String(50))
    actor: Mapped[str] = mapped_column(String(20))
    # Whose addresses are told; None: those of all clients.
    client_id: Mapped[int | None] = mapped_column(ForeignKey(Client.id, ondelete="CASCADE"))
    username: Mapped[str | None] = mapped_column(String(300))  # of the credential, where its owner must act
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)  # of its last failure
    failures: Mapped[int] = mapped_column(default=0)  # since it began
    solved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: it is not
    solved_by: Mapped[str] = mapped_column(String(300), default="")  # a sentence without its end
    check_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when a message may be due; None: there is none


class Case(Base):
    """A spider and its account or user that have met a cause."""

    __tablename__ = "notice_cases"
    __table_args__ = (UniqueConstraint("cause_id", "spider", "subject"), Index(None, "spider", "subject"))

    id: Mapped[int] = mapped_column(primary_key=True)
    cause_id: Mapped[int] = mapped_column(ForeignKey("notice_causes.id", ondelete="CASCADE"))
    spider: Mapped[str] = mapped_column(String(100))
    subject: Mapped[str] = mapped_column(String(320))  # what stays the same from run to run
    label: Mapped[str] = mapped_column(String(300))  # target of the last run, for people
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_run: Mapped[int | None]  # its number; None: the crawl could not begin
    is_open: Mapped[bool] = mapped_column(default=True)


class NoticeDelivery(Base):
    """A message to one address: each is tried, and ends, for itself."""

    __tablename__ = "notice_deliveries"
    __table_args__ = (UniqueConstraint("address_id", "topic", "number"), Index(None, "due_at"), Index(None, "cause_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    address_id: Mapped[int] = mapped_column(ForeignKey("notice_addresses.id", ondelete="CASCADE"))
    cause_id: Mapped[int | None] = mapped_column(ForeignKey("notice_causes.id", ondelete="CASCADE"))  # None: a digest
    topic: Mapped[str] = mapped_column(String(50))  # `digest`, or `cause` and its number
    number: Mapped[int]  # of a cause from 1; of a digest its day
    kind: Mapped[NoticeKind] = mapped_column(text_enum(NoticeKind))
    result: Mapped[NoticeResult] = mapped_column(text_enum(NoticeResult), default=NoticeResult.PENDING)
    # When it is to be sent; while a process sends it, when another may take it over. None: it has ended.
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(300))  # of the last attempt that failed
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
