"""`scrapy prices export`: all checks, for other programs."""

from __future__ import annotations

import argparse
import sys

from commands._terminal import instant

COLUMNS = (
    *("item", "url", "country", "at", "status", "outcome", "price", "currency"),
    *("list_price", "availability", "source", "message"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("--since", type=instant, metavar="DATE", help="only checks from then on")
    parser.add_argument("--json", action="store_true", help="write JSON (default: CSV)")


def run(opts: argparse.Namespace) -> int:
    """Write them in the order in which they were made."""
    from sqlalchemy import select

    from commands._terminal import write_rows
    from database.engine import database
    from database.models.prices import PriceCheckRun, WatchlistItem

    wanted = select(PriceCheckRun, WatchlistItem.product_url, WatchlistItem.country).join(
        WatchlistItem, WatchlistItem.id == PriceCheckRun.watchlist_item_id
    )
    if opts.since is not None:
        wanted = wanted.where(PriceCheckRun.created_at >= opts.since)
    with database().transaction() as session:
        rows = (
            (
                *(check.watchlist_item_id, url, country, check.created_at, check.status.value, check.outcome),
                *(check.price_amount, check.price_currency, check.list_price, check.availability),
                *(check.source, check.message),
            )
            for check, url, country in session.execute(
                wanted.order_by(PriceCheckRun.id).execution_options(yield_per=500)
            )
        )
        write_rows(sys.stdout, COLUMNS, rows, "json" if opts.json else "csv")
    return 0
