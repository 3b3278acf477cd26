"""`scrapy jobs run`: all jobs that are due, side by side, then the end."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands._terminal import print_json

if TYPE_CHECKING:
    from scrapy.commands import ScrapyCommand


def options(parser: argparse.ArgumentParser) -> None:
    """Add its options."""
    parser.add_argument("--max", type=int, metavar="N", help="crawls side by side (default: LATCHKEY_WORKER_SLOTS)")
    parser.add_argument("--job", type=int, metavar="ID", help="only this one, and what its crawl takes along")
    parser.add_argument("--portals", metavar="WORD,…", help="only jobs of these portals")
    parser.add_argument("--json", action="store_true", help="the result of each job as JSON")


def run(command: ScrapyCommand, opts: argparse.Namespace) -> int:
    """Do them; 0 when all that was done has succeeded, else 3."""
    from commands.worker import work

    results = work(
        command, opts, slots=opts.max, portals=opts.portals, until_idle=True, with_schedules=False, only=opts.job
    )
    if opts.json:
        print_json(results)
    elif not results:
        print("Nothing is due.")
    return 0 if all(one["status"] == "success" for one in results) else 3
