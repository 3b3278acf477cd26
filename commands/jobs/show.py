"""`scrapy jobs show`: all about one job."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands._terminal import WrongArgument, print_json, text

if TYPE_CHECKING:
    from scrapy.commands import ScrapyCommand


def options(parser: argparse.ArgumentParser) -> None:
    """Add its argument."""
    parser.add_argument("job", type=int, metavar="ID", help="the job to tell about")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(command: ScrapyCommand, opts: argparse.Namespace) -> int:
    """Print it."""
    from database.engine import database, now
    from database.models import ScraperJob
    from jobs.telling import all_of

    with database().transaction() as session:
        job = session.get(ScraperJob, opts.job)
        if job is None:
            raise WrongArgument(f"There is no job {opts.job}; `scrapy jobs list --status all` shows all.")
        told = all_of(session, job, now(session))
    if opts.json:
        print_json(told)
        return 0
    flat = {**told, **told.pop("result")}
    log, runs, files = flat.pop("log"), flat.pop("runs"), flat.pop("files", [])
    flat.pop("result", None)
    width = max(map(len, flat))
    for name, value in flat.items():
        if value not in (None, "", [], {}):
            print(f"{name.replace('_', ' ').ljust(width)}  {text(value)}")
    for file in files:
        print(f"{'file'.ljust(width)}  {file['path'] or file['report']}")
    for run in runs:
        print(
            f"{'run'.ljust(width)}  {run['run']}  {text(run['started'])}  {run['outcome']}  (scrapy runs {run['run']})"
        )
    for line in log:
        print(line)
    return 0
