"""What users watch: adding, changing, listing, deleting and checking, for the API and the pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, NotFound

from database.engine import Database, now
from database.families.prices import change, recent_prices, with_alerts
from database.families.watching import HIGHEST_ID, ItemChange, NewItem
from database.models.prices import PriceCheckRun, WatchlistItem
from scrapers.families.prices.addresses import Product, product_of
from scrapers.families.prices.settings import PriceSettings
from webhook.api.checking import Check, Checker
from webhook.api.models import ItemAnswer, ItemList, ItemQuery, PageQuery, RunList, RunQuery

Rows = TypeVar("Rows", ItemList, RunList)
NO_ITEM = "There is no such item."


def named_product(url: str) -> Product:
    """Return the product of an address that a user gives; raise AddressRefused."""
    return product_of(url, private=PriceSettings.current().prices_private_addresses)


@dataclass(frozen=True)
class Watchlist:
    """The acts upon items. An item of another user is answered as one that is absent; user_id None: of any user."""

    db: Database
    checker: Checker

    def own(self, session: Session, item_id: int, user_id: int | None) -> WatchlistItem:
        """Return an item; raise NotFound for one that is absent or another user's, in the same words."""
        item = session.get(WatchlistItem, item_id) if item_id <= HIGHEST_ID else None
        if item is None or user_id not in (None, item.user_id):
            raise NotFound(NO_ITEM)
        return item

    def item(self, item_id: int, user_id: int | None) -> ItemAnswer:
        """Return an item."""
        with self.db.transaction() as session:
            return ItemAnswer.model_validate(self.own(session, item_id, user_id))

    def add(self, user_id: int, body: NewItem) -> ItemAnswer:
        """Store a new item; raise AddressRefused."""
        product = named_product(body.product_url)
        with self.db.transaction() as session:
            item = WatchlistItem(user_id=user_id, portal=product.portal, product_key=product.key)
            for name, value in body.model_dump().items():
                setattr(item, name, value)
            item.product_url = body.product_url.strip()
            item.created_at = item.updated_at = now(session)
            session.add(item)
            session.flush()
            session.refresh(item)
            return ItemAnswer.model_validate(item)

    def items(self, user_id: int, query: ItemQuery) -> tuple[ItemList, int]:
        """Return the items of one page of a user's, and how many there are."""
        wanted = select(WatchlistItem).where(WatchlistItem.user_id == user_id, *_conditions(query))
        column = getattr(WatchlistItem, query.sort.removeprefix("-"))
        order = column.desc() if query.sort.startswith("-") else column.asc()
        return self._page(wanted, (order.nulls_last(), WatchlistItem.id), query, ItemList)

    def change(self, item_id: int, user_id: int | None, body: ItemChange) -> ItemAnswer:
        """Change an item; another threshold or choice of alerts arms them anew."""
        given = body.model_dump(exclude_unset=True)
        optional = {"threshold_currency", "country", "label", "selector"}
        given = {name: value for name, value in given.items() if value is not None or name in optional}
        with self.db.transaction() as session:
            item = self.own(session, item_id, user_id)
            change(item, given, now(session))
            session.flush()
            session.refresh(item)
            return ItemAnswer.model_validate(item)

    def remove(self, item_id: int, user_id: int | None) -> None:
        """Delete an item with its checks."""
        with self.db.transaction() as session:
            session.delete(self.own(session, item_id, user_id))

    def check(self, item_id: int, user_id: int | None, seconds: float | None = None) -> Check:
        """Check an item now; raise BadRequest for one that is paused. seconds: to wait for its end, other than usual."""
        with self.db.transaction() as session:
            if not self.own(session, item_id, user_id).is_active:
                raise BadRequest("The item is not active.")
        return self.checker.check(item_id, seconds)

    def checked(self, item_id: int, job_id: int, user_id: int | None) -> Check:
        """Return what came of a check that was asked for before."""
        with self.db.transaction() as session:
            portal = self.own(session, item_id, user_id).portal
        try:
            found = self.checker.result(item_id, job_id)
        except LookupError as error:
            raise NotFound(str(error)) from None
        if found.run is None:  # the crawl that was at work when it was asked for may have ended without it
            self.checker.see_to(portal)
        return found

    def runs(self, item_id: int, user_id: int | None, query: RunQuery) -> tuple[RunList, int]:
        """Return the checks of one page of an item's, and how many there are."""
        with self.db.transaction() as session:
            self.own(session, item_id, user_id)
        wanted = select(PriceCheckRun).where(PriceCheckRun.watchlist_item_id == item_id)
        if query.status is not None:
            wanted = wanted.where(PriceCheckRun.status == query.status)
        if query.since is not None:
            wanted = wanted.where(PriceCheckRun.created_at >= query.since)
        if query.until is not None:
            wanted = wanted.where(PriceCheckRun.created_at < query.until)
        order = PriceCheckRun.id.asc() if query.sort == "created_at" else PriceCheckRun.id.desc()
        return self._page(wanted, (order,), query, RunList)

    def lines(self, item_ids: Sequence[int], most: int) -> dict[int, list[Decimal]]:
        """Return the last prices of items, the oldest first, by item."""
        with self.db.transaction() as session:
            return recent_prices(session, item_ids, most)

    def alerts(self, user_id: int, query: PageQuery) -> tuple[list[tuple[PriceCheckRun, WatchlistItem]], int]:
        """Return the checks of one page that gave rise to an alert, the newest first, and how many there are."""
        wanted = with_alerts(user_id)
        with self.db.transaction() as session:
            total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
            rows = session.execute(wanted.order_by(PriceCheckRun.id.desc()).limit(query.limit).offset(query.offset))
            return [(run, item) for run, item in rows], total

    def _page(
        self, wanted: Select[Any], order: Sequence[Any], query: PageQuery, answer: type[Rows]
    ) -> tuple[Rows, int]:
        (model,) = (each["entity"] for each in wanted.column_descriptions)
        # Columns, not objects: of a thousand rows these are most of the work.
        columns = [getattr(model, name) for name in answer.fields()]
        rows_of_page = wanted.with_only_columns(*columns).order_by(*order).limit(query.limit).offset(query.offset)
        with self.db.transaction() as session:
            total = session.scalar(wanted.with_only_columns(func.count())) or 0
            rows = session.execute(rows_of_page).all()
        return answer.model_validate(rows, from_attributes=True), total


def _conditions(query: ItemQuery) -> list[ColumnElement[bool]]:
    """Return what the filters of a query ask for."""
    found: list[ColumnElement[bool]] = []
    if query.is_active is not None:
        found.append(WatchlistItem.is_active.is_(query.is_active))
    if query.status == "never":
        found.append(WatchlistItem.last_checked_at.is_(None))
    elif query.status is not None:
        found.append(WatchlistItem.last_status == query.status)
    if query.country is not None:
        found.append(WatchlistItem.country == query.country)
    if query.below_threshold is not None:
        below = and_(
            WatchlistItem.last_price < WatchlistItem.threshold,
            WatchlistItem.last_currency == WatchlistItem.threshold_currency,
        )
        found.append(func.coalesce(below, False).is_(query.below_threshold))
    if text := query.q.strip():
        columns = (WatchlistItem.product_url, WatchlistItem.label, WatchlistItem.title)
        found.append(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    return found
