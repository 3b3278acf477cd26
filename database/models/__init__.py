"""
The tables that every crawl may need.

What one family of portals alone needs is imported from its own module (`database.models.fleet`), so that the others do
without: mapping a table takes time at every start.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

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
from database.models.base import Base
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
    FileStatus,
    Navigators,
    PoolUsage,
    ReportLine,
    ScraperConfig,
    ScraperType,
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
    Worker,
)
from database.models.keys import FingerprintKey
from database.models.runs import Run, RunState, StoredFile
from database.models.uploads import Upload, UploadState
from database.models.versions import Version, Watermark

# Tables that say how the runs went, and hold no record that was fetched.
BOOKKEEPING = frozenset({"attempts", "code_requests", "files", "uploads", "watermarks"})

__all__ = [
    "BOOKKEEPING",
    "Account",
    "AccountType",
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
    "FileStatus",
    "FingerprintKey",
    "Firing",
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


def all_tables() -> MetaData:
    """Return the metadata with the tables of every module in this package."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return Base.metadata
