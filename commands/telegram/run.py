"""`scrapy telegram run`: sources are read now, by a worker."""

from __future__ import annotations

import argparse


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="ids or names of sources")


def run(opts: argparse.Namespace) -> int:
    """Make a job of each, and say which."""
    from commands.telegram._sources import acts, id_of, refusing

    ids = [id_of(word) for word in opts.sources]
    sources = acts()
    for source_id, word in zip(ids, opts.sources, strict=True):
        with refusing():
            done = sources.trigger(source_id, None)
        job = done.result.job_id
        print(f"{word}: {done.message} Job {job}: a worker does it, or `scrapy jobs run --job {job}`.")
        if done.engine:
            print(done.engine)
    return 0
