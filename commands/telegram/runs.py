"""`scrapy telegram runs`: the runs of a source, and what they have kept."""

from __future__ import annotations

import argparse


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("source", help="id or name of a source")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="newest runs (default: 20)")
    parser.add_argument("--logs", action="store_true", help="the lines of these runs and of their jobs")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """Print them."""
    from commands._terminal import WrongArgument, show
    from commands.telegram._sources import acts, id_of, refusing

    if not 1 <= opts.limit <= 1000:
        raise WrongArgument("--limit: it is from 1 to 1000.")
    source_id = id_of(opts.source)
    with refusing():
        if opts.logs:
            lines = acts().logs(source_id, None, opts.limit)
            rows = [(each.timestamp, each.level, each.message) for each in lines]
            show(("when", "level", "message"), rows, empty="No run has kept anything yet.", as_json=opts.json)
            return 0
        found, _ = acts().runs(source_id, None, 0, opts.limit)
    columns = ("run", "job", "status", "started", "finished", "files", "requests", "outcome", "notes")
    cells = [
        (
            *(each.id, each.flow_run_id, each.status, each.started_at, each.finished_at),
            *(each.total_files_processed, each.requests, each.outcome, each.notes),
        )
        for each in found
    ]
    show(columns, cells, empty="It has not run yet: `scrapy telegram run SOURCE`.", as_json=opts.json)
    return 0
