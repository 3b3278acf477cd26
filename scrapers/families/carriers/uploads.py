"""The addresses at the customer's upload server for files of billing cycles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from database.models import BillingCycleFile, BillingCyclePdfFile, DailyUsageFile, PoolUsage, StoredFile
from database.uploads import Address

PDF, BYTES = "application/pdf", "application/octet-stream"
CYCLES = "/api/v1/accounts/billing-cycles"


def addresses(session: Session, file_ids: Sequence[int]) -> dict[int, Address]:
    """Return the addresses of stored files at the server, by file id; files without a billing cycle are left out."""
    query: Any = (
        select(StoredFile.id, BillingCycleFile, BillingCyclePdfFile, DailyUsageFile, PoolUsage)
        .outerjoin(BillingCycleFile, BillingCycleFile.file_id == StoredFile.id)
        .outerjoin(BillingCyclePdfFile, BillingCyclePdfFile.file_id == StoredFile.id)
        .outerjoin(DailyUsageFile, DailyUsageFile.file_id == StoredFile.id)
        .outerjoin(PoolUsage, and_(PoolUsage.account_id == StoredFile.account_id, PoolUsage.day == DailyUsageFile.day))
        .where(StoredFile.id.in_(file_ids))
        .where(or_(*(each.id.is_not(None) for each in (BillingCycleFile, BillingCyclePdfFile, DailyUsageFile))))
    )
    found = {}
    for file_id, report, pdf, usage, pool in session.execute(query):
        if report is not None:
            path = f"{CYCLES}/{report.billing_cycle_id}/files/{report.id}/upload-file/"
            found[file_id] = Address(path, BYTES)
        elif pdf is not None:
            found[file_id] = Address(f"{CYCLES}/{pdf.billing_cycle_id}/upload-pdf/", PDF)
        else:
            sizes = {"pool_size": pool.pool_size, "pool_used": pool.pool_used} if pool else {}
            fields = {name: str(size) for name, size in sizes.items() if size is not None}  # unknown is not 0
            found[file_id] = Address(f"{CYCLES}/{usage.billing_cycle_id}/daily-usage/", BYTES, fields)
    return found
