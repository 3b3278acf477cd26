"""What meters have counted: every quarter of an hour, every day and the register, from the meter's number alone."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.iec.people import Contract, Customer

JERUSALEM = ZoneInfo("Asia/Jerusalem")
QUARTER = timedelta(minutes=15)
EPOCH = date(2020, 1, 1)  # registers count from here
DAILY, WEEKLY, MONTHLY = 1, 2, 3
NO_DATA = 8192
UNSET = "0001-01-01"
EVENING, HOUR = 36, range(40, 44)  # quarters that an incomplete day lacks: the last ones, or an hour before noon


@lru_cache(maxsize=4096)
def quarters(day: date) -> tuple[datetime, ...]:
    """Return when the quarters of a Jerusalem day begin, as instants: 96, or 92 and 100 when the clock changes."""
    begin, end = (datetime.combine(at, time(), JERUSALEM).astimezone(UTC) for at in (day, day + timedelta(days=1)))
    return tuple(begin + n * QUARTER for n in range((end - begin) // QUARTER))


@lru_cache(maxsize=65_536)
def day_total(serial: str, direction: str, day: date) -> int:
    """Return what a meter counted on a day, in Wh. direction: "in" from the company, "out" to it."""
    drawn = random.Random(f"{serial} {direction} {day}").random()
    if direction == "out":
        return int(8_000 + 14_000 * drawn)
    summer = 1.6 if day.month in (6, 7, 8, 9) else 1.3 if day.month in (12, 1, 2) else 1.0
    return int((6_000 + 6_000 * drawn) * summer)


@lru_cache(maxsize=4096)
def day_values(serial: str, direction: str, day: date, factor: float = 1.0) -> tuple[int, ...]:
    """Return what a meter counted in each quarter of a day, in Wh; together they are the day's total times a factor."""
    total = round(day_total(serial, direction, day) * factor)
    chance = random.Random(f"{serial} {direction} {day} quarters")
    hours = [instant.astimezone(JERUSALEM).hour for instant in quarters(day)]
    shares = list(accumulate(_weight(direction, hour) * (0.5 + chance.random()) for hour in hours))
    marks = [round(total * share / shares[-1]) for share in shares]
    return tuple(after - before for before, after in zip([0, *marks], marks, strict=False))


def _weight(direction: str, hour: int) -> float:
    if direction == "out":
        return max(0.0, 6 - abs(hour - 12)) if 6 <= hour <= 18 else 0.0
    return 3.0 if 18 <= hour <= 22 else 1.5 if 7 <= hour <= 17 else 1.0


@lru_cache(maxsize=512)
def _totals(serial: str, direction: str, year: int) -> tuple[int, ...]:
    """Return what was counted from EPOCH until the end of each day of a year, in Wh."""
    first = date(year, 1, 1)
    before = _totals(serial, direction, year - 1)[-1] if year > EPOCH.year else 0
    days = (date(year + 1, 1, 1) - first).days
    totals = (day_total(serial, direction, first + timedelta(days=n)) for n in range(days))
    return tuple(accumulate(totals, initial=before))[1:]


def register(serial: str, direction: str, day: date) -> int:
    """Return what a meter shows at the end of a day, in Wh. Corrections of a day do not change it."""
    return _totals(serial, direction, day.year)[(day - date(day.year, 1, 1)).days]


def kwh(wh: int) -> float:
    """Return kWh for Wh."""
    return round(wh / 1000, 3)


@dataclass(frozen=True, slots=True)
class View:
    """What a customer may see of a meter: the last day with data, how times are written, and its faults."""

    customer: Customer
    today: date
    lag_days: int
    corrections: Sequence[Mapping[str, Any]]
    filled: bool

    @property
    def last(self) -> date:
        """The last day with data."""
        return self.today - timedelta(days=self.lag_days)

    def factor(self, contract: Contract, day: date) -> float:
        """Return by what a day's values are corrected."""
        for correction in self.corrections:
            if int(correction["contract"]) == int(contract.number) and correction["day"] == day.isoformat():
                return float(correction["factor"])
        return 1.0

    def missing(self, day: date) -> range:
        """Return the quarters that a day lacks."""
        if self.filled or not self.customer.says("incomplete-day", "status-8192"):
            return range(0)
        if day == self.last:
            return range(len(quarters(day)) - EVENING, len(quarters(day)))
        return HOUR if day == self.last - timedelta(days=9) else range(0)

    def moment(self, instant: datetime) -> str:
        """Write an instant the way this customer gets them."""
        if self.customer.says("naive-times"):
            return instant.astimezone(JERUSALEM).replace(tzinfo=None).isoformat()
        if self.customer.says("local-times"):
            return instant.astimezone(JERUSALEM).isoformat()
        return instant.isoformat().replace("+00:00", "Z") if self.customer.says("zulu-times") else instant.isoformat()


