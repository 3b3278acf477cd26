"""`scrapy jobs cancel`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands._terminal import Refused, print_json

if TYPE_CHECKING:
    from scrapy.commands import ScrapyCommand


def options(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("jobs", type=int, nargs="+", metavar="ID", help="the jobs to cancel")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(command: ScrapyCommand, opts: argparse.Namespace) -> int:
    """Cancel those that are open."""
    from database.engine import database
    from jobs.clock import Clock
    from jobs.engines.chosen import chosen_engine

    done = chosen_engine(database(), Clock()).cancel(opts.jobs)
    return tell(opts, done, "cancelled", "is not open")


def tell(opts: argparse.Namespace, done: list[int], what: str, not_so: str) -> int:
    """Say what became of each job; raise Refused when nothing did."""
    left = [number for number in opts.jobs if number not in done]
    if opts.json:
        print_json({what.replace(" ", "_"): done, "left": left})
    elif done:
        print(f"{what.capitalize()}: {', '.join(map(str, done))}.")
    if left and not done:
        raise Refused(f"Job {left[0]} {not_so}; `scrapy jobs show {left[0]}` tells how it stands.")
    return 1 if left else 0
