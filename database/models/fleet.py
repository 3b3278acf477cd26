"""Tables of the fleet family: tenants, vehicles, faults and their history, and syncs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from database.models.base import Base, JsonColumn, UtcDateTime, text_enum, utc_now


class Severity(StrEnum):
    """How bad a fault is, by what the portal tells the driver to do."""

    CRITICAL = "critical"  # pull over
    MAJOR = "major"  # drive to a dealer
    MINOR = "minor"  # have it fixed at the next service
    INFO = "info"  # keep driving
    UNKNOWN = "unknown"


class FaultChange(StrEnum):
    """What a complete sync found out about a fault."""

    OPENED = "opened"
    CLOSED = "closed"


class Tenant(Base):
    """The owner of a fleet, under a name chosen by the operator."""

    __tablename__ = "tenants"
    __table_args__ = (UniqueConstraint("portal", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    portal: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(100))
    username: Mapped[str | None] = mapped_column(String(300))  # of the last complete reading; None: none yet
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Vehicle(Base):
    """A vehicle of a tenant, as the portal showed it last. None: the portal does not say."""

    __tablename__ = "vehicles"
    __table_args__ = (UniqueConstraint("tenant_id", "vin"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    vin: Mapped[str] = mapped_column(String(17))
    unit_number: Mapped[str] = mapped_column(String(100), default="")
    year: Mapped[int | None]
    make: Mapped[str] = mapped_column(String(100), default="")
    model: Mapped[str] = mapped_column(String(200), default="")
    engine_make: Mapped[str | None] = mapped_column(String(100))
    engine_model: Mapped[str | None] = mapped_column(String(100))
    odometer: Mapped[int | None] = mapped_column(BigInteger)  # in odometer_unit
    odometer_unit: Mapped[str | None] = mapped_column(String(20))
    engine_hours: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(100), default="unknown")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    first_synced_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: it is on the portal's list


class Fault(Base):
    """A J1939 fault of a vehicle's control unit, as the portal showed it last."""

    __tablename__ = "faults"
    __table_args__ = (
        UniqueConstraint("tenant_id", "vin", "source_address", "spn", "fmi"),
        Index(None, "tenant_id", "active_in"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    vin: Mapped[str] = mapped_column(String(17))
    source_address: Mapped[int]  # 0..255; 254, J1939's null address, where the portal does not say
    spn: Mapped[int]  # 0..524287
    fmi: Mapped[int]  # 0..31
    description: Mapped[str] = mapped_column(String(500), default="")
    severity: Mapped[Severity] = mapped_column(text_enum(Severity), default=Severity.UNKNOWN)
    is_active: Mapped[bool | None]  # None: the portal says it in words that are not known
    occurrence_count: Mapped[int | None]  # None: the portal does not say
    first_seen: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by the portal; None: it does not say
    last_seen: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by the portal; None: it does not say
    raw_text: Mapped[str] = mapped_column(Text, default="")
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    first_synced_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_synced_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    # The newest complete sync.
    active_in: Mapped[int | None] = mapped_column(ForeignKey("syncs.id", ondelete="SET NULL"), index=True)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: no complete sync has missed it


class Sync(Base):
    """One reading of a tenant's faults: what was counted, and whether it was complete."""

    __tablename__ = "syncs"
    __table_args__ = (Index(None, "tenant_id", "success"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    completed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    vehicles_found: Mapped[int]
    faults_found: Mapped[int]  # active or not
    new_faults: Mapped[int]  # active now and not in the last complete sync
    closed_faults: Mapped[int]  # active in the last complete sync and not now; 0 when this one is not complete
    critical_faults: Mapped[int]  # active ones only
    errors: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    success: Mapped[bool]  # every vehicle was read


class FaultEvent(Base):
    """A fault's history: one row for each time a complete sync found it opened or closed."""

    __tablename__ = "fault_events"
    __table_args__ = (UniqueConstraint("fault_id", "sync_id"), Index(None, "sync_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    fault_id: Mapped[int] = mapped_column(ForeignKey("faults.id", ondelete="CASCADE"))
    sync_id: Mapped[int] = mapped_column(ForeignKey("syncs.id", ondelete="CASCADE"))
    change: Mapped[FaultChange] = mapped_column(text_enum(FaultChange))
