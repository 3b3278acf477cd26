"""The readings of a meter over time, from a quarter of an hour to a year; missing ones stay missing, corrected ones are told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, ColumnElement, Integer, String, and_, column, distinct, func, literal, select, values
from sqlalchemy.orm import Session

from database.families.readings import Series
from database.figures.curves import Curve, Figures, Value, exact, exact_sum
from database.figures.spans import MOST, SHORT, Span, Step
from database.models.base import UtcDateTime
from database.models.readings import MeterReading, Resolution
from database.models.versions import Version
from database.versions import key_text

DECIMALS = 4  # of a kWh
EARLIER = 4 * MOST  # replaced versions that are looked at for the values before


def steps_of(resolution: Resolution) -> tuple[Step, ...]:
    """Return the steps by which readings can be summed, the shortest first: they are of quarters of an hour, or of days."""
    return tuple(Step) if resolution is Resolution.DAILY else (Step.DAY, Step.MONTH, Step.YEAR)


def newest_day(session: Session, of: Series, zone: str) -> date | None:
    """Return the day of the zone in which the newest reading begins; None: there is none."""
    at: datetime | None = session.scalar(select(func.max(MeterReading.starts_at)).where(*_is_of(of)))
    return None if at is None else at.astimezone(ZoneInfo(zone)).date()


def readings_by_time(session: Session, of: Series, span: Span) -> Figures:
    """
    Return the kWh of a meter, by the newest versions of its readings.

    A sum that lacks a reading is in a curve of its own; without any reading there is none. corrected: how many readings are not
    as the company said at first; of single readings the value before the newest version is there too.
    """
    points = _points(span)
    on = and_(*_is_of(of), MeterReading.starts_at >= points.c.begins, MeterReading.starts_at < points.c.ends)
    sums = (exact_sum(MeterReading.kwh, DECIMALS), func.count(MeterReading.kwh))
    # An outer join: SQLite then looks each point up in the index, and not each reading in the points.
    query = select(points.c.number, *sums).select_from(points).outerjoin(MeterReading, on).group_by(points.c.number)
    found = {row[0]: (exact(row[1], DECIMALS), int(row[2])) for row in session.execute(query)}
    expected = tuple(_expected(of, begins, ends) for begins, ends in zip(span.edges, span.edges[1:], strict=False))
    whole: list[Value] = []
    partly: list[Value] = []
    for number, count in enumerate(expected):
        kwh, known = found[number]
        whole.append(kwh if known >= count else None)
        partly.append(kwh if 0 < known < count else None)
    name = of.direction.value
    curves = [Curve(name, "kWh", tuple(whole)), Curve(f"{name}, incomplete", "kWh", tuple(partly))]
    if span.step is steps_of(of.resolution)[0]:
        curves.append(Curve("before correction", "kWh", _earlier(session, of, span)))
    known_counts = tuple(found[number][1] for number in range(len(expected)))
    curves += [Curve("readings", "readings", known_counts), Curve("expected", "readings", expected)]
    return Figures(span, (*curves, Curve("corrected", "readings", _corrected(session, of, span, points))))


def _is_of(of: Series) -> tuple[ColumnElement[bool], ...]:
    return (
        MeterReading.contract == of.contract,
        MeterReading.meter == of.meter,
        MeterReading.meter_code == of.meter_code,
        MeterReading.direction == of.direction,
        MeterReading.resolution == of.resolution,
    )


def _points(span: Span) -> CTE:
    """Return the points as a table: number, begins, ends, and both instants as they stand in keys of versions."""
    instants, texts = UtcDateTime(), String()
    columns = (column("number", Integer), column("begins", instants), column("ends", instants))
    rows = [
        (number, begins, ends, begins.isoformat(), ends.isoformat())
        for number, (begins, ends) in enumerate(zip(span.edges, span.edges[1:], strict=False))
    ]
    return (
        values(*columns, column("first_key", texts), column("last_key", texts), name="points").data(rows).cte("points")
    )


def _expected(of: Series, begins: datetime, ends: datetime) -> int:
    """Return how many readings make a point whole: fewer or more where the clock is changed."""
    if of.resolution is Resolution.DAILY:
        return (ends - begins) // SHORT[Step.QUARTER]
    return round((ends - begins) / timedelta(days=1))


def _key(of: Series, at: datetime) -> str:
    """Return the beginning of the key of a reading's versions, up to its instant, which is the last part of it."""
    key = {"contract": of.contract, "meter": of.meter, "meter_code": of.meter_code, "starts_at": at}
    return key_text({**key, "direction": of.direction.value, "resolution": of.resolution.value}).removesuffix('"}')


def _corrected(session: Session, of: Series, span: Span, points: CTE) -> tuple[int, ...]:
    series = _key(of, span.edges[0]).removesuffix(span.edges[0].isoformat())
    on = and_(
        Version.table_name == MeterReading.__tablename__,
        Version.key >= literal(series) + points.c.first_key,
        Version.key < literal(series) + points.c.last_key,
    )
    query = select(points.c.number, func.count(distinct(Version.key))).select_from(points).outerjoin(Version, on)
    found = {row[0]: row[1] for row in session.execute(query.group_by(points.c.number))}
    return tuple(found[number] for number in range(len(span.labels)))


def _earlier(session: Session, of: Series, span: Span) -> tuple[Value, ...]:
    """Return the kWh that each corrected reading had before."""
    series = _key(of, span.edges[0]).removesuffix(span.edges[0].isoformat())
    query = select(Version.key, Version.row).where(
        Version.table_name == MeterReading.__tablename__,
        Version.key >= _key(of, span.edges[0]),
        Version.key < _key(of, span.edges[-1]),
    )
    places = {f'{series}{edge.isoformat()}"}}': number for number, edge in enumerate(span.edges[:-1])}
    found: dict[int, Any] = {}
    for key, row in session.execute(query.order_by(Version.key, Version.number).limit(EARLIER)):
        if key in places:
            found[places[key]] = row.get("kwh")
    return tuple(
        Decimal(str(found[number])) if found.get(number) is not None else None for number in range(len(span.labels))
    )
