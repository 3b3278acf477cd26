"""`scrapy iec remove-shared`: stop sharing a contract with a person."""

from __future__ import annotations

import argparse

from commands.iec import action


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    action.options(parser)
    parser.add_argument("connection", help="id of the connection (masa_connections.connection; iec_masa brings them)")


def run(opts: argparse.Namespace) -> int:
    """Remove the connection."""
    from scrapers.portals.iec.actions import RemoveShared

    question = f"Somebody loses sight of contract {opts.contract}."
    code, _ = action.carry_out(opts, RemoveShared, question, connection=opts.connection)
    if code == 0:
        print(f"{opts.contract}: the company has removed the connection.")
    return code
