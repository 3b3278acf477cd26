"""Queries of `scrapy export records` for prices."""

from __future__ import annotations

from sqlalchemy import select

from database.models.prices import PriceCheckRun, WatchlistItem
from scrapers.core.exports import Records


def price_check_runs() -> Records:
    """Checks of prices, those that failed too, each with its product and country."""
    names = ("status", "outcome", "message", "price_amount", "price_currency", "list_price", "availability", "source")
    query = (
        select(PriceCheckRun.id, PriceCheckRun.watchlist_item_id.label("item"), WatchlistItem.portal)
        .add_columns(WatchlistItem.product_url, WatchlistItem.country, PriceCheckRun.created_at)
        .add_columns(*(getattr(PriceCheckRun, name) for name in names))
        .add_columns(PriceCheckRun.alerts, PriceCheckRun.alert_result, PriceCheckRun.run_id.label("run"))
        .select_from(PriceCheckRun)
        .join(WatchlistItem, WatchlistItem.id == PriceCheckRun.watchlist_item_id)
    )
    return Records(query, PriceCheckRun.created_at)
