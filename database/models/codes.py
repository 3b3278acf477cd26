"""One-time codes: the requests of sign-ins, and the messages that gateways delivered."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database.access.encryption import Encrypted
from database.models.base import Base, UtcDateTime, text_enum


class CodeKind(StrEnum):
    """What the message holds."""

    CODE = "code"
    LINK = "link"


class CodeRequestState(StrEnum):
    """Where a code request stands."""

    OPEN = "open"  # the portal was, or is about to be, asked to send
    ANSWERED = "answered"  # a message was claimed; the receiver is free once the sign-in is over (closed_at)
    UNUSED = "unused"  # the portal was not asked to send
    EXPIRED = "expired"  # sent, but nothing was claimed: the receiver rests until `rest_until`


class CodeRequest(Base):
    """A sign-in that needs a code; until it is closed no other one may ask at the same receiver for the same senders."""

    __tablename__ = "code_requests"
    __table_args__ = (
        Index(
            "uq_code_requests_open",
            "receiver",
            "sender_group",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_code_requests_receiver_rest_until", "receiver", "rest_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(Text)
    username: Mapped[str] = mapped_column(Text)
    receiver: Mapped[str] = mapped_column(Text)  # normalised, see database.access.codes.address
    senders: Mapped[list[str]] = mapped_column(JSON)  # normalised; empty means any
    sender_group: Mapped[str] = mapped_column(Text)  # the senders as one sorted text, for the index
    kind: Mapped[CodeKind] = mapped_column(text_enum(CodeKind))
    pattern: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline: Mapped[datetime] = mapped_column(UtcDateTime)  # requested_at + life: a dead process blocks no longer
    state: Mapped[CodeRequestState] = mapped_column(text_enum(CodeRequestState))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: the portal cannot have sent anything yet
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rest_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # set when expired: a late message may still come
    run_id: Mapped[int | None]  # None outside a run (scrapy test-login)
    # What a person has typed for this sign-in; None: nothing, or it was taken or is too old.
    typed: Mapped[str | None] = mapped_column(Encrypted)


class Message(Base):
    """
    One message as a gateway delivered it.

    The text goes when it is used or expired. What stays is a tombstone by which a second delivery is recognised: the
    fingerprint for the code's life, the gateway's id for a day.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("receiver", "gateway_id", name="uq_messages_receiver_gateway_id"),
        UniqueConstraint("claimed_by", name="uq_messages_claimed_by"),
        Index("ix_messages_receiver_received_at", "receiver", "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receiver: Mapped[str] = mapped_column(Text)  # normalised
    sender: Mapped[str] = mapped_column(Text)  # normalised: E.164, short code, mail address or casefolded name
    sender_raw: Mapped[str] = mapped_column(Text)
    portal: Mapped[str | None] = mapped_column(Text)  # the carrier prefix it came under; None: any portal may claim it
    text: Mapped[str | None] = mapped_column(Encrypted)  # None once used or expired
    text_fingerprint: Mapped[str | None] = mapped_column(Text, index=True)  # None once the code's life is over
    gateway_id: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by the gateway's clock; None when it does not say
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("code_requests.id"))  # None also when read by hand
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
