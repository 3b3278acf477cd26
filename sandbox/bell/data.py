"""What the imitation knows about its customers: everything follows from user name, account and time alone."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.bell.files import document
from sandbox.perturb import OFF, Perturbation
from sandbox.tables import changed
from sandbox.workbooks import Cell, workbook

MONTHS_KEPT = 18  # published months the portal keeps, newest first
MULTI_DEFAULT = 3  # accounts of a user tagged `multi` without a number
FILTERS = (
    "All usage",
    "Medium Business Data Share",
    "Corp Business Data Share",
    "Corporate Share NA Data Group",
    "Medium Business Unlimited Data Share",
)
REPORTS = {"2": "Cost Overview", "5": "Usage Overview", "7": "Enhanced User Profile Report"}

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_GIVEN = ("Avery", "Blake", "Casey", "Devon", "Emery", "Finley", "Harper", "Jordan", "Logan", "Morgan")
_FAMILY = ("Alder", "Birch", "Cedar", "Elm", "Hazel", "Juniper", "Maple", "Poplar", "Rowan", "Willow")


@dataclass(frozen=True)
class Month:
    """One billing month: a cycle from its first day to its last."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """As the invoice page writes it: `October 2026`."""
        return f"{_MONTHS[self.number - 1]} {self.year}"

    @property
    def short(self) -> str:
        """As the e-reports write it: `Oct 2026`."""
        return f"{_MONTHS[self.number - 1][:3]} {self.year}"

    @property
    def before(self) -> "Month":
        """The month before this one."""
        return Month(self.year - 1, 12) if self.number == 1 else Month(self.year, self.number - 1)

    @property
    def last_day(self) -> date:
        """The day on which the cycle ends."""
        after = Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)
        return date(after.year, after.number, 1) - timedelta(days=1)


@dataclass(frozen=True)
class Pool:
    """One shared data pool; both figures in GB with two decimals."""

    name: str
    included: Decimal
    used: Decimal


def number(*about: object, below: int) -> int:
    """A number from 0 to below - 1 that depends on what it is about and on nothing else."""
    text = "\x1f".join(str(part) for part in about)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % below


def numbered_accounts(owner: str, count: int) -> list[str]:
    """Nine-digit billing account numbers of an owner, all different."""
    found: list[str] = []
    step = 0
    while len(found) < count:
        account = str(500_000_000 + number("account", owner, step, below=99_999_999))
        if account not in found:
            found.append(account)
        step += 1
    return found


def month_of(text: str) -> Month | None:
    """Return the month that a text like `Oct 2026` means; None when it means none."""
    name, _, year = text.partition(" ")
    names = [each[:3] for each in _MONTHS]
    return Month(int(year), names.index(name) + 1) if name in names and year.isdecimal() else None


def published_months(today: date, kept: int = MONTHS_KEPT) -> list[Month]:
    """Months with a cycle that ended before today, newest first."""
    month = Month(today.year, today.month).before
    months = []
    for _ in range(kept):
        months.append(month)
        month = month.before
    return months


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
        rows.append([account, _phone(account, line), person(account, line), usage_filter, used, day.isoformat()])
    return rows


def usage_workbook(account: str, day: date, usage_filter: str, perturbation: Perturbation = OFF) -> bytes:
    """The daily usage file."""
    return workbook("Usage details", changed(perturbation, usage_rows(account, day, usage_filter)))


def invoice_amount(account: str, month: Month) -> Decimal:
    """What the invoice of that month asks for, in CAD."""
    return Decimal(40_000 + number("invoice", account, month.short, below=900_000)) / 100


def invoice_pdf(account: str, month: Month, part: str = "Complete invoice") -> bytes:
    """The invoice of an account and month, about 60 KB."""
    return document(
        f"Invoice {month.name}",
        [
            part,
            f"Billing account number: {account}",
            f"Billing period: {month.year}-{month.number:02}-01 to {month.last_day.isoformat()}",
            f"Invoice number: {number('number', account, month.short, below=10**10):010}",
            f"Total due: {invoice_amount(account, month)} CAD",
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
                    [report, month.short, account, _phone(account, line), person(account, line), amount, used],
                )
    return rows


def report_workbook(
    report: str, accounts: list[str], start: Month, end: Month, perturbation: Perturbation = OFF
) -> bytes:
    """The file of an e-report."""
    return workbook(report, changed(perturbation, report_rows(report, accounts, start, end)))


def _phone(account: str, line: int) -> str:
    return f"555-01{number('phone', account, line, below=100):02}"


def person(account: str, line: int) -> str:
    """The invented name of who has that line of an account."""
    given = _GIVEN[number("given", account, line, below=len(_GIVEN))]
    return f"{given} {_FAMILY[number('family', account, line, below=len(_FAMILY))]}"
