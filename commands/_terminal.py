"""What our commands share: one-sentence errors, tables, several acts under one word. Imported at every call: light imports only."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, ClassVar

from scrapy.exceptions import UsageError

Row = dict[str, Any]


class Refused(Exception):
    """The command cannot do what was asked. The text is one sentence; the exit code is 1."""

    exit_code = 1


class WrongArgument(Refused):
    """An argument is wrong. The text is one sentence that names it; the exit code is 2."""

    exit_code = 2


class Everyday:
    """
    Mixin of the commands that do not crawl: no reactor, no log, errors as one sentence.

    A command with several acts (`accounts add`) gives each a parser through `acts` and a method of its name.
    """

    requires_project = True
    requires_crawler_process = False
    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}
    exitcode = 0
    word: ClassVar[str]  # as it is typed

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments; Scrapy's global ones have no use here."""
        # Read by Scrapy after parsing; none of them, -s apart, changes what these commands do.
        parser.prog = f"scrapy {self.word}"  # what the error of a wrong argument begins with
        parser.set_defaults(logfile=None, loglevel=None, nolog=False, profile=None, pidfile=None, set=[], pdb=False)
        _take_settings(parser)
        self.arguments(parser)

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add arguments or acts to the parser."""

    def acts(self, parser: argparse.ArgumentParser) -> Callable[[str, str], argparse.ArgumentParser]:
        """Return a function that adds an act: `add(name, what it does)` gives its parser."""
        kind = parser.add_subparsers(
            dest="act", metavar="ACT", required=True, title="acts", prog=f"scrapy {self.word}", parser_class=Parser
        )

        def add(name: str, does: str) -> argparse.ArgumentParser:
            made: argparse.ArgumentParser = kind.add_parser(name, help=does, description=does)
            _take_settings(made)
            return made

        return add

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do what was asked; turn what is known to go wrong into one sentence."""
        if args:
            raise UsageError(f"unknown argument: {args[0]}")
        from database.access.encryption import UnreadableSecret
        from database.engine import DatabaseAway
        from database.settings import SettingsError

        try:
            check_texts(vars(opts))
            act = getattr(opts, "act", None)
            (getattr(self, "import_" if act == "import" else act.replace("-", "_")) if act else self.do)(opts)
            sys.stdout.flush()
        except Refused as error:
            self.fail(str(error), error.exit_code)
        except (DatabaseAway, SettingsError, UnreadableSecret) as error:
            several = getattr(error, "by", None)  # of SeveralCredentials, whose module is not imported for this
            self.fail(several("--username USERNAME") if several else str(error))
        except BrokenPipeError:
            # The reader (`| head`) has closed the pipe; what Python flushes at exit goes to /dev/null.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt:
            self.fail("Stopped.", 130)

    def do(self, opts: argparse.Namespace) -> None:
        """Act of a command that has only one."""
        raise TypeError(f"{type(self).__module__} must say what it does.")

    def fail(self, sentence: str, exit_code: int = 1) -> None:
        """Say what went wrong and end with that exit code."""
        print(sentence, file=sys.stderr)
        self.exitcode = exit_code


def _take_settings(parser: argparse.ArgumentParser) -> None:
    """Add Scrapy's -s; what it says of our settings is read before any command is (scrapers/settings.py)."""
    parser.add_argument(
        "-s",
        "--set",
        action="append",
        default=argparse.SUPPRESS,  # else an act's parser would empty what stood before the act
        metavar="NAME=VALUE",
        help="a setting for this call, as LATCHKEY_PAGE_WAIT=60; may be repeated",
    )


class Parser(argparse.ArgumentParser):
    """An act's parser; argparse would hand it Scrapy's formatter otherwise."""

    more: Callable[[], str] | None = None  # gives what stands below the options; asked only where help is

    def format_help(self) -> str:
        """Return the help of the act."""
        return super().format_help() + (self.more() if self.more is not None else "")


def read_lines(path: Path) -> list[str]:
    r"""Return the lines of a CSV file, line breaks kept: others than \n, \r and \r\n are characters of a field."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(file)
    except OSError as error:
        raise WrongArgument(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise WrongArgument(f"{path} is not UTF-8 text: save it as CSV UTF-8.") from None


def check_texts(given: Mapping[str, Any]) -> None:
    """Raise WrongArgument for the first argument that is no text in the terminal's encoding; a path may be anything."""
    for name, value in given.items():
        texts = value.items() if isinstance(value, dict) else [(name, value)]
        for label, each in texts:
            try:
                str(each if isinstance(each, str) else "").encode()
            except UnicodeEncodeError:
                raise WrongArgument(
                    f"{label.replace('_', '-')}: it is not UTF-8 text, perhaps Latin-1: use a terminal or script in UTF-8."
                ) from None


