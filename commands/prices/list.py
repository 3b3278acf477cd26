"""`scrapy prices list`: what is watched, and how it stood at its last check."""

from __future__ import annotations

import argparse

from commands.prices.items import user_option

COLUMNS = (
    *("item", "user", "product", "url", "country", "threshold", "price", "currency"),
    *("availability", "active", "checked", "outcome"),
)


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    user_option(parser, "all users")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(opts: argparse.Namespace) -> int:
    """Print them."""
    from sqlalchemy import select

    from commands._terminal import show
    from commands.prices.items import user_named
    from database.engine import database
    from database.models.prices import User, WatchlistItem

    wanted = select(WatchlistItem, User.email).join(User, User.id == WatchlistItem.user_id).order_by(WatchlistItem.id)
    with database().transaction() as session:
        if opts.user is not None:
            wanted = wanted.where(User.id == user_named(session, opts.user).id)
        rows = [
            (
                *(item.id, email, item.label or item.title, item.product_url, item.country, item.threshold),
                *(item.last_price, item.last_currency, item.availability, item.is_active),
                *(item.last_checked_at, item.last_outcome),
            )
            for item, email in session.execute(wanted)
        ]
    show(COLUMNS, rows, empty="Nothing is watched: `scrapy prices add URL --threshold AMOUNT`.", as_json=opts.json)
    return 0
