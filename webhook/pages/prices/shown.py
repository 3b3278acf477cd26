"""How prices, checks and alerts are put into words, numbers and lines for people. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from database.models.prices import AlertKind, AlertResult, CheckStatus
from jobs.alerts import money
from webhook.api.models import ItemAnswer, RunAnswer

# What a user can choose; RECOVERED follows FAILING by itself.
CHOICES = {
    AlertKind.BELOW_THRESHOLD: "The price is below my threshold",
    AlertKind.NEW_LOWEST: "The price is the lowest so far",
    AlertKind.DROP: "The price drops by the percentage below",
    AlertKind.USUAL_PRICE: "The usual price is back",
    AlertKind.ANY_CHANGE: "The price changes at all",
    AlertKind.BACK_IN_STOCK: "The product is in stock again",
    AlertKind.GONE: "The shop no longer has the product",
    AlertKind.FAILING: "Checks fail, as often in a row as is said below",
}
KINDS: dict[str, str] = {
    AlertKind.BELOW_THRESHOLD: "below the threshold",
    AlertKind.NEW_LOWEST: "lowest price so far",
    AlertKind.DROP: "price drop",
    AlertKind.BACK_IN_STOCK: "in stock again",
    AlertKind.GONE: "no longer sold",
    AlertKind.USUAL_PRICE: "usual price is back",
    AlertKind.ANY_CHANGE: "price changed",
    AlertKind.FAILING: "checks fail",
    AlertKind.RECOVERED: "checks work again",
}
RESULTS = {
    AlertResult.PENDING: "to be sent",
    AlertResult.SENT: "sent",
    AlertResult.SKIPPED: "not sent",
    AlertResult.FAILED: "could not be sent",
}
AVAILABILITIES = {
    "in_stock": "in stock",
    "out_of_stock": "out of stock",
    "pre_order": "pre-order",
    "gone": "no longer sold",
}
SOURCES = {
    "data_layer": "the shop's own data (data layer)",
    "buy_box": "the shop's own data (buy box)",
    "tagging": "the shop's own data (tagging)",
    "json_ld": "structured data (JSON-LD)",
    "microdata": "structured data (microdata)",
    "opengraph": "structured data (OpenGraph)",
    "tiles": "the product's entry in a list",
    "selector": "the element that you have named",
}
STATES = {
    "": "All",
    "active": "Watched",
    "paused": "Paused",
    "below": "Below the threshold",
    "failing": "Last check failed",
    "never": "Not checked yet",
}
ORDERS = {
    "-id": "Newest first",
    "id": "Oldest first",
    "-last_checked_at": "Checked last",
    "last_price": "Lowest price first",
    "-last_price": "Highest price first",
    "title": "By the shop's name for it",
}
WIDTH, HEIGHT, MARGIN = 120, 28, 2  # of a sparkline, in its own units


def price(amount: Decimal | None, currency: str | None) -> str:
    """Return an amount with its currency; a dash for one that is not known."""
    return "–" if amount is None else money(amount, currency)


def moment(value: datetime) -> str:
    """Return an instant in UTC, to the minute; a script on the page puts the reader's own time in its place."""
    return f"{value:%Y-%m-%d %H:%M} UTC"


def kind(value: str) -> str:
    """Return the words for a kind of alert."""
    return KINDS.get(value, value)


def result(value: AlertResult | None) -> str:
    """Return the words for what has become of an alert."""
    return RESULTS[value] if value is not None else ""


def availability(value: str | None) -> str:
    """Return the words for whether a product can be bought; a dash where the shop does not say."""
    return AVAILABILITIES.get(value, value) if value else "–"


def source(value: str | None) -> str:
    """Return the words for the place of a price on its page."""
    return SOURCES.get(value, value) if value else "–"


def name(item: Any) -> str:
    """Return what an item is called: by the user, else by the shop, else its address."""
    return str(item.label or item.title or item.product_url)


def link(url: str) -> str:
    """Return an address that may stand in a link; empty for what is not of the web."""
    return url if urlsplit(url).scheme.lower() in ("http", "https") else ""


