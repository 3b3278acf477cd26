"""The prices of electricity: the company's tariff page, its calculators, and their appliances."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from scrapers.core.items import Listing
from scrapers.core.jobs import Job, Plan
from scrapers.core.outcomes import Failure, PortalChanged
from scrapers.core.page import guess
from scrapers.core.spider import SpiderArguments
from scrapers.families.electricity.clock import ISRAEL
from scrapers.families.electricity.items import ApplianceRecord, Power, Tariff
from scrapers.portals.iec import api
from scrapers.portals.iec.customer import IecSpider, object_of, objects
from scrapers.reading.values.numbers import decimal, exactly
from scrapers.reading.values.types import Amount

KEY, ALL = "tariffs", "all"
MILLIONTH = Decimal("0.000001")
# How a table of the page is recognised: by its rows, its head, or the text above. kVA first: its label occurs elsewhere.
KINDS = {
    "kva": re.compile(guess(r"\bkva\b|קו\"א|קילו ?וולט ?אמפר"), re.I),
    "distribution": re.compile(guess("חלוקה")),
    "delivery": re.compile(guess("אספקה")),
    "kwh": re.compile(guess(r"קו?ט\"?ש|קילו ?וו?אט|\bkwh\b"), re.I),
}
UNITS = {"kva": "kVA and year", "distribution": "month", "delivery": "month", "kwh": "kWh"}
THREE_PHASES, ONE_PHASE = re.compile(guess("תלת")), re.compile(guess("חד"))
COINS = re.compile(guess(r"₪|ש\"ח|אגורות"))
AGOROT, SHEKELS = re.compile(guess(r"אגורות|אגורה|אג'")), re.compile(guess(r"₪|ש\"ח|שקל"))
WITHOUT_VAT = re.compile(guess(r"(ללא|לפני|לא כולל|בלי)\s*מע\"?מ"))
WITH_VAT = re.compile(guess(r"כולל\s*מע\"?מ|עם\s*מע\"?מ"))
QUOTES = str.maketrans({"״": '"', "”": '"', "“": '"', "׳": "'", "’": "'", "\xa0": " ", "\u200f": "", "\u200e": ""})
# Prices that the page must have: kind and phases.
WANTED = (("kwh", 0), ("distribution", 1), ("distribution", 3), ("delivery", 1), ("delivery", 3), ("kva", 0))


class TariffTarget(BaseModel):
    """The target of the job: no person, because tariffs are public."""

    person: str = "nobody"


class IecTariffs(IecSpider):
    """
    Portal
      Israel Electric Company, tariffs and calculators (https://iecapi.iec.co.il/api/content/he-IL); no sign-in.
    Caveats
      Prices are in shekels, with and without VAT as far as the company says both. A power size is kVA and no price: VAT
      is on the price of a kVA alone. Asked once a week, unless -a again=yes; a price that changes keeps its older one.
    """

    name = "iec_tariffs"
    report_type = "tariffs"
    keeps_files = False
    logins = ()
    Arguments = SpiderArguments

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return one job, which is done when the tariffs were fetched within `lists_life`."""
        done = not arguments.again and cls.is_fresh(session, KEY, ALL)
        numbers = arguments.job or (None,)
        return [Plan(TariffTarget(), KEY, KEY, None, job_id=number, done=done) for number in numbers]

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield self.ask(job, api.TARIFF_PAGE, self._page)
        yield self.ask(job, api.PERIOD_CALCULATOR, self._period)
        yield self.ask(job, api.GADGET_CALCULATOR, self._gadget)

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Store the note that the tariffs were fetched."""
        if failure is None:
            self.note_fresh(session, KEY, ALL)

    def _page(self, job: Job, data: Any) -> Iterator[Any]:
        yield Listing(job=job.id, keys=())
        try:
            prices = page_prices(objects("tariff page.components", data.get("components")))
        except PricesMissing as gap:
            prices = gap.prices
            job.fail(gap)
        yield from self.stored(job, Tariff, [price.tariff(job.id) for price in prices])

    def _period(self, job: Job, data: Any) -> Iterator[Any]:
        rates = object_of("period_Calculator_Rates", data.get("period_Calculator_Rates"))
        tariffs = []
        for kind, name in (("kwh", "homeRate"), ("kva", "kvaRate")):
            if (rate := number(name, rates.get(name))) is not None:
                tariffs.append(Price("period", kind, 0, rate).tariff(job.id))
        yield from self.stored(job, Tariff, tariffs)
        sizes = object_of("connectionToPowerSize", rates.get("connectionToPowerSize"))
        powers = {connection_name(name): number(name, kva) for name, kva in sizes.items()}
        yield from self.stored(
            job, Power, [Power.read(job.id, "power size", {}, connection=name, kva=kva) for name, kva in powers.items()]
        )

    def _gadget(self, job: Job, data: Any) -> Iterator[Any]:
        rates = object_of("gadget_Calculator_Rates", data.get("gadget_Calculator_Rates"))
        vat = number("vat", rates.get("vat"))
        home = number("homeRate", rates.get("homeRate"))
        if home is None or vat is None:
            raise PortalChanged(f"gadget_Calculator_Rates.{'homeRate' if home is None else 'vat'} is missing.")
        factor = 1 + vat / 100
        found = [Price("gadget", "kwh", 0, home, home * factor)]
        if (general := number("generalRate", rates.get("generalRate"))) is not None:
            found.append(Price("gadget", "kwh_general", 0, general, general * factor))
        found.append(Price("gadget", "vat", 0, vat))
        updated = {"updated_at": rates.get("lastUpdated")}
        yield from self.stored(job, Tariff, [price.tariff(job.id, **updated) for price in found])
        rows = objects("electric_Devices", data.get("electric_Devices"))
        yield from self.stored(job, ApplianceRecord, ApplianceRecord.read_all(job.id, "electric_Devices", rows))


@dataclass(frozen=True, slots=True)
class Price:
    """A price in shekels, or the rate of VAT in percent."""

    source: str
    kind: str
    phases: int
    without_vat: Decimal | None
    with_vat: Decimal | None = None

    def tariff(self, job: int, **more: Any) -> Tariff:
        """Return the record."""
        rounded = [None if price is None else price.quantize(MILLIONTH) for price in (self.without_vat, self.with_vat)]
        unit = {"vat": "percent", "kwh_general": "kWh"}.get(self.kind) or UNITS[self.kind]
        known = {"source": self.source, "kind": self.kind, "phases": self.phases, "unit": unit}
        return Tariff.read(job, "tariff", {}, **known, without_vat=rounded[0], with_vat=rounded[1], **more)


class PricesMissing(PortalChanged):
    """Prices of the tariff page that were not found by what the page says; the others are in `prices`."""

    prices: list[Price]


def page_prices(components: list[dict[str, Any]]) -> list[Price]:
    """
    Return the prices of the tariff page, found by their labels, not by their position.

    A price of kWh is in agorot unless labelled otherwise. Raises PricesMissing, with the prices that were read, for those
    that are missing or no number.
    """
    found: dict[tuple[str, int], Price] = {}
    problems: list[str] = []
    heading = ""
    for component in components:
        if isinstance(component.get("text"), str):
            heading = decoded(component["text"])
        elif isinstance(component.get("table"), list):
            for price in table_prices(component["table"], heading):
                if price.with_vat is None:
                    problems.append(f"The tariff page's price of {price.kind} is no number.")
                else:
                    found.setdefault((price.kind, price.phases), price)
            heading = ""
    if missing := [
        f"{kind}{f' ({phases})' if phases else ''}" for kind, phases in WANTED if (kind, phases) not in found
    ]:
        problems.append(f"The tariff page has no price of {', '.join(missing)}.")
    if problems:
        failure = PricesMissing(" ".join(dict.fromkeys(problems)), step="read S1")
        failure.prices = list(found.values())
        raise failure
    return list(found.values())


def table_prices(table: list[Any], heading: str) -> Iterator[Price]:
    """Yield the prices of a table: rows with a label and two prices, without and with VAT; None for one that is no number."""
    rows = [[decoded(cell.get("value")) for cell in row] for row in table if isinstance(row, list)]
    rows = [row for row in rows if row]
    head = next((row for row in rows if not any(price_of(cell) for cell in row[1:])), [])
    columns = vat_columns(head)
    for row in rows:
        if row is head or not any(price_of(cell) for cell in row[1:]):
            continue
        said = [row[0], " ".join(head), heading]
        kind = next((kind for text in said for kind, mark in KINDS.items() if mark.search(text)), None)
        if kind is None:
            continue
        prices = [price_of(row[at]) if at is not None and at < len(row) else None for at in columns]
        coin = next((text for text in said if AGOROT.search(text) or SHEKELS.search(text)), "")
        in_agorot = bool(AGOROT.search(coin)) if coin else kind == "kwh"
        parts = [None if price is None else price / 100 if in_agorot else price for price in prices]
        phases = 0
        if kind in ("distribution", "delivery"):
            phases = 3 if THREE_PHASES.search(row[0]) else 1 if ONE_PHASE.search(row[0]) else 0
        yield Price("page", kind, phases, parts[0], parts[1])


def vat_columns(head: list[str]) -> tuple[int | None, int]:
    """
    Return the columns without and with VAT: by the head, else the second and the third.

    >>> vat_columns(["", 'כולל מע"מ', 'ללא מע"מ']), vat_columns([])
    ((2, 1), (1, 2))
    """
    without = next((at for at, text in enumerate(head) if WITHOUT_VAT.search(text)), None)
    including = next((at for at, text in enumerate(head) if at != without and WITH_VAT.search(text)), None)
    if including is None:
        return (1, 2) if without in (None, 1) else (without, 1)
    return (1 if without is None and including != 1 else without), including


def decoded(value: Any) -> str:
    """
    Return the text of a cell or text block: base64 of UTF-8, often with HTML in it.

    >>> decoded("PHN0cm9uZz4xMi41PC9zdHJvbmc+"), decoded(None)
    ('12.5', '')
    """
    from scrapy.selector import Selector

    if not isinstance(value, str):
        return ""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = value
    if "<" in text or "&" in text:
        text = " ".join(Selector(text=f"<div>{text}</div>").css("::text").getall())
    return " ".join(text.translate(QUOTES).split())


def price_of(text: str) -> Decimal | None:
    """
    Return the price in a cell; None when there is none.

    >>> price_of("6.12"), price_of("₪ 1,234.50"), price_of("כולל")
    (Decimal('6.12'), Decimal('1234.50'), None)
    """
    try:
        price = decimal(text, ISRAEL, beside=COINS)
    except ValueError:
        return None
    return price if price >= 0 else None


def number(name: str, value: Amount) -> Decimal | None:
    """Return a number of an answer; raise PortalChanged, with its name, for something else."""
    try:
        return exactly(value)
    except ValueError as error:
        raise PortalChanged(f"{name} {error}.") from None


def connection_name(name: str) -> str:
    """
    Return the size of a connection as the company's table has it: one without phases is single-phase.

    >>> connection_name("3X25"), connection_name("25"), connection_name(" 3x40 ")
    ('3X25', '1X25', '3X40')
    """
    name = name.strip().upper()
    return name if "X" in name else f"1X{name}"
