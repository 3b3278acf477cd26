"""Syncs of a fleet: which faults are new or gone, compared with the tenant's last complete sync."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from database.engine import now
from database.models.fleet import Fault, FaultChange, FaultEvent, Severity, Sync, Tenant, Vehicle
from database.upsert import batches

# Faults after which an engine may be derated soon, whatever the portal calls them. The labels are not the portal's own.
CRITICAL_SPNS = {
    1569: "engine protection torque derate",
    3363: "DEF tank level low",
    3364: "DEF quality",
    4364: "SCR NOx efficiency",
    5246: "SCR operator inducement",
}


def is_critical(severity: str, spn: int, is_active: bool | None) -> bool:
    """
    Tell whether a fault is active and needs action at once: of severity critical, or with its SPN on our list.

    >>> is_critical("minor", 3364, True), is_critical("critical", 100, False)
    (True, False)
    """
    return bool(is_active) and (severity == Severity.CRITICAL or spn in CRITICAL_SPNS)


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What a run has read of a tenant.

    vins: of all vehicles on the portal's list. faults: rows with the columns of Fault, all of them stored already.
    """

    vins: Collection[str]
    faults: Sequence[Mapping[str, Any]] = ()


def tenant_named(session: Session, portal: str, name: str) -> Tenant:
    """Return the tenant of that name; a new one is made."""
    of_name = select(Tenant).where(Tenant.portal == portal, Tenant.name == name)
    if (tenant := session.scalars(of_name).one_or_none()) is None:
        tenant = Tenant(portal=portal, name=name)
        session.add(tenant)
        session.flush()
    return tenant


def known_vins(session: Session, tenant_id: int) -> set[str]:
    """Return the VINs that the tenant's list had when it was last read in full."""
    return set(session.scalars(select(Vehicle.vin).where(Vehicle.tenant_id == tenant_id, Vehicle.gone_at.is_(None))))


def last_complete_sync(session: Session, tenant_id: int) -> Sync | None:
    """Return the tenant's newest sync in which every vehicle was read."""
    of_tenant = select(Sync).where(Sync.tenant_id == tenant_id, Sync.success)
    return session.scalars(of_tenant.order_by(Sync.id.desc()).limit(1)).one_or_none()


def note_vehicles(session: Session, tenant_id: int, vins: Collection[str], username: str | None) -> None:
    """After the whole list was read: mark vehicles that are no longer on it, and who has read it."""
    listed, at = set(vins), now(session)
    rows = session.scalars(select(Vehicle).where(Vehicle.tenant_id == tenant_id)).all()
    for vehicle in rows:
        vehicle.gone_at = None if vehicle.vin in listed else vehicle.gone_at or at
    session.execute(update(Tenant).where(Tenant.id == tenant_id).values(username=username))


def conclude_sync(
    session: Session, tenant_id: int, run_id: int, seen: Seen, *, errors: Sequence[str] = (), complete: bool
) -> Sync:
    """
    Write down a sync and, when it is complete, open and close faults against the last complete one.

    An incomplete sync counts what is new, and closes and opens nothing: what it did not see may still be there.
    """
    before = last_complete_sync(session, tenant_id)
    known = {(row.vin, row.source_address, row.spn, row.fmi): row for row in _faults(session, tenant_id)}
    rows = {key: known[key] for fault in seen.faults if (key := _key(fault)) in known}
    active = {key for key, row in rows.items() if row.is_active}
    was_active = {key for key, row in known.items() if before is not None and row.active_in == before.id}
    closed = was_active - active if complete else set()
    at = now(session)
    sync = Sync(
        tenant_id=tenant_id,
        run_id=run_id,
        completed_at=at,
        vehicles_found=len(seen.vins),
        faults_found=len(rows),
        new_faults=len(active - was_active),
        closed_faults=len(closed),
        critical_faults=sum(is_critical(row.severity, row.spn, row.is_active) for row in rows.values()),
        errors=list(errors),
        success=complete,
    )
    session.add(sync)
    session.flush()
    _set(session, [row.id for row in rows.values()], last_synced_at=at)
    if complete:
        _set(session, [known[key].id for key in active], active_in=sync.id, closed_at=None)
        # Also those that only an incomplete sync has seen, and that are gone again.
        gone = [row.id for key, row in known.items() if key not in rows and row.is_active is not False]
        _set(session, gone, is_active=False)
        _set(session, [known[key].id for key in closed], closed_at=at)
        _remember(session, sync, FaultChange.OPENED, [known[key].id for key in active - was_active])
        _remember(session, sync, FaultChange.CLOSED, [known[key].id for key in closed])
    return sync


def _faults(session: Session, tenant_id: int) -> Sequence[Any]:
    columns = (Fault.id, Fault.vin, Fault.source_address, Fault.spn, Fault.fmi, Fault.severity, Fault.is_active)
    return session.execute(select(*columns, Fault.active_in).where(Fault.tenant_id == tenant_id)).all()


def _key(fault: Mapping[str, Any]) -> tuple[str, int, int, int]:
    return fault["vin"], fault["source_address"], fault["spn"], fault["fmi"]


def _set(session: Session, ids: Sequence[int], **values: bool | int | datetime | None) -> None:
    for some in batches(sorted(ids), 500):  # far below what either database takes in one statement
        session.execute(
            update(Fault).where(Fault.id.in_(some)).values(values), execution_options={"synchronize_session": False}
        )


def _remember(session: Session, sync: Sync, change: FaultChange, ids: Sequence[int]) -> None:
    if ids:
        session.execute(
            insert(FaultEvent), [{"fault_id": fault, "sync_id": sync.id, "change": change} for fault in ids]
        )
