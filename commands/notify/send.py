"""`scrapy notify send`: what a worker does at each tick, once; for machines where crawls are started by cron."""

from __future__ import annotations

import argparse


def options(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(opts: argparse.Namespace) -> int:
    """Send what is due; one line for each message, and how many were sent."""
    from database.engine import database
    from jobs.clock import Clock
    from jobs.events import Events
    from jobs.notices import Notices, collect

    clock = Clock()
    notices = Notices.as_set(database(), clock, Events(clock))
    with database().transaction() as session:
        collect(session, clock.now(session), notices.settings)
    print(f"{notices.send()} messages were sent.")
    return 0