def host(url: str) -> str:
    """Return the shop of an address."""
    return (urlsplit(url).hostname or url).removeprefix("www.")


def is_below(item: ItemAnswer) -> bool:
    """Tell whether the last price is below the threshold, in the same currency."""
    return (
        item.last_price is not None
        and item.last_price < item.threshold
        and item.last_currency == item.threshold_currency
    )


def state(item: ItemAnswer) -> tuple[str, str]:
    """Return how an item stands: a word for its colour, and words to read."""
    if not item.is_active:
        return "quiet", "Paused"
    if item.last_status is None:
        return "quiet", "Not checked yet"
    if item.last_status is CheckStatus.ERROR:
        return "bad", f"Failed {item.failures} times in a row" if item.failures > 1 else "Last check failed"
    if item.availability in ("out_of_stock", "gone"):
        return "quiet", availability(item.availability).capitalize()
    return ("good", "Below your threshold") if is_below(item) else ("plain", "Watched")


def sparkline(prices: Sequence[Decimal]) -> str:
    """
    Return the points of a line through prices, the oldest first, as SVG takes them; empty for fewer than two.

    >>> sparkline([Decimal(1), Decimal(3), Decimal(2)])
    '2.0,26.0 60.0,2.0 118.0,14.0'
    """
    if len(prices) < 2:
        return ""
    low, high = min(prices), max(prices)
    across, up = (WIDTH - 2 * MARGIN) / (len(prices) - 1), HEIGHT - 2 * MARGIN
    heights = [float((each - low) / (high - low)) if high > low else 0.5 for each in prices]
    return " ".join(
        f"{MARGIN + number * across:.1f},{HEIGHT - MARGIN - up * height:.1f}" for number, height in enumerate(heights)
    )


def chart(item: ItemAnswer, runs: Sequence[RunAnswer]) -> dict[str, Any]:
    """Return what the chart of an item draws, the oldest check first. Prices of another currency are left out."""
    oldest_first = list(reversed(runs))
    shown = [run.price_currency == item.last_currency for run in oldest_first]

    def amounts(values: Sequence[Decimal | None]) -> list[float | None]:
        return [float(value) if value is not None and is_shown else None for value, is_shown in zip(values, shown, strict=True)]  # fmt: skip

    return {
        "times": [int(run.created_at.timestamp()) for run in oldest_first],
        "prices": amounts([run.price_amount for run in oldest_first]),
        "list_prices": amounts([run.list_price for run in oldest_first]),
        "failed": [run.status is CheckStatus.ERROR for run in oldest_first],
        "unavailable": [run.availability in ("out_of_stock", "gone") for run in oldest_first],
        "threshold": float(item.threshold) if item.threshold_currency == item.last_currency else None,
        "currency": item.last_currency or "",
    }


def in_words(drawn: dict[str, Any]) -> str:
    """
    Return what a chart shows, for those who do not see it.

    >>> in_words({"prices": [2.0, None, 1.5], "failed": [False, True, False], "currency": "GBP"})
    'Prices of 3 checks, from 1.50 to 2.00 GBP, at last 1.50 GBP; 1 check failed. The table has each of them.'
    """
    prices = [each for each in drawn["prices"] if each is not None]
    failed, currency = sum(drawn["failed"]), drawn["currency"]
    failures = f"; {failed} check{'' if failed == 1 else 's'} failed" if failed else ""
    if not prices:
        return f"No price has been read yet{failures}."
    spread = f"from {min(prices):.2f} to {max(prices):.2f} {currency}, at last {prices[-1]:.2f} {currency}"
    return f"Prices of {len(drawn['prices'])} checks, {spread}{failures}. The table has each of them."


FILTERS = {
    "price": price,
    "moment": moment,
    "kind": kind,
    "result": result,
    "availability": availability,
    "source": source,
    "item_name": name,
    "link": link,
    "host": host,
    "state": state,
    "is_below": is_below,
}
