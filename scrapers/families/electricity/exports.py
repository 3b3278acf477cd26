"""Queries of `scrapy export records` for electricity, besides its tables."""

from __future__ import annotations

from sqlalchemy import select

from database.models.readings import MeterReading
from scrapers.core.exports import Records


def readings() -> Records:
    """Readings of meters, by the time at which the quarter of an hour or the day begins."""
    names = ("id", "contract", "meter", "meter_code", "direction", "resolution", "starts_at", "kwh", "status", "band")
    query = select(*(getattr(MeterReading, name) for name in names), MeterReading.run_id.label("run"))
    return Records(query, MeterReading.starts_at)
