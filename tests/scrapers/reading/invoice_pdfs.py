"""Invented invoices as PDFs: four layouts, English and French, in the notations that a seed chooses; and what they say."""

from __future__ import annotations

import io
import random
import textwrap
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pypdf

from sandbox.scripted.files import Placed, sheet
from scrapers.reading.invoices import Invoice, read_invoice
from scrapers.reading.pdf import texts_of
from scrapers.reading.values.locale import Locale

LAYOUTS = ("grid", "left", "table", "letter")
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
}
SHORT = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
    "fr": "janv. févr. mars avr. mai juin juill. août sept. oct. nov. déc.".split(),
}
LABELS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "account": ("Account number", "Billing account number", "Account no.", "Your account number", "BAN"),
        "number": ("Invoice number", "Bill number", "Invoice no.", "INVOICE NUMBER", "Invoice #"),
        "issued": ("Invoice date", "Bill date", "Date of invoice", "Statement date"),
        "period": ("Billing period", "Bill period", "Billing cycle", "For the period"),
        "due_date": ("Due date", "Payment due date", "Please pay by", "Due by"),
        "due": ("Total amount due", "Amount due", "Total due", "Balance due", "TOTAL AMOUNT DUE"),
    },
    "fr": {
        "account": ("Numéro de compte", "No de compte", "N° de compte", "Compte", "Numéro de compte de facturation"),
        "number": ("Numéro de facture", "No de facture", "Facture n°", "NUMÉRO DE LA FACTURE"),
        "issued": ("Date de facturation", "Date de la facture", "Date de facture", "Date d’émission"),
        "period": ("Période de facturation", "Cycle de facturation", "Période"),
        "due_date": ("Date d'échéance", "Échéance", "Date limite de paiement", "À payer avant le"),
        "due": ("Montant total dû", "Montant dû", "Total à payer", "MONTANT TOTAL DÛ", "Solde à payer"),
    },
}
LINES = {
    "en": ("Monthly plans", "Device charges", "Usage", "Credits", "GST", "PST"),
    "fr": ("Forfaits mensuels", "Frais d'appareil", "Utilisation", "Crédits", "TPS", "TVQ"),
}
NOISE = {
    "en": ("Previous invoice number: 9000000001", "Next bill date: {later}", "Previous balance {money}",
           "Questions? Call 1 800 555-0199.", "Parent account 599999999"),
    "fr": ("Numéro de facture précédente : 9000000001", "Prochaine date de facturation : {later}", "Solde précédent {money}",
           "Des questions? Composez le 1 800 555-0199."),
}  # fmt: skip
LETTER = {
    "en": (
        "Invoice no. {number} dated {issued} for account {account} covers the period from {period}. The total amount due of "
        "{due} is payable by {due_date}. Thank you for your business, and please keep this letter."
    ),
    "fr": (
        "La facture no {number}, datée du {issued}, pour le compte {account} couvre la période du {period}. Le montant total "
        "dû de {due} est payable avant le {due_date}. Nous vous remercions, et vous prions de garder cette lettre."
    ),
}


