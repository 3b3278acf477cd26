"""Queries of `scrapy export records` for fleets: each row with its portal and tenant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from database.models import Run
from database.models.fleet import Fault, FaultEvent, Sync, Tenant, Vehicle
from scrapers.core.exports import Records


def vehicles() -> Records:
    """Vehicles as the portal showed them last, by the run that wrote them."""
    return _of_tenant(Vehicle)


def faults() -> Records:
    """Faults as the portal showed them last, by the run that wrote them."""
    return _of_tenant(Fault)


def syncs() -> Records:
    """The counts of each sync of a tenant's faults."""
    return _of_tenant(Sync)


def fault_events() -> Records:
    """When complete syncs found faults opened or closed."""
    query = (
        select(FaultEvent.id, Tenant.portal, Tenant.name.label("tenant"))
        .add_columns(Fault.vin, Fault.source_address, Fault.spn, Fault.fmi, FaultEvent.change)
        .add_columns(Sync.completed_at, Sync.id.label("sync"), Sync.run_id.label("run"))
        .select_from(FaultEvent)
        .join(Sync, Sync.id == FaultEvent.sync_id)
        .join(Fault, Fault.id == FaultEvent.fault_id)
        .join(Tenant, Tenant.id == Sync.tenant_id)
    )
    return Records(query, Sync.completed_at)


def _of_tenant(model: Any) -> Records:
    columns = model.__table__.columns
    own = [column for column in columns if column.name not in ("id", "tenant_id", "run_id")]
    query = (
        select(columns.id, Tenant.portal, Tenant.name.label("tenant"), *own, columns.run_id.label("run"))
        .join(Tenant, Tenant.id == columns.tenant_id)
        .outerjoin(Run, Run.id == columns.run_id)
    )
    return Records(query, Run.started_at)
