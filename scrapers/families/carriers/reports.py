"""A base for each report type of a carrier: makes listings, file names, rows and items from fetched files."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from sqlalchemy.orm import Session

from database.families.cycles import cycle_of_day
from database.models import Account, BillingCycle, CarrierReport
from database.upsert import ensure
from scrapers.core.items import Lines, Listing, Record
from scrapers.core.jobs import ArgumentError, Job
from scrapers.core.outcomes import BadFile
from scrapers.core.page import PortalPage
from scrapers.core.spool import PDF, PartFile
from scrapers.core.stated import portal_of
from scrapers.core.visit import Visit
from scrapers.families.carriers.accounts import check_file
from scrapers.families.carriers.invoices import FetchedInvoice, ListedInvoice, compare, read_pdf, records_of
from scrapers.families.carriers.items import (
    InvoiceFile,
    PoolRecord,
    ReportFile,
    UsageFile,
    UsageLine,
    report_lines,
    shown_usage,
    usage_lines,
)
from scrapers.families.carriers.spiders import CarrierSpider, CarrierTarget
from scrapers.reading.archive import is_archive, unpack, unpack_pdfs
from scrapers.reading.values.locale import Locale
from scrapers.reading.workbooks import Column, read_sheet


class PdfInvoice(CarrierSpider):
    """
    Base of the spiders of an account's PDF invoice. `fetch` downloads the PDF, or a ZIP with several.

    What an invoice says is read and compared with the job, with the portal's list where `fetch` returns what that shows,
    and with the invoice's own lines.
    """

    rendering = "browser"

    @abstractmethod
    async def fetch(self, page: PortalPage) -> PartFile | FetchedInvoice:
        """Download the invoice of the job's account and cycle; return it alone, or with what the portal's list shows of it."""

    @classmethod
    def wanted(cls, session: Session, target: CarrierTarget) -> set[str]:
        """The job is done once one file is stored."""
        return {"invoice"}

    async def visit(self, page: PortalPage) -> Visit:
        """
        Yield the invoice with what it says; of a ZIP, yield every PDF, and the one with the shortest name as the invoice.

        Raises WrongAccount or PortalChanged before anything is yielded if one is certainly of other accounts or another month.
        """
        job, fetched = page.job, await self.fetch(page)
        part, listed = (
            (fetched, None) if isinstance(fetched, PartFile) else (fetched.part, fetched.shown(self._locale()))
        )
        files = [part]
        if await asyncio.to_thread(is_archive, part):
            others: list[str] = []
            files = await asyncio.to_thread(unpack_pdfs, part, others)
            files.sort(key=lambda file: (len(file.name), file.name))
            if others:
                job.warn(f"The ZIP also holds {', '.join(others[:10])}.")
        keys = ["invoice", *(f"invoice_{number}" for number in range(2, len(files) + 1))]
        records = [
            await self._records(job, key, file, listed if key == "invoice" else None)
            for key, file in zip(keys, files, strict=True)
        ]
        yield Listing(job=job.id, keys=tuple(keys))
        for key, file, said in zip(keys, files, records, strict=True):
            yield InvoiceFile(
                job=job.id,
                part=file,
                key=key,
                name=f"{self.portal}_{key}_{job.target.month}.pdf",
                period=job.target.month,
                billing_cycle_id=job.target.billing_cycle_id,
                pdf_type=key,
                records=said,
            )

    async def _records(self, job: Job, key: str, file: PartFile, listed: ListedInvoice | None) -> tuple[Record, ...]:
        """Read and compare a PDF; return its records. A file of another type has none: it is refused when it is stored."""
        if file.media_type != PDF:
            return ()
        invoice = await asyncio.to_thread(read_pdf, file, self._locale(), job.target.account)
        compared = compare(job.target, invoice, listed)
        for warning in compared.warnings():
            job.warn(warning if key == "invoice" else f"{key}: {warning}")
        return records_of(job.id, job.target.billing_cycle_id, key, invoice, compared)

    @classmethod
    def _locale(cls) -> Locale:
        """Return the spider's locale, or else the one that its portal states; outside of a portal a spider must have one."""
        stated = portal_of(cls.__module__)
        if stated is None or hasattr(cls, "locale"):
            return cls.locale
        return Locale(stated.locale, stated.time_zone)


@dataclass(frozen=True, slots=True)
class Usage:
    """
    An account's usage up to today: a file, and the pool's figures in bytes (None: unknown).

    shown: where the portal has no file, the lines of its table, of which the file was made.
    """

    part: PartFile
    pool_size: int | None = None
    pool_used: int | None = None
    shown: tuple[UsageLine, ...] | None = None


