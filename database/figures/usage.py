"""The data pools of accounts over time."""

from __future__ import annotations

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session

from database.families.holdings import Chosen
from database.figures.curves import Figures, Value, curve, ids_of
from database.figures.spans import Span
from database.models import PoolUsage


def pools_by_day(session: Session, chosen: Chosen, span: Span) -> Figures:
    """
    Return what pools have used and their sizes, in bytes, summed over the accounts. step of *span*: day.

    A day on which an account of the period says nothing stands in a curve of its own: its sum is too small.
    """
    of_span = (PoolUsage.day.between(span.since, span.until), PoolUsage.account_id.in_(ids_of(chosen)))
    is_known = PoolUsage.pool_used.is_not(None)
    accounts = session.scalar(select(func.count(distinct(PoolUsage.account_id))).where(*of_span, is_known)) or 0
    used: dict[str, Value] = {}
    partly: dict[str, Value] = {}
    sizes: dict[str, Value] = {}
    known: dict[str, Value] = {}
    columns = (
        func.sum(PoolUsage.pool_used),
        func.count(),
        func.sum(PoolUsage.pool_size),
        func.count(PoolUsage.pool_size),
    )
    query = select(PoolUsage.day, *columns).where(*of_span, is_known).group_by(PoolUsage.day)
    for day, sum_used, count, sum_size, count_size in session.execute(query):
        label = day.isoformat()
        (used if count == accounts else partly)[label] = int(sum_used or 0)
        known[label] = count
        if count == count_size == accounts:
            sizes[label] = int(sum_size or 0)
    return Figures(
        span,
        (
            curve(span, "used", "bytes", used),
            curve(span, "used, incomplete", "bytes", partly),
            curve(span, "size", "bytes", sizes),
            curve(span, "accounts known", "accounts", known, 0),
            curve(span, "accounts", "accounts", {}, accounts),
        ),
    )
