"""
Alerts of the price watch on their way: one delivery for each alert and channel, sent by one process at a time.

A check that gives rise to alerts is due; a process that sends makes its deliveries: by mail, to the addresses that the
administrator has set, to the channels of the user. Each is claimed, tried again and ended for itself. A process that dies
after it has sent one, and before that is written, is the one case in which it is sent again: once its claim has run out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session

from database.models.jobs import Worker
from database.models.prices import (
    AlertChannel,
    AlertDelivery,
    AlertKind,
    AlertResult,
    CheckStatus,
    PriceCheckRun,
    User,
    WatchlistItem,
)

CLAIM = timedelta(minutes=5)  # longer than a message takes when each answer of the server comes as late as it may
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=4)  # between two attempts; it doubles
MOST_ATTEMPTS = 12  # within about 20 hours; a price that old is no news
DAY = timedelta(days=1)  # after which any process may end what those that could send it have left
REMEMBERED = timedelta(days=7)  # for so long a process that has sent mail is expected back
MAIL = "email"  # the channels: this, `set:…` for an address of the settings, `own:…` for one of the user


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert on its way by one channel, which was claimed, and what its message says. None: not known."""

    delivery_id: int
    check_id: int
    channel: str
    attempt: int  # from 1
    kinds: tuple[AlertKind, ...]
    # Mail address, or the address of the user's channel; empty for one of the settings.
    to: str = field(repr=False)
    product_url: str
    title: str | None
    threshold: Decimal
    threshold_currency: str | None
    failing_after: int
    price: Decimal | None
    currency: str | None
    list_price: Decimal | None
    previous: Decimal | None  # price of the last success before, in the same currency
    message: str  # of the check


def is_any_due(session: Session, at: datetime) -> bool:
    """Tell whether an alert is to be sent now."""
    of_check = select(PriceCheckRun.id).where(PriceCheckRun.alert_due_at <= at)
    of_delivery = select(AlertDelivery.id).where(AlertDelivery.due_at <= at)
    return any(session.scalar(query.limit(1)) is not None for query in (of_check, of_delivery))


def claim(session: Session, at: datetime, ways: frozenset[str], closed: frozenset[str] = frozenset()) -> Alert | None:
    """
    Claim what has been due longest; None when there is nothing that another process has not claimed.

    ways: the channels that this process has settings for. What needs others is left to processes that have them, for a day:
    then it is claimed all the same, so that the caller ends it as skipped. So is mail where no process is known that has
    settings for it. closed: channels that get nothing now, because their server is away.
    """
    known = _ways_of_workers(session, at)
    while True:
        delivery = session.scalars(
            _first(AlertDelivery, AlertDelivery.due_at, at, _may(at, ways, known, closed))
        ).one_or_none()
        if delivery is not None:
            break
        until = at if ways or not known else at - DAY
        check = session.scalars(_first(PriceCheckRun, PriceCheckRun.alert_due_at, until)).one_or_none()
        if check is None:
            return None
        _make_deliveries(session, check, ways | known, at)
    delivery.due_at, delivery.attempts, delivery.updated_at = at + CLAIM, delivery.attempts + 1, at
    check = session.get_one(PriceCheckRun, delivery.check_id)
    item = session.get_one(WatchlistItem, check.watchlist_item_id)
    return Alert(
        delivery_id=delivery.id,
        check_id=check.id,
        channel=delivery.channel,
        attempt=delivery.attempts,
        kinds=tuple(AlertKind(kind) for kind in check.alerts),
        to=_to(session, delivery, item),
        product_url=item.product_url,
        title=item.title or item.label,
        threshold=item.threshold,
        threshold_currency=item.threshold_currency,
        failing_after=item.failing_after,
        price=check.price_amount,
        currency=check.price_currency,
        list_price=check.list_price,
        previous=_previous(session, check),
        message=check.message,
    )


def sent(session: Session, alert: Alert, at: datetime) -> None:
    """Write that an alert was sent."""
    _end(session, alert, AlertResult.SENT, None, at)


def skipped(session: Session, alert: Alert, why: str, at: datetime) -> None:
    """Write that there is no way to send an alert. why: a sentence."""
    _end(session, alert, AlertResult.SKIPPED, why, at)


def failed(session: Session, alert: Alert, why: str, at: datetime) -> datetime | None:
    """Write that an attempt has failed; return when the next one is due, None when there is none. why: a sentence."""
    if alert.attempt >= MOST_ATTEMPTS:
        _end(session, alert, AlertResult.FAILED, why, at)
        return None
    due_at: datetime = at + min(FIRST_PAUSE * 2 ** (alert.attempt - 1), LONGEST_PAUSE)
    _write(session, alert, due_at=due_at, error=why[:300], updated_at=at)
    return due_at


def _first(model: Any, due: Any, until: datetime, *more: ColumnElement[bool]) -> Select[Any]:
    """Return the query for the row of a model that has been due longest, and at which no other process looks."""
    first = select(model).where(due <= until, *more).order_by(due, model.id).limit(1)
    return first.with_for_update(skip_locked=True)


def _may(at: datetime, ways: frozenset[str], known: frozenset[str], closed: frozenset[str]) -> ColumnElement[bool]:
    """Return the condition of the deliveries that a process may claim."""
    channels = ways if MAIL in known else ways | {MAIL}
    overdue = AlertDelivery.due_at <= at - DAY
    may = or_(AlertDelivery.channel_id.is_not(None), AlertDelivery.channel.in_(channels), overdue)
    return and_(may, AlertDelivery.channel.not_in(closed))


