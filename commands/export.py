"""`scrapy export`: records and files as CSV or JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument, instant, write_rows

PAGE = 5000  # rows held at once


class Command(Everyday, ScrapyCommand):
    """Write what was brought home in a form that other programs read."""

    word = "export"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "records|files …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Write records or the list of files as CSV or JSON"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the two acts."""
        act = self.acts(parser)
        for name, does, kind in (
            (
                "records",
                "Write the records of one type.",
                "type of record: pool_usage (the default), invoices, usage_files, reports, readings (of meters), versions "
                "(what corrected rows said before), or a table of electricity: electricity_contracts, masa_connections …",
            ),
            (
                "files",
                "Write the list of stored files, with where they are and their SHA-256.",
                "only files of this report type: pdf_invoice, …",
            ),
        ):
            each = act(name, does)
            each.add_argument("--type", help=kind)
            each.add_argument("--account", metavar="NUMBER", help="only of this account")
            each.add_argument(
                "--since", type=instant, metavar="DATE", help="only from this day (or instant, ISO 8601) on"
            )
            each.add_argument("--format", choices=("csv", "json"), default="csv", help="default: csv")
            each.add_argument("--output", type=Path, metavar="FILE", help="where to write (default: standard output)")

    def records(self, opts: argparse.Namespace) -> None:
        """Write records."""
        types = {
            "pool_usage": _pool_usage,
            "invoices": _invoices,
            "usage_files": _usage_files,
            "reports": _reports,
            "readings": _readings,
            "versions": _versions,
            **dict.fromkeys(_own_tables(), _table),
        }
        make = types.get(opts.type or "pool_usage")
        if make is None:
            raise WrongArgument(f"--type {opts.type}: there is no such record; they are {', '.join(types)}.")
        self._write(*make(opts), opts)

    def files(self, opts: argparse.Namespace) -> None:
        """Write the list of files."""
        from sqlalchemy import select

        from database.models import Account, FileStatus, StoredFile

        names = (
            "id", "spider", "portal", "report_type", "account", "name", "path", "store",
            "size", "sha256", "media_type", "source", "status", "stored_at", "run",
        )  # fmt: skip
        query = (
            select(
                StoredFile.id,
                StoredFile.spider,
                StoredFile.portal,
                StoredFile.report_type,
                Account.number,
                StoredFile.name,
                StoredFile.path,
                StoredFile.store,
                StoredFile.size,
                StoredFile.sha256,
                StoredFile.media_type,
                StoredFile.source,
                StoredFile.status,
                StoredFile.stored_at,
                StoredFile.run_id,
            )
            .outerjoin(Account, Account.id == StoredFile.account_id)
            .where(StoredFile.status.in_((FileStatus.READY, FileStatus.PROCESSING, FileStatus.PROCESSED)))
        )
        if opts.type:
            query = query.where(StoredFile.report_type == opts.type)
        if opts.account:
            query = query.where(Account.number == opts.account)
        if opts.since:
            query = query.where(StoredFile.stored_at >= opts.since)
        self._write(names, query, opts)

    def _write(self, names: tuple[str, ...], query: Any, opts: argparse.Namespace) -> None:
        if opts.account:
            _account_must_exist(opts.account)
        if opts.output is None:
            write_rows(sys.stdout, names, _pages(query), opts.format)
            return
        try:
            with opts.output.open("w", encoding="utf-8", newline="") as file:
                count = write_rows(file, names, _pages(query), opts.format)
        except OSError as error:
            raise Refused(f"--output {opts.output}: {error.strerror}.") from None
        print(f"Wrote {count} to {opts.output}.")


def _pages(query: Any) -> Iterator[Any]:
    """Give the rows of a query in the order of its first column, its id; each page is a short transaction of its own."""
    from database.engine import database

    by = query.selected_columns[0]
    last = 0
    while True:
        # A slow reader of our output must not hold a transaction, which on SQLite keeps every writer waiting.
        with database().transaction() as session:
            page = session.execute(query.where(by > last).order_by(by).limit(PAGE)).all()
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1][0]


def _pool_usage(opts: argparse.Namespace) -> tuple[tuple[str, ...], Any]:
    """Pool figures by account and day, in bytes."""
    from sqlalchemy import select

    from database.models import Account, Carrier, PoolUsage

    query = (
        select(
            PoolUsage.id,
            Carrier.portal,
            Account.number,
            PoolUsage.day,
            PoolUsage.pool_size,
            PoolUsage.pool_used,
            PoolUsage.run_id,
            PoolUsage.file_id,
        )
        .select_from(PoolUsage)
        .join(Account, Account.id == PoolUsage.account_id)
        .join(Carrier, Carrier.id == Account.carrier_id)
    )
    if opts.account:
        query = query.where(Account.number == opts.account)
    if opts.since:
        query = query.where(PoolUsage.day >= opts.since.date())
    return ("id", "carrier", "account", "day", "pool_size", "pool_used", "run", "file"), query


