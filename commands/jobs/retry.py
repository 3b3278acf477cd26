"""`scrapy jobs retry`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands._terminal import Refused
from commands.jobs.cancel import tell

if TYPE_CHECKING:
    from scrapy.commands import ScrapyCommand


def options(parser: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    parser.add_argument("jobs", type=int, nargs="+", metavar="ID", help="the jobs to try again")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(command: ScrapyCommand, opts: argparse.Namespace) -> int:
    """Make them due at once."""
    from database.engine import database
    from database.jobs.queue import NotPossible
    from jobs.clock import Clock
    from jobs.engines.chosen import chosen_engine

    try:
        done = chosen_engine(database(), Clock()).run_now(opts.jobs)
    except NotPossible as error:
        raise Refused(str(error)) from None
    return tell(opts, done, "due again", "cannot be tried again now")
