"""`scrapy prices check`: what a product costs now, read by its shop's spider; nothing is watched for it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrapers.families.prices.items import PriceReading

# As they are printed.
FIELDS = (
    *("price", "currency", "list_price", "lowest", "with_vat", "availability", "title", "variant"),
    *("source", "tie", "url", "moved", "country", "read_at"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("url", help="address of the product")
    parser.add_argument("--country", metavar="GB", help="for which the shop is asked (default: the shop chooses)")
    parser.add_argument("--selector", metavar="CSS", help="of the price's element, where it is not found")
    parser.add_argument(
        "--rendering",
        choices=("http", "browser", "splash"),
        help="how the page is fetched (default: the shop's setting)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, with the outcome")


def run(opts: argparse.Namespace) -> int:
    """Check the address, and print what was read, or the outcome that stands for why not; return crawl's exit code."""
    from scrapy import signals
    from scrapy.crawler import AsyncCrawlerProcess

    from commands._terminal import Refused, WrongArgument
    from commands.crawl import CannotStart, exit_code, prepare
    from commands.sync import jobs_of
    from scrapers.families.prices.addresses import AddressRefused, product_of
    from scrapers.families.prices.items import PriceReading
    from scrapers.families.prices.settings import PriceSettings

    try:
        portal = product_of(opts.url, private=PriceSettings.current().prices_private_addresses).portal
    except AddressRefused as error:
        raise WrongArgument(f"url: {error}") from None
    process = AsyncCrawlerProcess(opts.project)
    try:
        crawler = process.create_crawler(f"{portal}_prices")
    except KeyError:
        raise Refused(f"There is no spider {portal}_prices; `scrapy list` shows them.") from None
    given = {"url": opts.url.strip(), "country": opts.country, "selector": opts.selector, "rendering": opts.rendering}
    arguments = {"again": "yes", **{name: value for name, value in given.items() if value is not None}}
    try:
        prepare(crawler, arguments)
    except CannotStart as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    found: list[PriceReading] = []

    def keep(item: Any) -> None:
        if isinstance(item, PriceReading):
            found.append(item)

    crawler.signals.connect(keep, signals.item_scraped)
    process.crawl(crawler, **arguments)
    process.start()
    code = exit_code(crawler)
    job = next(iter(jobs_of(crawler)), None)
    outcome = job.outcome.code if job is not None and job.outcome is not None else "unexpected_error"
    tell(found[0] if found else None, outcome, job.message if job is not None else "", opts.json)
    return code


def tell(found: PriceReading | None, outcome: str, message: str, as_json: bool) -> None:
    """Print a reading, or the outcome of a check without one."""
    from commands._terminal import print_json, text

    row = dict.fromkeys(FIELDS) if found is None else {name: getattr(found, name) for name in FIELDS}
    if as_json:
        print_json({"outcome": outcome, "message": message, **row})
    elif found is None:
        print(f"{outcome}: {message}", file=sys.stderr)
    else:
        for name, value in row.items():
            if value is not None:
                print(f"{name.replace('_', ' '):<13} {text(value)}")
