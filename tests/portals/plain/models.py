"""The plain portal's tables, which no migration of ours makes."""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database.engine import Database
from database.models import all_tables
from database.models.base import Base


class PlainDocument(Base):
    __tablename__ = "plain_documents"
    __table_args__ = (UniqueConstraint("username", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(300))
    number: Mapped[str] = mapped_column(String(100))
    day: Mapped[date]
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    currency: Mapped[str] = mapped_column(String(3))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id"))


class PlainUsage(Base):
    __tablename__ = "plain_usage"
    __table_args__ = (UniqueConstraint("username", "day", "line", "service"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(300))
    day: Mapped[date]
    line: Mapped[str] = mapped_column(String(50))
    service: Mapped[str] = mapped_column(String(20))
    used: Mapped[int] = mapped_column(BigInteger)  # bytes
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    currency: Mapped[str] = mapped_column(String(3))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id"))


def create(database_url: str) -> None:
    """Make all tables, the plain portal's among them."""
    db = Database(database_url)
    all_tables().create_all(db.engine)
    db.engine.dispose()
