"""Tables of the control room: what each user may do there, and what was accepted as it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

import database.models.carriers  # the table of clients
import database.models.prices  # noqa: F401 - the table of users
from database.models.base import Base, UtcDateTime, text_enum, utc_now


class Role(StrEnum):
    """What a user may do."""

    USER = "user"  # watch prices: what every user may who has no grant
    CLIENT_VIEWER = "client_viewer"  # see what belongs to one client
    VIEWER = "viewer"  # see everything
    OPERATOR = "operator"  # see and change everything


class Grant(Base):
    """The role of a user in the control room."""

    __tablename__ = "grants"
    __table_args__ = (
        CheckConstraint("(role = 'client_viewer') = (client_id IS NOT NULL)", name="client"),
        CheckConstraint("role IN ('client_viewer', 'viewer', 'operator')", name="role"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[Role] = mapped_column(text_enum(Role))
    # Of a CLIENT_VIEWER. The grant goes with its client.
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Acceptance(Base):
    """A target and period of a spider that an operator has accepted as gone: it needs a person no more."""

    __tablename__ = "acceptances"

    identity: Mapped[str] = mapped_column(String(700), primary_key=True)  # as that of a job
    label: Mapped[str] = mapped_column(String(300))
    outcome: Mapped[str] = mapped_column(String(50))  # of the run after which it was accepted
    actor: Mapped[str] = mapped_column(String(320))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
