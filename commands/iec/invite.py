"""`scrapy iec invite`: make the link by which another person gets to see a contract."""

from __future__ import annotations

import argparse

from commands.iec import action


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    action.options(parser)


def run(opts: argparse.Namespace) -> int:
    """Make the link and print it: it is for the one who is invited."""
    from scrapers.portals.iec.actions import Invite

    question = f"Whoever gets the link that the company makes can see contract {opts.contract}."
    code, link = action.carry_out(opts, Invite, question)
    if code == 0:
        print(link)
    return code