def show(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "", as_json: bool = False) -> None:
    """
    Print a table: drawn on a terminal, aligned text in a pipe, a list of objects as JSON.

    empty: the sentence that stands for a table without rows.
    """
    made = [list(row) for row in rows]
    if as_json:
        print_json([dict(zip((column.replace(" ", "_") for column in columns), row, strict=True)) for row in made])
    elif not made:
        print(empty)
    elif sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in made:
            table.add_row(*(_escaped(text(cell)) for cell in row))
        Console().print(table)
    else:
        lines = [list(columns), *([text(cell) for cell in row] for row in made)]
        widths = [max(len(line[n]) for line in lines) for n in range(len(columns))]
        for line in lines:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=plain))


def write_rows(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]], form: str) -> int:
    """Write rows as `csv`, `json` (a list with one object a line) or `jsonl` (the lines alone); return how many. None is held."""
    count = 0
    if form == "csv":
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for count, row in enumerate(rows, 1):  # noqa: B007 - used after the loop
            writer.writerow(["" if cell is None else plain(_harmless(cell)) for cell in row])
        return count
    if form == "jsonl":
        for count, row in enumerate(rows, 1):  # noqa: B007 - used after the loop
            json.dump(dict(zip(columns, row, strict=True)), file, ensure_ascii=False, default=plain)
            file.write("\n")
        return count
    file.write("[")
    for count, row in enumerate(rows, 1):
        file.write(",\n" if count > 1 else "\n")
        json.dump(dict(zip(columns, row, strict=True)), file, ensure_ascii=False, default=plain)
    file.write("\n]\n")
    return count


def plain(value: Any) -> Any:
    """Return a value as JSON and CSV hold it: instants and days in ISO 8601, decimals as text, in CSV objects as JSON."""
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def text(value: Any) -> str:
    """Return a value as a person reads it in a table; unknown is a dash."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


def size(count: int | None) -> str:
    """
    Return a number of bytes as a person reads it.

    >>> size(None), size(999), size(123456)
    ('-', '999 B', '120.6 KB')
    """
    if count is None:
        return "-"
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KB", "MB", "GB"):
        amount /= 1024
        if amount < 1024 or unit == "GB":
            break
    return f"{amount:.1f} {unit}"


def instant(given: str) -> datetime:
    """Return the instant of `2026-10-31` or `2026-10-31T08:00+00:00`, UTC when it says no zone (argparse type)."""
    from datetime import UTC

    try:
        value = datetime.fromisoformat(given)
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # OverflowError: its offset takes it out of datetime's range
        raise argparse.ArgumentTypeError(f"{given!r} is not a date like 2026-10-31") from None


def last_instant(given: str) -> datetime:
    """Return the instant up to which something is asked for, itself left out: the end of `2026-10-31` (argparse type)."""
    from datetime import timedelta

    try:
        return instant(given) + timedelta(days="T" not in given.upper() and " " not in given.strip())
    except OverflowError:
        raise argparse.ArgumentTypeError(f"{given!r} is not a date like 2026-10-31") from None


def places(settings: Any) -> list[str]:
    """Return the packages in which the project's portals are."""
    found: list[str] = settings.getlist("SPIDER_MODULES")
    return found


def portals(settings: Any) -> dict[str, dict[str, Any]]:
    """
    Return portal -> {"spiders": spider classes, "logins": login classes}, as the project's spiders name them.

    Loads every spider; raises Refused when one cannot be imported.
    """
    from scrapers.core.loader import PortalLoader
    from scrapers.logins.base import Login

    loader = PortalLoader.from_settings(settings)
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(loader.list()):
        spider: Any = loader.load(name)
        if portal := getattr(spider, "portal", None):
            found.setdefault(portal, {"spiders": [], "logins": []})["spiders"].append(spider)
    for login in sorted(Login.registry.values(), key=lambda login: login.name):
        if login.portal in found:
            found[login.portal]["logins"].append(login)
    return found


def _escaped(cell: str) -> str:
    from rich.markup import escape

    return escape(cell)


def _harmless(cell: Any) -> Any:
    # A spreadsheet runs text that begins like a formula.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