def _invoices(opts: argparse.Namespace) -> tuple[tuple[str, ...], Any]:
    """PDFs by account and billing cycle."""
    from database.models import BillingCyclePdfFile

    return _of_cycle(opts, BillingCyclePdfFile, "pdf_type", BillingCyclePdfFile.pdf_type)


def _usage_files(opts: argparse.Namespace) -> tuple[tuple[str, ...], Any]:
    """Usage files by account and day."""
    from database.models import DailyUsageFile

    return _of_cycle(opts, DailyUsageFile, "day", DailyUsageFile.day)


def _reports(opts: argparse.Namespace) -> tuple[tuple[str, ...], Any]:
    """Monthly reports by account and billing cycle, those that are still wanted too."""
    from database.models import BillingCycleFile, CarrierReport

    names, query = _of_cycle(opts, BillingCycleFile, "report", CarrierReport.slug)
    return names, query.join(CarrierReport, CarrierReport.id == BillingCycleFile.carrier_report_id)


def _readings(opts: argparse.Namespace) -> tuple[tuple[str, ...], Any]:
    """Readings of meters, as they stand."""
    from sqlalchemy import select

    from database.models.readings import MeterReading

    names = ("id", "contract", "meter", "meter_code", "direction", "resolution", "starts_at", "kwh", "status", "band")
    query = select(*(getattr(MeterReading, name) for name in names), MeterReading.run_id)
    _no_account(opts)
    if opts.since:
        query = query.where(MeterReading.starts_at >= opts.since)
    return (*names, "run"), query


def _own_tables() -> list[str]:
    """Return the tables whose rows are exported as they stand: those of electricity, readings apart."""
    from database.models import all_tables

    return sorted(name for name in all_tables().tables if name.startswith(("electricity_", "masa_")))


def _table(opts: argparse.Namespace) -> tuple[tuple[str, ...], Any]:
    """Rows of a table; --since: those that a run since then has written."""
    from sqlalchemy import select

    from database.models import Run, all_tables

    columns = all_tables().tables[opts.type].columns
    names = [name for name in columns.keys() if name not in ("id", "run_id")]  # noqa: SIM118 - no mapping
    query = select(columns.id, *(columns[name] for name in names), columns.run_id)
    _no_account(opts)
    if opts.since:
        query = query.join(Run, Run.id == columns.run_id).where(Run.started_at >= opts.since)
    return ("id", *names, "run"), query


def _versions(opts: argparse.Namespace) -> tuple[tuple[str, ...], Any]:
    """What rows of any table said before they were corrected."""
    from sqlalchemy import select

    from database.models import Version

    names = ("id", "table_name", "key", "number", "row", "run_id", "replaced_by", "replaced_at")
    query = select(*(getattr(Version, name) for name in names))
    _no_account(opts)
    if opts.since:
        query = query.where(Version.replaced_at >= opts.since)
    return ("id", "table", "key", "number", "row", "run", "replaced_by", "replaced_at"), query


def _no_account(opts: argparse.Namespace) -> None:
    if opts.account:
        raise WrongArgument(f"--account: records of the type {opts.type} belong to no account.")


def _of_cycle(opts: argparse.Namespace, model: Any, name: str, column: Any) -> tuple[tuple[str, ...], Any]:
    """Rows of a billing cycle, each with what tells it from the cycle's others, its status and its file."""
    from sqlalchemy import select

    from database.models import Account, BillingCycle, Carrier

    columns = (BillingCycle.start_date, BillingCycle.end_date, column, model.status, model.s3_key, model.file_id)
    query = (
        select(model.id, Carrier.portal, Account.number, *columns)
        .select_from(model)
        .join(BillingCycle, BillingCycle.id == model.billing_cycle_id)
        .join(Account, Account.id == BillingCycle.account_id)
        .join(Carrier, Carrier.id == Account.carrier_id)
    )
    if opts.account:
        query = query.where(Account.number == opts.account)
    if opts.since:
        query = query.where(BillingCycle.end_date >= opts.since.date())
    return ("id", "carrier", "account", "start", "end", name, "status", "path", "file"), query


def _account_must_exist(number: str) -> None:
    from sqlalchemy import select

    from database.engine import database
    from database.models import Account

    with database().transaction() as session:
        if session.scalars(select(Account.id).where(Account.number == number).limit(1)).one_or_none() is None:
            raise WrongArgument(f"--account {number}: no account has this number; `scrapy accounts list` shows all.")
