"""`scrapy prices add`: one product on a user's watchlist."""

from __future__ import annotations

import argparse

from commands.prices.items import user_option


def options(parser: argparse.ArgumentParser) -> None:
    """Add what it can be told."""
    parser.add_argument("url", help="address of the product")
    parser.add_argument("--threshold", required=True, metavar="AMOUNT", help="a price below it is told by mail")
    parser.add_argument("--currency", metavar="GBP", help="of the threshold (default: that of the first price)")
    parser.add_argument("--country", metavar="GB", help="for which the shop is asked (default: the shop chooses)")
    parser.add_argument("--label", help="a name of your own for it")
    parser.add_argument("--selector", metavar="CSS", help="of the price's element, where it is not found")
    parser.add_argument(
        "--rendering", metavar="HOW", help="how its page is fetched: http, browser, splash or automatic"
    )
    parser.add_argument("--alerts", metavar="KIND,…", help="what is told (default: below_threshold)")
    user_option(parser, "the only one; one that is not known is added")


def run(opts: argparse.Namespace) -> int:
    """Add it, or bring it up to date; raise WrongArgument with what is wrong."""
    from commands._terminal import WrongArgument
    from commands.prices.items import put, user_named
    from database.engine import database

    given = {
        "product_url": opts.url,
        "threshold": opts.threshold,
        "threshold_currency": opts.currency and opts.currency.upper(),
        "country": opts.country and opts.country.upper(),
        "label": opts.label,
        "selector": opts.selector,
        "rendering": opts.rendering,
        "alerts": opts.alerts and [kind.strip() for kind in opts.alerts.split(",")],
    }
    with database().transaction() as session:
        user = user_named(session, opts.user, make=True)
        try:
            item, said = put(session, user, {name: value for name, value in given.items() if value is not None})
        except ValueError as error:
            raise WrongArgument(str(error)) from None
        print({"added": "Watched", "changed": "Changed", "same": "Watched already"}[said] + f": item {item.id}.")
    return 0
