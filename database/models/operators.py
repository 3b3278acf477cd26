"""Tables of the control room: what each user may do there, the passkeys of users, and what was accepted as it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
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


class Passkey(Base):
    """The public part of a key with which a user signs in at the control room. It goes when the user has no role any more."""

    __tablename__ = "passkeys"
    __table_args__ = (UniqueConstraint("credential_id"), Index(None, "user_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("grants.user_id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))  # the user's own name for it
    credential_id: Mapped[str] = mapped_column(String(1400))  # base64url of at most 1023 bytes, which its device chose
    public_key: Mapped[str] = mapped_column(Text)  # base64url of a COSE key
    sign_count: Mapped[int] = mapped_column(BigInteger)  # what its device counted at the last use; 0: it counts nothing
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChallengePurpose(StrEnum):
    """What a signed challenge is good for."""

    ADD = "add"
    SIGN_IN = "sign_in"


class PasskeyChallenge(Base):
    """Random bytes that a passkey is to sign: good once, until they expire, in the browser session that asked for them."""

    __tablename__ = "passkey_challenges"
    __table_args__ = (UniqueConstraint("challenge_hash"), Index(None, "expires_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    challenge_hash: Mapped[str] = mapped_column(String(64))
    browser_hash: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[ChallengePurpose] = mapped_column(text_enum(ChallengePurpose))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Acceptance(Base):
    """A target and period of a spider that an operator has accepted as gone: it needs a person no more."""

    __tablename__ = "acceptances"

    identity: Mapped[str] = mapped_column(String(700), primary_key=True)  # as that of a job
    label: Mapped[str] = mapped_column(String(300))
    outcome: Mapped[str] = mapped_column(String(50))  # of the run after which it was accepted
    actor: Mapped[str] = mapped_column(String(320))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
