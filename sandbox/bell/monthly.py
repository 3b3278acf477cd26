"""The four monthly workbooks: one row per line of an account, typed cells, the same bytes for the same question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.invented import Line, Month, number, person
from sandbox.workbooks import Cell, workbook

DEVICES = ("Model A", "Model B", "Model C", "Tablet T", "Stick S")
PLANS = ("Share 10 GB", "Share 25 GB", "Voice only", "Unlimited")
CHARGES = ("Rate plan", "Device balance", "Roaming", "Long distance", "Credit")
CENTRES = ("100 Sales", "200 Service", "300 Works", "")


def begins(line: Line) -> list[Cell]:
    """Return the cells that every report begins with."""
    return [int(line.account), line.month.short, f"+155501{line.row % 100_000:05d}", person(line.account, line.row)]


@dataclass(frozen=True, slots=True)
class Report:
    """One workbook: its card's label, its columns, how a row is filled, and whether lines of a title stand above it."""

    label: str
    columns: tuple[str, ...]
    cells: Callable[[Line], list[Cell]]
    titled: bool = False


COMMON = ("Account number", "Invoice month", "Phone number", "User name")


def _costs(line: Line) -> list[Cell]:
    plan, usage = line.money("plan", 9_000), line.money("usage", 3_000)
    taxes = ((plan + usage) * Decimal("0.13")).quantize(Decimal("0.01"))
    return [CENTRES[line.draw("centre", len(CENTRES))] or None, plan, usage, taxes, plan + usage + taxes]


def _usage(line: Line) -> list[Cell]:
    return [line.money("data", 2_000_000), line.draw("voice", 900), line.draw("texts", 400), line.day("last")]


def _profile(line: Line) -> list[Cell]:
    ends = date(line.month.year + 1 + line.draw("years", 2), 1 + line.draw("ends", 12), 1)
    device, plan = DEVICES[line.draw("device", len(DEVICES))], PLANS[line.draw("rate", len(PLANS))]
    status = "Active" if line.draw("status", 10) else "Suspended"
    return [device, plan, status, ends if line.draw("contract", 4) else None]


def _charges(line: Line) -> list[Cell]:
    kind = CHARGES[line.draw("kind", len(CHARGES))]
    amount = line.money("charge", 12_000) * (-1 if kind == "Credit" else 1)
    invoice = 1_000_000_000 + number("invoice", line.account, line.month.short, below=10**9)
    tax = (amount * Decimal("0.13")).quantize(Decimal("0.01"))
    return [invoice, kind, line.day("charged"), 1 + line.draw("count", 3), amount, tax]


REPORTS = {
    "cost_overview": Report(
        "Cost Overview Report",
        (*COMMON, "Cost centre", "Monthly charges (CAD)", "Usage charges (CAD)", "Taxes (CAD)", "Total charges (CAD)"),
        _costs,
    ),
    "usage_overview": Report(
        "Usage Overview Report",
        (*COMMON, "Data used (MB)", "Voice minutes", "Text messages", "Last used"),
        _usage,
        titled=True,
    ),
    "enhanced_user_profile": Report(
        "Enhanced User Profile Report",
        (*COMMON, "Device", "Rate plan", "Status", "Contract end date"),
        _profile,
    ),
    "invoice_charge_report": Report(
        "Invoice Charge Report",
        (*COMMON, "Invoice number", "Charge type", "Charge date", "Quantity", "Amount (CAD)", "Tax (CAD)"),
        _charges,
    ),
}


def monthly_workbook(slug: str, accounts: Sequence[str], month: Month, count: int) -> bytes:
    """Return the workbook of a report (its slug) for a month: so many rows, spread over the accounts."""
    report = REPORTS[slug]
    rows: list[list[Cell]] = []
    if report.titled:
        rows += [[report.label], ["Invoice month", month.short], ["Prepared for", "Example Ltd"], []]
    rows.append(list(report.columns))
    for row in range(count):
        line = Line(accounts[row % len(accounts)], month, row)
        rows.append(begins(line) + report.cells(line))
    return workbook(report.label, rows)
