"""`scrapy jobs list`: the open jobs, or those of a status, portal or spider."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands._terminal import print_json, show

if TYPE_CHECKING:
    from scrapy.commands import ScrapyCommand

STATUSES = ("open", "pending", "in_progress", "running", "success", "error", "cancelled", "all")


def options(parser: argparse.ArgumentParser) -> None:
    """Add the filters."""
    parser.add_argument("--status", choices=STATUSES, default="open", help="which ones (default: open)")
    parser.add_argument("--portal", metavar="WORD", help="only of this portal")
    parser.add_argument("--spider", metavar="NAME", help="only of this spider")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="how many at most (default: 50)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(command: ScrapyCommand, opts: argparse.Namespace) -> int:
    """Print the jobs, the next one first."""
    from sqlalchemy import select

    from database.engine import database, now
    from database.models import ScraperJob
    from database.models.jobs import OPEN
    from jobs.telling import row_of

    query = select(ScraperJob).order_by(
        ScraperJob.completed_at.desc().nulls_first(), ScraperJob.available_at.asc().nulls_last(), ScraperJob.id
    )
    if opts.status == "open":
        query = query.where(ScraperJob.status.in_(OPEN))
    elif opts.status != "all":
        query = query.where(ScraperJob.status == opts.status)
    if opts.portal:
        query = query.where(ScraperJob.portal == opts.portal)
    with database().transaction() as session:
        at = now(session)
        rows = [
            row_of(session, job, at) for job in session.scalars(query) if not opts.spider or job.spider == opts.spider
        ][: opts.limit]
    if opts.json:
        print_json(rows)
        return 0
    columns = tuple(rows[0]) if rows else ()
    show(columns, [tuple(row.values()) for row in rows], empty="There is no such job.")
    return 0
