"""The vehicles of a customer and their faults: the same in every process, and changed by what the portal is told."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

OWN, STRANGER = "own", "stranger"  # the usual fleet, and another customer's
HIGHEST_SPN, HIGHEST_FMI = 2**19 - 1, 2**5 - 1
CRITICAL_SPNS = frozenset({1569, 3363, 3364, 4364, 5246})
# The portal's own words: what stands in a row's class.
CLASSES = {"critical": "critical", "red": "critical", "warning": "major", "yellow": "major", "info": "minor"}
CLASSES |= {"blue": "minor", "none": "unknown"}
SOURCES = {0: "Engine #1", 3: "Transmission #1", 11: "Brakes", 33: "Body controller", 61: "Aftertreatment #1"}
LAST_READ = datetime(2025, 11, 30, 6, 0, tzinfo=UTC)

_LETTERS = {  # what a letter of a VIN counts for
    letter: value
    for value, letters in enumerate(("AJ", "BKS", "CLT", "DMU", "ENV", "FW", "GPX", "HY", "RZ"), start=1)
    for letter in letters
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_MAKES = (  # manufacturer's code in the VIN, make, models
    ("1XK", "Kenworth", ("T680", "W990", "T880 Next Gen")),
    ("1XP", "Peterbilt", ("579", "389", "567 Heritage")),
    ("1NK", "Kenworth", ("T270", "T480")),
)
_STATUSES = ("Active", "Active", "Active", "In shop", "Active", "Out of service")


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle; `index` counts from 1 in the order of the list. Without a year the portal shows the make alone."""

    index: int
    vin: str
    unit_number: str
    year: int | None
    make: str
    model: str
    status: str

    @property
    def id(self) -> str:
        """The portal's own number of it, a UUID."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.vin))

    @property
    def description(self) -> str:
        """Year, make and model as one text."""
        return " ".join(filter(None, (str(self.year or ""), self.make, self.model)))


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A row of a vehicle's diagnostics.

    vehicle: its index. severity: one of CLASSES. fmi, occurrences, first_seen: None where the portal shows none.
    first_seen, last_seen: ISO 8601 in UTC.
    """

    vehicle: int
    spn: int
    fmi: int | None
    source_address: int = 0
    severity: str = "none"
    active: bool = True
    description: str = ""
    occurrences: int | None = 1
    first_seen: str | None = None
    last_seen: str | None = None

    @property
    def key(self) -> tuple[int, int, int, int | None]:
        """What makes it this fault: vehicle, source address, SPN and FMI."""
        return self.vehicle, self.source_address, self.spn, self.fmi

    @property
    def critical(self) -> bool:
        """Whether action is needed at once: active, and critical by severity or by its SPN."""
        return self.active and (CLASSES[self.severity] == "critical" or self.spn in CRITICAL_SPNS)


