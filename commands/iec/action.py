"""How `scrapy iec` changes something at the company: it asks for consent, then runs a crawl."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrapers.portals.iec.actions import Action


def options(parser: argparse.ArgumentParser) -> None:
    """Add what every action can be told."""
    parser.add_argument("contract", help="number of the contract")
    parser.add_argument("--username", help="whose, where several credentials are stored")
    parser.add_argument("--yes", action="store_true", help="do it without asking")


def carry_out(opts: argparse.Namespace, kind: type[Action], question: str, **given: str | None) -> tuple[int, Any]:
    """
    Ask, and carry an action out; return the exit code, that of a crawl, and what the company answered.

    question: what will be done. given: arguments of the action's spider, without those that are None.
    Raises Refused without the person's consent, WrongArgument for what is wrong before anything is sent.
    """
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.utils.project import get_project_settings

    from commands._terminal import WrongArgument
    from commands.crawl import exit_code, show_progress
    from database.access.encryption import key_ring
    from database.engine import database
    from scrapers.core.jobs import ArgumentError
    from scrapers.portals.iec.actions import action_spider

    spider = action_spider(kind)
    arguments = {"contract": opts.contract, "prompt": "yes" if sys.stdin.isatty() else "no"}
    arguments |= {name: value for name, value in {"credential": opts.username, **given}.items() if value is not None}
    try:
        parsed = spider.Arguments.parse(arguments)
        key_ring()
        with database().transaction() as session:
            plans = spider.planned(session, parsed)
    except ArgumentError as error:
        raise WrongArgument(str(error).removeprefix("-a ")) from None
    if len(plans) > 1:
        raise WrongArgument("--username: say whose, several credentials of iec are stored.")
    agree(question, opts.yes)
    show_progress()
    process = AsyncCrawlerProcess(get_project_settings())
    crawler = process.create_crawler(spider)
    process.crawl(crawler, **arguments)
    process.start()
    work = getattr(crawler.spider, "work", None)
    results = [job.result for job in work.jobs.values()] if work is not None else []
    return exit_code(crawler), results[0].get("answer") if results else None


def agree(question: str, is_agreed: bool) -> None:
    """Let a person say yes; raise Refused without one."""
    from commands._terminal import Refused, WrongArgument

    if is_agreed:
        return
    if not sys.stdin.isatty():
        raise WrongArgument(f"--yes: {question} Nobody is here to ask, so give --yes.")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise Refused("Nothing was done.")
