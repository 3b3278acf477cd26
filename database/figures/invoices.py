"""What invoices come to, and how many lines reports have, by month."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import and_, distinct, func, select
from sqlalchemy.orm import Session

from database.families.holdings import Chosen
from database.figures.curves import (
    UNSTATED,
    Curve,
    Figures,
    Value,
    curve,
    exact,
    exact_sum,
    ids_of,
    label_of,
    points_of,
)
from database.figures.spans import Span
from database.models import BillingCycle, Invoice, ReportLine
from database.models.electricity import ElectricityInvoice

INVOICE = "invoice"  # the kind of PDF: others of a cycle would count its amounts twice
DECIMALS = 2  # of a total
ELECTRICITY, ELECTRICITY_DECIMALS = "1", 4  # the kind of document that is an invoice, and the digits of its amount


def invoices_by_month(session: Session, chosen: Chosen, span: Span) -> Figures:
    """
    Return totals of invoices by currency, never summed over currencies, how many invoices there are, and lines of reports.

    A month is that in which a billing cycle ends. step of *span*: month or year. Telephone lines, each number once, are counted
    for one account alone: for many that takes long.
    """
    label = label_of(session, BillingCycle.end_date, span.step)
    of_span = (BillingCycle.end_date.between(span.since, span.until), BillingCycle.account_id.in_(ids_of(chosen)))
    sums = (exact_sum(Invoice.total, DECIMALS), func.count(Invoice.total), func.count())
    query = select(label, Invoice.currency, *sums).join(Invoice, Invoice.billing_cycle_id == BillingCycle.id)
    query = query.where(Invoice.pdf_type == INVOICE, *of_span).group_by(label, Invoice.currency)
    totals: dict[str, dict[str, Value]] = defaultdict(dict)
    found: Counter[str] = Counter()
    unclear: Counter[str] = Counter()
    for month, currency, total, with_total, count in session.execute(query):
        found[month] += count
        unclear[month] += count - with_total
        if with_total:
            totals[currency or UNSTATED][month] = exact(total, DECIMALS)
    curves = [curve(span, "total", currency, totals[currency]) for currency in sorted(totals)]
    curves += [curve(span, "invoices", "invoices", found, 0), curve(span, "without a total", "invoices", unclear, 0)]

    # Counted by cycle, from an index alone: a row for each line is not made.
    of_cycle = select(func.count()).select_from(ReportLine).where(ReportLine.billing_cycle_id == BillingCycle.id)
    counted = (
        select(label, func.sum(of_cycle.correlate(BillingCycle).scalar_subquery())).where(*of_span).group_by(label)
    )
    lines = {row[0]: int(row[1] or 0) for row in session.execute(counted)}
    curves.append(curve(span, "lines of reports", "lines of reports", lines, 0))
    if chosen.number is not None or chosen.account_id is not None:
        numbers = select(label, func.count(distinct(ReportLine.phone_number)))
        numbers = numbers.join(ReportLine, ReportLine.billing_cycle_id == BillingCycle.id).where(*of_span)
        found_numbers = {row[0]: row[1] for row in session.execute(numbers.group_by(label))}
        curves.append(curve(span, "telephone lines", "telephone lines", found_numbers, 0))
    return Figures(span, tuple(curves))


def electricity_by_month(session: Session, span: Span) -> tuple[Curve, ...]:
    """Return totals of electricity invoices in shekels, and how many there are, by the month in which they were issued; nothing where there are none."""
    points = points_of(span)
    invoice = ElectricityInvoice
    on = and_(invoice.document == ELECTRICITY, invoice.issued_at >= points.c.begins, invoice.issued_at < points.c.ends)
    columns = (exact_sum(invoice.amount, ELECTRICITY_DECIMALS), func.count(invoice.id))
    query = select(points.c.number, *columns).select_from(points).outerjoin(invoice, on)
    found = {
        row[0]: (exact(row[1], ELECTRICITY_DECIMALS), row[2])
        for row in session.execute(query.group_by(points.c.number))
    }
    totals, counts = zip(*(found[number] for number in range(len(span.labels))), strict=True)
    if not any(counts):
        return ()
    return (Curve("electricity", "ILS", totals), Curve("electricity invoices", "invoices", counts))
