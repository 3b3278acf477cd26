"""Queries of `scrapy export records` for fleets: each row with its portal and tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from database.models import Run
from database.models.fleet import Fault, FaultEvent, Sync, Tenant, Vehicle

Columns = tuple[tuple[str, ...], Any]


def vehicles(account: str | None, since: datetime | None) -> Columns:
    """Vehicles as the portal showed them last; since: written by a run since then."""
    return _of_tenant(Vehicle, since)


def faults(account: str | None, since: datetime | None) -> Columns:
    """Faults as the portal showed them last; since: written by a run since then."""
    return _of_tenant(Fault, since)


def syncs(account: str | None, since: datetime | None) -> Columns:
    """The counts of each sync of a tenant's faults."""
    return _of_tenant(Sync, since)


def fault_events(account: str | None, since: datetime | None) -> Columns:
    """When complete syncs found faults opened or closed."""
    names = ("id", "portal", "tenant", "vin", "source_address", "spn", "fmi", "change", "completed_at", "sync", "run")
    fault = (Fault.vin, Fault.source_address, Fault.spn, Fault.fmi)
    query = (
        select(FaultEvent.id, Tenant.portal, Tenant.name, *fault)
        .add_columns(FaultEvent.change, Sync.completed_at, Sync.id, Sync.run_id)
        .select_from(FaultEvent)
        .join(Sync, Sync.id == FaultEvent.sync_id)
        .join(Fault, Fault.id == FaultEvent.fault_id)
        .join(Tenant, Tenant.id == Sync.tenant_id)
    )
    return names, query.where(Sync.completed_at >= since) if since else query


def _of_tenant(model: Any, since: datetime | None) -> Columns:
    columns = model.__table__.columns
    own = [column for column in columns if column.name not in ("id", "tenant_id", "run_id")]
    query = select(columns.id, Tenant.portal, Tenant.name, *own, columns.run_id).join(
        Tenant, Tenant.id == columns.tenant_id
    )
    if since:
        query = query.join(Run, Run.id == columns.run_id).where(Run.started_at >= since)
    return ("id", "portal", "tenant", *(column.name for column in own), "run"), query
