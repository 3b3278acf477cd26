"""`scrapy missing`: what is stored of each account and month, and why the rest is not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, WrongArgument, print_json, show, write_rows

if TYPE_CHECKING:
    from jobs.missing import Line, Wanted

MOST = 1000  # fleets, meters and channels that are shown


class Command(Everyday, ScrapyCommand):
    """Show what is missing."""

    word = "missing"

    def syntax(self) -> str:
        """Return what follows the command's name."""
        return "[options]"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Show what is not stored of each account and month, why, and when it comes"

    def long_desc(self) -> str:
        """Return the page of the command."""
        return (
            "By account, billing month and report type: coming (when), not yet published, gone, failed (why), never asked "
            "for; then fleets, meters, watched prices and channels with their last syncs and checks, and the freshness "
            "targets that will be missed as things stand."
        )

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the filters."""
        parser.add_argument("--client", metavar="NAME", help="only accounts of this client")
        parser.add_argument("--carrier", metavar="WORD", help="only accounts at this carrier's portal, as bell")
        parser.add_argument("--account", metavar="NUMBER", help="only this account")
        parser.add_argument("--month", metavar="YYYY-MM", help="only this billing month (default: the last twelve)")
        parser.add_argument(
            "--state",
            action="append",
            metavar="STATE",
            help="stored, coming, not_yet_published, gone, failed, never_asked; may be repeated (default: all but stored)",
        )
        parser.add_argument("--all", action="store_true", help="what is stored, too")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--csv", action="store_true", help="accounts and months as CSV, and nothing else")
        form.add_argument("--json", action="store_true", help="as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """Show or write it."""
        from jobs.missing import CSV_COLUMNS, csv_rows

        wanted = _wanted(opts)
        _must_exist(wanted)
        rows = csv_rows(_lines(wanted))
        if opts.csv:
            write_rows(sys.stdout, CSV_COLUMNS, rows, "csv")
            return
        others = {} if any((opts.client, opts.carrier, opts.account, opts.month, opts.state)) else _others()
        if opts.json:
            cells = [dict(zip(CSV_COLUMNS, row, strict=True)) for row in rows]
            print_json({"accounts": cells, **others})
            return
        columns = ("client", "carrier", "account", "month", "report", "state", "stored", "when", "why", "run")
        show(columns, map(_short, rows), empty="Nothing is missing.")
        for name, found in others.items():
            if found:
                print(f"\n{name.capitalize()}")
                show([key.replace("_", " ") for key in found[0]], [list(row.values()) for row in found])


def _wanted(opts: argparse.Namespace) -> Wanted:
    """Return what the options ask for."""
    from database.families.cycles import parse_month
    from database.families.holdings import Chosen
    from jobs.missing import State, Wanted, states_named

    if opts.month:
        try:
            parse_month(opts.month)
        except ValueError as error:
            raise WrongArgument(f"--month {opts.month}: {error}.") from None
    try:
        states = states_named(opts.state or ([] if opts.all else ["missing"]))
    except ValueError:
        raise WrongArgument(f"--state: the states are {', '.join(State)}, and missing for all but stored.") from None
    chosen = Chosen(client=opts.client, portal=opts.carrier, number=opts.account)
    return Wanted(chosen, (opts.month,) if opts.month else (), states)


def _must_exist(wanted: Wanted) -> None:
    """Raise WrongArgument when the filter names a client, carrier or account that is not there."""
    from database.engine import database
    from database.families.holdings import Chosen, count_accounts

    chosen = wanted.chosen
    with database().transaction() as session:
        for option, value, alone in (
            ("client", chosen.client, Chosen(client=chosen.client)),
            ("carrier", chosen.portal, Chosen(portal=chosen.portal)),
            ("account", chosen.number, Chosen(number=chosen.number)),
        ):
            if value is not None and not count_accounts(session, alone):
                raise WrongArgument(
                    f"--{option} {value}: no active client's account is that; `scrapy accounts list` shows all."
                )


def _lines(wanted: Wanted) -> Iterator[Line]:
    """Yield all lines, those of some accounts at a time, each in a short transaction of its own."""
    from database.engine import database, now
    from jobs.missing import AT_ONCE, every_line

    start = 0
    while True:
        with database().transaction() as session:
            some = every_line(session, wanted, now(session), start)
        yield from some
        start += AT_ONCE
        if len(some) < AT_ONCE:
            return


def _short(row: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return a row of CSV as the table shows it."""
    client, carrier, account, month, report_type, state, stored, wanted, _, when, why, said, run = row
    when = str(when)[:16].replace("T", " ")
    return client, carrier, account, month, report_type, state, f"{stored} of {wanted}", when, why or said, run


def _others() -> dict[str, list[dict[str, Any]]]:
    """Return fleets, meters, prices, channels and freshness targets, by what they are."""
    from dataclasses import asdict

    from database.engine import database, now
    from database.families import standing
    from jobs.coming import Coming
    from jobs.forecast import missed_targets
    from jobs.missing import YEAR

    with database().transaction() as session:
        at = now(session)
        coming = Coming.of(session)
        fleets = standing.fleets(session, 0, MOST)
        meters = standing.meters(session, (at - YEAR).date(), 0, MOST)
        channels = standing.channels(session, 0, MOST)
        found: dict[str, list[dict[str, Any]]] = {
            "freshness": [
                {
                    "schedule": target.schedule,
                    "deadline": target.deadline,
                    "state": "missed" if target.is_over else "will be missed",
                    "why": " ".join(target.reasons),
                }
                for target in missed_targets(session, at)
            ],
            "fleets": [
                {**asdict(each), "next_at": coming.due(each.portal, "faults", each.tenant, at)} for each in fleets
            ],
            "meters": [{**asdict(each), "gaps": len(each.gaps)} for each in meters],
            "prices": [asdict(each) for each in standing.shops(session)],
            "channels": [
                {
                    "name": each.name,
                    "channel": each.title,
                    "active": each.is_active,
                    "last_success": each.last_success_at,
                    "outcome": each.outcome,
                }
                for each in channels
            ],
        }
    return found
