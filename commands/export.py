"""`scrapy export`: records and files as CSV or JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, Refused, WrongArgument, instant, write_rows

if TYPE_CHECKING:
    from scrapers.core.stated import Export

PAGE = 5000  # rows held at once
DEFAULT_TYPE = "pool_usage"
Columns = tuple[tuple[str, ...], Any]  # names, and a select that gives them, an id first


class Command(Everyday, ScrapyCommand):
    """Write stored records, or the list of files, in a form that other programs read."""

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
                f"type of record (default: {DEFAULT_TYPE}); versions: what corrected rows said before. For each family of "
                f"portals those that it states and its tables: {_usual_types()} …",
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
            if name == "files":
                each.add_argument("--portal", metavar="WORD", help="only files of this portal")
            each.add_argument(
                "--since", type=instant, metavar="DATE", help="only from this day (or instant, ISO 8601) on"
            )
            each.add_argument("--format", choices=("csv", "json"), default="csv", help="default: csv")
            each.add_argument("--output", type=Path, metavar="FILE", help="where to write (default: standard output)")

    def records(self, opts: argparse.Namespace) -> None:
        """Write records."""
        types = record_types()
        make = types.get(opts.type or DEFAULT_TYPE)
        if make is None:
            raise WrongArgument(f"--type {opts.type}: there is no such record; they are {', '.join(types)}.")
        self._write(*make(opts), opts)

    def files(self, opts: argparse.Namespace) -> None:
        """Write the list of files."""
        from sqlalchemy import select

        from database.models import Account, FileStatus, StoredFile

        columns = {
            "id": StoredFile.id,
            "spider": StoredFile.spider,
            "portal": StoredFile.portal,
            "report_type": StoredFile.report_type,
            "account": Account.number,
            "target": StoredFile.target_key,
            "name": StoredFile.key,
            "path": StoredFile.path,
            "store": StoredFile.store,
            "size": StoredFile.size,
            "sha256": StoredFile.sha256,
            "media_type": StoredFile.media_type,
            "source": StoredFile.source,
            "status": StoredFile.status,
            "stored_at": StoredFile.stored_at,
            "run": StoredFile.run_id,
        }
        query = (
            select(*columns.values())
            .outerjoin(Account, Account.id == StoredFile.account_id)
            .where(StoredFile.status.in_((FileStatus.READY, FileStatus.PROCESSING, FileStatus.PROCESSED)))
        )
        if opts.portal:
            query = query.where(StoredFile.portal == opts.portal)
        if opts.type:
            query = query.where(StoredFile.report_type == opts.type)
        if opts.account:
            query = query.where(Account.number == opts.account)
        if opts.since:
            query = query.where(StoredFile.stored_at >= opts.since)
        if opts.portal and not self._has_accounts(query.where(Account.id.is_not(None))):
            # A portal that is no carrier: what its files belong to is the target.
            del columns["account"]
            query = query.with_only_columns(*columns.values(), maintain_column_froms=True)
        self._write(tuple(columns), query, opts)

    @staticmethod
    def _has_accounts(query: Any) -> bool:
        from database.engine import database

        with database().transaction() as session:
            return session.execute(query.limit(1)).first() is not None

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


def _usual_types() -> str:
    from scrapers.core.stated import families

    return ", ".join(name for family in families().values() for name in family.exports)


def record_types() -> dict[str, Callable[[argparse.Namespace], Columns]]:
    """Return what makes the query of each type of record, by type: what families state, their tables, and versions."""
    from database.models import BOOKKEEPING
    from scrapers.core.stated import families, record_tables, resolve

    types: dict[str, Callable[[argparse.Namespace], Columns]] = {}
    for family in families().values():
        types |= {name: partial(_stated, name, export, resolve) for name, export in family.exports.items()}
    types["versions"] = _versions
    taken = {*types, *BOOKKEEPING}
    return types | {name: partial(_table, table) for name, table in record_tables().items() if name not in taken}


def _stated(name: str, export: Export, resolve: Callable[[str], Any], opts: argparse.Namespace) -> Columns:
    """Rows of a type that a family states."""
    if not export.by_account:
        _no_account(opts)
    made: Columns = resolve(export.query)(opts.account, opts.since)
    return made


def _table(table: Any, opts: argparse.Namespace) -> Columns:
    """Rows of a table as they stand; --since: those that a run since then has written."""
    from sqlalchemy import select

    from database.access.encryption import Encrypted
    from database.models import Run

    columns = table.columns
    first = next(iter(table.primary_key.columns))
    names = [
        name
        for name in columns.keys()  # noqa: SIM118 - no mapping
        if name not in (first.name, "run_id") and not isinstance(columns[name].type, Encrypted)
    ]
    query = select(first, *(columns[name] for name in names), columns.run_id)
    _no_account(opts)
    if opts.since:
        query = query.join(Run, Run.id == columns.run_id).where(Run.started_at >= opts.since)
    return (first.name, *names, "run"), query


def _versions(opts: argparse.Namespace) -> Columns:
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


def _account_must_exist(number: str) -> None:
    from sqlalchemy import select

    from database.engine import database
    from database.models import Account

    with database().transaction() as session:
        if session.scalars(select(Account.id).where(Account.number == number).limit(1)).one_or_none() is None:
            raise WrongArgument(f"--account {number}: no account has this number; `scrapy accounts list` shows all.")
