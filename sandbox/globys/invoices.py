"""Invoices as PDF: account, number, dates, lines and total as text, in four layouts and two languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.invented import Month, number
from sandbox.scripted.files import Placed, sheet
from sandbox.users import User

LAYOUTS = 4
LABELS = {
    "en": {
        "title": "Invoice",
        "account": "Account number",
        "number": "Invoice number",
        "date": "Invoice date",
        "period": "Billing period",
        "due": "Due date",
        "total": "Total amount due",
        "currency": "Currency",
        "to": "to",
    },
    "fr": {
        "title": "Facture",
        "account": "Numéro de compte",
        "number": "Numéro de facture",
        "date": "Date de facturation",
        "period": "Période de facturation",
        "due": "Date d'échéance",
        "total": "Montant total dû",
        "currency": "Devise",
        "to": "au",
    },
}
LINES = {
    "en": ("Monthly plans", "Device installments", "Usage", "Credits", "Taxes"),
    "fr": ("Forfaits mensuels", "Versements d'appareil", "Utilisation", "Crédits", "Taxes"),
}
MONTHS_FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()


@dataclass(frozen=True, slots=True)
class Invoice:
    """
    What an invoice says.

    layout: 1 to 4; language: "en" or "fr"; off: what its total says beyond the sum of its lines. closing: the day of the
    month on which the cycle ends; 0 for the month's last.
    """

    account: str
    month: Month
    currency: str
    layout: int = 1
    language: str = "en"
    off: Decimal = Decimal(0)
    closing: int = 0

    @property
    def number(self) -> str:
        """The invoice's number, ten digits."""
        return f"{number('bill', self.account, self.month.short, below=9 * 10**9) + 10**9}"

    @property
    def issued(self) -> date:
        """The day after the period."""
        return self.end + timedelta(days=1)

    @property
    def due(self) -> date:
        """Three weeks after the period."""
        return self.end + timedelta(days=21)

    @property
    def start(self) -> date:
        """The first day of the period."""
        return self.month.before.closes_on(self.closing) + timedelta(days=1)

    @property
    def end(self) -> date:
        """The last day of the period."""
        return self.month.closes_on(self.closing)

    @property
    def amounts(self) -> list[Decimal]:
        """The amounts of the lines; the fourth is a credit."""
        cents = [number("line", self.account, self.month.short, line, below=400_000) for line in range(4)]
        found = [Decimal(each if line < 3 else -each // 10) / 100 for line, each in enumerate(cents)]
        return [*found, (sum(found, Decimal(0)) * Decimal("0.13")).quantize(Decimal("0.01"))]

    @property
    def total(self) -> Decimal:
        """What the list of bills asks for: the sum of the lines."""
        return sum(self.amounts, Decimal(0))

    def money(self, amount: Decimal) -> str:
        """Return an amount as the invoice writes it."""
        if self.language == "fr":
            return f"{amount:,.2f} $".replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
        return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"

    def day(self, day: date) -> str:
        """Return a day as the invoice writes it."""
        if self.language == "fr":
            return f"{day.day} {MONTHS_FRENCH[day.month - 1]} {day.year}"
        return f"{day:%B} {day.day}, {day.year}" if self.layout != 3 else f"{day:%m/%d/%Y}"


def of_user(user: User, account: str, month: Month, currency: str, closing: int = 0) -> Invoice:
    """Return the invoice that a user gets: layout and language by tags, another total in the scenario `total-differs`."""
    off = Decimal("10.00") if user.says("total-differs") else Decimal(0)
    layout = int(user.number("invoice-layout", 1))
    return Invoice(account, month, currency, layout, "fr" if user.says("invoice-french") else "en", off, closing)


def invoice_pdf(invoice: Invoice) -> bytes:
    """Return the invoice as a PDF of one page."""
    labels = LABELS[invoice.language]
    said = [
        (labels["account"], invoice.account),
        (labels["number"], invoice.number),
        (labels["date"], invoice.day(invoice.issued)),
        (labels["period"], f"{invoice.day(invoice.start)} {labels['to']} {invoice.day(invoice.end)}"),
        (labels["due"], invoice.day(invoice.due)),
    ]
    lines = list(zip(LINES[invoice.language], map(invoice.money, invoice.amounts), strict=True))
    total = (labels["total"], invoice.money(invoice.total + invoice.off))
    texts = _DRAWN[(invoice.layout - 1) % LAYOUTS](said, lines, total, (labels["currency"], invoice.currency))
    return sheet([(labels["title"], 56, 790, 16), *texts])


Pair = tuple[str, str]


def _beside(said: list[Pair], lines: list[Pair], total: Pair, currency: Pair) -> list[Placed]:
    """Each label with a colon before its value, in one text."""
    rows = [f"{label}: {value}" for label, value in (*said, *lines, total, currency)]
    return [(row, 56, 750 - 18 * number, 10) for number, row in enumerate(rows)]


def _columns(said: list[Pair], lines: list[Pair], total: Pair, currency: Pair) -> list[Placed]:
    """Labels on the left, values on the right."""
    placed: list[Placed] = []
    for row, (label, value) in enumerate((*said, currency, *lines, total)):
        placed += [(label, 56, 750 - 18 * row, 10), (value, 360, 750 - 18 * row, 10)]
    return placed


def _above(said: list[Pair], lines: list[Pair], total: Pair, currency: Pair) -> list[Placed]:
    """Labels above their values, in a row of boxes; the lines below as columns."""
    placed: list[Placed] = []
    for box, (label, value) in enumerate(said):
        x, y = 56 + 250 * (box % 2), 750 - 44 * (box // 2)
        placed += [(label, x, y, 8), (value, x, y - 14, 11)]
    for row, (label, value) in enumerate((*lines, total)):
        placed += [(label, 56, 590 - 18 * row, 10), (f"{value} {currency[1]}", 400, 590 - 18 * row, 10)]
    return placed


def _total_first(said: list[Pair], lines: list[Pair], total: Pair, currency: Pair) -> list[Placed]:
    """The total on top, with the currency; then the lines; account and dates at the foot."""
    placed: list[Placed] = [(total[0], 56, 750, 10), (f"{currency[1]} {total[1]}", 300, 750, 14)]
    for row, (label, value) in enumerate((*lines, *said)):
        placed += [(label, 56, 710 - 20 * row, 10), (value, 300, 710 - 20 * row, 10)]
    return placed


_DRAWN: tuple[Callable[[list[Pair], list[Pair], Pair, Pair], list[Placed]], ...] = (
    _beside,
    _columns,
    _above,
    _total_first,
)
