"""Days of Jerusalem, readings summed by hour, day and month, and the cost of an appliance. Pure functions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from scrapers.reading.values.locale import Locale

JERUSALEM = ZoneInfo("Asia/Jerusalem")
ISRAEL = Locale("he_IL", JERUSALEM.key)

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


# --- Days -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def day_start(day: date) -> datetime:
    """
    Return the instant at which a day begins in Jerusalem, in UTC.

    >>> day_start(date(2028, 1, 17)), day_start(date(2028, 7, 17))
    (datetime.datetime(2028, 1, 16, 22, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2028, 7, 16, 21, 0, tzinfo=datetime.timezone.utc))
    """
    return datetime(day.year, day.month, day.day, tzinfo=JERUSALEM).astimezone(UTC)


def day_of(at: datetime) -> date:
    """Return the day of Jerusalem that an instant belongs to."""
    return at.astimezone(JERUSALEM).date()


def quarters(day: date) -> int:
    """
    Return how many quarters of an hour a day has: 92 when summer time begins, 100 when it ends.

    >>> quarters(date(2028, 1, 17)), quarters(date(2028, 3, 24)), quarters(date(2028, 10, 29))
    (96, 92, 100)
    """
    return (day_start(day + DAY) - day_start(day)) // QUARTER


def days(first: date, last: date) -> Iterator[date]:
    """Give the days from *first* to *last*, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - DAY


# --- Sums -------------------------------------------------------------------------------------------------------------


