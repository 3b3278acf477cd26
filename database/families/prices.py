"""What is watched, and what became of its checks: the groups to check, the result of a check, the history of an item."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from database.engine import now
from database.families.alerts import OUT_OF_STOCK, Before, Found, due
from database.models.prices import AlertResult, CheckStatus, PriceCheckRun, Rendering, WatchlistItem


@dataclass(frozen=True, slots=True)
class Watched:
    """One item of a group, and what a check has to know of it."""

    item_id: int
    product_url: str
    selector: str | None  # CSS of the price's element; None: the spider finds it


@dataclass(frozen=True, slots=True)
class Group:
    """
    Active items of one product in one country: one request serves them all.

    rendering: browser or splash when one of the items asks for it, http when all of them do, else automatic.
    """

    portal: str
    product_key: str
    country: str | None
    rendering: Rendering
    items: tuple[Watched, ...]

    @property
    def product_url(self) -> str:
        """The address to fetch: the newest item's, because a shop may have moved the page."""
        return self.items[-1].product_url


@dataclass(frozen=True, slots=True)
class PriceReading:
    """
    A price as a page shows it. None: the page does not say.

    price: what a buyer pays now; 0 is a price. currency: ISO 4217. source: where on the page the price stood. message: a
    sentence in place of the usual one.
    """

    price: Decimal
    currency: str
    list_price: Decimal | None = None
    availability: str | None = None
    source: str | None = None
    title: str | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would be stored as something else."""
        for amount in (self.price, self.list_price):
            if amount is not None and not (amount.is_finite() and amount >= 0 and amount == round(amount, 3)):
                raise ValueError("an amount is a number from 0 with at most 3 decimals")
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise ValueError("a currency is an ISO 4217 code")


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """Why a check has read no price. outcome: a code of `scrapers.core.outcomes`; message: one sentence for the user."""

    outcome: str
    message: str


def groups(session: Session, portal: str | None = None, item_ids: Collection[int] | None = None) -> list[Group]:
    """Return the active items by product and country, in the order of their oldest check. item_ids: those alone."""
    query = select(WatchlistItem).where(WatchlistItem.is_active)
    if portal is not None:
        query = query.where(WatchlistItem.portal == portal)
    if item_ids is not None:
        query = query.where(WatchlistItem.id.in_(item_ids))
    found: dict[tuple[str, str, str | None], list[WatchlistItem]] = {}
    order = (WatchlistItem.last_checked_at.asc().nulls_first(), WatchlistItem.id)
    for item in session.scalars(query.order_by(*order)):
        found.setdefault((item.portal, item.product_key, item.country), []).append(item)
    return [
        Group(
            *key,
            rendering=_rendering({item.rendering for item in items}),
            items=tuple(
                Watched(item.id, item.product_url, item.selector) for item in sorted(items, key=lambda item: item.id)
            ),
        )
        for key, items in found.items()
    ]


def record_check(
    session: Session,
    item_ids: Collection[int],
    result: PriceReading | CheckFailure,
    run_id: int | None = None,
) -> list[PriceCheckRun]:
    """
    Write one check of each item, and return them in the order of the items' ids.

    A failure leaves the item's last price as it was. Items that have been deleted meanwhile are left out. run_id: the run of
    the crawl that checked.
    """
    at = now(session)
    # Locked in one order, so that two checks of the same items wait for each other.
    of_ids = select(WatchlistItem).where(WatchlistItem.id.in_(item_ids)).order_by(WatchlistItem.id).with_for_update()
    made = []
    for item in session.scalars(of_ids.execution_options(populate_existing=True)).all():
        run = PriceCheckRun(watchlist_item_id=item.id, run_id=run_id, created_at=at)
        lowest = _lowest(session, item, result.currency) if isinstance(result, PriceReading) else None
        _tell(item, run, result, lowest, at)
        if isinstance(result, PriceReading):
            _take_reading(item, run, result, lowest, at)
        else:
            run.status, run.outcome, run.message = CheckStatus.ERROR, result.outcome, result.message
            item.failures += 1
        item.last_checked_at, item.last_status, item.last_outcome = at, run.status, run.outcome
        session.add(run)
        made.append(run)
    session.flush()
    return made


def history(
    session: Session, item_id: int, *, since: datetime | None = None, status: CheckStatus | None = None
) -> Sequence[PriceCheckRun]:
    """Return the checks of an item, newest first. since: those from then on."""
    query = select(PriceCheckRun).where(PriceCheckRun.watchlist_item_id == item_id)
    if since is not None:
        query = query.where(PriceCheckRun.created_at >= since)
    if status is not None:
        query = query.where(PriceCheckRun.status == status)
    return session.scalars(query.order_by(PriceCheckRun.id.desc())).all()


def recent_prices(session: Session, item_ids: Collection[int], most: int) -> dict[int, list[Decimal]]:
    """Return the prices of the last successful checks of items, the oldest first, by item; in its last currency alone."""
    number = func.row_number().over(partition_by=PriceCheckRun.watchlist_item_id, order_by=PriceCheckRun.id.desc())
    numbered = (
        select(PriceCheckRun.watchlist_item_id, PriceCheckRun.price_amount, number.label("number"))
        .join(WatchlistItem, WatchlistItem.id == PriceCheckRun.watchlist_item_id)
        .where(PriceCheckRun.watchlist_item_id.in_(item_ids), PriceCheckRun.price_amount.is_not(None))
        .where(PriceCheckRun.price_currency == WatchlistItem.last_currency)
        .subquery()
    )
    found: dict[int, list[Decimal]] = {item_id: [] for item_id in item_ids}
    query = select(numbered).where(numbered.c.number <= most).order_by(numbered.c.number.desc())
    for item_id, amount, _ in session.execute(query):
        found[item_id].append(amount)
    return found


def with_alerts(user_id: int) -> Select[PriceCheckRun, WatchlistItem]:
    """Return the query for the checks of a user's items that gave rise to an alert."""
    own = (WatchlistItem.user_id == user_id, PriceCheckRun.alert_result.is_not(None))
    query = select(PriceCheckRun, WatchlistItem).join(
        WatchlistItem, WatchlistItem.id == PriceCheckRun.watchlist_item_id
    )
    return query.where(*own)


