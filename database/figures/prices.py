"""The prices of watched products over time, from the checks of all items of a product."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from database.figures.curves import UNSTATED, Curve, Figures, Value, curve, label_of
from database.figures.spans import Span
from database.models.prices import CheckStatus, PriceCheckRun, WatchlistItem


@dataclass(frozen=True, slots=True)
class Product:
    """A product of a shop, as it is watched. item: id of one of the items that watch it. title: the shop's; None: not known yet."""

    item: int
    portal: str
    key: str
    country: str | None
    title: str | None
    items: int


def products(session: Session, offset: int, limit: int) -> list[Product]:
    """Return watched products, by shop and key."""
    by = (WatchlistItem.portal, WatchlistItem.product_key, WatchlistItem.country)
    columns = (func.min(WatchlistItem.id), *by, func.max(WatchlistItem.title), func.count())
    query = select(*columns).group_by(*by).order_by(*by).offset(offset).limit(limit)
    return [Product(*row) for row in session.execute(query)]


def product_of(session: Session, item_id: int) -> Product | None:
    """Return the product that an item watches; None: there is no such item."""
    item = session.get(WatchlistItem, item_id)
    if item is None:
        return None
    about = (func.max(WatchlistItem.title), func.count())
    found = session.execute(select(*about).where(*_is_of(item.portal, item.product_key, item.country))).one()
    return Product(item_id, item.portal, item.product_key, item.country, found[0], found[1])


def prices_by_time(session: Session, product: Product, span: Span) -> Figures:
    """Return the lowest and highest price of each point, by currency, and how many checks there were. step of *span*: day, month or year."""
    point = label_of(session, PriceCheckRun.created_at, span.step)
    item = PriceCheckRun.watchlist_item_id == WatchlistItem.id
    of_span = (
        *_is_of(product.portal, product.key, product.country),
        PriceCheckRun.created_at >= span.edges[0],
        PriceCheckRun.created_at < span.edges[-1],
    )
    ends = (func.min(PriceCheckRun.price_amount), func.max(PriceCheckRun.price_amount))
    query = select(point, PriceCheckRun.price_currency, *ends).join(WatchlistItem, item)
    query = query.where(*of_span, PriceCheckRun.price_amount.is_not(None))
    lowest: dict[str, dict[str, Value]] = defaultdict(dict)
    highest: dict[str, dict[str, Value]] = defaultdict(dict)
    for label, currency, low, high in session.execute(query.group_by(point, PriceCheckRun.price_currency)):
        lowest[currency or UNSTATED][label] = low
        highest[currency or UNSTATED][label] = high
    checks: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    counted = select(point, PriceCheckRun.status, func.count()).join(WatchlistItem, item).where(*of_span)
    for label, status, count in session.execute(counted.group_by(point, PriceCheckRun.status)):
        checks[label] += count
        failed[label] += count if status is CheckStatus.ERROR else 0
    curves: list[Curve] = []
    for currency in sorted(lowest):
        curves += [
            curve(span, "lowest", currency, lowest[currency]),
            curve(span, "highest", currency, highest[currency]),
        ]
    curves += [curve(span, "checks", "checks", checks, 0), curve(span, "failed checks", "checks", failed, 0)]
    return Figures(span, tuple(curves))


def _is_of(portal: str, key: str, country: str | None) -> tuple[ColumnElement[bool], ...]:
    return (
        WatchlistItem.portal == portal,
        WatchlistItem.product_key == key,
        WatchlistItem.country.is_not_distinct_from(country),
    )
