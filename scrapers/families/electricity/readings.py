"""
A meter's readings. An answer has up to tens of thousands of rows, so a converter makes them without a model for each.

Instants are UTC, days are Jerusalem's, amounts are kWh as Decimal; unknown values are None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from database.models import readings as models
from database.models.readings import Direction, Resolution
from scrapers.core.items import Batch
from scrapers.families.electricity.clock import DAY, JERUSALEM, QUARTER, day_of, day_start, days, month_end
from scrapers.families.electricity.items import Day, ElectricityRecord
from scrapers.reading.values.days import FOR_EVER
from scrapers.reading.values.numbers import exactly, whole
from scrapers.reading.values.texts import bare_number
from scrapers.reading.values.types import Amount, Number, Text

KEY = ("contract", "meter", "meter_code", "direction", "resolution", "starts_at")
PERIOD_KEY = (*KEY[:-1], "first_day")
FIELDS = {Direction.CONSUMPTION: "consumption", Direction.PRODUCTION: "backStream"}
FED_IN, ZERO = FIELDS[Direction.PRODUCTION], Decimal(0)
NO_VALUE = 8192  # the status beside a 0 that means that nothing is known

BOTH_WAYS = (2, "2", "backstream", "דו כיווני")  # kinds of meters that also count what is fed into the grid


class RegisterReading(ElectricityRecord):
    """The reading of a meter's register at its last invoice."""

    table = models.RegisterReading
    natural_key = ("contract", "meter", "register_number", "read_on")
    versioned = True
    contract: str
    meter: Number
    register_number: str
    read_on: Day = Field(alias="readingDate")
    reading: Amount = None
    usage: Amount = None
    code: Text = Field(None, alias="readingCode")


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter, by its serial number without leading zeros."""

    contract: str
    serial: str
    code: str

    def __str__(self) -> str:
        """Return the name under which a listing knows it."""
        return f"{self.contract}/{self.serial}-{self.code}"


@dataclass(frozen=True, slots=True)
class Period:
    """The period of one request: a day, or the wanted days of a week or month."""

    resolution: Resolution
    first: date
    last: date

    @property
    def expected(self) -> int:
        """The number of rows of a complete period."""
        if self.resolution is Resolution.DAILY:
            return (day_start(self.last + DAY) - day_start(self.first)) // QUARTER
        return (self.last - self.first).days + 1


def periods(resolution: Resolution, first: date, last: date) -> list[Period]:
    """
    Return the requests for the days from *first* to *last*, oldest first; weeks begin on Sunday.

    >>> [(p.first.day, p.last.day) for p in periods(Resolution.WEEKLY, date(2028, 1, 5), date(2028, 1, 18))]
    [(5, 8), (9, 15), (16, 18)]
    """
    made, day = [], first
    while day <= last:
        end = {
            Resolution.DAILY: day,
            Resolution.WEEKLY: day + DAY * (6 - day.isoweekday() % 7),
            Resolution.MONTHLY: month_end(day),
        }[resolution]
        made.append(Period(resolution, day, min(end, last)))
        day = end + DAY
    return made


@dataclass(slots=True)
class Rows:
    """
    The rows of one meter in one period, and what could not be read.

    found: number of rows with a value, by direction. odd: texts about values that were not understood.
    """

    readings: list[dict[str, Any]] = field(default_factory=list)
    periods: list[dict[str, Any]] = field(default_factory=list)
    found: dict[Direction, int] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)

    def complete(self, period: Period) -> bool:
        """Return whether no reading is missing in any direction."""
        return bool(self.found) and all(found >= period.expected for found in self.found.values())


def chosen(meters: Sequence[Mapping[str, Any]], meter: Meter) -> Mapping[str, Any] | None:
    """
    Return a meter's part of an answer: serial and code are right, else the serial, else the code, else it is the only one.

    >>> chosen([{"meterSerial": "8"}, {"meterSerial": "00000007", "meterCode": "503"}], Meter("3", "7", "503"))
    {'meterSerial': '00000007', 'meterCode': '503'}
    """
    same = [each for each in meters if serial(each.get("meterSerial")) == meter.serial]
    exact = [each for each in same if str(each.get("meterCode")) == meter.code]
    by_code = [each for each in meters if not each.get("meterSerial") and str(each.get("meterCode")) == meter.code]
    found = exact or same or by_code or (list(meters) if len(meters) == 1 and not meters[0].get("meterSerial") else [])
    return found[0] if found else None


def serial(value: Any) -> str:
    """
    Return a serial number without its leading zeros; "" for none.

    >>> serial("000000000010000007"), serial(None)
    ('10000007', '')
    """
    try:
        return bare_number(value)
    except ValueError:
        return "" if value is None else str(value).strip()


def counts_both_ways(part: Mapping[str, Any]) -> bool:
    """Return whether a meter also counts what is fed into the grid, by its kind or its counters."""
    kind = part.get("meterKind")
    if (kind.strip().casefold() if isinstance(kind, str) else kind) in BOTH_WAYS:
        return True
    forecast = part.get("futureConsumptionInfo")
    exported = forecast.get("totalExport") if isinstance(forecast, Mapping) else None
    counted = (part.get("totalBackStreamForPeriod"), part.get("totalExport"), exported)
    return any(_total(each) for each in counted)


def rows(
    part: Mapping[str, Any],
    bands: Sequence[Mapping[str, Any]],
    meter: Meter,
    period: Period,
    directions: Sequence[Direction],
) -> Rows:
    """
    Return the rows of a period from a meter's part of an answer; rows of other days are left out.

    bands: the answer's `taozList`. A time without an offset is Jerusalem's wall clock; in the hour that comes twice the
    first of two rows with the same time is the earlier one.
    """
    result = Rows()
    begins, ends = day_start(period.first), day_start(period.last + DAY)
    known: dict[str, datetime] = {}  # bands and rows have the same times
    read = _Clock(known)
    by_time: dict[datetime, int | None] = {}
    for band in bands:
        try:
            code = band.get("taoz")
            by_time[read(band["interval"])] = code if type(code) is int else whole(code)
        except (KeyError, TypeError, ValueError, AttributeError):
            result.odd.append("taozList: an interval or its taoz is missing or no such thing")
    read = _Clock(known)
    fields: list[tuple[Direction, str, dict[datetime, dict[str, Any]]]] = [
        (direction, FIELDS[direction], {}) for direction in directions
    ]
    same = {**vars_of(meter), "resolution": period.resolution}
    for row in part.get("periodConsumptions") or ():
        try:
            at = read(row["interval"])
            if not begins <= at < ends:
                continue
            status = row.get("status")
            if type(status) is not int:
                status = whole(status)
            for direction, name, into in fields:
                # A row with consumption may omit the production when it is 0.
                value = row.get(name, ZERO if name == FED_IN and "consumption" in row else None)
                kwh = value if type(value) is Decimal else exactly(value)
                if status and status & NO_VALUE and not kwh:
                    kwh = None
                if at in into and into[at]["kwh"] != kwh:
                    result.odd.append(f"periodConsumptions: two values for {at.isoformat()}")
                into[at] = {
                    **same,
                    "direction": direction,
                    "starts_at": at,
                    "kwh": kwh,
                    "status": status,
                    "band": by_time.get(at),
                }
        except (KeyError, TypeError, ValueError, AttributeError):
            result.odd.append("periodConsumptions: an interval or its amount is missing or no such thing")
    totals = {
        Direction.CONSUMPTION: part.get("totalConsumptionForPeriod"),
        Direction.PRODUCTION: part.get("totalBackStreamForPeriod"),
    }
    for direction, _, into in fields:
        if not into:
            continue
        found = sum(row["kwh"] is not None for row in into.values())
        result.found[direction] = found
        result.readings += into.values()
        result.periods.append(
            {
                **same,
                "direction": direction,
                "first_day": period.first,
                "last_day": period.last,
                "expected": period.expected,
                "found": found,
                "complete": found >= period.expected,
                "total_kwh": _total(totals[direction]),
            }
        )
    result.odd = list(dict.fromkeys(result.odd))
    return result


def vars_of(meter: Meter) -> dict[str, str]:
    """Return the columns that name a meter."""
    return {"contract": meter.contract, "meter": meter.serial, "meter_code": meter.code}


def complete_days(result: Rows, period: Period) -> list[date]:
    """Return the days of a period without a missing reading in any direction."""
    if period.resolution is Resolution.DAILY:
        return [period.first] if result.complete(period) else []
    found: dict[date, int] = {}
    for row in result.readings:
        if row["kwh"] is not None:
            found[day_of(row["starts_at"])] = found.get(day_of(row["starts_at"]), 0) + 1
    return [day for day in days(period.first, period.last) if found.get(day, 0) >= len(result.found or (1,))]


def readings_batch(job: int, found: list[dict[str, Any]]) -> Batch:
    """Return readings as one batch."""
    return Batch(job=job, table=models.MeterReading, natural_key=KEY, rows=found, versioned=True)


def periods_batch(job: int, found: list[dict[str, Any]], keys: tuple[str, ...]) -> Batch:
    """Return the state of periods as one batch; *keys*: their keys in the Listing."""
    return Batch(job=job, table=models.MeterPeriod, natural_key=PERIOD_KEY, rows=found, keys=keys)


class _Clock:
    """Reads the times of one list in order: of equal wall clock times in the repeated hour, the first is the earlier one."""

    def __init__(self, known: dict[str, datetime]) -> None:
        self.known = known  # cache of times with an offset, which do not depend on the order
        self.walls: set[datetime] = set()

    def __call__(self, text: str) -> datetime:
        if (instant := self.known.get(text)) is not None:
            return instant
        at = datetime.fromisoformat(text)
        if not 1 < at.year < FOR_EVER:
            raise ValueError("is outside the years that there are")  # with its offset it is outside of datetime's range
        if at.tzinfo is not None:
            instant = self.known[text] = at.astimezone(UTC)
            return instant
        local = at.replace(tzinfo=JERUSALEM, fold=1 if at in self.walls else 0)
        self.walls.add(at)
        instant = local.astimezone(UTC)
        if instant.astimezone(JERUSALEM).replace(tzinfo=None) != at:
            raise ValueError("no clock shows this time")  # skipped when summer time begins
        return instant


def _total(value: Any) -> Decimal | None:
    try:
        return exactly(value)
    except ValueError:
        return None