# Vehicle, SPN, FMI, source address, class, active, occurrences, text. Three are critical, by class, by SPN and by both;
# a fourth is so by both and no longer active. The last five are active: with 18 faults first, they are what is new.
_ROWS: tuple[tuple[int, int, int, int, str, bool, int | None, str], ...] = (
    (3, 100, 1, 0, "critical", True, 2, "Engine oil pressure extremely low"),
    (3, 110, 16, 0, "yellow", True, 9, "Coolant temperature high, see bulletin 2044/11 of 2025/06"),
    (3, 639, 9, 0, "warning", True, 4, "J1939 network: abnormal update rate"),
    (
        3,
        639,
        9,
        3,
        "warning",
        True,
        1,
        "J1939 network: abnormal update rate",
    ),  # the same code from another control unit
    (4, 639, 9, 0, "info", True, 12, "J1939 network: abnormal update rate"),  # and on another vehicle
    (8, 7, 31, 33, "info", True, 126, "Condition exists, replace part 3363/18 or P/N 04-29-1187"),
    (25, 84, 2, 0, "blue", True, 3, "Wheel-based speed erratic, last service 2025/03"),
    (26, 4364, 18, 61, "red", False, 5, "SCR conversion efficiency low"),  # critical once, no longer active
    (26, 5246, 0, 61, "yellow", True, 1, "SCR operator inducement severe"),  # critical by its SPN alone
    (50, 524287, 31, 11, "none", True, None, "Manufacturer's own code, kit 5246/0"),
    (51, 520953, 14, 0, "warning", True, 7, "Special instructions, compare SPN 3031 FMI 9"),
    (51, 1761, 17, 0, "info", False, 21, "DEF tank level low, least severe"),
    (75, 94, 3, 0, "none", True, 1, "Fuel delivery pressure: voltage above normal"),
    (76, 629, 12, 0, "yellow", False, 2, "Controller #1 failed, call 555 0142"),
    (100, 102, 18, 0, "info", True, 33, "Boost pressure low 2025-10-04 11/04"),
    (101, 5357, 0, 0, "blue", False, 1, "Fuel quantity error"),
    (125, 190, 0, 0, "warning", True, 6, "Engine speed above normal"),
    (142, 521, 5, 11, "none", False, 2, "Brake pedal position: current below normal"),
    (126, 3364, 18, 61, "red", True, 3, "DEF quality low, moderately severe"),
    (3, 111, 1, 0, "warning", True, 1, "Coolant level low"),
    (60, 27, 4, 0, "yellow", True, 2, "EGR valve position: voltage below normal"),
    (77, 91, 8, 0, "info", True, 1, "Accelerator pedal: abnormal frequency"),
    (142, 168, 17, 33, "none", True, 40, "Battery potential low"),
)


class Fleet:
    """The vehicles of one customer with their faults, as they are now."""

    def __init__(self, whose: str, count: int, faults: Iterable[Fault]) -> None:
        self.vehicles = vehicles(whose, count)
        self.faults = {fault.key: fault for fault in faults if fault.vehicle <= count}
        self._by_vin = {vehicle.vin: vehicle for vehicle in self.vehicles}
        self._by_vehicle: dict[int, list[Fault]] = {}
        for fault in self.faults.values():
            self._by_vehicle.setdefault(fault.vehicle, []).append(fault)

    def find(self, vin: str) -> Vehicle | None:
        """Return the vehicle of a VIN; None for any other."""
        return self._by_vin.get(vin)

    def faults_of(self, vehicle: Vehicle) -> Sequence[Fault]:
        """Return a vehicle's faults, active or not, in the order of the page."""
        return self._by_vehicle.get(vehicle.index, ())

    def as_json(self) -> dict[str, Any]:
        """Return all of it, with the counts that a reader of the portal should find."""
        named = [{"vin": self.vehicles[fault.vehicle - 1].vin, **asdict(fault)} for fault in self.faults.values()]
        return {
            "vehicles": [asdict(vehicle) for vehicle in self.vehicles],
            "faults": named,
            "active": sum(fault.active for fault in self.faults.values()),
            "critical": sum(fault.critical for fault in self.faults.values()),
        }


def check_digit(vin: str) -> str:
    """Return the ninth character that a VIN of 17 characters must have; the one that it has does not matter."""
    total = sum(weight * (_LETTERS.get(sign) or int(sign)) for sign, weight in zip(vin, _WEIGHTS, strict=True))
    return "X" if total % 11 == 10 else str(total % 11)


@lru_cache(maxsize=64)
def vehicles(whose: str, count: int) -> tuple[Vehicle, ...]:
    """Return the first vehicles of a customer."""
    return tuple(_vehicle(whose, index) for index in range(1, count + 1))


def _vehicle(whose: str, index: int) -> Vehicle:
    drawn = _drawn(whose, index)
    maker, make, models = _MAKES[drawn[0] % len(_MAKES)]
    year = 2012 + drawn[1] % 13
    letter = "CDEFGHJKLMNPR"[year - 2012]  # how the tenth character of a VIN says the year
    vin = f"{maker}AD4BY0{letter}{'J' if whose == OWN else 'R'}{400_000 + index * 13:06d}"
    vin = vin[:8] + check_digit(vin) + vin[9:]
    unit = f"{'T' if whose == OWN else 'X'}-{1000 + index}"
    model, status = models[drawn[5] % len(models)], _STATUSES[drawn[6] % len(_STATUSES)]
    if index % 20 == 7:  # the portal does not know everything of every vehicle
        return Vehicle(index, vin, unit, None, "Western Star" if index % 40 == 7 else make, "", status)
    return Vehicle(index, vin, unit, year, make, model, status)


