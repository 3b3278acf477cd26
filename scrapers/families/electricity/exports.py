"""Queries of `scrapy export records` for electricity, besides its tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from database.models.readings import MeterReading


def readings(account: str | None, since: datetime | None) -> tuple[tuple[str, ...], Any]:
    """Readings of meters; *since* applies to the time that they cover."""
    names = ("id", "contract", "meter", "meter_code", "direction", "resolution", "starts_at", "kwh", "status", "band")
    query = select(*(getattr(MeterReading, name) for name in names), MeterReading.run_id)
    if since:
        query = query.where(MeterReading.starts_at >= since)
    return (*names, "run"), query
