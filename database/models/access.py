"""Credentials, stored sessions, proved identities, leases, and the ledger of sign-in attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database.access.encryption import Encrypted
from database.models.base import Base, JsonColumn, UtcDateTime, utc_now


class StoredCredential(Base):
    """A user name and its secrets at a portal (or at one login of it, by the login's name)."""

    __tablename__ = "credentials"
    __table_args__ = (UniqueConstraint("portal", "username"),)
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "portal"}

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    portal: Mapped[str] = mapped_column(String(100))
    username: Mapped[str] = mapped_column(String(300))
    password: Mapped[str] = mapped_column(Encrypted)
    totp_secret: Mapped[str | None] = mapped_column(Encrypted)  # None: no authenticator app
    receiver: Mapped[str | None] = mapped_column(String(300))  # phone or mail address to which its codes go
    nickname: Mapped[str | None] = mapped_column(String(150))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)

    def __repr__(self) -> str:
        """Show which row it is, and no value of it."""
        return f"<{type(self).__name__} {self.id}>"


class CarrierPortalCredential(StoredCredential):
    """A credential that belongs to a client and opens all its accounts at a carrier."""

    __mapper_args__ = {"polymorphic_identity": "carrier"}

    # Their foreign keys are in `database.models.carriers`.
    client_id: Mapped[int | None]
    carrier_id: Mapped[int | None]


class StoredSession(Base):
    """
    A saved session of a user.

    A destroyed one keeps its row without its state, so that version numbers only rise, and with the trusted device's cookies.
    """

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("login", "username"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(100))
    username: Mapped[str] = mapped_column(String(300))
    version: Mapped[int]
    state: Mapped[str | None] = mapped_column(Encrypted)  # JSON; None once destroyed
    device: Mapped[str | None] = mapped_column(Encrypted)  # JSON; None: the portal trusts no device of this user
    user_agent: Mapped[str] = mapped_column(Text, default="")
    identity: Mapped[str] = mapped_column(Text, default="")  # as proved at the sign-in
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    proved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: only the portal knows

    def __repr__(self) -> str:
        """Show which row it is, and no value of it."""
        return f"<StoredSession {self.id} version {self.version}>"


class ProvedIdentity(Base):
    """The identity that a login has shown before for a user name; a new session must match it."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("login", "username"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(100))
    username: Mapped[str] = mapped_column(String(300))
    name: Mapped[str | None] = mapped_column(Text)  # None: the portal shows no name
    accounts: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    proved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Lease(Base):
    """A lease: its holder and its end. A released one keeps its row without holder, so that epochs only rise."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(500), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))  # "" when released
    epoch: Mapped[int]  # rises with each new holder
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerEntry(Base):
    """One sign-in attempt; the row is there before the first byte is sent."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "login", "username", "started_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(100))
    username: Mapped[str] = mapped_column(String(300))
    secret_fingerprint: Mapped[str] = mapped_column(String(64))  # HMAC-SHA256; "" in the mark that `unblock` leaves
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: no answer yet
    result: Mapped[str | None] = mapped_column(String(100))  # None: no answer yet
    proved: Mapped[bool] = mapped_column(default=False)  # the portal accepted the password, whatever came after it
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    process: Mapped[str | None] = mapped_column(String(200))  # its signature, by which it is told from every other one


class UsedTotpStep(Base):
    """A TOTP step that was submitted: never again."""

    __tablename__ = "used_totp_steps"
    __table_args__ = (UniqueConstraint("login", "username", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(100))
    username: Mapped[str] = mapped_column(String(300))
    step: Mapped[int] = mapped_column(Integer)  # Unix time divided by the period
    used_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Note(Base):
    """What a job must still know after a kill: a report was asked for, when, under which name."""

    __tablename__ = "notes"
    __table_args__ = (UniqueConstraint("spider", "target_key", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    spider: Mapped[str] = mapped_column(String(100))
    target_key: Mapped[str] = mapped_column(String(300))
    name: Mapped[str] = mapped_column(String(200))
    value: Mapped[Any] = mapped_column(JsonColumn, nullable=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
