"""How far fleets, meters, watched prices and channels have come: the last sync or check of each, and what it left open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select, tuple_
from sqlalchemy.orm import Session

from database.models.fleet import Fault, Sync, Tenant, Vehicle
from database.models.jobs import Schedule
from database.models.prices import CheckStatus, WatchlistItem
from database.models.readings import MeterPeriod, Resolution
from database.models.telegram import Source

DAYS = {Resolution.DAILY: 1, Resolution.WEEKLY: 7}  # from one period to the next; a monthly one is a calendar month
GAPS = 8  # of one meter that are named


@dataclass(frozen=True, slots=True)
class Fleet:
    """A tenant, its last sync and its faults by the last complete one. None: there was none."""

    portal: str
    tenant: str
    vehicles: int
    last_sync_at: datetime | None
    was_complete: bool | None
    last_complete_at: datetime | None
    open_faults: int
    new_faults: int  # of the last complete sync
    critical_faults: int
    run_id: int | None
    errors: int  # of the last sync


@dataclass(frozen=True, slots=True)
class Gap:
    """Days of a meter without all their readings. found 0: nothing is stored."""

    first_day: date
    last_day: date
    found: int
    expected: int


@dataclass(slots=True)
class Meter:
    """The periods of a meter in one direction and resolution since a day."""

    contract: str
    meter: str
    meter_code: str
    direction: str
    resolution: str
    first_day: date
    last_day: date
    periods: int
    incomplete: int  # stored periods without all their readings
    absent: int  # periods between the first and the last that are not stored
    gaps: list[Gap] = field(default_factory=list)  # the newest GAPS


@dataclass(frozen=True, slots=True)
class Shop:
    """The watched products of a shop, and their last checks."""

    portal: str
    watched: int
    paused: int
    never_checked: int
    failing: int
    last_checked_at: datetime | None
    oldest_check_at: datetime | None  # of the watched product that was checked the longest ago


@dataclass(frozen=True, slots=True)
class Channel:
    """A source of messages, and its last run."""

    id: str
    name: str
    title: str
    is_active: bool
    outcome: str | None
    message: str | None
    last_success_at: datetime | None
    schedule: Schedule | None


def fleets(session: Session, offset: int, limit: int) -> list[Fleet]:
    """Return fleets, by portal and tenant."""
    of_page = select(Tenant).order_by(Tenant.portal, Tenant.name).offset(offset).limit(limit)
    tenants = session.scalars(of_page).all()
    ids = [tenant.id for tenant in tenants]
    last = _syncs(session, ids, complete=False)
    complete = _syncs(session, ids, complete=True)
    vehicles = select(Vehicle.tenant_id, func.count()).where(Vehicle.tenant_id.in_(ids), Vehicle.gone_at.is_(None))
    counted = _counted(session, vehicles.group_by(Vehicle.tenant_id))
    pairs = [(number, sync.id) for number, sync in complete.items()]
    faults = select(Fault.tenant_id, func.count()).where(tuple_(Fault.tenant_id, Fault.active_in).in_(pairs))
    still = _counted(session, faults.group_by(Fault.tenant_id)) if pairs else {}
    return [_fleet(each, last.get(each.id), complete.get(each.id), counted, still) for each in tenants]


def _fleet(
    tenant: Tenant, last: Sync | None, complete: Sync | None, vehicles: dict[int, int], faults: dict[int, int]
) -> Fleet:
    return Fleet(
        portal=tenant.portal,
        tenant=tenant.name,
        vehicles=vehicles.get(tenant.id, 0),
        last_sync_at=last.completed_at if last is not None else None,
        was_complete=last.success if last is not None else None,
        last_complete_at=complete.completed_at if complete is not None else None,
        open_faults=faults.get(tenant.id, 0),
        new_faults=complete.new_faults if complete is not None else 0,
        critical_faults=complete.critical_faults if complete is not None else 0,
        run_id=last.run_id if last is not None else None,
        errors=len(last.errors) if last is not None else 0,
    )


def _counted(session: Session, query: Select[int, int]) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(query)}


def _syncs(session: Session, tenants: Sequence[int], *, complete: bool) -> dict[int, Sync]:
    """Return the newest sync of each tenant."""
    newest = select(func.max(Sync.id)).where(Sync.tenant_id.in_(tenants)).group_by(Sync.tenant_id)
    newest = newest.where(Sync.success) if complete else newest
    return {sync.tenant_id: sync for sync in session.scalars(select(Sync).where(Sync.id.in_(newest)))}


_SERIES = (
    MeterPeriod.contract,
    MeterPeriod.meter,
    MeterPeriod.meter_code,
    MeterPeriod.direction,
    MeterPeriod.resolution,
)


def meters(session: Session, since: date, offset: int, limit: int) -> list[Meter]:
    """Return meters with the gaps of their periods since a day, in the order of their contracts."""
    ends = (func.min(MeterPeriod.first_day), func.max(MeterPeriod.last_day), func.count())
    incomplete = func.sum(case((MeterPeriod.complete, 0), else_=1))
    query = select(*_SERIES, *ends, incomplete).where(MeterPeriod.first_day >= since).group_by(*_SERIES)
    found: dict[tuple[str, ...], Meter] = {}
    for row in session.execute(query.order_by(*_SERIES).offset(offset).limit(limit)):
        found[tuple(row[:5])] = Meter(
            contract=row[0],
            meter=row[1],
            meter_code=row[2],
            direction=row[3],
            resolution=row[4],
            first_day=row[5],
            last_day=row[6],
            periods=row[7],
            incomplete=int(row[8]),
            absent=0,
        )
    if not found:
        return []
    days: dict[tuple[str, ...], list[tuple[date, date, int, int, bool]]] = defaultdict(list)
    columns = (
        MeterPeriod.first_day,
        MeterPeriod.last_day,
        MeterPeriod.found,
        MeterPeriod.expected,
        MeterPeriod.complete,
    )
    of_page = select(*_SERIES, *columns).where(MeterPeriod.first_day >= since)
    of_page = of_page.where(MeterPeriod.contract.in_({meter.contract for meter in found.values()}))
    for row in session.execute(of_page.order_by(*_SERIES, MeterPeriod.first_day)):
        days[tuple(row[:5])].append(tuple(row[5:]))
    for key, meter in found.items():
        _find_gaps(meter, days[key])
    return list(found.values())


def _find_gaps(meter: Meter, periods: Sequence[tuple[date, date, int, int, bool]]) -> None:
    """Name the gaps of a meter: stored periods that are not full, and days between two periods."""
    gaps: list[Gap] = []
    before: date | None = None
    for first_day, last_day, found, expected, is_complete in periods:
        if before is not None and first_day > before + timedelta(days=1):
            absent = Gap(before + timedelta(days=1), first_day - timedelta(days=1), 0, 0)
            gaps.append(absent)
            meter.absent += _periods_between(absent, Resolution(meter.resolution))
        if not is_complete:
            gaps.append(Gap(first_day, last_day, found, expected))
        before = max(before or last_day, last_day)
    meter.gaps = gaps[::-1][:GAPS]


def _periods_between(gap: Gap, resolution: Resolution) -> int:
    days = (gap.last_day - gap.first_day).days + 1
    return max(1, round(days / DAYS.get(resolution, 30.4)))


def shops(session: Session) -> list[Shop]:
    """Return each shop that is watched; of the products those that are not paused are looked at."""
    item = WatchlistItem

    def count(condition: Any) -> Any:
        return func.sum(case((condition, 1), else_=0))

    query = select(
        item.portal,
        count(item.is_active),
        count(~item.is_active),
        count(item.is_active & item.last_checked_at.is_(None)),
        count(item.is_active & (item.last_status == CheckStatus.ERROR)),
        func.max(item.last_checked_at),
        func.min(case((item.is_active, item.last_checked_at))),
    )
    return [Shop(*row) for row in session.execute(query.group_by(item.portal).order_by(item.portal))]


def channels(session: Session, offset: int, limit: int) -> list[Channel]:
    """Return sources, those with the oldest success first."""
    order = (Source.last_scraped_at.asc().nulls_first(), Source.id)
    query = select(Source, Schedule).outerjoin(Schedule, Schedule.id == Source.schedule_id).order_by(*order)
    return [
        Channel(
            id=source.id,
            name=source.name,
            title=source.channel_title,
            is_active=source.is_active,
            outcome=source.outcome,
            message=source.message,
            last_success_at=source.last_scraped_at,
            schedule=schedule,
        )
        for source, schedule in session.execute(query.offset(offset).limit(limit))
    ]