class DailyUsage(CarrierSpider):
    """Base of the spiders of the usage file of the current day at the portal."""

    rendering = "browser"
    takes_cycles = False
    columns: ClassVar[tuple[Column, ...]] = ()  # of the file; none where the portal shows a table and has no file

    @abstractmethod
    async def fetch(self, page: PortalPage) -> Usage:
        """Download the file of the job's account, or read its table, and read the figures of its pool."""

    @classmethod
    def cycle(cls, session: Session, account: Account, month: str | None) -> BillingCycle:
        """Return the cycle that today falls in; daily usage of another month is not available."""
        cycle = cycle_of_day(session, account, cls.today())
        if month and month != f"{cycle.end_date:%Y-%m}":
            raise ArgumentError(
                f"-a cycle={month}: daily usage exists for the present cycle only, {cycle.end_date:%Y-%m}."
            )
        return cycle

    @classmethod
    def _of_job(cls, session: Session, job_id: int) -> tuple[Account, BillingCycle, int | None]:
        """Return a job's account with the cycle that today falls in: it may have waited over the end of its own."""
        account, _, own_id = super()._of_job(session, job_id)
        return account, cycle_of_day(session, account, cls.today()), own_id

    @classmethod
    def period(cls, target: CarrierTarget) -> str:
        """The day, as the portal counts it."""
        return cls.today().isoformat()

    @classmethod
    def wanted(cls, session: Session, target: CarrierTarget) -> set[str]:
        """The job is done once one file of today is stored."""
        return {"usage"}

    async def visit(self, page: PortalPage) -> Visit:
        """
        Yield the file with its rows and the pool's record; rows that are not understood are left out with a warning.

        Raises WrongAccount for rows of another account.
        """
        job, usage = page.job, await self.fetch(page)
        part = await asyncio.to_thread(only_file, usage.part)
        day, cycle = date.fromisoformat(job.key.rpartition("/")[2]), job.target.billing_cycle_id
        rows = await self._rows(job, part, usage, day)
        pool = {"pool_size": usage.pool_size, "pool_used": usage.pool_used}
        record = PoolRecord(job=job.id, account_id=job.target.account_id, day=day, **pool)
        is_known = any(figure is not None for figure in pool.values())
        yield Listing(job=job.id, keys=("usage",))
        yield UsageFile(
            job=job.id,
            part=part,
            key="usage",
            name=f"{self.portal}_daily_usage_{day}{part.extension}",
            period=f"{day:%Y-%m-%d}",
            billing_cycle_id=cycle,
            day=day,
            records=(*rows, *((record,) if is_known else ())),
        )

    async def _rows(self, job: Job, part: PartFile, usage: Usage, day: date) -> tuple[Lines, ...]:
        """Return the rows of a file or a table, or none with a warning."""
        target = job.target
        if usage.shown is not None:
            return (shown_usage(job.id, usage.shown, target.account, target.billing_cycle_id, day),)
        sheet, warning = await asyncio.to_thread(read_sheet, part, self.columns, self.locale, target.account)
        if sheet is None:
            warning = " ".join(filter(None, (warning, await asyncio.to_thread(check_file, part, target.account))))
        if warning:
            job.warn(warning)
        return () if sheet is None else (usage_lines(job.id, sheet, target.billing_cycle_id, day),)


@dataclass(frozen=True, slots=True)
class Report:
    """A monthly report: its slug, its name at the portal, its columns, and the method that fetches it."""

    slug: str
    name: str
    columns: tuple[Column, ...] = ()  # empty: the file is stored without reading its rows
    by: str = ""  # the spider's method that fetches it: `async def by(self, page, *reports) -> PartFile`
    member: str = ""  # regular expression that its file's name matches in a ZIP of several
    required: bool = True
    dated: bool = True  # False: the portal makes it of the present state, whatever the month
    of_user: bool = (
        False  # it may hold the known accounts that have the same credential, too; their rows are passed over
    )


