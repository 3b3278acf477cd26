"""Secrets of this installation itself, stored encrypted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from database.access.encryption import Encrypted
from database.models.base import Base, UtcDateTime, utc_now


class FingerprintKey(Base):
    """The key of our HMACs: one row, the same through every rotation, so that what is blocked stays blocked."""

    __tablename__ = "fingerprint_keys"

    id: Mapped[int] = mapped_column(primary_key=True)  # always 1
    value: Mapped[str] = mapped_column(Encrypted)  # hexadecimal
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    def __repr__(self) -> str:
        """Show which row it is, and no value of it."""
        return f"<FingerprintKey {self.id}>"
