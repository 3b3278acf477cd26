"""`scrapy notify remove`: an address that is told no more."""

from __future__ import annotations

import argparse

from commands._terminal import Refused


def options(parser: argparse.ArgumentParser) -> None:
    """Add which one."""
    parser.add_argument("number", type=int, metavar="ID", help="its number in `scrapy notify list`")


def run(opts: argparse.Namespace) -> int:
    """Remove it."""
    from database.engine import database, now
    from database.jobs.recipients import remove
    from database.models.audit import record
    from jobs.notices import shown

    with database().transaction() as session:
        gone = remove(session, opts.number, now(session))
        if gone is not None:
            record(session, "address.removed", f"{gone.id} {shown(gone.service, gone.address)}")
    if gone is None:
        raise Refused(f"There is no address {opts.number}; `scrapy notify list` shows them.")
    print(f"Address {opts.number} is told nothing more.")
    return 0
