"""One base for each report type of a carrier: it makes listing, names, rows and items of what a portal's spider brings."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from sqlalchemy.orm import Session

from database.families.cycles import cycle_of_day, ensure
from database.models import Account, BillingCycle, CarrierReport
from scrapers.core.items import Listing
from scrapers.core.jobs import ArgumentError, Job
from scrapers.core.outcomes import BadFile
from scrapers.core.page import PortalPage
from scrapers.core.spool import PartFile
from scrapers.core.visit import Visit
from scrapers.families.carriers.items import (
    InvoiceFile,
    PoolRecord,
    ReportFile,
    UsageFile,
    report_lines,
    usage_lines,
)
from scrapers.families.carriers.spiders import CarrierSpider, CarrierTarget
from scrapers.reading.archive import is_archive, unpack
from scrapers.reading.workbooks import Column, Sheet, check


class PdfInvoice(CarrierSpider):
    """Base of the spiders that bring an account's invoice as PDF: `fetch` downloads it, or a ZIP of it and its like."""

    rendering = "browser"

    @abstractmethod
    async def fetch(self, page: PortalPage) -> PartFile:
        """Download the invoice of the job's account and cycle."""

    @classmethod
    def wanted(cls, session: Session, target: CarrierTarget) -> set[str]:
        """One file makes the job done."""
        return {"invoice"}

    async def visit(self, page: PortalPage) -> Visit:
        """Bring the invoice; of a ZIP every PDF is kept, and the one with the shortest name is the invoice."""
        job, part = page.job, await self.fetch(page)
        files = [part]
        if await asyncio.to_thread(is_archive, part):
            files = sorted(await asyncio.to_thread(unpack, part), key=lambda file: (len(file.name), file.name))
        keys = ["invoice", *(f"invoice_{number}" for number in range(2, len(files) + 1))]
        yield Listing(job=job.id, keys=tuple(keys))
        for key, file in zip(keys, files, strict=True):
            yield InvoiceFile(
                job=job.id,
                part=file,
                key=key,
                name=f"{self.portal}_{key}_{job.target.month}.pdf",
                period=job.target.month,
                billing_cycle_id=job.target.billing_cycle_id,
                pdf_type=key,
            )


@dataclass(frozen=True, slots=True)
class Usage:
    """What a portal has on an account's usage up to today: a file, and the pool's figures in bytes (None: unknown)."""

    part: PartFile
    pool_size: int | None = None
    pool_used: int | None = None


class DailyUsage(CarrierSpider):
    """Base of the spiders that bring the usage file of the portal's present day."""

    rendering = "browser"
    columns: ClassVar[tuple[Column, ...]]  # of the file

    @abstractmethod
    async def fetch(self, page: PortalPage) -> Usage:
        """Download the file of the job's account, and read the figures of its pool."""

    @classmethod
    def cycle(cls, session: Session, account: Account, month: str | None) -> BillingCycle:
        """Return the cycle that today falls in; another month has no daily usage any more."""
        cycle = cycle_of_day(session, account, cls.today())
        if month and month != f"{cycle.end_date:%Y-%m}":
            raise ArgumentError(
                f"-a cycle={month}: daily usage exists for the present cycle only, {cycle.end_date:%Y-%m}."
            )
        return cycle

    @classmethod
    def period(cls, target: CarrierTarget) -> str:
        """The day, as the portal counts it."""
        return cls.today().isoformat()

    @classmethod
    def wanted(cls, session: Session, target: CarrierTarget) -> set[str]:
        """One file of today makes the job done."""
        return {"usage"}

    async def visit(self, page: PortalPage) -> Visit:
        """Bring the file with its rows and the pool's record inside, once its rows are seen to be of the account."""
        job, usage = page.job, await self.fetch(page)
        part = await asyncio.to_thread(only_file, usage.part)
        sheet = await asyncio.to_thread(Sheet.of, part, self.columns, self.locale)
        check(sheet, job.target.account)
        day, cycle = date.fromisoformat(job.key.rpartition("/")[2]), job.target.billing_cycle_id
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
            records=(usage_lines(job.id, sheet, cycle, day), *((record,) if is_known else ())),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """A monthly report: its slug here, its name at the portal, its columns, and how it is brought."""

    slug: str
    name: str
    columns: tuple[Column, ...] = ()  # none: the file is kept and its rows are not read
    by: str = ""  # the spider's method that brings it: `async def by(self, page, *reports) -> PartFile`
    member: str = ""  # regular expression that its file matches in a ZIP which brings several
    required: bool = True


