"""`scrapy export`: records and files as CSV, JSON or Parquet."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from commands._output import FORMATS
from commands._terminal import Everyday, Refused, WrongArgument, instant, last_instant, places

if TYPE_CHECKING:
    from scrapers.core.exports import Records


class Command(Everyday, ScrapyCommand):
    """Write stored records, or the list of files, in a form that other programs read."""

    word = "export"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "records|files …"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Write records or the list of files as CSV, JSON or Parquet"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the two acts."""
        act = self.acts(parser)
        for name, does, kind in (
            ("records", "Write the records of one type.", "type of record, see below (default: pool_usage)"),
            (
                "files",
                "Write the list of stored files, with where they are and their SHA-256.",
                "only files of this report type: pdf_invoice, …",
            ),
        ):
            each = act(name, does)
            each.add_argument("--type", help=kind)
            each.add_argument("--account", metavar="NUMBER", help="only of this account")
            each.add_argument("--client", metavar="NAME", help="only of accounts of this client")
            if name == "files":
                each.add_argument("--portal", metavar="WORD", help="only files of this portal")
            each.add_argument(
                "--since", type=instant, metavar="DATE", help="only from this day (or instant, ISO 8601) on"
            )
            each.add_argument(
                "--until",
                type=last_instant,
                metavar="DATE",
                help="only up to this day, which belongs to it (or before this instant)",
            )
            each.add_argument(
                "--format",
                choices=FORMATS,
                default="csv",
                help="csv (default), json (one list), jsonl (an object a line), parquet (needs pyarrow)",
            )
            each.add_argument(
                "--output",
                type=Path,
                metavar="FILE",
                help="where to write (default: standard output); the file is there when it is whole",
            )
            if name == "records":
                each.more = _said_of_types  # type: ignore[attr-defined]

    def records(self, opts: argparse.Namespace) -> None:
        """Write records."""
        from scrapers.core.exports import DEFAULT_TYPE, record_types

        types, name = record_types(), opts.type or DEFAULT_TYPE
        if name not in types:
            raise WrongArgument(f"--type {name}: there is no such record; they are {', '.join(types)}.")
        self._write(types[name].make(), opts, f"records of the type {name}")

    def files(self, opts: argparse.Namespace) -> None:
        """Write the list of files."""
        from scrapers.core.exports import stored_files
        from scrapers.core.stated import with_accounts

        # Of a portal that is no carrier: what its files belong to is the target.
        has_accounts = opts.portal is None or opts.portal in with_accounts(places(self.settings))
        self._write(stored_files(opts.portal, opts.type, with_account=has_accounts), opts, "files")

    def _write(self, records: Records, opts: argparse.Namespace, what: str) -> None:
        from commands._output import check_format, flat, write_parquet
        from commands._terminal import write_rows
        from database.engine import database
        from scrapers.core.exports import pages
        from scrapers.core.whole import whole_file

        check_format(opts.format, opts.output)
        limits = {name: getattr(opts, name) for name in ("since", "until", "account", "client")}
        try:
            query = records.limited(**limits)
        except LookupError as error:
            raise WrongArgument(f"--{error.args[0]}: {what} belong to no {error.args[0]}.") from None
        _must_exist(opts.account, opts.client)
        names, rows = tuple(records.columns), flat(pages(database(), query))
        if opts.output is None:
            write_rows(sys.stdout, names, rows, opts.format)
            return
        try:
            with whole_file(opts.output) as path:
                if opts.format == "parquet":
                    count = write_parquet(path, {name: each.type for name, each in records.columns.items()}, rows)
                else:
                    with path.open("w", encoding="utf-8", newline="") as file:
                        count = write_rows(file, names, rows, opts.format)
        except OSError as error:
            raise Refused(f"--output {opts.output}: {error.strerror}.") from None
        print(f"Wrote {count} to {opts.output}.")


def _said_of_types() -> str:
    """Return what the help says of every type of record."""
    from scrapers.core.exports import record_types

    lines = []
    for name, kind in record_types().items():
        limits = "".join(f", --{each}" for each in kind.make().others)
        lines.append(f"  {name:<30}{kind.sentence}{f' Takes{limits[1:]}.' if limits else ''}")
    return "\n".join(["", "types of records:", *lines, ""])


def _must_exist(account: str | None, client: str | None) -> None:
    from sqlalchemy import select

    from database.engine import database
    from database.models import Account, Client

    asked = (
        ("account", account, select(Account.id).where(Account.number == account), "no account has this number"),
        ("client", client, select(Client.id).where(Client.name == client), "no client has this name"),
    )
    for name, value, query, said in asked:
        if value:
            with database().transaction() as session:
                if session.scalars(query.limit(1)).one_or_none() is None:
                    raise WrongArgument(f"--{name} {value}: {said}; `scrapy accounts list` shows all.")
