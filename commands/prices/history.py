"""`scrapy prices history`: the checks of one item."""

from __future__ import annotations

import argparse

from commands._terminal import instant

COLUMNS = ("check", "at", "status", "price", "currency", "list_price", "availability", "source", "alert", "message")


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("item", type=int, help="number of the item, as `scrapy prices list` shows it")
    parser.add_argument("--since", type=instant, metavar="DATE", help="only checks from then on")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """Print them; raise WrongArgument for an item that is not there."""
    from commands._terminal import WrongArgument, show
    from database.engine import database
    from database.families.prices import history
    from database.families.watching import HIGHEST_ID
    from database.models.prices import WatchlistItem

    with database().transaction() as session:
        if not 0 < opts.item <= HIGHEST_ID or session.get(WatchlistItem, opts.item) is None:
            raise WrongArgument(f"item: there is no item {opts.item}; `scrapy prices list` shows them.")
        rows = [
            (
                *(check.id, check.created_at, check.status.value, check.price_amount, check.price_currency),
                *(check.list_price, check.availability, check.source),
                *(check.alert_result and check.alert_result.value, check.message),
            )
            for check in history(session, opts.item, since=opts.since)
        ]
    show(COLUMNS, rows, empty="It was not checked yet.", as_json=opts.json)
    return 0
