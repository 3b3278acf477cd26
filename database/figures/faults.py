"""The faults of fleets over time: how many complete syncs opened and closed, and how many were open."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, distinct, func, select, tuple_
from sqlalchemy.orm import Session

from database.figures.curves import Curve, Figures, Value, label_of
from database.figures.spans import Span
from database.models.fleet import Fault, FaultChange, FaultEvent, Sync, Tenant


@dataclass(frozen=True, slots=True)
class Fleets:
    """Which faults are looked at; None: not chosen by that."""

    portal: str | None = None
    tenant: str | None = None
    vin: str | None = None


def faults_by_time(session: Session, chosen: Fleets, span: Span) -> Figures:
    """
    Return opened and closed faults, and those that were open at the end of each point. step of *span*: day, month or year.

    Where no complete sync was made nothing is known. Where one of the fleets of the period had none, the faults that were open
    stand in a curve of their own: those of that fleet are as they were before.
    """
    tenants = _tenants(chosen)
    point = label_of(session, Sync.completed_at, span.step)
    within = (Sync.completed_at >= span.edges[0], Sync.completed_at < span.edges[-1])
    complete = (Sync.success, Sync.tenant_id.in_(tenants))
    fleets = session.scalar(select(func.count(distinct(Sync.tenant_id))).where(*within, *complete)) or 0
    read = select(point, func.count(distinct(Sync.tenant_id))).where(*within, *complete).group_by(point)
    synced = {row[0]: row[1] for row in session.execute(read)}
    events = select(point, FaultEvent.change, func.count()).join(Sync, Sync.id == FaultEvent.sync_id)
    events = events.where(*within, Sync.tenant_id.in_(tenants), *_of_vehicle(chosen)).group_by(point, FaultEvent.change)
    changes: Counter[tuple[str, FaultChange]] = Counter()
    for label, change, count in session.execute(events):
        changes[label, change] = count
    opened = _known(span, synced, {label: changes[label, FaultChange.OPENED] for label in span.labels})
    closed = _known(span, synced, {label: changes[label, FaultChange.CLOSED] for label in span.labels})
    at_end = _open_after(session, chosen, span)
    still_open: dict[str, int] = {}
    for label in reversed(span.labels):
        still_open[label] = at_end
        at_end -= changes[label, FaultChange.OPENED] - changes[label, FaultChange.CLOSED]
    whole = {label: count for label, count in synced.items() if count == fleets}
    partly = {label: count for label, count in synced.items() if count < fleets}
    return Figures(
        span,
        (
            Curve("open", "faults", _known(span, whole, still_open)),
            Curve("open, incomplete", "faults", _known(span, partly, still_open)),
            Curve("opened", "faults", opened),
            Curve("closed", "faults", closed),
            Curve("fleets read", "fleets", tuple(synced.get(label, 0) for label in span.labels)),
            Curve("fleets", "fleets", (fleets,) * len(span.labels)),
        ),
    )


def _known(span: Span, synced: dict[str, int], found: dict[str, int]) -> tuple[Value, ...]:
    return tuple(found[label] if label in synced else None for label in span.labels)


def _tenants(chosen: Fleets) -> Select[Any]:
    query = select(Tenant.id)
    for attribute, value in ((Tenant.portal, chosen.portal), (Tenant.name, chosen.tenant)):
        if value is not None:
            query = query.where(attribute == value)
    return query


def _of_vehicle(chosen: Fleets) -> tuple[ColumnElement[bool], ...]:
    """Return the condition for events of the chosen vehicle."""
    if chosen.vin is None:
        return ()
    return (FaultEvent.fault_id.in_(select(Fault.id).where(Fault.vin == chosen.vin)),)


def _open_after(session: Session, chosen: Fleets, span: Span) -> int:
    """Return how many faults were open when the period ended: those of the last complete syncs, without what came after it."""
    tenants = _tenants(chosen)
    newest = select(Sync.tenant_id, func.max(Sync.id)).where(Sync.success, Sync.tenant_id.in_(tenants))
    still = select(func.count(Fault.id)).where(
        tuple_(Fault.tenant_id, Fault.active_in).in_(newest.group_by(Sync.tenant_id))
    )
    if chosen.vin is not None:
        still = still.where(Fault.vin == chosen.vin)
    count = session.scalar(still) or 0
    later = select(FaultEvent.change, func.count()).join(Sync, Sync.id == FaultEvent.sync_id)
    later = later.where(Sync.completed_at >= span.edges[-1], Sync.tenant_id.in_(tenants), *_of_vehicle(chosen))
    later = later.group_by(FaultEvent.change)
    for change, number in session.execute(later):
        count += number if change is FaultChange.CLOSED else -number
    return count
