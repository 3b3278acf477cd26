"""Looking at the meter readings that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from database.models.readings import Direction, MeterReading, Resolution


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """The readings of one meter in one direction and resolution."""

    contract: str
    meter: str
    meter_code: str
    direction: Direction
    resolution: Resolution


def series(session: Session) -> dict[Series, tuple[datetime, datetime]]:
    """Return all series, each with the instants at which its first and its last reading begin."""
    columns = (
        MeterReading.contract,
        MeterReading.meter,
        MeterReading.meter_code,
        MeterReading.direction,
        MeterReading.resolution,
    )
    ends = (func.min(MeterReading.starts_at), func.max(MeterReading.starts_at))
    found = session.execute(select(*columns, *ends).group_by(*columns).order_by(*columns)).all()
    return {Series(*row[:5]): (row[5], row[6]) for row in found}


def readings(
    session: Session, of: Series, begins: datetime, ends: datetime
) -> Sequence[tuple[datetime, Decimal | None]]:
    """Return when each reading from *begins* to before *ends* begins, and its kWh, oldest first."""
    within = (MeterReading.starts_at >= begins, MeterReading.starts_at < ends)
    question = select(MeterReading.starts_at, MeterReading.kwh).where(*is_of(of), *within)
    return [(row[0], row[1]) for row in session.execute(question.order_by(MeterReading.starts_at))]


def is_of(of: Series) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the readings of a series."""
    return (
        MeterReading.contract == of.contract,
        MeterReading.meter == of.meter,
        MeterReading.meter_code == of.meter_code,
        MeterReading.direction == of.direction,
        MeterReading.resolution == of.resolution,
    )
