"""What the imitation knows about its customers: everything follows from user name, account and time alone."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.bell.people import PEOPLE
from sandbox.invented import MONTHS_KEPT, Month, number, person, phone_of
from sandbox.perturb import OFF, Perturbation
from sandbox.scripted.files import document
from sandbox.tables import changed
from sandbox.workbooks import Cell, workbook

FILTERS = (
    "All usage",
    "Medium Business Data Share",
    "Corp Business Data Share",
    "Corporate Share NA Data Group",
    "Medium Business Unlimited Data Share",
)
REPORTS = {"2": "Cost Overview", "5": "Usage Overview", "7": "Enhanced User Profile Report"}
numbered_accounts = PEOPLE.numbered


@dataclass(frozen=True)
class Pool:
    """One shared data pool; both figures in GB with two decimals."""

    name: str
    included: Decimal
    used: Decimal


def pools(account: str, day: date, count: int) -> list[Pool]:
    """The account's pools on a day; the first holds more than 1,000 GB, so that a thousands separator shows."""
    found = []
    for index in range(count):
        included = Decimal(1250 if index == 0 else 20 * (1 + number("pool", account, index, below=20)))
        share = number("used", account, index, day, below=9_000)  # hundredths of a percent
        found.append(Pool(f"Shared data {index + 1}", included, (included * share / 10_000).quantize(Decimal("0.01"))))
    return found


def usage_rows(account: str, day: date, usage_filter: str) -> list[list[Cell]]:
    """The daily usage file: its head, and one row per line of the account."""
    rows: list[list[Cell]] = [
        ["Billing account number", "Mobile number", "User", "Usage type", "Data used (GB)", "As of"],
    ]
    for line in range(25):
        used = Decimal(number("line", account, line, day, below=900)) / 100
        rows.append([account, phone_of(account, line), person(account, line), usage_filter, used, day.isoformat()])
    return rows


def usage_workbook(account: str, day: date, usage_filter: str, perturbation: Perturbation = OFF) -> bytes:
    """The daily usage file."""
    return workbook("Usage details", changed(perturbation, usage_rows(account, day, usage_filter)))


def invoice_amount(account: str, month: Month) -> Decimal:
    """What the invoice of that month asks for, in CAD."""
    return Decimal(40_000 + number("invoice", account, month.short, below=900_000)) / 100


def invoice_lines(account: str, month: Month) -> list[tuple[str, Decimal]]:
    """What the invoice of that month asks for, line by line."""
    amount = invoice_amount(account, month)
    devices, taxes = (Decimal(number(kind, account, month.short, below=10_000)) / 100 for kind in ("devices", "taxes"))
    return [("Monthly plans", amount - devices - taxes), ("Devices", devices), ("Taxes", taxes)]


def invoice_pdf(account: str, month: Month, part: str = "Complete invoice", off: Decimal = Decimal(0)) -> bytes:
    """The invoice of an account and month, about 60 KB. off: what its total says beyond the sum of its lines."""
    return document(
        f"Invoice {month.name}",
        [
            part,
            f"Billing account number: {account}",
            f"Billing period: {month.year}-{month.number:02}-01 to {month.last_day.isoformat()}",
            f"Invoice number: {number('number', account, month.short, below=10**10):010}",
            *(f"{label}: {amount:.2f} CAD" for label, amount in invoice_lines(account, month)),
            f"Total due: {invoice_amount(account, month) + off:.2f} CAD",
        ],
        padding=60_000,
    )


def report_rows(report: str, accounts: list[str], start: Month, end: Month) -> list[list[Cell]]:
    """An e-report over the months from start to end: its head, and ten lines for each account and month."""
    rows: list[list[Cell]] = [
        ["Report", "Month", "Billing account number", "Mobile number", "User", "Amount (CAD)", "Data used (GB)"],
    ]
    months = [end]
    while months[-1] != start and len(months) < MONTHS_KEPT:
        months.append(months[-1].before)
    for month in reversed(months):
        for account in accounts:
            for line in range(10):
                about = (report, account, month.short, line)
                amount = Decimal(number("amount", *about, below=20_000)) / 100
                used = Decimal(number("data", *about, below=3_000)) / 100
                rows.append(
                    [report, month.short, account, phone_of(account, line), person(account, line), amount, used],
                )
    return rows


def report_workbook(
    report: str, accounts: list[str], start: Month, end: Month, perturbation: Perturbation = OFF
) -> bytes:
    """The file of an e-report."""
    return workbook(report, changed(perturbation, report_rows(report, accounts, start, end)))
