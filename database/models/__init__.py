"""
The tables that every crawl may need.

What one family of portals alone needs is imported from its own module (`database.models.fleet`) or at the first use of its
name here, so that the others do without: mapping a table takes time at every start.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData

from database.models.access import (
    CarrierPortalCredential,
    Lease,
    LedgerEntry,
    Note,
    ProvedIdentity,
    StoredCredential,
    StoredSession,
    UsedTotpStep,
)
from database.models.audit import AuditEntry
from database.models.base import Base
from database.models.runs import FileStatus, Run, RunState, StoredFile

if TYPE_CHECKING:
    from database.models.carriers import (
        Account,
        AccountType,
        BillingCycle,
        BillingCycleFile,
        BillingCyclePdfFile,
        BillingCycleStatus,
        Carrier,
        CarrierReport,
        Client,
        DailyUsageFile,
        Difference,
        Invoice,
        Navigators,
        PoolUsage,
        ReportLine,
        ScraperConfig,
        SessionStatus,
        UsageRecord,
        Workspace,
    )
    from database.models.codes import CodeKind, CodeRequest, CodeRequestState, Message
    from database.models.jobs import (
        Breaker,
        Firing,
        MissedRuns,
        Pace,
        Schedule,
        ScraperJob,
        ScraperJobStatus,
        ScraperType,
        Worker,
    )
    from database.models.keys import FingerprintKey
    from database.models.uploads import Upload, UploadState
    from database.models.versions import Version, Watermark

# Imported at the first use of one of their names: what a module maps takes time at each start that does without it.
_LATE = {
    "carriers": """Account AccountType BillingCycle BillingCycleFile BillingCyclePdfFile BillingCycleStatus Carrier
        CarrierReport Client DailyUsageFile Difference Invoice Navigators PoolUsage ReportLine ScraperConfig
        SessionStatus UsageRecord Workspace""",
    "codes": "CodeKind CodeRequest CodeRequestState Message",
    "jobs": "Breaker Firing MissedRuns Pace Schedule ScraperJob ScraperJobStatus ScraperType Worker",
    "keys": "FingerprintKey",
    "uploads": "Upload UploadState",
    "versions": "Version Watermark",
}
_MODULES = {name: module for module, names in _LATE.items() for name in names.split()}

__all__ = [
    "Account",
    "AccountType",
    "AuditEntry",
    "Base",
    "BillingCycle",
    "BillingCycleFile",
    "BillingCyclePdfFile",
    "BillingCycleStatus",
    "Breaker",
    "Carrier",
    "CarrierPortalCredential",
    "CarrierReport",
    "Client",
    "CodeKind",
    "CodeRequest",
    "CodeRequestState",
    "DailyUsageFile",
    "Difference",
    "FileStatus",
    "FingerprintKey",
    "Firing",
    "Invoice",
    "Lease",
    "LedgerEntry",
    "Message",
    "MissedRuns",
    "Navigators",
    "Note",
    "Pace",
    "PoolUsage",
    "ProvedIdentity",
    "ReportLine",
    "Run",
    "RunState",
    "Schedule",
    "ScraperConfig",
    "ScraperJob",
    "ScraperJobStatus",
    "ScraperType",
    "SessionStatus",
    "StoredCredential",
    "StoredFile",
    "StoredSession",
    "Upload",
    "UploadState",
    "UsageRecord",
    "UsedTotpStep",
    "Version",
    "Watermark",
    "Worker",
    "Workspace",
    "all_tables",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return found


def all_tables() -> MetaData:
    """Return the metadata with the tables of every module in this package."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return Base.metadata