def _ways_of_workers(session: Session, at: datetime) -> frozenset[str]:
    """Return the channels that other processes have settings for, as far as is known."""
    found = {
        way for ways in session.scalars(select(Worker.sends).where(Worker.seen_at > at - DAY)) for way in ways or ()
    }
    tried = select(AlertDelivery.id).where(
        AlertDelivery.channel == MAIL,
        AlertDelivery.result != AlertResult.SKIPPED,
        AlertDelivery.attempts > 0,
        AlertDelivery.updated_at > at - REMEMBERED,
    )
    return frozenset(found | {MAIL} if session.scalar(tried.limit(1)) is not None else found)


def _make_deliveries(session: Session, check: PriceCheckRun, ways: frozenset[str], at: datetime) -> None:
    """Make a delivery for each channel by which the alert of a check is sent."""
    item = session.get_one(WatchlistItem, check.watchlist_item_id)
    own = session.scalars(select(AlertChannel.id).where(AlertChannel.user_id == item.user_id).order_by(AlertChannel.id))
    channels: list[tuple[str, int | None]] = [(way, None) for way in sorted({MAIL, *ways})]
    channels += [(f"own:{number}", number) for number in own]
    facts = {"check_id": check.id, "due_at": check.alert_due_at, "created_at": at, "updated_at": at}
    session.add_all(AlertDelivery(channel=channel, channel_id=number, **facts) for channel, number in channels)
    check.alert_due_at = None
    session.flush()


def _to(session: Session, delivery: AlertDelivery, item: WatchlistItem) -> str:
    if delivery.channel_id is not None:
        return session.get_one(AlertChannel, delivery.channel_id).address
    return session.get_one(User, item.user_id).email if delivery.channel == MAIL else ""


def drop_channel(session: Session, channel: AlertChannel) -> None:
    """Delete a channel with its deliveries; alerts that waited for it alone have ended."""
    of_channel = (AlertDelivery.channel_id == channel.id, AlertDelivery.due_at.is_not(None))
    numbers = session.scalars(select(AlertDelivery.check_id).where(*of_channel).order_by(AlertDelivery.check_id)).all()
    # Before the deliveries go: what ends one locks them in this order too.
    checks = [check for number in numbers if (check := _locked(session, number)) is not None]
    session.delete(channel)
    session.flush()
    for check in checks:
        _sum_up(session, check)


def _end(session: Session, alert: Alert, result: AlertResult, why: str | None, at: datetime) -> None:
    check = _locked(session, alert.check_id)
    values = {"result": result, "due_at": None, "error": why and why[:300], "updated_at": at}
    if check is not None and _write(session, alert, **values):
        _sum_up(session, check)


def _locked(session: Session, check_id: int) -> PriceCheckRun | None:
    """Return a check, so that of two of its deliveries which end at once the second one sees the first."""
    query = select(PriceCheckRun).where(PriceCheckRun.id == check_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def _sum_up(session: Session, check: PriceCheckRun) -> None:
    """Write into a check what became of its alert: sent with the first channel, all else once every one has ended."""
    of_check = select(AlertDelivery).where(AlertDelivery.check_id == check.id).order_by(AlertDelivery.id)
    deliveries = session.scalars(of_check.execution_options(populate_existing=True)).all()
    results = {each.result for each in deliveries}
    if AlertResult.SENT in results:
        check.alert_result, check.alert_sent = AlertResult.SENT, True
    if AlertResult.PENDING not in results:
        if AlertResult.SENT not in results:
            check.alert_result = AlertResult.FAILED if AlertResult.FAILED in results else AlertResult.SKIPPED
        check.message = f"{check.message} {_said(deliveries)}"


def _said(deliveries: Sequence[AlertDelivery]) -> str:
    """Return what became of an alert, in sentences."""
    how = {AlertResult.SKIPPED: "The alert was skipped", AlertResult.FAILED: "The alert could not be sent"}
    is_sent = any(each.result is AlertResult.SENT for each in deliveries)
    said = ["The alert was sent."] if is_sent else []
    for each in deliveries:
        # Where another channel has brought it, that one was not set up is no news.
        if each.result is AlertResult.FAILED or (each.result is AlertResult.SKIPPED and not is_sent):
            by = "" if len(deliveries) == 1 else f" by {'mail' if each.channel == MAIL else 'another channel'}"
            said.append(f"{how[each.result]}{by}: {each.error}")
    return " ".join(said)


def _write(session: Session, alert: Alert, **values: object) -> bool:
    # Another attempt means that another process has claimed the delivery since: it writes the result.
    mine = (AlertDelivery.id == alert.delivery_id, AlertDelivery.attempts == alert.attempt)
    done = session.execute(
        update(AlertDelivery)
        .where(*mine, AlertDelivery.due_at.is_not(None))
        .values(**values)
        .returning(AlertDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return done.first() is not None


def _previous(session: Session, check: PriceCheckRun) -> Decimal | None:
    """Return the price of the last success before a check, if it is of the same currency."""
    before = (
        PriceCheckRun.watchlist_item_id == check.watchlist_item_id,
        PriceCheckRun.id < check.id,
        PriceCheckRun.status == CheckStatus.SUCCESS,
    )
    columns = select(PriceCheckRun.price_amount, PriceCheckRun.price_currency)
    found = session.execute(columns.where(*before).order_by(PriceCheckRun.id.desc()).limit(1)).one_or_none()
    return found.price_amount if found is not None and found.price_currency == check.price_currency else None
