"""`scrapy notify causes`: why a person must act."""

from __future__ import annotations

import argparse

from commands._terminal import print_json, show


def options(parser: argparse.ArgumentParser) -> None:
    """Add the filters."""
    parser.add_argument("--all", action="store_true", help="also what is solved")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """Print them, the newest first."""
    from sqlalchemy import select

    from database.engine import database, now
    from database.jobs.causes import collect
    from database.jobs.notices import cases_of
    from database.models.notices import Cause
    from scrapers.core.redaction import without_numbers

    query = select(Cause).order_by(Cause.began_at.desc(), Cause.id)
    if not opts.all:
        query = query.where(Cause.solved_at.is_(None))
    with database().transaction() as session:
        collect(session, now(session))  # no worker may have looked at what has just ended
        rows = [
            {
                "portal": cause.portal,
                "outcome": cause.outcome,
                "who must act": cause.actor,
                "user": cause.username and without_numbers(cause.username),
                "since": cause.began_at,
                "failures": cause.failures,
                "solved": cause.solved_at,
                "concerned": ", ".join(
                    f"{case.spider} {without_numbers(case.label)}" for case in cases_of(session, cause)
                ),
            }
            for cause in session.scalars(query)
        ]
    if opts.json:
        print_json(rows)
        return 0
    columns = tuple(rows[0]) if rows else ()
    show(columns, [tuple(row.values()) for row in rows], empty="Nobody has to act.")
    return 0
