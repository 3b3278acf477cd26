"""
Pending alerts of the price watch: each is claimed by one process, which sends it and writes how that ended.

A process that dies after it has sent an alert, and before that is written, is the one case in which the alert is sent
again: once its claim has run out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database.models.prices import AlertKind, AlertResult, CheckStatus, PriceCheckRun, User, WatchlistItem

CLAIM = timedelta(minutes=5)  # longer than a mail takes when each answer of the server comes as late as it may
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=4)  # between two attempts; it doubles
MOST_ATTEMPTS = 12  # within about 20 hours; a price that old is no news


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that was claimed, and what its message says. None: not known."""

    check_id: int
    attempt: int  # from 1
    kinds: tuple[AlertKind, ...]
    to: str
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
    return session.scalar(select(PriceCheckRun.id).where(PriceCheckRun.alert_due_at <= at).limit(1)) is not None


def claim(session: Session, at: datetime) -> Alert | None:
    """Claim the alert that has been due longest; None when there is none that another process has not claimed."""
    due = select(PriceCheckRun).where(PriceCheckRun.alert_due_at <= at)
    first = due.order_by(PriceCheckRun.alert_due_at, PriceCheckRun.id).limit(1).with_for_update(skip_locked=True)
    check = session.scalars(first).one_or_none()
    if check is None:
        return None
    check.alert_due_at, check.alert_attempts = at + CLAIM, check.alert_attempts + 1
    item = session.get_one(WatchlistItem, check.watchlist_item_id)
    return Alert(
        check_id=check.id,
        attempt=check.alert_attempts,
        kinds=tuple(AlertKind(kind) for kind in check.alerts),
        to=session.get_one(User, item.user_id).email,
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


def sent(session: Session, alert: Alert) -> None:
    """Write that an alert was sent."""
    _end(session, alert, AlertResult.SENT, "The alert was sent.")


def skipped(session: Session, alert: Alert, why: str) -> None:
    """Write that there is no way to send an alert. why: a sentence."""
    _end(session, alert, AlertResult.SKIPPED, f"The alert was skipped: {why}")


def failed(session: Session, alert: Alert, why: str, at: datetime) -> datetime | None:
    """Write that an attempt has failed; return when the next one is due, None when there is none. why: a sentence."""
    if alert.attempt >= MOST_ATTEMPTS:
        _end(session, alert, AlertResult.FAILED, f"The alert could not be sent: {why}", error=why)
        return None
    due_at: datetime = at + min(FIRST_PAUSE * 2 ** (alert.attempt - 1), LONGEST_PAUSE)
    _write(session, alert, alert_due_at=due_at, alert_error=why[:300])
    return due_at


def _end(session: Session, alert: Alert, result: AlertResult, said: str, error: str | None = None) -> None:
    _write(
        session,
        alert,
        alert_result=result,
        alert_sent=result is AlertResult.SENT,
        alert_due_at=None,
        alert_error=error and error[:300],
        message=f"{alert.message} {said}",
    )


def _write(session: Session, alert: Alert, **values: object) -> None:
    # Another attempt means that another process has claimed the alert since: it writes the result.
    mine = (PriceCheckRun.id == alert.check_id, PriceCheckRun.alert_attempts == alert.attempt)
    session.execute(update(PriceCheckRun).where(*mine).values(**values).execution_options(synchronize_session=False))


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