class By(StrEnum):
    """Unit of time by which readings are summed."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(slots=True)
class Sum:
    """
    The sum of a meter's readings in an hour, a day or a month of Jerusalem.

    starts_at, ends_at: instants, UTC. expected: readings that make it whole; found: readings with a value.
    total, average, smallest, largest: kWh, the last three of one reading; None where there is no reading, never 0.
    """

    starts_at: datetime
    ends_at: datetime
    expected: int
    found: int = 0
    total: Decimal | None = None
    smallest: Decimal | None = None
    largest: Decimal | None = None

    @property
    def complete(self) -> bool:
        """Whether no reading is missing."""
        return self.found >= self.expected

    @property
    def average(self) -> Decimal | None:
        """KWh of a reading."""
        return None if self.total is None else self.total / self.found

    def add(self, kwh: Decimal) -> None:
        """Count a reading in."""
        self.found += 1
        if self.total is None or self.smallest is None or self.largest is None:
            self.total = self.smallest = self.largest = kwh
            return
        self.total += kwh
        self.smallest, self.largest = min(self.smallest, kwh), max(self.largest, kwh)


def sums(
    readings: Iterable[tuple[datetime, Decimal | None]], by: By, first: date, last: date, *, step: timedelta = QUARTER
) -> list[Sum]:
    """
    Sum readings by hour, day or month, from the day *first* to the day *last* of Jerusalem, both included.

    readings: instant at which each begins, and kWh or None; in any order, each instant once; others' days are left out.
    step: a quarter of an hour, or DAY for readings of whole days, which have no hours.
    Every hour, day or month of the range is in the result, so that a gap is seen: a sum without readings is None.
    A month that the range cuts is expected to have the range's days only.

    >>> noon = datetime(2028, 1, 17, 10, tzinfo=UTC)
    >>> [one] = sums([(noon, Decimal("0.1")), (noon + QUARTER, None)], By.DAY, date(2028, 1, 17), date(2028, 1, 17))
    >>> one.total, one.found, one.expected, one.complete
    (Decimal('0.1'), 1, 96, False)
    """
    if by is By.HOUR and step != QUARTER:
        raise ValueError("by: readings of whole days cannot be summed by hour")
    made = list(_empty(by, first, last, step))
    if not made:
        return []
    begins, ends = made[0].starts_at, made[-1].ends_at
    places = _places(made, by)
    for at, kwh in readings:
        if kwh is not None and begins <= at < ends:
            made[places(at)].add(kwh)
    return made


def _empty(by: By, first: date, last: date, step: timedelta) -> Iterator[Sum]:
    if by is By.HOUR:
        at, end = day_start(first), day_start(last + DAY)
        while at < end:
            yield Sum(at, at + HOUR, HOUR // QUARTER)
            at += HOUR
        return
    day = first
    while day <= last:
        end_day = day if by is By.DAY else min(month_end(day), last)
        begins, ends = day_start(day), day_start(end_day + DAY)
        yield Sum(begins, ends, (ends - begins) // QUARTER if step == QUARTER else (end_day - day).days + 1)
        day = end_day + DAY


def _places(made: list[Sum], by: By) -> Callable[[datetime], int]:
    if by is By.HOUR:
        begins = made[0].starts_at
        return lambda at: (at - begins) // HOUR
    starts = [each.starts_at for each in made]
    return lambda at: bisect_right(starts, at) - 1


# --- Appliances -------------------------------------------------------------------------------------------------------

# The company's unit codes, inferred from the values: lamps have 15 to 300 of unit 3, kettles 0.5 to 3 of unit 4.
# Codes 1 and 2 are ampere and horse-power, but which is which is unknown: the caller must give the unit.
UNITS = {3: "W", 4: "kW"}
KILOWATTS = {
    "kW": Decimal(1),
    "W": Decimal("0.001"),
    "HP": Decimal("0.736"),
    "A": Decimal("0.23"),  # at 230 volts
}


class UnknownUnit(ValueError):
    """An appliance's power is in a unit that is not known. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Appliance:
    """
    An appliance of the company's list.

    power: in the unit with the code `unit`. minutes: usual time of use; None when the company does not state it.
    """

    name: str
    power: Decimal | None
    unit: int | None
    minutes: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a kWh: shekels without VAT, and VAT in percent."""

    shekels: Decimal
    vat: Decimal

    @property
    def with_vat(self) -> Decimal:
        """Shekels for a kWh, VAT included once."""
        return self.shekels * (1 + self.vat / 100)


@dataclass(frozen=True, slots=True)
class Use:
    """The use of an appliance: kilowatts, minutes, kWh, and shekels with VAT, not rounded."""

    name: str
    kilowatts: Decimal
    minutes: Decimal
    kwh: Decimal
    cost: Decimal


def kilowatts(power: Decimal, unit: str) -> Decimal:
    """
    Return a power in kW. unit: kW, W, HP or A.

    >>> kilowatts(Decimal("2.2"), "kW"), kilowatts(Decimal(60), "W")
    (Decimal('2.2'), Decimal('0.060'))
    """
    if unit not in KILOWATTS:
        raise UnknownUnit(f"{unit} is no unit of power: they are {', '.join(KILOWATTS)}.")
    return power * KILOWATTS[unit]


def use(
    appliance: Appliance,
    rate: Rate,
    minutes: Decimal | None = None,
    power: Decimal | None = None,
    unit: str | None = None,
) -> Use:
    """
    Return the energy and cost of an appliance for a time of use.

    minutes: by default as long as the company says it usually runs. power: in place of the company's, in the same unit or in *unit*.
    Raises ValueError with one sentence when the time, power or unit is unknown.

    >>> kettle = Appliance("kettle", Decimal("2.2"), 4, Decimal(3))
    >>> use(kettle, Rate(Decimal("0.5"), Decimal(18)), minutes=Decimal(30))
    Use(name='kettle', kilowatts=Decimal('2.2'), minutes=Decimal('30'), kwh=Decimal('1.1'), cost=Decimal('0.6490'))
    """
    if (minutes := appliance.minutes if minutes is None else minutes) is None:
        raise ValueError(f"The company does not say how long {appliance.name} runs: say the minutes.")
    if minutes < 0:
        raise ValueError("The minutes must not be less than 0.")
    if (power := appliance.power if power is None else power) is None:
        raise ValueError(f"The company does not say the power of {appliance.name}: say it.")
    if power < 0:
        raise ValueError("The power must not be less than 0.")
    unit = unit or UNITS.get(appliance.unit or 0)
    if unit is None:
        raise UnknownUnit(f"The unit of the power of {appliance.name} is not known (code {appliance.unit}): say it.")
    kw = kilowatts(power, unit)
    kwh = kw * minutes / 60
    return Use(appliance.name, kw, minutes, kwh, kwh * rate.with_vat)
