"""The carriers' items: files of a billing cycle, and what is read from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO

from database.models import (
    BillingCycleFile,
    BillingCyclePdfFile,
    DailyUsageFile,
    Difference,
    FileStatus,
    Invoice,
    PoolUsage,
    ReportLine,
    UsageRecord,
)
from scrapers.core.items import FileItem, Lines, Record
from scrapers.core.spool import CSV, PDF, XLSX
from scrapers.reading.workbooks import Sheet


class InvoiceRow(Record):
    """The row of a billing cycle's PDF."""

    table = BillingCyclePdfFile
    natural_key = ("billing_cycle_id", "pdf_type")
    billing_cycle_id: int
    pdf_type: str
    status: FileStatus = FileStatus.READY


class UsageRow(Record):
    """The row of a day's usage file."""

    table = DailyUsageFile
    natural_key = ("billing_cycle_id", "day")
    billing_cycle_id: int
    day: date
    status: FileStatus = FileStatus.READY


class ReportRow(Record):
    """The row of a billing cycle's monthly report."""

    table = BillingCycleFile
    natural_key = ("billing_cycle_id", "carrier_report_id")
    billing_cycle_id: int
    carrier_report_id: int
    status: FileStatus = FileStatus.READY


class PoolRecord(Record):
    """Size and use of an account's data pool on a day, in bytes; None is unknown."""

    table = PoolUsage
    natural_key = ("account_id", "day")
    account_id: int
    day: date
    pool_size: int | None
    pool_used: int | None


class InvoiceRecord(Record):
    """What a billing cycle's PDF says, as far as it is certain; unclear: reasons by what they are about."""

    table = Invoice
    natural_key = ("billing_cycle_id", "pdf_type")
    billing_cycle_id: int
    pdf_type: str
    account_number: str | None = None
    invoice_number: str | None = None
    invoice_date: date | None = None
    period_start: date | None = None
    period_end: date | None = None
    total: Decimal | None = None
    currency: str | None = None
    due_date: date | None = None
    unclear: dict[str, str] | None = None


class DifferenceRecord(Record):
    """
    Where a PDF says another thing than what was stated.

    compared: total, sum_of_lines, invoice_number, invoice_date, account or period. stated_by: portal (its list), job, or lines.
    """

    table = Difference
    natural_key = ("billing_cycle_id", "pdf_type", "compared")
    billing_cycle_id: int
    pdf_type: str
    compared: str
    stated_by: str
    stated: str
    said: str


class InvoiceFile(FileItem):
    """A PDF of a billing cycle."""

    declared: tuple[str, ...] = (PDF,)
    billing_cycle_id: int
    pdf_type: str = "invoice"

    def owner(self) -> Record:
        """Return the cycle's PDF row."""
        return InvoiceRow(job=self.job, billing_cycle_id=self.billing_cycle_id, pdf_type=self.pdf_type)


class UsageFile(FileItem):
    """The usage file of one day."""

    declared: tuple[str, ...] = (XLSX, CSV)
    billing_cycle_id: int
    day: date

    def owner(self) -> Record:
        """Return the day's row."""
        return UsageRow(job=self.job, billing_cycle_id=self.billing_cycle_id, day=self.day)


class ReportFile(FileItem):
    """A monthly report of a billing cycle."""

    declared: tuple[str, ...] = (XLSX, CSV)
    billing_cycle_id: int
    carrier_report_id: int

    def owner(self) -> Record:
        """Return the cycle's row for this report."""
        return ReportRow(job=self.job, billing_cycle_id=self.billing_cycle_id, carrier_report_id=self.carrier_report_id)


def usage_lines(job: int, sheet: Sheet, billing_cycle_id: int, day: date) -> Lines:
    """Return a usage file's rows; its columns are named as those of the table."""

    def rows(_stored: BinaryIO) -> Iterator[dict[str, Any]]:  # the sheet is in memory
        absent = {name: None for name in USAGE if not sheet.has(name)}
        for number, (values, extra) in enumerate(sheet.rows(key="account_number"), 1):
            yield {**values, **absent, "row": number, "extra": extra}

    return Lines(job=job, table=UsageRecord, place={"billing_cycle_id": billing_cycle_id, "day": day}, rows=rows)


USAGE = ("phone_number", "user_name", "usage_type", "used")


@dataclass(frozen=True, slots=True)
class UsageLine:
    """What a portal's table shows of a line: name, telephone number, and bytes used; None: unknown. said: the text of `used`."""

    name: str | None
    number: str
    used: int | None
    said: str = ""


def shown_usage(job: int, lines: Sequence[UsageLine], account: str, billing_cycle_id: int, day: date) -> Lines:
    """Return the rows of a table of usage; what was not understood is kept aside as text."""

    def rows(_stored: BinaryIO) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(lines, 1):
            yield {
                "row": number,
                "account_number": account,
                "phone_number": line.number,
                "user_name": line.name,
                "usage_type": None,
                "used": line.used,
                "extra": {"data_used": line.said} if line.used is None and line.said else None,
            }

    return Lines(job=job, table=UsageRecord, place={"billing_cycle_id": billing_cycle_id, "day": day}, rows=rows)


def report_lines(job: int, sheet: Sheet, billing_cycle_id: int, carrier_report_id: int) -> Lines:
    """Return a report's rows: the columns that all reports share, and what only this one has as `data`."""

    def rows(_stored: BinaryIO) -> Iterator[dict[str, Any]]:  # the sheet is in memory
        for number, (data, extra) in enumerate(sheet.rows(key="account_number"), 1):
            yield {
                "row": number,
                "account_number": data.pop("account_number"),
                "phone_number": data.pop("phone_number", None),
                "period": data.pop("period", None),
                "currency": sheet.currency,
                "data": data,
                "extra": extra,
            }

    place = {"billing_cycle_id": billing_cycle_id, "carrier_report_id": carrier_report_id}
    return Lines(job=job, table=ReportLine, place=place, rows=rows)
