"""`scrapy iec send-report`: let the company mail the consumption report of a contract."""

from __future__ import annotations

import argparse

from commands.iec import action


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    action.options(parser)
    parser.add_argument("--email", required=True, help="mailbox that the report goes to")
    parser.add_argument("--meter", help="serial number of the meter, where the contract has several")


def run(opts: argparse.Namespace) -> int:
    """Have the report sent."""
    from scrapers.portals.iec.actions import SendReport

    question = f"The company mails the consumption report of contract {opts.contract} to {opts.email}."
    code, _ = action.carry_out(opts, SendReport, question, email=opts.email, meter=opts.meter)
    if code == 0:
        print(f"{opts.contract}: the company says that it mails the report.")
    return code