def _tell(
    item: WatchlistItem,
    run: PriceCheckRun,
    result: PriceReading | CheckFailure,
    lowest: Decimal | None,
    at: datetime,
) -> None:
    """Write which alerts a check gives rise to; `jobs.alerts` sends them."""
    before = Before(
        threshold=item.threshold,
        threshold_currency=item.threshold_currency,
        price=item.last_price,
        list_price=item.last_list_price,
        currency=item.last_currency,
        availability=item.availability,
        lowest=lowest,
        failures=item.failures,
        drop_percent=item.drop_percent,
        failing_after=item.failing_after,
    )
    kinds, item.armed = due(before, _found(result), item.alerts, item.armed)
    run.alerts = [kind.value for kind in kinds]
    run.alert_result, run.alert_due_at = (AlertResult.PENDING, at) if kinds else (None, None)


def _found(result: PriceReading | CheckFailure) -> Found:
    if isinstance(result, CheckFailure):
        return Found(outcome=result.outcome)
    return Found(result.price, result.currency, result.list_price, result.availability)


def _lowest(session: Session, item: WatchlistItem, currency: str) -> Decimal | None:
    """Return the lowest price of an item at which one could buy it; None when there is none in that currency."""
    if item.last_currency == currency:
        return item.lowest_price
    # Prices of another currency say nothing of this one's.
    of_item = (PriceCheckRun.watchlist_item_id == item.id, PriceCheckRun.price_currency == currency)
    could_buy = func.coalesce(PriceCheckRun.availability, "").not_in(OUT_OF_STOCK)
    return session.scalar(select(func.min(PriceCheckRun.price_amount)).where(*of_item, could_buy))


def _take_reading(
    item: WatchlistItem, run: PriceCheckRun, reading: PriceReading, lowest: Decimal | None, at: datetime
) -> None:
    """Write a price into a check and its item."""
    run.status, run.outcome = CheckStatus.SUCCESS, "success"
    run.message = reading.message or f"The price is {reading.price} {reading.currency}."
    run.price_amount, run.price_currency = reading.price, reading.currency
    run.list_price, run.availability, run.source = reading.list_price, reading.availability, reading.source
    if _found(reading).can_be_bought:
        lowest = reading.price if lowest is None else min(lowest, reading.price)
    item.lowest_price = lowest
    item.threshold_currency = item.threshold_currency or reading.currency
    item.last_price, item.last_list_price, item.last_currency = reading.price, reading.list_price, reading.currency
    item.availability, item.title = reading.availability, (reading.title or item.title or "")[:300] or None
    item.last_success_at, item.failures = at, 0


def _rendering(wanted: set[Rendering]) -> Rendering:
    for rendered in (Rendering.BROWSER, Rendering.SPLASH):
        if rendered in wanted:
            return rendered
    return Rendering.HTTP if wanted == {Rendering.HTTP} else Rendering.AUTOMATIC


REARMING = {"threshold", "threshold_currency", "country", "alerts", "drop_percent", "failing_after"}


def change(item: WatchlistItem, values: Mapping[str, Any], at: datetime) -> set[str]:
    """Set fields of an item, and return the names of those that differ; what alerts depend on arms them anew."""
    changed = {name for name, value in values.items() if getattr(item, name) != value}
    for name in changed:
        setattr(item, name, values[name])
    if changed & REARMING:
        item.armed = {}
    if changed:
        item.updated_at = at
    return changed
