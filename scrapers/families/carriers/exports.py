"""Queries of `scrapy export records` for carriers: each row with its carrier and account number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, select

from database.models import (
    Account,
    BillingCycle,
    BillingCycleFile,
    BillingCyclePdfFile,
    Carrier,
    CarrierReport,
    DailyUsageFile,
    Difference,
    Invoice,
    PoolUsage,
    ReportLine,
    UsageRecord,
)

Columns = tuple[tuple[str, ...], Any]


def pool_usage(account: str | None, since: datetime | None) -> Columns:
    """Pool figures by account and day, in bytes."""
    columns = (PoolUsage.day, PoolUsage.pool_size, PoolUsage.pool_used, PoolUsage.run_id, PoolUsage.file_id)
    query = (
        select(PoolUsage.id, Carrier.portal, Account.number, *columns)
        .select_from(PoolUsage)
        .join(Account, Account.id == PoolUsage.account_id)
        .join(Carrier, Carrier.id == Account.carrier_id)
    )
    names = ("id", "carrier", "account", "day", "pool_size", "pool_used", "run", "file")
    return names, _limited(query, account, since, PoolUsage.day)


def invoices(account: str | None, since: datetime | None) -> Columns:
    """PDFs by account and billing cycle, with what they say as far as it is certain."""
    names, query = _files(BillingCyclePdfFile, "pdf_type", BillingCyclePdfFile.pdf_type, account, since)
    same = [getattr(Invoice, name) == getattr(BillingCyclePdfFile, name) for name in ("billing_cycle_id", "pdf_type")]
    said = ("account_number", "invoice_number", "invoice_date", "period_start", "period_end", "total")
    more = ("currency", "due_date", "unclear")
    query = query.outerjoin(Invoice, and_(*same)).add_columns(
        *(getattr(Invoice, name) for name in (*said, *more)), Invoice.run_id
    )
    return (*names, *said, *more, "run"), query


def differences(account: str | None, since: datetime | None) -> Columns:
    """Where PDFs differ from the portal's list, their job or their lines; --since: noticed since then."""
    names = ("pdf_type", "compared", "stated_by", "stated", "said", "noticed_at")
    query = _of_cycle(Difference, *(getattr(Difference, name) for name in names))
    query = query.add_columns(Difference.run_id, Difference.file_id)
    if since:
        query = query.where(Difference.noticed_at >= since)
    return (*CYCLE, *names, "run", "file"), _limited(query, account, None, Difference.noticed_at)


def usage_files(account: str | None, since: datetime | None) -> Columns:
    """Usage files by account and day."""
    return _files(DailyUsageFile, "day", DailyUsageFile.day, account, since)


def reports(account: str | None, since: datetime | None) -> Columns:
    """Monthly reports by account and billing cycle, including those not fetched yet."""
    names, query = _files(BillingCycleFile, "report", CarrierReport.slug, account, since)
    return names, query.join(CarrierReport, CarrierReport.id == BillingCycleFile.carrier_report_id)


def usage_records(account: str | None, since: datetime | None) -> Columns:
    """Rows of daily usage files, by account and day."""
    names = ("day", "row", "account_number", "phone_number", "user_name", "usage_type", "used", "extra")
    query = _of_cycle(UsageRecord, *(getattr(UsageRecord, name) for name in names))
    query = query.add_columns(UsageRecord.run_id, UsageRecord.file_id)
    return (*CYCLE, *names, "run", "file"), _limited(query, account, since, UsageRecord.day)


def report_rows(account: str | None, since: datetime | None) -> Columns:
    """Rows of monthly reports, by account and billing cycle."""
    names = ("row", "account_number", "phone_number", "period", "currency", "data", "extra")
    query = _of_cycle(ReportLine, CarrierReport.slug, *(getattr(ReportLine, name) for name in names))
    query = query.add_columns(ReportLine.run_id, ReportLine.file_id)
    query = query.join(CarrierReport, CarrierReport.id == ReportLine.carrier_report_id)
    return (*CYCLE, "report", *names, "run", "file"), _limited(query, account, since, BillingCycle.end_date)


CYCLE = ("id", "carrier", "account", "start", "end")


def _files(model: Any, name: str, column: Any, account: str | None, since: datetime | None) -> Columns:
    """Files of billing cycles, fetched or not: the column that identifies each, its status and its path."""
    query = _of_cycle(model, column, model.status, model.store_path, model.file_id)
    return (*CYCLE, name, "status", "path", "file"), _limited(query, account, since, BillingCycle.end_date)


def _of_cycle(model: Any, *columns: Any) -> Any:
    """Rows that belong to a billing cycle, with the columns CYCLE."""
    return (
        select(model.id, Carrier.portal, Account.number, BillingCycle.start_date, BillingCycle.end_date, *columns)
        .select_from(model)
        .join(BillingCycle, BillingCycle.id == model.billing_cycle_id)
        .join(Account, Account.id == BillingCycle.account_id)
        .join(Carrier, Carrier.id == Account.carrier_id)
    )


def _limited(query: Any, account: str | None, since: datetime | None, day: Any) -> Any:
    if account:
        query = query.where(Account.number == account)
    return query.where(day >= since.date()) if since else query
