"""`scrapy jobs create`: the jobs that are missing for spiders, accounts, clients and months."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from commands._terminal import Refused, WrongArgument, print_json, show

if TYPE_CHECKING:
    from scrapy.commands import ScrapyCommand


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("spiders", nargs="*", metavar="SPIDER", help="spiders, or words of portals or families")
    parser.add_argument("--carrier", action="append", default=[], metavar="WORD", help="all report types of a portal")
    parser.add_argument("--account", metavar="NUMBER,…", help="account numbers, tenants or user names (default: all)")
    parser.add_argument("--client", metavar="NAME", help="only accounts of this client")
    parser.add_argument(
        "--month", metavar="YYYY-MM", help="billing month (default: the newest, and those that are open)"
    )
    parser.add_argument("-a", dest="further", action="append", default=[], metavar="NAME=VALUE", help="further arguments of the spiders")  # fmt: skip
    parser.add_argument("--priority", type=int, default=0, metavar="N", help="higher ones come first (default: 0)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(command: ScrapyCommand, opts: argparse.Namespace) -> int:
    """Make them, and show what was made and what not."""
    from database.engine import database
    from database.jobs.queue import add, open_with
    from database.models.audit import record
    from jobs.clock import Clock
    from jobs.planning import Planner, Spiders, Wanted

    words = [*opts.spiders, *opts.carrier]
    if not words:
        raise WrongArgument("name spiders, portals or families; `scrapy list` shows the spiders.")
    accounts = [part.strip() for part in opts.account.split(",") if part.strip()] if opts.account else None
    wanted = Wanted(words, accounts, opts.client, opts.month, further_of(opts.further))
    assert command.settings is not None
    settings, clock = command.settings, Clock()
    made: list[dict[str, Any]] = []
    with database().transaction() as session:
        found = Planner(Spiders(settings), clock).find(session, wanted)
        at = clock.now(session)
        numbers = add(session, found.jobs, at, available_at=at, priority=opts.priority)
        if fresh := [str(number) for number in numbers if number is not None]:
            record(session, "job.made", f"job {', '.join(fresh)}")
        for job, number in zip(found.jobs, numbers, strict=True):
            there = open_with(session, job.identity)
            made.append(
                {
                    "job": number or (there.id if there else None),
                    "spider": f"{job.portal}_{job.report_type}",
                    "target": job.label,
                    "made": number is not None,
                }
            )
    if found.problems and not made:
        raise Refused("\n".join(found.problems))
    if opts.json:
        others = {"stored": found.stored, "no_longer_offered": found.final, "accepted_as_gone": found.accepted}
        print_json({"jobs": made, **others, "problems": found.problems})
    else:
        rows = [(one["job"], one["spider"], one["target"], "made" if one["made"] else "open already") for one in made]
        show(("job", "spider", "target", ""), rows, empty="Nothing is missing.")
        if said := found.said():
            print(said)
    return 1 if found.problems else 0


def further_of(given: list[str]) -> dict[str, str]:
    """Return the `-a NAME=VALUE` of a command line; raise WrongArgument for one that is none."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise WrongArgument(f"-a {each}: it must look like NAME=VALUE.")
        found[name] = value
    return found
