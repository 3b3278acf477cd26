"""The reports' tables: one row per wireless number of an account, the same for the same account and month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.invented import Line, Month, number, person
from sandbox.scripted.people import People
from sandbox.users import User
from sandbox.workbooks import Cell

DEVICES = ("Phone 11", "Phone 12 Pro", "Tablet 8", "Hub 2", "Watch 5")
PLANS = ("Business Unlimited", "Share 10 GB", "Voice only", "Data 50 GB")
MIXED_ROWS = 3  # of another account, in the scenario `mixed-file`


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a report after those that all begin with, and how a row is filled."""

    columns: tuple[str, ...]
    cells: Callable[[Line], list[Cell]]


COMMON = ("Account number", "Billing period", "Wireless number", "User name")


def _charges(line: Line) -> list[Cell]:
    plan, usage, other = line.money("plan", 9_000), line.money("usage", 3_000), line.money("other", 500)
    taxes = ((plan + usage) * Decimal("0.13")).quantize(Decimal("0.01"))
    return [plan, usage, other, taxes, plan + usage + other + taxes]


def _usage(line: Line) -> list[Cell]:
    return [line.money("data", 4_000), line.draw("voice", 900), line.draw("texts", 400), line.day("last").isoformat()]


def _device(line: Line) -> list[Cell]:
    imei = f"35{number('imei', line.account, line.row, below=10**13):013}"
    return [DEVICES[line.draw("device", len(DEVICES))], imei, PLANS[line.draw("rate", len(PLANS))], "Active"]


def _credit(line: Line) -> list[Cell]:
    kind = ("Promotion", "Adjustment", "Discount")[line.draw("credit kind", 3)]
    return [kind, f"{kind} of {line.month.name}", -line.money("credit", 5_000)]


def _installment(line: Line) -> list[Cell]:
    total, paid = Decimal(60_000 + line.draw("price", 90_000)) / 100, 1 + line.draw("paid", 30)
    monthly = (total / 30).quantize(Decimal("0.01"))
    return [DEVICES[line.draw("device", len(DEVICES))], total, monthly, paid, total - monthly * (paid - 1)]


def _upgrade(line: Line) -> list[Cell]:
    eligible = date(line.month.year + line.draw("years", 2), 1 + line.draw("eligible", 12), 1)
    return [*_device(line), "Yes" if line.draw("upgrade", 2) else "No", eligible.isoformat()]


CHARGES = Table(("Plan charges", "Usage charges", "Other charges", "Taxes", "Total charges"), _charges)
USAGE = Table(("Data used (GB)", "Voice minutes", "Text messages", "Last used"), _usage)
DEVICE = Table(("Device", "IMEI", "Rate plan", "Status"), _device)
CREDIT = Table(("Credit type", "Description", "Credit amount"), _credit)
INSTALLMENT = Table(
    ("Device", "Device price", "Monthly installment", "Installments billed", "Remaining balance"), _installment
)
UPGRADE = Table((*DEVICE.columns, "Upgrade eligible", "Eligibility date"), _upgrade)
TABLES = {
    "mobility_device": DEVICE,
    "group_summary": CHARGES,
    "individual_detail": CHARGES,
    "airtime_detail": USAGE,
    "all_billing_cycle_charges": CHARGES,
    "wireless_charges": CHARGES,
    "monthly_charges": CHARGES,
    "usage_details": USAGE,
    "daily_usage": USAGE,
    "device_installment": INSTALLMENT,
    "upgrade_and_inventory": UPGRADE,
    "ccd_monthly": CHARGES,
    "data": USAGE,
    "ccc_chg": CHARGES,
    "ccc_credits": CREDIT,
    "bcr": UPGRADE,
    "charges_and_usage": CHARGES,
    "usage_detail": USAGE,
    "statement_detail": CHARGES,
    "inventory_report": DEVICE,
    "equipment_installment": INSTALLMENT,
}


def report_rows(slug: str, account: str, month: Month, count: int) -> list[list[Cell]]:
    """Return a report's table, head first, with so many rows; an unknown slug has the table of charges."""
    table = TABLES.get(slug, CHARGES)
    rows: list[list[Cell]] = [[*COMMON, *table.columns]]
    for row in range(count):
        line = Line(account, month, row)
        rows.append(
            [account, month.name, f"555-01{row % 100:02}-{row // 100:04}", person(account, row), *table.cells(line)]
        )
    return rows


def file_rows(user: User, people: People, slug: str, account: str, month: Month, count: int) -> list[list[Cell]]:
    """Return the table of a file: with rows of another account in `mixed-file`, without accounts in `unnamed-file`."""
    rows = report_rows(slug, account, month, count)
    if user.says("mixed-file"):
        rows += report_rows(slug, people.numbered(f"mixed file {user.name}", 1)[0], month, MIXED_ROWS)[1:]
    return [row[1:] for row in rows] if user.says("unnamed-file") else rows
