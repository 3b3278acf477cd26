"""The readings of a meter over time, from a quarter of an hour to a year; missing ones stay missing, corrected ones are told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, and_, distinct, func, literal, select, tuple_
from sqlalchemy.orm import Session

from database.families.readings import Series, is_of
from database.figures.curves import Curve, Figures, Value, exact, exact_sum, points_of
from database.figures.spans import SHORT, Span, Step
from database.models.readings import MeterReading, Resolution
from database.models.versions import Version
from database.versions import key_text

DECIMALS = 4  # of a kWh


def steps_of(resolution: Resolution) -> tuple[Step, ...]:
    """Return the steps by which readings can be summed, the shortest first: they are of quarters of an hour, or of days."""
    return tuple(Step) if resolution is Resolution.DAILY else (Step.DAY, Step.MONTH, Step.YEAR)


def newest_day(session: Session, of: Series, zone: str) -> date | None:
    """Return the day of the zone in which the newest reading begins; None: there is none."""
    at: datetime | None = session.scalar(select(func.max(MeterReading.starts_at)).where(*is_of(of)))
    return None if at is None else at.astimezone(ZoneInfo(zone)).date()


def readings_by_time(session: Session, of: Series, span: Span) -> Figures:
    """
    Return the kWh of a meter, by the newest versions of its readings.

    A sum that lacks a reading is in a curve of its own; without any reading there is none. corrected: how many readings have
    earlier versions; of single readings the value of the version before is there too.
    """
    points = points_of(span)
    on = and_(*is_of(of), MeterReading.starts_at >= points.c.begins, MeterReading.starts_at < points.c.ends)
    sums = (exact_sum(MeterReading.kwh, DECIMALS), func.count(MeterReading.kwh))
    query = select(points.c.number, *sums).select_from(points).outerjoin(MeterReading, on).group_by(points.c.number)
    found = {row[0]: (exact(row[1], DECIMALS), int(row[2])) for row in session.execute(query)}
    expected = tuple(_expected(of, begins, ends) for begins, ends in pairwise(span.edges))
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
        Version.key >= literal(series) + points.c.begins_text,
        Version.key < literal(series) + points.c.ends_text,
    )
    query = select(points.c.number, func.count(distinct(Version.key))).select_from(points).outerjoin(Version, on)
    found = {row[0]: row[1] for row in session.execute(query.group_by(points.c.number))}
    return tuple(found[number] for number in range(len(span.labels)))


def _earlier(session: Session, of: Series, span: Span) -> tuple[Value, ...]:
    """Return the kWh that each corrected reading had before its newest version; *span* has a point for each reading."""
    of_span = (
        Version.table_name == MeterReading.__tablename__,
        Version.key >= _key(of, span.edges[0]),
        Version.key < _key(of, span.edges[-1]),
    )
    last = select(Version.key, func.max(Version.number)).where(*of_span).group_by(Version.key)
    query = select(Version.key, Version.row).where(*of_span, tuple_(Version.key, Version.number).in_(last))
    found = {key: row.get("kwh") for key, row in session.execute(query)}
    before = (found.get(f'{_key(of, edge)}"}}') for edge in span.edges[:-1])
    return tuple(None if kwh is None else Decimal(str(kwh)) for kwh in before)
