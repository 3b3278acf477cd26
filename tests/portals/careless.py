"""Spiders of carriers that store whatever comes, to see that the tests of contamination find it."""

from __future__ import annotations

import asyncio

from scrapers.core.items import Record
from scrapers.core.jobs import Job
from scrapers.core.spool import PartFile
from scrapers.families.carriers.invoices import Compared, ListedInvoice, read_pdf, records_of
from scrapers.families.carriers.items import ReportFile, report_lines
from scrapers.families.carriers.reports import Report
from scrapers.portals.att.monthly_reports import AttMonthlyReports
from scrapers.portals.bell.pdf_invoice import BellPdfInvoice
from scrapers.reading.workbooks import Sheet


class BellCarelessInvoice(BellPdfInvoice):
    """Does not compare what an invoice says with its job."""

    name = "bell_careless_invoice"

    async def _records(self, job: Job, key: str, file: PartFile, listed: ListedInvoice | None) -> tuple[Record, ...]:
        invoice = await asyncio.to_thread(read_pdf, file, self.locale, job.target.account)
        return records_of(job.id, job.target.billing_cycle_id, key, invoice, Compared())


class AttCarelessReports(AttMonthlyReports):
    """Does not compare account and month of a report's rows with its job."""

    name = "att_careless_reports"

    async def report_file(self, job: Job, report: Report, part: PartFile) -> ReportFile:
        target = job.target
        ids = {"billing_cycle_id": target.billing_cycle_id, "carrier_report_id": target.reports[report.slug]}
        sheet = await asyncio.to_thread(Sheet.of, part, report.columns, self.locale)
        return ReportFile(
            job=job.id,
            part=part,
            key=report.slug,
            name=f"{report.slug}{part.extension}",
            period=target.month,
            records=(report_lines(job.id, sheet, **ids),),
            **ids,
        )