def _drawn(*what: object) -> bytes:
    return hashlib.sha256(" ".join(map(str, what)).encode()).digest()


def default_faults(whose: str, vehicle_count: int, count: int) -> Iterator[Fault]:
    """Yield the first faults of a fleet; with fewer vehicles than 142 the last ones' faults are on earlier ones."""
    if not vehicle_count:
        return
    for number in range(1, count + 1):
        fault = _written(number) if number <= len(_ROWS) and whose == OWN else _made_up(whose, number)
        yield replace(fault, vehicle=(fault.vehicle - 1) % vehicle_count + 1)


def _written(number: int) -> Fault:
    vehicle, spn, fmi, source, severity, active, occurrences, text = _ROWS[number - 1]
    first, last = _times(number)
    shown_first = None if number == 12 else first  # one that the portal does not know
    return Fault(vehicle, spn, fmi, source, severity, active, text, occurrences, shown_first, last)


def _made_up(whose: str, number: int) -> Fault:
    drawn = _drawn(whose, "fault", number)
    spn = 60_000 + number  # no SPN that is critical, and none twice
    severity = ("warning", "info", "none")[drawn[0] % 3]
    text = f"Made-up fault {number}"
    return Fault(
        number * 7 % 1000 + 1, spn, drawn[1] % 32, 0, severity, True, text, drawn[2] % 126 + 1, *_times(number)
    )


def _times(number: int) -> tuple[str, str]:
    last = LAST_READ - timedelta(hours=5 * number, minutes=number)
    return instant(last - timedelta(days=number % 9, seconds=17)), instant(last)


def instant(moment: datetime) -> str:
    """Return a moment as the portal writes it: ISO 8601 in UTC with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class BadChange(Exception):
    """A change of the fleet cannot be made. The text is one sentence."""


FIELDS = {
    "spn": int,
    "fmi": int | None,
    "source_address": int,
    "severity": str,
    "active": bool,
    "description": str,
    "occurrences": int | None,
    "first_seen": str | None,
    "last_seen": str | None,
}


def fault_of(said: Mapping[str, Any], known: Sequence[Vehicle]) -> Fault:
    """
    Return the fault of a JSON object.

    said: Fault's fields; `vehicle` is an index or a VIN, `spn` and `fmi` must be there. known: the vehicles. Raises
    BadChange for a vehicle, a field or a value that cannot be.
    """
    if not isinstance(said, Mapping):
        raise BadChange("A fault must be a JSON object.")
    by_name: dict[object, int] = {vehicle.vin: vehicle.index for vehicle in known}
    by_name |= {vehicle.index: vehicle.index for vehicle in known}
    if said.get("vehicle") not in by_name:
        raise BadChange("vehicle must be the index or the VIN of a vehicle in the fleet.")
    fields = {name: value for name, value in said.items() if name != "vehicle"}
    for name, value in fields.items():
        if name not in FIELDS or not isinstance(value, FIELDS[name]):
            raise BadChange(f"{name} is not something of a fault, or not of its type.")
    if not {"spn", "fmi"} <= set(fields):
        raise BadChange("A fault needs spn and fmi.")
    fault = Fault(by_name[said["vehicle"]], **fields)
    if not 0 <= fault.spn <= HIGHEST_SPN or not 0 <= (fault.fmi or 0) <= HIGHEST_FMI:
        raise BadChange(f"spn goes to {HIGHEST_SPN}, fmi to {HIGHEST_FMI}.")
    if fault.severity not in CLASSES:
        raise BadChange(f"severity must be one of {', '.join(CLASSES)}.")
    return fault