@dataclass(frozen=True)
class Made:
    """An invoice and how it is written. off: what the total says beyond the sum of the lines."""

    account: str
    number: str
    issued: date
    start: date
    end: date
    due_date: date
    lines: tuple[Decimal, ...]
    language: str = "en"
    layout: str = "left"
    seed: int = 0
    off: Decimal = Decimal(0)
    noise: bool = True
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def due(self) -> Decimal:
        return sum(self.lines, Decimal(0)) + self.off

    @property
    def random(self) -> random.Random:
        return random.Random(f"{self.seed} {self.language} {self.layout}")

    def label(self, name: str) -> str:
        return self.labels.get(name) or self.random.choice(LABELS[self.language][name])

    def day(self, day: date) -> str:
        """One notation for all days of an invoice."""
        way = random.Random(f"day {self.seed}").randrange(4)
        long, short = MONTHS[self.language][day.month - 1], SHORT[self.language][day.month - 1]
        if way == 0:
            return day.isoformat()
        if way == 1 and self.language == "en":
            return f"{day:%m/%d/%Y}"
        if way == 2:
            return f"{short} {day.day}, {day.year}" if self.language == "en" else f"{day.day} {short} {day.year}"
        return f"{long} {day.day}, {day.year}" if self.language == "en" else f"{_first(day.day)} {long} {day.year}"

    @property
    def period(self) -> str:
        way = random.Random(f"period {self.seed}").randrange(4)
        word = "to" if self.language == "en" else "au"
        names = MONTHS[self.language]
        if way == 0 and self.start.year == self.end.year and self.language == "en":
            return f"{names[self.start.month - 1]} {self.start.day} to {names[self.end.month - 1]} {self.end.day}, {self.end.year}"
        if way == 1 and (self.start.year, self.start.month) == (self.end.year, self.end.month):
            return (
                f"{names[self.end.month - 1]} {self.start.day} - {self.end.day}, {self.end.year}"
                if self.language == "en"
                else f"{_first(self.start.day)} au {self.end.day} {names[self.end.month - 1]} {self.end.year}"
            )
        return f"{self.day(self.start)} {word} {self.day(self.end)}"

    def money(self, amount: Decimal) -> str:
        way = random.Random(f"money {self.seed}").randrange(3)
        if self.language == "fr":
            said = f"{amount:,.2f}".replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
            return f"{said} {('$', '$ CA', '$ CAD')[way]}"
        sign = "-" if amount < 0 else ""
        return f"{sign}{('$', 'CA$', '$')[way]}{abs(amount):,.2f}{' CAD' if way == 2 else ''}"

    @property
    def currency(self) -> str | None:
        return None if random.Random(f"money {self.seed}").randrange(3) == 0 else "CAD"

    @property
    def account_said(self) -> str:
        way = random.Random(f"account {self.seed}").randrange(3)
        return (self.account, f"{self.account[:3]} {self.account[3:6]} {self.account[6:]}",
                f"{self.account[:3]}-{self.account[3:6]}-{self.account[6:]}")[way]  # fmt: skip

    def said(self) -> dict[str, str]:
        return {
            "account": self.account_said,
            "number": self.number,
            "issued": self.day(self.issued),
            "period": self.period,
            "due_date": self.day(self.due_date),
            "due": self.money(self.due),
        }

    def named(self) -> list[tuple[str, str]]:
        return list(zip(LINES[self.language], map(self.money, self.lines), strict=False))

    def pdf(self) -> bytes:
        """The invoice, and a second page with usage that has totals of its own."""
        texts = [("Facture" if self.language == "fr" else "Invoice", 56, 800, 16), *DRAWN[self.layout](self)]
        if self.noise:
            texts += [(_filled(self, each), 56, 120 - 14 * row, 8) for row, each in enumerate(NOISE[self.language])]
        details = [("Usage details" if self.language == "en" else "Détails d'utilisation", 56, 800, 14)]
        for row in range(5):
            details += [
                (f"514 555-01{row:02}", 56, 770 - 14 * row, 9),
                (self.money(Decimal(row) / 4), 300, 770 - 14 * row, 9),
            ]
        return joined(sheet(texts), sheet(details))

    def read(self, folder: Path, asked: str = "", locale: Locale | None = None) -> Invoice:
        """Return what is read of it."""
        path = folder / "invoice.pdf"
        path.write_bytes(self.pdf())
        texts, is_all = texts_of(path)
        return read_invoice(texts, locale or Locale("en_CA"), asked or self.account, is_all)

    def wrong(self, read: Invoice) -> dict[str, object]:
        """Return what was read and is not what the invoice says."""
        summed = None if self.layout == "letter" else (self.due - self.off, self.due)
        expected = {
            "account": self.account, "is_named": True, "number": self.number, "issued": self.issued, "start": self.start,
            "end": self.end, "total": self.due, "currency": self.currency, "due_date": self.due_date, "summed": summed,
            "unclear": {},
        }  # fmt: skip
        return {name: getattr(read, name) for name, value in expected.items() if getattr(read, name) != value}