class MonthlyReports(CarrierSpider):
    """Base of the spiders of several reports of a billing cycle."""

    rendering = "browser"
    reports: ClassVar[tuple[Report, ...]]
    not_fetched: ClassVar[dict[str, str]] = {}  # slug and name of reports that are not required for a cycle
    slug_prefix: ClassVar[str] = ""  # of slugs in carrier_reports, for reports that have the same names as others
    covers_all: ClassVar[bool] = False  # a report holds every account of its user: their jobs share it

    @classmethod
    def cycle(cls, session: Session, account: Account, month: str | None) -> BillingCycle:
        """Return the cycle, with a row for each of the carrier's reports."""
        cls._reports(session, account)
        return super().cycle(session, account, month)

    @classmethod
    def wanted(cls, session: Session, target: CarrierTarget) -> set[str]:
        """The job is done once all required reports are stored."""
        return {report.slug for report in cls.reports if report.required}

    @classmethod
    def _reports(cls, session: Session, account: Account) -> dict[str, int]:
        """Return the ids of the reports by slug, creating missing ones."""
        found = {}
        known = [(report.slug, report.name, report.required) for report in cls.reports]
        for slug, name, required in known + [(slug, name, False) for slug, name in cls.not_fetched.items()]:
            key = {"carrier_id": account.carrier_id, "slug": cls.slug_prefix + slug}
            values = {"name": name, "required": required, "details": {}}
            found[slug] = ensure(session, CarrierReport, key, values).id
        return {report.slug: found[report.slug] for report in cls.reports}

    async def visit(self, page: PortalPage) -> Visit:
        """Yield the reports that are not stored, those of one ZIP together; a failure of one does not stop the others."""
        yield self.listing(page.job)
        async for report, file in self.fetched(page):
            async with page.part(report.slug):
                yield await self.report_file(page.job, report, file)

    async def fetched(self, page: PortalPage) -> AsyncIterator[tuple[Report, PartFile]]:
        """Fetch the reports that are not stored and have a method for it (`by`); yield each with its file."""
        for reports in self._together([report for report in self.missing_reports(page.job) if report.by]):
            async with page.part(reports[0].slug):
                part = await getattr(self, reports[0].by)(page, *reports)
                files, missing, others = await asyncio.to_thread(members, part, reports, self.reports)
                if others:
                    page.job.warn(f"The ZIP also holds {', '.join(others[:10])}.")
                for each in files:
                    yield each
                if missing is not None:
                    raise missing

    def listing(self, job: Job) -> Listing:
        """Return the listing of all required reports."""
        optional = tuple(report.slug for report in self.reports if not report.required)
        return Listing(job=job.id, keys=tuple(report.slug for report in self.reports), missing_allowed=optional)

    def missing_reports(self, job: Job) -> list[Report]:
        """Return the reports that are not stored."""
        return [report for report in self.reports if report.slug not in job.stored]

    @staticmethod
    def _together(reports: Sequence[Report]) -> list[list[Report]]:
        """Group the reports that one call fetches: members of the ZIP of the same method."""
        groups: dict[object, list[Report]] = {}
        for report in reports:
            groups.setdefault(report.by if report.member else report.slug, []).append(report)
        return list(groups.values())

    async def report_file(self, job: Job, report: Report, part: PartFile) -> ReportFile:
        """
        Return a report's file with its rows; rows that are not understood are left out with a warning.

        Without rows, all cells of the file are looked at for account and month.

        Raises WrongAccount or PortalChanged for rows of another account or month, NotListed for a report of several accounts
        that has none of this one's.
        """
        target, month = job.target, job.target.month
        ids = {"billing_cycle_id": target.billing_cycle_id, "carrier_report_id": target.reports[report.slug]}
        sheet, warning, beside = None, "", target.others if report.of_user else ()
        if report.columns:
            wanted = month if report.dated else ""
            sheet, warning = await asyncio.to_thread(
                read_sheet, part, report.columns, self.locale, target.account, wanted, beside
            )
        # Above the header of rows that do not say their month, the file may say it.
        if sheet is None or (report.dated and not sheet.has("period")):
            users, months = (*target.others,) if self.covers_all else None, target.months if report.dated else ()
            said = await asyncio.to_thread(check_file, part, target.account, months, users, beside)
            warning = " ".join(filter(None, (warning, said)))
        if warning:
            job.warn(f"{report.name}: {warning}")
        return ReportFile(
            job=job.id,
            part=part,
            key=report.slug,
            name=f"{self.portal}_{report.slug}_{month}{part.extension}",
            period=month,
            records=() if sheet is None else (report_lines(job.id, sheet, **ids),),
            **ids,
        )


def only_file(part: PartFile) -> PartFile:
    """Return a part file, or the one file of a ZIP; raise BadFile for a ZIP with none or several."""
    if not is_archive(part):
        return part
    files = unpack(part)
    if len(files) != 1:
        raise BadFile(f"The ZIP holds {len(files)} files in place of one.")
    return files[0]


def members(
    part: PartFile, reports: Sequence[Report], known: Sequence[Report]
) -> tuple[list[tuple[Report, PartFile]], BadFile | None, list[str]]:
    """
    Return the reports with their files: the ZIP's member that matches the report's pattern, or the file itself.

    Also returns a failure that names the reports with a pattern that matches no file or several, None when all match one;
    and the names of members that match no *known* report. Raises BadFile for one file in the place of a ZIP of several.
    """
    if not is_archive(part):
        if reports[0].member:
            raise BadFile(f"The portal sent {part.media_type} in place of a ZIP.")
        return [(reports[0], part)], None, []
    others: list[str] = []
    files, found, wrong = unpack(part, others), [], []
    for report in reports:
        pattern = re.compile(report.member or ".", re.I)
        fitting = [file for file in files if pattern.search(file.name)]
        if len(fitting) == 1:
            found.append((report, fitting[0]))
        elif fitting or report.required:
            wrong.append(f"{len(fitting)} files for {report.name}")
    patterns = [re.compile(report.member or ".", re.I) for report in known]
    others += [file.name for file in files if not any(pattern.search(file.name) for pattern in patterns)]
    return found, BadFile(f"The ZIP of {len(files)} files holds {', '.join(wrong)}.") if wrong else None, others
