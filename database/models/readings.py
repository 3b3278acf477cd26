"""Electricity meters: what went through them, quarter by quarter or day by day, and where their counters stood."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database.models.base import Base, UtcDateTime, text_enum


class Direction(StrEnum):
    """Which way the electricity went."""

    CONSUMPTION = "consumption"
    PRODUCTION = "production"


class Resolution(StrEnum):
    """What was asked for: daily brings a day's quarters of an hour; weekly and monthly bring days."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class MeterReading(Base):
    """What went through a meter in a quarter of an hour (daily) or in a day (weekly, monthly)."""

    __tablename__ = "meter_readings"
    # Named, because a name made of its columns would be longer than PostgreSQL takes.
    __table_args__ = (
        UniqueConstraint(
            "contract", "meter", "meter_code", "direction", "resolution", "starts_at", name="uq_meter_readings_key"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(String(20))  # without leading zeros
    meter: Mapped[str] = mapped_column(String(20))  # serial number without leading zeros
    meter_code: Mapped[str] = mapped_column(String(10))
    direction: Mapped[Direction] = mapped_column(text_enum(Direction))
    resolution: Mapped[Resolution] = mapped_column(text_enum(Resolution))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kwh: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))  # may be negative; None: the portal has no value
    status: Mapped[int | None]  # the portal's own
    band: Mapped[int | None]  # the portal's code for the time-of-use band ("taoz"); None: not said
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)


class MeterPeriod(Base):
    """A day, week or month of a meter as the portal answered it last: how full it is, and the portal's own total."""

    __tablename__ = "meter_periods"
    __table_args__ = (
        UniqueConstraint(
            "contract", "meter", "meter_code", "direction", "resolution", "first_day", name="uq_meter_periods_key"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(String(20))
    meter: Mapped[str] = mapped_column(String(20))
    meter_code: Mapped[str] = mapped_column(String(10))
    direction: Mapped[Direction] = mapped_column(text_enum(Direction))
    resolution: Mapped[Resolution] = mapped_column(text_enum(Resolution))
    first_day: Mapped[date]  # in Jerusalem
    last_day: Mapped[date]
    expected: Mapped[int]  # rows of a full period: 96 quarters, 92 and 100 on the days when the clock changes
    found: Mapped[int]  # rows with a value
    complete: Mapped[bool]
    total_kwh: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))  # by the portal; None: it does not say
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)


class RegisterReading(Base):
    """Where a register of a meter stood when it was last read for an invoice."""

    __tablename__ = "register_readings"
    __table_args__ = (UniqueConstraint("contract", "meter", "register_number", "read_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(String(20))
    meter: Mapped[str] = mapped_column(String(20))
    register_number: Mapped[str] = mapped_column(String(10))
    read_on: Mapped[date]
    reading: Mapped[Decimal | None] = mapped_column(Numeric(14, 3))  # kWh
    usage: Mapped[Decimal | None] = mapped_column(Numeric(14, 3))  # kWh since the reading before; None: not said
    code: Mapped[str | None] = mapped_column(String(10))  # how it was read, by the portal's code
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
