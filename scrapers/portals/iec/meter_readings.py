"""Readings of meters, by quarter of an hour or by day, over any range; and the register readings of invoices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Literal, Self

from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from database import watermarks
from database.models.readings import Direction, Resolution
from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import Failure, PortalChanged
from scrapers.families.electricity.clock import DAY, ISRAEL, day_of, day_start
from scrapers.families.electricity.items import Contract
from scrapers.families.electricity.readings import (
    Meter,
    Period,
    RegisterReading,
    Rows,
    chosen,
    complete_days,
    counts_both_ways,
    periods,
    periods_batch,
    readings_batch,
    rows,
    serial,
)
from scrapers.families.electricity.spiders import ContractArguments
from scrapers.portals.iec import api
from scrapers.portals.iec.customer import ContractsSpider, object_of, objects
from scrapers.portals.iec.errors import IECError
from scrapers.portals.iec.settings import IecSettings
from scrapers.reading.values.days import NEVER, calendar_day
from scrapers.reading.values.texts import words

CODES = {Resolution.DAILY: 1, Resolution.WEEKLY: 2, Resolution.MONTHLY: 3}
ELECTRICITY = "1"  # documentID of an electricity invoice
ENOUGH = 1000  # rows that are stored in one batch
SHOWN = 5  # days that a warning names


class Kind(StrEnum):
    """What a meter counts, which decides the kind of request."""

    CONSUMPTION = "consumption"
    BOTH = "both"
    PRODUCTION = "production"

    @property
    def word(self) -> str:
        """The company's word for it in requests."""
        return "Consumption" if self is Kind.CONSUMPTION else "BackStream"

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions in its rows."""
        return {
            Kind.CONSUMPTION: (Direction.CONSUMPTION,),
            Kind.BOTH: (Direction.CONSUMPTION, Direction.PRODUCTION),
            Kind.PRODUCTION: (Direction.PRODUCTION,),
        }[self]


FIRST = date(NEVER + 1, 1, 1)  # the first day that is no word for "never"


class ReadingsArguments(ContractArguments):
    """Arguments of iec_meter_readings. Days are those of Jerusalem."""

    start: date | None = Field(
        None,
        ge=FIRST,
        alias="from",
        description="First day (2026-10-01); default: some days before what is stored in full.",
    )
    end: date | None = Field(None, ge=FIRST, alias="to", description="Last day; default: yesterday.")
    resolution: Resolution = Field(
        Resolution.DAILY, description="daily: quarters of an hour, a request a day; weekly or monthly: whole days."
    )
    production: Literal["auto", "yes", "no"] = Field(
        "auto", description="no: leave out what is fed in; yes: also of meters that do not seem to count it."
    )

    @model_validator(mode="after")
    def in_order(self) -> Self:
        """Refuse a range without a day, and one that is all in the future."""
        if self.start and self.start > today():
            raise ValueError("from: that day has not come yet")
        if self.start and self.end and self.end < self.start:
            raise ValueError("to: that day is before the one of from")
        return self


@dataclass
class Progress:
    """
    The progress of a job with one meter.

    sent: serial number as the company writes it. kind: None until the first answer. known_from: first day that was not
    stored completely by earlier runs; None: nothing was stored.
    """

    meter: Meter
    sent: str
    invoice: date | None
    kind: Kind | None = None
    refusal: IECError | None = None
    known_from: date | None = None
    first: date | None = None
    pending: int = 0
    readings: list[dict[str, Any]] = field(default_factory=list)
    periods: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    whole: set[date] = field(default_factory=set)  # days without a missing reading
    partly: set[date] = field(default_factory=set)  # days with at least one reading
    asked: set[date] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)  # other than 0, that came without rows


class IecMeterReadings(ContractsSpider):
    """
    Portal
      Israel Electric Company, readings of meters (https://iecapi.iec.co.il/api/Consumption/RemoteReadingRange).
    Caveats
      Readings appear a day or two late, at times weeks; an incomplete day is requested again while it is near the end of
      what is stored (IEC_READINGS_OVERLAP_DAYS), and readings later than IEC_READINGS_LATE_DAYS only with
      -a again=yes. A corrected value becomes a new version. Without a range the first run goes back
      IEC_READINGS_FIRST_DAYS days, and no run behind the meter's first day. A meter that is not smart has only its
      readings for invoices.
    """

    name = "iec_meter_readings"
    report_type = "meter_readings"
    keeps_files = False
    Arguments = ReadingsArguments

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.marks: dict[int, dict[str, datetime]] = {}
        self.meters: dict[int, list[Progress]] = {}

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        """Load the watermarks of earlier runs, and request the customer."""
        self.meters[job.id] = []
        reached = watermarks.reached
        self.marks[job.id] = await self.work.db.run(lambda session: reached(session, self.name, job.key))
        async for thing in super().requests(job):
            yield thing

    def contract(self, job: Job, contract: Contract) -> Iterator[Any]:
        """Request the register readings of the invoices, and the readings of smart meters."""
        of: dict[str, Any] = {"contract": contract.contract, "bp": contract.bp}
        yield self.ask(job, api.LAST_METER_READING, partial(self._registers, contract.contract), **of)
        if contract.smart_meter is not False:
            go_on = partial(self._ask_devices, job, contract.contract, None)
            yield self.ask(job, api.INVOICES, partial(self._invoices, contract.contract), otherwise=go_on, **of)

    def _registers(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        meters = [] if data is None else objects("readings.lastMeters", object_of("readings", data).get("lastMeters"))
        found, undated = [], 0
        for meter in meters:
            known: dict[str, Any] = {"contract": contract, "register_number": words(meter.get("registerNumber")) or ""}
            for row in objects("readings.meterReadings", meter.get("meterReadings")):
                known["meter"] = row.get("serialNumber") or meter.get("serialNumber")
                if day_in("readings.readingDate", row.get("readingDate")) is None:
                    undated += 1
                    continue
                found.append(RegisterReading.read(job.id, "readings.meterReadings", row, **known))
        if undated:
            job.warn(f"{contract}: {undated} readings for invoices have no date and were left out.")
        yield from self.stored(job, RegisterReading, found)

    def _invoices(self, contract: str, job: Job, data: Any) -> Iterator[Any]:
        """Find the newest invoice: every request for readings must have its day."""
        shown = objects("invoices.invoices", None if data is None else object_of("invoices", data).get("invoices"))
        of_electricity = [each for each in shown if words(each.get("documentID")) == ELECTRICITY]
        dated = (day_in("invoices.lastDate", each.get("lastDate")) for each in of_electricity)
        past = [day for day in dated if day is not None and day <= today()]
        yield from self._ask_devices(job, contract, max(past, default=None))

    def _ask_devices(self, job: Job, contract: str, invoice: date | None) -> Iterator[Any]:
        yield self.ask(job, api.DEVICES, partial(self._devices, contract, invoice), contract=contract)

    def _devices(self, contract: str, invoice: date | None, job: Job, data: Any) -> Iterator[Any]:
        for device in objects("devices", data):
            number, code = words(device.get("deviceNumber")), words(device.get("deviceCode"))
            if device.get("isActive") is False:
                continue
            if not number or not code:
                job.warn(f"{contract}: a meter without a number or code cannot be asked for its readings.")
                continue
            progress = Progress(Meter(contract, serial(number), code), number, invoice)
            if any(each.meter == progress.meter for each in self.meters[job.id]):
                continue
            self.meters[job.id].append(progress)
            yield from self._begin(job, progress)

    # The range

    def _mark(self, progress: Progress, kind: Kind) -> str:
        return f"{progress.meter} {self.arguments.resolution} {kind}"

    def _begin(self, job: Job, progress: Progress) -> Iterator[Any]:
        """Request the newest period of the range; its answer shows what the meter counts."""
        marks = self.marks[job.id]
        wanted = (Kind.CONSUMPTION,) if self.arguments.production == "no" else reversed(Kind)
        progress.kind = next((kind for kind in wanted if self._mark(progress, kind) in marks), None)
        last = self._range(job, progress)[-1:]
        progress.pending = len(last)
        for period in last:
            yield self._ask_period(job, progress, period, progress.kind or Kind.CONSUMPTION, self._first)

    def _range(self, job: Job, progress: Progress) -> list[Period]:
        """Return the periods to request, oldest first, none in the future."""
        arguments, now = self.arguments, today()
        last = min(arguments.end or max(now - DAY, arguments.start or date.min), now)
        default = now - DAY * IecSettings.current().readings_first_days
        mark = self.marks[job.id].get(self._mark(progress, progress.kind or Kind.CONSUMPTION))
        if mark is not None:
            progress.known_from = day_of(mark)
            if not arguments.again:
                default = progress.known_from - DAY * IecSettings.current().readings_overlap_days
        progress.first = arguments.start or default
        return periods(arguments.resolution, progress.first, last)

    def _ask_period(self, job: Job, progress: Progress, period: Period, kind: Kind, callback: Any) -> Any:
        meter = {"meterKind": kind.word, "meterCode": progress.meter.code, "meterSerial": progress.sent}
        oldest = today() - DAY * IecSettings.current().invoice_days
        # A request for the running month by its first day returns it without its last day.
        running = period.resolution is Resolution.MONTHLY and (period.last + DAY).day != 1
        body = {
            "contractNumber": progress.meter.contract,
            "fromDate": (period.last if running else period.first).isoformat(),
            "resolution": CODES[period.resolution],
            "smartMetersList": [meter],
            "lastInvoiceDate": max(progress.invoice or period.first, oldest).isoformat(),
        }
        return self.ask(
            job,
            api.REMOTE_READINGS,
            partial(callback, progress, period, kind),
            body=body,
            otherwise=partial(self._answered, job, progress),
            refused=partial(self._refused, progress) if callback == self._first else None,
            contract=progress.meter.contract,
        )

    # The answers

    def _refused(self, progress: Progress, error: IECError) -> Failure | None:
        """Store the error of the first request and return None, because the meter may count production only; else return it."""
        if progress.kind is not None or self.arguments.production == "no" or type(error) is not IECError:
            return error
        if progress.refusal is not None:
            return progress.refusal
        progress.refusal = error
        return None

    def _first(self, progress: Progress, period: Period, kind: Kind, job: Job, data: Any) -> Iterator[Any]:
        """Find out what the meter counts, and request the rest of the range."""
        part = None
        if data is not None:
            part = self._part(progress, data)
            if part is None and (refusal := self._refused(progress, _not_found(data))) is not None:
                raise refusal
        if part is None:
            yield self._ask_period(job, progress, period, Kind.PRODUCTION, self._first)
            return
        wish, progress.kind = self.arguments.production, kind
        if kind is Kind.CONSUMPTION and (wish == "yes" or (wish == "auto" and counts_both_ways(part))):
            progress.kind = Kind.BOTH  # this period is requested again, because the request differs
        starts = day_in("remote reading.meterStartDate", part.get("meterStartDate"))
        wanted = [each for each in self._range(job, progress) if starts is None or each.last >= starts]
        wanted = [each for each in wanted if each != period or progress.kind is not kind]
        progress.pending += len(wanted)
        for each in wanted:
            yield self._ask_period(job, progress, each, progress.kind, self._period)
        if progress.kind is kind:
            yield from self._period(progress, period, kind, job, data)
        else:
            yield from self._answered(job, progress)

    def _part(self, progress: Progress, data: Any) -> dict[str, Any] | None:
        """Return the meter's part of an answer; None when there is none."""
        answer = object_of("remote reading", data)
        found = chosen(objects("remote reading.meterList", answer.get("meterList")), progress.meter)
        return None if found is None else dict(found)

    def _period(self, progress: Progress, period: Period, kind: Kind, job: Job, data: Any) -> Iterator[Any]:
        """Read a period's rows."""
        part = self._part(progress, data)
        if part is None:
            raise _not_found(data)
        bands = objects("remote reading.taozList", data.get("taozList"))
        name = "remote reading.periodConsumptions"
        objects(name, part.get("periodConsumptions"))
        found = rows(part, bands, progress.meter, period, kind.directions)
        status = part.get("reportResultStatus")
        if not found.readings and isinstance(status, int) and status and status not in progress.statuses:
            progress.statuses.add(status)
            job.warn(f"{progress.meter} {period.first}: status {status}, {part.get('reportResultStatusText')}.")
        progress.asked.update(period.first + DAY * n for n in range((period.last - period.first).days + 1))
        if found.readings:
            progress.readings += found.readings
            progress.periods += found.periods
            progress.keys.append(f"{progress.meter} {period.first}")
            progress.whole.update(complete_days(found, period))
            progress.partly.update(_days(found))
        for odd in found.odd:
            job.fail(PortalChanged(f"{progress.meter} {period.first}: {odd}.", step="read I13"))
        yield from self._answered(job, progress)

    def _answered(self, job: Job, progress: Progress) -> Iterator[Any]:
        """Yield the collected rows once there are ENOUGH or no request is pending."""
        progress.pending -= 1
        if len(progress.readings) >= ENOUGH or (progress.pending <= 0 and progress.readings):
            readings, found, keys = progress.readings, progress.periods, tuple(progress.keys)
            progress.readings, progress.periods, progress.keys = [], [], []
            yield Listing(job=job.id, keys=keys)
            yield readings_batch(job.id, readings)
            yield periods_batch(job.id, found, keys)
        if progress.pending <= 0:
            self._tell_gaps(job, progress)

    @staticmethod
    def _tell_gaps(job: Job, progress: Progress) -> None:
        """Warn of missing readings before the newest day; those of later days may still come."""
        newest = max(progress.partly, default=date.min)
        for what, days in (
            ("have no readings", {day for day in progress.asked - progress.partly if day < newest}),
            ("lack some readings", progress.partly - progress.whole),
        ):
            if days:
                named = ", ".join(str(day) for day in sorted(days)[:SHOWN])
                job.warn(f"{progress.meter}: {len(days)} days {what}: {named}{' …' if len(days) > SHOWN else ''}.")

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Advance the watermarks up to which everything is stored, unless days before were skipped."""
        super().conclude(session, job, failure)
        if failure is not None:
            return
        marks = {}
        late = today() - DAY * IecSettings.current().readings_late_days
        for progress in self.meters.get(job.id, ()):
            # Readings that late are given up, else the same days would be requested by every run.
            settled = progress.whole | {day for day in progress.asked if day < late}
            if not settled or progress.kind is None or progress.first is None:
                continue
            # The days between the watermark and this range were not requested; the next run without a range does that.
            if self.arguments.start and (progress.known_from is None or progress.first > progress.known_from):
                continue
            marks[self._mark(progress, progress.kind)] = day_start(max(settled) + DAY)
        watermarks.advance(session, self.name, job.key, marks, job.id)


def today() -> date:
    """Return the day in Jerusalem."""
    return day_of(datetime.now(UTC))


def day_in(name: str, value: Any) -> date | None:
    """Return a day of an answer; raise PortalChanged with its name for anything else."""
    try:
        return calendar_day(value, ISRAEL)
    except ValueError as error:
        raise PortalChanged(f"{name} {error}.") from None


def _days(found: Rows) -> Iterable[date]:
    return {day_of(row["starts_at"]) for row in found.readings if row["kwh"] is not None}


def _not_found(data: dict[str, Any]) -> IECError:
    """Return the company's error in an answer without the meter."""
    code, text = data.get("reportStatus"), words(data.get("reportStatusText"))
    return IECError(code if isinstance(code, int) else "", text or "no such meter in the answer", step="read I13")