def remote_reading(
    contract: Contract, view: View, start: date, asked: date, resolution: int, meters: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """
    Return the answer of RemoteReadingRange.

    start: the meter's first day. asked: fromDate. meters: those of smartMetersList; one that does not exist is left out.
    """
    found = [(meter["meterKind"], direction) for meter in meters if (direction := direction_of(contract, meter))]
    period = _period(view, asked, resolution)
    days = [day for day in period if start <= day <= view.last]
    lists = [_meter(contract, view, start, days, period, resolution, kind, direction) for kind, direction in found]
    instants = [row["interval"] for row in lists[0]["periodConsumptions"]] if lists else []
    return {
        "reportStatus": 0 if lists else 1,
        "contractNumber": contract.number,
        "reportStatusText": None if lists else "לא נמצאו מונים",
        "meterList": lists,
        "taozList": [
            {"interval": instant, "taoz": 1 if n % 96 in range(68, 88) else 3} for n, instant in enumerate(instants)
        ],
    }


def direction_of(contract: Contract, meter: Mapping[str, str]) -> str:
    """Return which way a meter of a request counts; "" when the contract has none such."""
    if not contract.smart or contract.closed or meter["meterSerial"].lstrip("0") != contract.serial.lstrip("0"):
        return ""
    if meter["meterCode"].lstrip("0") != contract.code:
        return ""
    if meter["meterKind"] == "BackStream":
        return "out" if contract.meter in ("both-ways", "solar") else ""
    return "" if contract.meter == "solar" else "in"


def _period(view: View, asked: date, resolution: int) -> list[date]:
    """Return the days of a request. One in the future is about now; the running month sent as its first day lacks its last."""
    day = min(asked, view.today)
    if resolution == DAILY:
        return [day]
    if resolution == WEEKLY:  # from Sunday
        first = day - timedelta(days=(day.weekday() + 1) % 7)
        return [first + timedelta(days=n) for n in range(7)]
    first = day.replace(day=1)
    days = [first + timedelta(days=n) for n in range(31) if (first + timedelta(days=n)).month == first.month]
    running = first == view.today.replace(day=1)
    return [there for there in days if there < view.last] if running and asked == first else days


def _meter(
    contract: Contract,
    view: View,
    start: date,
    days: Sequence[date],
    period: Sequence[date],
    resolution: int,
    kind: str,
    direction: str,
) -> dict[str, Any]:
    both = contract.meter == "both-ways"
    consumed, produced = contract.meter != "solar", direction == "out"
    totals = {day: round(day_total(contract.serial, "in", day) * view.factor(contract, day)) for day in days}
    outs = {day: round(day_total(contract.serial, "out", day) * view.factor(contract, day)) for day in days}
    if resolution == DAILY:
        rows = [row for day in days for row in _day_rows(contract, view, day, consumed, produced)]
        if not days and view.customer.says("status-8192") and period[0] >= start:
            rows = [_row(view.moment(instant), 0, 0, NO_DATA) for instant in quarters(period[0])]
    else:
        rows = [_row(view.moment(quarters(day)[0]), totals[day] * consumed, outs[day] * produced, 0) for day in days]
    if view.customer.says("unsorted"):
        random.Random(f"{contract.number} {period[:1]}").shuffle(rows)
    last, exports = (days[-1] if days else None), both or produced
    return {
        "meterKind": 2 if kind == "BackStream" else 1,
        "reportResultStatus": 0,
        "reportResultStatusText": None,
        "meterSerial": contract.serial,
        "meterCode": contract.code,
        "futureConsumptionInfo": _forecast(contract, view, exports),
        "startDate": period[0].isoformat() if period else None,
        "endDate": period[-1].isoformat() if period else None,
        "numberOfPeriodAggregated": len(days),
        "totalConsumptionForPeriod": kwh(sum(totals.values()) * consumed),
        "totalBackStreamForPeriod": kwh(sum(outs.values())) if exports else None,
        "totalImport": kwh(register(contract.serial, "in", last)) if last and consumed else None,
        "totalExport": kwh(register(contract.serial, "out", last)) if last and exports else None,
        "totalImportDateForPeriod": last.isoformat() if last else None,
        "statusForPeriod": 0,
        "meterStartDate": start.isoformat(),
        "periodConsumptions": rows,
    }


def _day_rows(contract: Contract, view: View, day: date, consumed: bool, produced: bool) -> list[dict[str, Any]]:
    factor, missing = view.factor(contract, day), view.missing(day)
    ins, outs = (day_values(contract.serial, direction, day, factor) for direction in ("in", "out"))
    rows = []
    for n, instant in enumerate(quarters(day)):
        if n not in missing:
            rows.append(_row(view.moment(instant), ins[n] * consumed, outs[n] * produced, 0))
        elif view.customer.says("status-8192"):
            rows.append(_row(view.moment(instant), 0, 0, NO_DATA))
    return rows


def _row(instant: str, consumed: int, produced: int, status: int) -> dict[str, Any]:
    return {"interval": instant, "consumption": kwh(consumed), "backStream": kwh(produced), "status": status}


def _forecast(contract: Contract, view: View, exports: bool) -> dict[str, Any] | None:
    if view.customer.says("no-forecast"):
        return None
    unset = view.customer.says("forecast-unset")
    imported = 0 if unset or contract.meter == "solar" else register(contract.serial, "in", view.last)
    return {
        "lastInvoiceDate": None,
        "currentDate": UNSET if unset else view.today.isoformat(),
        "futureConsumption": 0.0 if unset else kwh(30 * day_total(contract.serial, "in", view.last)),
        "totalImport": kwh(imported),
        "totalImportDate": UNSET if unset else view.last.isoformat(),
        "futureBackStream": kwh(30 * day_total(contract.serial, "out", view.last)) if exports else None,
        "multiplierFactor": 1.0,
        "totalExport": kwh(register(contract.serial, "out", view.last)) if exports else None,
    }
