"""Queries of `scrapy export records` for carriers: each row with its carrier and account number."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, select

from database.models import (
    Account,
    BillingCycle,
    BillingCycleFile,
    BillingCyclePdfFile,
    Carrier,
    CarrierReport,
    Client,
    DailyUsageFile,
    Difference,
    Invoice,
    PoolUsage,
    ReportLine,
    UsageRecord,
    Workspace,
)
from scrapers.core.exports import Records


def pool_usage() -> Records:
    """Pool figures by account and day, in bytes."""
    query = (
        select(PoolUsage.id, Carrier.portal.label("carrier"), Account.number.label("account"))
        .add_columns(PoolUsage.day, PoolUsage.pool_size, PoolUsage.pool_used, *_source(PoolUsage))
        .select_from(PoolUsage)
        .join(Account, Account.id == PoolUsage.account_id)
    )
    return _of_account(query, PoolUsage.day)


def invoices() -> Records:
    """PDFs by account and billing cycle, with what they say as far as it is certain."""
    pdf = BillingCyclePdfFile
    same = [getattr(Invoice, name) == getattr(pdf, name) for name in ("billing_cycle_id", "pdf_type")]
    said = ("account_number", "invoice_number", "invoice_date", "period_start", "period_end", "total")
    more = ("currency", "due_date", "unclear")
    query = _of_cycle(pdf, pdf.pdf_type, *_place(pdf)).outerjoin(Invoice, and_(*same))
    query = query.add_columns(*(getattr(Invoice, name) for name in (*said, *more)), Invoice.run_id.label("run"))
    return _of_account(query, BillingCycle.end_date)


def differences() -> Records:
    """Where PDFs differ from the portal's list, their job or their lines."""
    names = ("pdf_type", "compared", "stated_by", "stated", "said", "noticed_at")
    query = _of_cycle(Difference, *(getattr(Difference, name) for name in names), *_source(Difference))
    return _of_account(query, Difference.noticed_at)


def usage_files() -> Records:
    """Usage files by account and day, including those not fetched yet."""
    return _of_account(_of_cycle(DailyUsageFile, DailyUsageFile.day, *_place(DailyUsageFile)), DailyUsageFile.day)


def reports() -> Records:
    """Monthly reports by account and billing cycle, including those not fetched yet."""
    query = _of_cycle(BillingCycleFile, CarrierReport.slug.label("report"), *_place(BillingCycleFile))
    query = query.join(CarrierReport, CarrierReport.id == BillingCycleFile.carrier_report_id)
    return _of_account(query, BillingCycle.end_date)


def usage_records() -> Records:
    """Rows of daily usage files, by account and day; what was used is in bytes."""
    names = ("day", "row", "account_number", "phone_number", "user_name", "usage_type", "used", "extra")
    query = _of_cycle(UsageRecord, *(getattr(UsageRecord, name) for name in names), *_source(UsageRecord))
    return _of_account(query, UsageRecord.day)


def report_rows() -> Records:
    """Rows of monthly reports, by account and billing cycle; what only one report has is in `data`."""
    names = ("row", "account_number", "phone_number", "period", "currency", "data", "extra")
    rows = [getattr(ReportLine, name) for name in names]
    query = _of_cycle(ReportLine, CarrierReport.slug.label("report"), *rows, *_source(ReportLine))
    query = query.join(CarrierReport, CarrierReport.id == ReportLine.carrier_report_id)
    return _of_account(query, BillingCycle.end_date)


def _source(model: Any) -> tuple[Any, ...]:
    """Columns with the run that wrote a row, and the file that it was read from."""
    return model.run_id.label("run"), model.file_id.label("file")


def _place(model: Any) -> tuple[Any, ...]:
    """Columns of a wanted file: its status and its path, if it was fetched."""
    return model.status, model.store_path.label("path"), model.file_id.label("file")


def _of_cycle(model: Any, *columns: Any) -> Select[Any]:
    """Rows that belong to a billing cycle, with its account and days."""
    return (
        select(model.id, Carrier.portal.label("carrier"), Account.number.label("account"))
        .add_columns(BillingCycle.start_date.label("start"), BillingCycle.end_date.label("end"), *columns)
        .select_from(model)
        .join(BillingCycle, BillingCycle.id == model.billing_cycle_id)
        .join(Account, Account.id == BillingCycle.account_id)
    )


def _of_account(query: Select[Any], at: Any) -> Records:
    """Rows that belong to an account, whose table the query has joined."""
    query = (
        query.join(Carrier, Carrier.id == Account.carrier_id)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .join(Client, Client.id == Workspace.client_id)
    )
    return Records(query, at, account=Account.number, client=Client.name)