def made(seed: int, layout: str, language: str) -> Made:
    """Return an invented invoice of a calendar month, or of a cycle that ends within one."""
    chance = random.Random(seed)
    month = date(2026, chance.randrange(2, 13), 1)
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    day = chance.choice((0, 0, 9, 15, 27))
    start, end = (month, last) if not day else (_before(month).replace(day=day + 1), month.replace(day=day))
    cents = [chance.randrange(100, 300_000) for _ in range(chance.randrange(3, 6))]
    lines = [Decimal(each) / 100 for each in cents]
    lines[min(3, len(lines) - 1)] = -(lines[0] / 10).quantize(Decimal("0.01")) if len(lines) > 3 else lines[-1]
    return Made(
        account=str(chance.randrange(500_000_000, 599_000_000)),
        number=str(chance.randrange(10**9, 10**10)),
        issued=end + timedelta(days=chance.randrange(1, 6)),
        start=start,
        end=end,
        due_date=end + timedelta(days=21),
        lines=tuple(lines),
        language=language,
        layout=layout,
        seed=seed,
    )


def joined(*pages: bytes) -> bytes:
    """Return one PDF of several."""
    writer, out = pypdf.PdfWriter(), io.BytesIO()
    for page in pages:
        writer.append(io.BytesIO(page))
    writer.write(out)
    return out.getvalue()


def _first(day: int) -> str:
    return "1er" if day == 1 else str(day)


def _before(day: date) -> date:
    return (day - timedelta(days=1)).replace(day=1)


def _filled(made: Made, text: str) -> str:
    return text.format(later=made.day(made.issued + timedelta(days=30)), money=made.money(Decimal("77.10")))


NAMES = ("account", "number", "issued", "period", "due_date")


def _grid(made: Made) -> list[Placed]:
    """Boxes in three columns, each label above its value; all labels of a row are drawn before the values."""
    placed: list[Placed] = []
    said = made.said()
    names = (*NAMES, "due")
    for row in (names[:3], names[3:]):
        y = 750 - 50 * (names.index(row[0]) // 3)
        placed += [(made.label(name), 40 + 185 * box, y, 8) for box, name in enumerate(row)]
        placed += [(said[name], 40 + 185 * box, y - 14, 9) for box, name in enumerate(row)]
    return [*placed, *_rows(made, 620)]


def _left(made: Made) -> list[Placed]:
    """Labels with colon, dots or nothing behind them; values in the same text or a column of their own."""
    way = made.random.randrange(3)
    placed: list[Placed] = []
    said = made.said()
    colon = " :" if made.language == "fr" else ":"
    for row, name in enumerate(NAMES):
        y = 750 - 18 * row
        if way == 0:
            placed.append((f"{made.label(name)}{colon} {said[name]}", 56, y, 10))
        else:
            placed += [(made.label(name) + (colon if way == 1 else " ......"), 56, y, 10), (said[name], 330, y, 10)]
    return [*placed, *_rows(made, 600)]


def _table(made: Made) -> list[Placed]:
    """A head of labels with the values in the row below, of the same size; then a table of charges with a head."""
    placed: list[Placed] = []
    said, places = made.said(), (40, 150, 250, 335, 490)
    for x, name in zip(places, NAMES, strict=True):
        placed += [(made.label(name), x, 750, 7), (said[name], x, 738, 7)]
    head = ("Description", "Amount") if made.language == "en" else ("Description", "Montant")
    return [*placed, (head[0], 56, 660, 9), (head[1], 430, 660, 9), *_rows(made, 644)]


def _rows(made: Made, y: int) -> list[Placed]:
    placed: list[Placed] = []
    for row, (label, value) in enumerate([*made.named(), (made.label("due"), made.said()["due"])]):
        placed += [(label, 56, y - 16 * row, 10), (value, 430, y - 16 * row, 10)]
    return placed


def _letter(made: Made) -> list[Placed]:
    """One paragraph, wrapped wherever a line is full."""
    said = textwrap.wrap(LETTER[made.language].format(**made.said()), width=60 + made.seed % 30, break_on_hyphens=False)
    return [(line, 56, 740 - 14 * row, 10) for row, line in enumerate(said)]


DRAWN = {"grid": _grid, "left": _left, "table": _table, "letter": _letter}
FORTY = [
    made(seed, layout, language)
    for seed, (layout, language) in enumerate(
        [(layout, language) for layout in LAYOUTS for language in ("en", "fr")] * 5
    )
]
__all__ = ["FORTY", "LAYOUTS", "Made", "joined", "made", "replace"]
