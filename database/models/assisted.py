"""The table of sign-ins that an operator finishes from the control room: what was asked for, and how far each has come."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

import database.models.prices  # noqa: F401 - the table of users
from database.access.encryption import Encrypted
from database.models.base import Base, UtcDateTime, text_enum

NOT_ENDED = text("ended_at IS NULL")


class AssistedState(StrEnum):
    """How far a sign-in has come."""

    ASKED = "asked"  # no worker has taken it yet
    STARTED = "started"  # a process signs in, and the operator has nothing to do, yet or any more
    OPEN = "open"  # the operator sees the portal's page and acts in it
    ENDED = "ended"


class AssistedSignIn(Base):
    """
    A sign-in that one operator finishes: state alone. What the operator sees and types is nowhere in it.

    address and key: of the channel to the browser's process, only while it is open.
    """

    __tablename__ = "assisted_sign_ins"
    __table_args__ = (
        # One at a time for a credential, so that it is one operator's.
        Index(
            "uq_assisted_sign_ins_open",
            "login",
            "username",
            unique=True,
            sqlite_where=NOT_ENDED,
            postgresql_where=NOT_ENDED,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))  # the operator
    portal: Mapped[str] = mapped_column(String(50))
    login: Mapped[str] = mapped_column(Text)
    username: Mapped[str] = mapped_column(Text)
    state: Mapped[AssistedState] = mapped_column(text_enum(AssistedState), default=AssistedState.ASKED)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deadline: Mapped[datetime] = mapped_column(UtcDateTime)  # one that has not ended by then has lost its process
    process: Mapped[str | None] = mapped_column(Text)  # signature of the worker that took it; None: none has
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when the operator's time ends; None: it has not begun
    address: Mapped[str | None] = mapped_column(Text)  # host:port; None: not open
    key: Mapped[str | None] = mapped_column(Encrypted)
    outcome: Mapped[str | None] = mapped_column(String(50))  # None: it has not ended, or its process said nothing
    message: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
