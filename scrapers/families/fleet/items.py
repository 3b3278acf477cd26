"""The fleet's items: vehicles, and the J1939 faults of their control units."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from database.models import fleet as models
from database.models.fleet import Severity
from scrapers.core.items import Record
from scrapers.reading.values.marks import without_marks

NO_ADDRESS = 254  # J1939's null address: the control unit is unknown


def bare_vin(said: Any) -> Any:
    r"""
    Return a text without blanks and invisible characters, in capitals, as VINs are compared.

    >>> bare_vin("1xpad4by4 kj\u00ad400013")
    '1XPAD4BY4KJ400013'
    """
    return re.sub(r"\s", "", without_marks(said)).upper() if isinstance(said, str) else said


# Digits and capitals without I, O and Q; the check digit is not looked at, since not every country has one.
Vin = Annotated[str, BeforeValidator(bare_vin), StringConstraints(pattern=r"^[A-HJ-NPR-Z0-9]{17}$", max_length=17)]


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the years that there are") from None


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]


class Vehicle(Record):
    """A vehicle on the portal's list. Empty or None: unknown."""

    table = models.Vehicle
    natural_key = ("tenant_id", "vin")
    tenant_id: int
    vin: Vin
    unit_number: str = Field("", max_length=100)
    year: int | None = Field(None, ge=1900, le=2100)
    make: str = Field("", max_length=100)
    model: str = Field("", max_length=200)
    engine_make: str | None = Field(None, max_length=100)
    engine_model: str | None = Field(None, max_length=100)
    odometer: int | None = Field(None, ge=0)
    odometer_unit: str | None = Field(None, max_length=20)
    engine_hours: int | None = Field(None, ge=0)
    status: str = Field("unknown", max_length=100)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)

    def key(self) -> str:
        """Return the VIN."""
        return self.vin


class Fault(Record):
    """A fault of a vehicle: the component (SPN), the kind of failure (FMI) and the control unit (source address)."""

    table = models.Fault
    natural_key = ("tenant_id", "vin", "source_address", "spn", "fmi")
    tenant_id: int
    vin: Vin
    spn: int = Field(ge=0, le=524287)  # 19 bits
    fmi: int = Field(ge=0, le=31)  # 5 bits
    source_address: int = Field(NO_ADDRESS, ge=0, le=255)
    description: str = Field("", max_length=500)
    severity: Severity = Severity.UNKNOWN
    is_active: bool | None = True  # None: the portal says it in words that are not known
    occurrence_count: int | None = Field(None, ge=0)
    first_seen: Instant | None = None
    last_seen: Instant | None = None
    raw_text: str = ""
    state: str = Field("", exclude=True)  # as the portal calls it
    doubts: tuple[str, ...] = Field((), exclude=True)  # what could not be read, and is None

    @property
    def code(self) -> str:
        """The fault as people write it: SPN3364-FMI3."""
        return f"SPN{self.spn}-FMI{self.fmi}"

    def key(self) -> str:
        """Return VIN, code and source address."""
        return f"{self.vin}/{self.code}/{self.source_address}"
