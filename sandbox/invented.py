"""Invented data that follows from what it is about alone: numbers, months, accounts, persons; the same in every process."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

MONTHS_KEPT = 18  # published months that a portal keeps, where nothing else is said

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
    def after(self) -> "Month":
        """The month after this one."""
        return Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)

    @property
    def last_day(self) -> date:
        """The day on which the cycle ends."""
        return date(self.after.year, self.after.number, 1) - timedelta(days=1)

    def closes_on(self, day: int) -> date:
        """Return the day of this month on which a cycle ends that ends on the given one: the last where it is 0 or not there."""
        return self.last_day.replace(day=min(day, self.last_day.day)) if day else self.last_day


def number(*about: object, below: int) -> int:
    """A number from 0 to below - 1 that depends on what it is about and on nothing else."""
    text = "\x1f".join(str(part) for part in about)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % below


def numbered(owner: str, count: int, lowest: int, below: int) -> list[str]:
    """Account numbers of an owner, all different: from lowest to lowest + below - 1."""
    found: list[str] = []
    step = 0
    while len(found) < count:
        account = str(lowest + number("account", owner, step, below=below))
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


@dataclass(frozen=True, slots=True)
class Line:
    """What a row of a monthly report is about."""

    account: str
    month: Month
    row: int

    def draw(self, what: str, below: int) -> int:
        """Return a number from 0 to below - 1 that belongs to this row."""
        return number("monthly", what, self.account, self.month.short, self.row, below=below)

    def money(self, what: str, below: int) -> Decimal:
        """Return an amount with two decimals."""
        return Decimal(self.draw(what, below)) / 100

    def day(self, what: str) -> date:
        """Return a day of the month."""
        return date(self.month.year, self.month.number, 1) + timedelta(days=self.draw(what, self.month.last_day.day))


def phone_of(account: str, line: int) -> str:
    """The invented number of a line of an account."""
    return f"555-01{number('phone', account, line, below=100):02}"


def person(account: str, line: int) -> str:
    """The invented name of who has that line of an account."""
    given = _GIVEN[number("given", account, line, below=len(_GIVEN))]
    return f"{given} {_FAMILY[number('family', account, line, below=len(_FAMILY))]}"
