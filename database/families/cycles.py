"""Billing cycles: which days a billing month of an account has, and the rows that stand for it."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.models import Account, BillingCycle, BillingCycleFile, CarrierReport
from database.upsert import ensure

DEFAULT_BILLING_DAY = 15  # for an account without a known billing day


def parse_month(text: str) -> tuple[int, int]:
    """
    Return year and month of `YYYY-MM`; raise ValueError for anything else.

    >>> parse_month("2026-10")
    (2026, 10)
    """
    match = re.fullmatch(r"(2\d{3})-(0[1-9]|1[0-2])", text.strip())
    if match is None:
        raise ValueError("a billing month looks like 2026-10")
    return int(match[1]), int(match[2])


def period(billing_day: int | None, year: int, month: int) -> tuple[date, date]:
    """
    Return the first and last day of the cycle that ends in a month; both belong to it.

    It ends on the billing day, or on the month's last day where the month is shorter.

    >>> period(15, 2026, 10)
    (datetime.date(2026, 9, 16), datetime.date(2026, 10, 15))
    >>> period(31, 2028, 2)
    (datetime.date(2028, 2, 1), datetime.date(2028, 2, 29))
    """
    before = (year - 1, 12) if month == 1 else (year, month - 1)
    return _end(billing_day, *before) + timedelta(days=1), _end(billing_day, year, month)


def month_of(billing_day: int | None, day: date) -> tuple[int, int]:
    """
    Return the billing month that a day falls in: the month in which its cycle ends.

    >>> month_of(15, date(2026, 10, 15)), month_of(15, date(2026, 10, 16))
    ((2026, 10), (2026, 11))
    """
    if day <= _end(billing_day, day.year, day.month):
        return day.year, day.month
    return (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)


def latest_closed(billing_day: int | None, today: date) -> tuple[int, int]:
    """
    Return the billing month of the newest cycle that has ended before *today*.

    >>> latest_closed(15, date(2026, 10, 15)), latest_closed(15, date(2026, 10, 16))
    ((2026, 9), (2026, 10))
    """
    year, month = month_of(billing_day, today)
    return (year - 1, 12) if month == 1 else (year, month - 1)


def cycle_for(session: Session, account: Account, year: int, month: int) -> BillingCycle:
    """
    Return the billing cycle of an account that ends in a month, opened if need be.

    With a row in billing_cycle_files for every report that the carrier has by now, required or not.
    """
    cycle = session.scalars(
        select(BillingCycle)
        .where(BillingCycle.account_id == account.id)
        .where(BillingCycle.end_date.between(date(year, month, 1), date(year, month, monthrange(year, month)[1])))
        .order_by(BillingCycle.start_date)
        .limit(1)
    ).one_or_none()
    if cycle is None:
        start, end = period(account.billing_day, year, month)
        cycle = ensure(session, BillingCycle, {"account_id": account.id, "start_date": start}, {"end_date": end})
    reports = select(CarrierReport.id).where(CarrierReport.carrier_id == account.carrier_id)
    there = select(BillingCycleFile.carrier_report_id).where(BillingCycleFile.billing_cycle_id == cycle.id)
    for report in session.scalars(reports.where(CarrierReport.id.not_in(there)).order_by(CarrierReport.id)).all():
        ensure(session, BillingCycleFile, {"billing_cycle_id": cycle.id, "carrier_report_id": report})
    return cycle


def cycle_of_day(session: Session, account: Account, day: date) -> BillingCycle:
    """Return the billing cycle that a day falls in, opened if need be."""
    cycle = session.scalars(
        select(BillingCycle)
        .where(BillingCycle.account_id == account.id)
        .where(BillingCycle.start_date <= day, BillingCycle.end_date >= day)
        .order_by(BillingCycle.start_date)
        .limit(1)
    ).one_or_none()
    return cycle or cycle_for(session, account, *month_of(account.billing_day, day))


def _end(billing_day: int | None, year: int, month: int) -> date:
    day = billing_day if billing_day is not None and 1 <= billing_day <= 31 else DEFAULT_BILLING_DAY
    return date(year, month, min(day, monthrange(year, month)[1]))