class MonthlyReports(CarrierSpider):
    """Base of the spiders that bring several reports of a billing cycle."""

    rendering = "browser"
    reports: ClassVar[tuple[Report, ...]]
    not_fetched: ClassVar[dict[str, str]] = {}  # slug and name of reports that the carrier has and no cycle needs
    slug_prefix: ClassVar[str] = ""  # in carrier_reports, for reports that bear the names of other ones

    @classmethod
    def cycle(cls, session: Session, account: Account, month: str | None) -> BillingCycle:
        """Return the cycle, with a row for each of the carrier's reports."""
        cls._reports(session, account)
        return super().cycle(session, account, month)

    @classmethod
    def wanted(cls, session: Session, target: CarrierTarget) -> set[str]:
        """All of the required reports make the job done."""
        return {report.slug for report in cls.reports if report.required}

    @classmethod
    def _reports(cls, session: Session, account: Account) -> dict[str, int]:
        """Return the ids of the reports by slug, made if need be."""
        found = {}
        known = [(report.slug, report.name, report.required) for report in cls.reports]
        for slug, name, required in known + [(slug, name, False) for slug, name in cls.not_fetched.items()]:
            key = {"carrier_id": account.carrier_id, "slug": cls.slug_prefix + slug}
            values = {"name": name, "required": required, "details": {}}
            found[slug] = ensure(session, CarrierReport, key, values).id
        return {report.slug: found[report.slug] for report in cls.reports}

    async def visit(self, page: PortalPage) -> Visit:
        """Bring the reports that are not stored; those of one ZIP together, a failure of one keeps none of the others."""
        yield self.listing(page.job)
        for reports in self._together(self.missing_reports(page.job)):
            async with page.part(reports[0].slug):
                part = await getattr(self, reports[0].by)(page, *reports)
                files, missing = await asyncio.to_thread(members, part, reports)
                for report, file in files:
                    async with page.part(report.slug):
                        yield await self.report_file(page.job, report, file)
                if missing is not None:
                    raise missing

    def listing(self, job: Job) -> Listing:
        """Return what must come: every required report."""
        optional = tuple(report.slug for report in self.reports if not report.required)
        return Listing(job=job.id, keys=tuple(report.slug for report in self.reports), missing_allowed=optional)

    def missing_reports(self, job: Job) -> list[Report]:
        """Return the reports that are not stored."""
        return [report for report in self.reports if report.slug not in job.stored]

    @staticmethod
    def _together(reports: Sequence[Report]) -> list[list[Report]]:
        """Group what one call brings: reports of the same method that are members of its ZIP."""
        groups: dict[object, list[Report]] = {}
        for report in reports:
            groups.setdefault(report.by if report.member else report.slug, []).append(report)
        return list(groups.values())

    async def report_file(self, job: Job, report: Report, part: PartFile) -> ReportFile:
        """Return a report's file with its rows, once they are seen to be of the job's account and month."""
        target, month = job.target, job.target.month
        ids = {"billing_cycle_id": target.billing_cycle_id, "carrier_report_id": target.reports[report.slug]}
        sheet = await asyncio.to_thread(self._read, report, part, job) if report.columns else None
        return ReportFile(
            job=job.id,
            part=part,
            key=report.slug,
            name=f"{self.portal}_{report.slug}_{month}{part.extension}",
            period=month,
            records=() if sheet is None else (report_lines(job.id, sheet, **ids),),
            **ids,
        )

    def _read(self, report: Report, part: PartFile, job: Job) -> Sheet:
        sheet = Sheet.of(part, report.columns, self.locale)
        check(sheet, job.target.account, job.target.month)
        return sheet


def only_file(part: PartFile) -> PartFile:
    """Return a part file, or the one file of a ZIP; raise BadFile where a ZIP holds none or several."""
    if not is_archive(part):
        return part
    files = unpack(part)
    if len(files) != 1:
        raise BadFile(f"The ZIP holds {len(files)} files in place of one.")
    return files[0]


def members(part: PartFile, reports: Sequence[Report]) -> tuple[list[tuple[Report, PartFile]], BadFile | None]:
    """
    Return each report with its file: a ZIP's member that its pattern finds, or the file itself.

    Beside them a failure that names the reports for which a pattern finds no file, or several; None where all is there.
    """
    if not is_archive(part):
        return [(reports[0], part)], None
    files, found, wrong = unpack(part), [], []
    for report in reports:
        pattern = re.compile(report.member or ".", re.I)
        fitting = [file for file in files if pattern.search(file.name)]
        if len(fitting) == 1:
            found.append((report, fitting[0]))
        elif fitting or report.required:
            wrong.append(f"{len(fitting)} files for {report.name}")
    return found, BadFile(f"The ZIP of {len(files)} files holds {', '.join(wrong)}.") if wrong else None
