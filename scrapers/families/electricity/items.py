"""
The electricity family's items, readings apart (`readings`): the company's names on the left of its JSON, ours in the tables.

Personal data (names, ID numbers, addresses, telephones, mailboxes) has no field here, so it is not stored.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AliasChoices, AliasPath, BeforeValidator, ConfigDict, Field, ValidationError

from database.models import electricity as models
from scrapers.core.items import Record
from scrapers.core.outcomes import PortalChanged
from scrapers.families.electricity.clock import ISRAEL, JERUSALEM
from scrapers.reading.values.days import instant
from scrapers.reading.values.numbers import whole
from scrapers.reading.values.texts import words
from scrapers.reading.values.types import (
    Amount,
    Filled,
    Flag,
    Number,
    NumberOrNone,
    Text,
    Whole,
    reads_days,
    reads_instants,
)

Instant = Annotated[datetime | None, reads_instants(ISRAEL)]
Day = Annotated[date | None, reads_days(ISRAEL)]

PLACE = "place"  # the source of an outage that was asked for by its address
ACTIVE = 1  # the status of a contract that is in force
KINDS = {
    "consumption": "consumption",
    "צריכה": "consumption",
    "backstream": "production",
    "דו כיווני": "production",
}


def _uuid(value: Any) -> str:
    text = words(value)
    if text is None:
        raise ValueError("is empty")
    if not re.fullmatch(r"[0-9A-Fa-f-]{32,36}", text):
        raise ValueError("is no UUID")
    return text.lower()


UUID = Annotated[str, BeforeValidator(_uuid)]


def meter_kind(value: Any) -> str | None:
    """
    Return what a meter counts, from any of the company's spellings; None when unknown.

    >>> meter_kind("BackStream"), meter_kind("צריכה"), meter_kind(2), meter_kind("")
    ('production', 'consumption', 'production', None)
    """
    text = words(value)
    if text in ("1", "2"):
        return "consumption" if text == "1" else "production"
    return KINDS.get((text or "").casefold())


class ElectricityRecord(Record):
    """A record read from the company's JSON. Unknown keys are ignored; missing required ones raise PortalChanged."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    @classmethod
    def read(cls, job: int, name: str, answer: Any, /, **known: Any) -> Self:
        """
        Return the record of an object of an answer.

        name: what the object is called in errors. known: fields that are not in the answer; they override keys of
        the same names.
        Raises PortalChanged, with the name of the field and without its value.
        """
        if not isinstance(answer, dict):
            raise PortalChanged(f"{name} is no object.")
        try:
            return cls.model_validate({**answer, **known, "job": job})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            where = ".".join([name, *map(str, first["loc"])])
            what = "is missing" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
            raise PortalChanged(f"{where} {what}.") from None

    @classmethod
    def read_all(cls, job: int, name: str, answer: Any, /, **known: Any) -> list[Self]:
        """Return the records of a list of an answer; None is an empty one."""
        if answer is None:
            return []
        if not isinstance(answer, list):
            raise PortalChanged(f"{name} is no list.")
        return [cls.read(job, f"{name}[{at}]", each, **known) for at, each in enumerate(answer)]

    def key(self) -> str:
        """Return table and natural key, because a run lists records of several kinds."""
        return f"{self.table.__tablename__}/{super().key()}"


# --- Who --------------------------------------------------------------------------------------------------------------


class Customer(ElectricityRecord):
    """I1: the person."""

    table = models.ElectricityCustomer
    natural_key = ("username",)
    versioned = True
    username: str
    bp: Number = Field(alias="bpNumber")
    status: Whole = Field(None, alias="customerStatus")
    id_type: Whole = Field(None, alias="idType")


class Account(ElectricityRecord):
    """I1, accounts[]: a business partner that the person may see."""

    table = models.ElectricityAccount
    natural_key = ("username", "bp")
    username: str
    bp: Number = Field(alias="bpNumber")
    main_contract: NumberOrNone = Field(None, alias="mainContractId")
    main_contract_type: Whole = Field(None, alias="mainContractIdType")
    bp_type: Whole = Field(None, alias="bpType")
    is_active: Flag = Field(None, alias="isActiveAccount")
    role: Whole = Field(None, alias="customerRole")
    account_type: Whole = Field(None, alias="accountType")


class OutageAccount(ElectricityRecord):
    """I3: the same business partner, with the id by which its outages and equipment are asked for."""

    table = models.ElectricityAccount
    natural_key = ("username", "bp")
    username: str
    bp: Number = Field(alias="accountNumber")
    account_id: UUID = Field(alias="id")
    portal_account_type: Whole = Field(None, alias="accountType")
    view_type: Whole = Field(None, alias="viewTypeCode")


class Contract(ElectricityRecord):
    """I4 and I2: a contract as the person sees it."""

    table = models.ElectricityContract
    natural_key = ("username", "contract")
    versioned = True
    username: str
    bp: str
    is_shared: bool = False
    contract: Number = Field(alias="contractId")
    status: Whole = None
    due_date: Day = Field(None, alias="dueDate")
    total_debt: Amount = Field(None, alias="totalDebt")
    debt_not_due: Amount = Field(None, alias="debtForInvoicesDueDateNotPassed")
    frequency: Whole = None
    from_private_producer: Flag = Field(None, alias="fromPativteProducer")  # the company's spelling
    is_time_of_use: Flag = Field(None, alias="isTouz")
    smart_meter: Flag = Field(None, alias="smartMeter")
    producer_type: Whole = Field(None, alias="producerType")
    is_domestic: Flag = Field(None, alias="isDomestic")

    @property
    def is_active(self) -> bool:
        """Whether it is in force; a shared one is while it is shared, whatever its status."""
        return self.is_shared or self.status == ACTIVE


# --- Contracts ---------------------------------------------------------------------------------------------------------


class Check(ElectricityRecord):
    """I5: the contract, checked."""

    table = models.ContractCheck
    natural_key = ("contract",)
    contract: str
    bp: NumberOrNone = None
    bp_kind: Text = Field(None, alias="bpKind")
    bp_type: Text = Field(None, alias="bpType")
    meter: NumberOrNone = Field(None, alias="deviceNumber")
    is_private_producer: Flag = Field(None, alias="isPrivate")  # X or nothing
    has_direct_debit: Flag = Field(None, alias="hasDirectDebit")
    is_prepaid: Flag = Field(None, alias="isMatam")
    frequency: Whole = None


class TimeOfUse(ElectricityRecord):
    """I20: whether the contract may have a time-of-use tariff."""

    table = models.ContractCheck
    natural_key = ("contract",)
    contract: str
    time_of_use_status: Whole = Field(None, alias="status")
    time_of_use_compatible: bool = Field(alias="isCompatible")


class MainMeter(ElectricityRecord):
    """I10: the contract's meter, with the balance of a prepaid one."""

    table = models.ContractCheck
    natural_key = ("contract",)
    contract: str
    main_meter: NumberOrNone = Field(None, alias="deviceNumber")
    main_meter_type: Whole = Field(None, alias="deviceType")
    main_meter_active: Flag = Field(None, alias="isActive")
    meters: Whole = Field(None, alias="numberOfDevices")
    balance: Amount = Field(None, alias="deviceBalance")
    balance_at: Text = None
    days_left_by_week: Whole = Field(None, alias="estimatedDaysByWeek")
    days_left_by_month: Whole = Field(None, alias="estimatedDaysByMonth")
    cost_by_week: Amount = Field(None, alias="averageUsageCostByWeek")
    cost_by_month: Amount = Field(None, alias="averageUsageCostByMonth")

    @classmethod
    def of(cls, job: int, contract: str, answer: Any) -> Self:
        """Return the record; date and time of the balance come apart."""
        given = answer if isinstance(answer, dict) else {}
        at = " ".join(str(given[name]) for name in ("balanceDate", "balanceTime") if given.get(name))
        return cls.read(job, "device type", answer, contract=contract, balance_at=at)


class Notice(ElectricityRecord):
    """I6: a subscription to notices."""

    table = models.ElectricityNotice
    natural_key = ("contract", "bp", "service", "method")
    contract: str
    bp: Number = Field(alias="partner")
    service: Filled
    method: Annotated[int, BeforeValidator(lambda value: -1 if whole(value) is None else whole(value))] = Field(
        -1, alias="communicationMethod"
    )
    description: Text = Field(None, alias="serviceDescription")
    is_active: Flag = Field(None, alias="isActive")
    is_sms: Flag = Field(None, alias="isSms")
    of_bp: Flag = Field(None, alias="bpSubscription")
    registration_status: Whole = Field(None, alias="registrationStatus")
    subscribed_at: Instant = None
    unsubscribed_at: Instant = Field(None, alias="unsubscribeDate")

    @classmethod
    def of(cls, job: int, contract: str, name: str, answer: Any) -> Self:
        """Return the record; day and hour of the subscription come apart."""
        given = answer if isinstance(answer, dict) else {}
        at = day_and_clock(given.get("subscribeDate"), given.get("subscribeTime"))
        return cls.read(job, name, answer, contract=contract, subscribed_at=at)


class Discount(ElectricityRecord):
    """I19: the social discount."""

    table = models.SocialDiscount
    natural_key = ("bp",)
    versioned = True
    bp: str
    exists: bool = Field(alias="discountExists")
    status: Whole = Field(None, alias="discountStatusCode")
    contract: NumberOrNone = Field(None, alias="contractNumber")
    starts_on: Day = Field(None, alias="discountStartDate")
    ends_on: Day = Field(None, alias="discountEndDate")


# --- Meters -----------------------------------------------------------------------------------------------------------


class Device(ElectricityRecord):
    """I8: a meter of a contract."""

    table = models.ElectricityDevice
    natural_key = ("contract", "meter", "meter_code")
    contract: str
    meter: Number = Field(alias="deviceNumber")
    meter_code: Annotated[str, BeforeValidator(lambda value: words(value) or "")] = Field("", alias="deviceCode")
    type: Whole = Field(None, alias="deviceType")
    is_active: Flag = Field(None, alias="isActive")
    is_disconnected: Flag = Field(None, alias="isDisconnected")
    disconnect_reason: Text = Field(None, alias="disconnectReason")
    is_electronic: Flag = Field(None, alias="isElectronic")
    report_status: Whole = Field(None, alias="reportResultStatus")


class DeviceIdentity(ElectricityRecord):
    """I11: what the company knows of a meter; one number may be that of several meters, told apart by their code."""

    table = models.ElectricityDevice
    natural_key = ("contract", "meter", "meter_code")
    contract: str
    meter: str
    meter_code: str
    is_private_producer: bool | None = None
    last_reading: Amount = Field(None, alias="lastReadingValue")
    last_reading_type: Text = Field(None, alias="lastReadingType")
    last_reading_at: Instant = Field(None, alias="lastReadingDate")


class DeviceKind(ElectricityRecord):
    """I12: whether a meter counts consumption or production."""

    table = models.ElectricityDevice
    natural_key = ("contract", "meter", "meter_code")
    contract: str
    meter: Number = Field(alias="deviceNumber")
    meter_code: Annotated[str, BeforeValidator(lambda value: words(value) or "")] = Field("", alias="deviceCode")
    kind: Annotated[str | None, BeforeValidator(meter_kind)] = Field(None, alias="meterKind")


class Mobility(ElectricityRecord):
    """I21: whether a change of supplier was asked for."""

    table = models.ElectricityDevice
    natural_key = ("contract", "meter", "meter_code")
    contract: str
    meter: str
    meter_code: str
    mobility_requested: bool = Field(alias="isMobilityRequestExist")
    mobility_in_range: Flag = Field(None, alias="isMobilityInRange")


class Counter(ElectricityRecord):
    """I9: a register of a meter."""

    table = models.ElectricityCounter
    natural_key = ("contract", "meter", "register_number")
    contract: str
    meter: Number = Field(alias="device")
    register_number: Filled = Field(alias="register")
    last_reading: Amount = Field(None, alias="lastMR")
    last_reading_on: Day = Field(None, alias="lastMRDate")
    last_reading_type: Text = Field(None, alias="lastMRType")
    last_reading_text: Text = Field(None, alias="lastMRTypeDesc")
    last_reading_code: Whole = Field(None, alias="lastMrTypeCode")
    digits: Whole = Field(None, alias="deviceDigitLength")
    ampere: Whole = Field(None, validation_alias=AliasPath("connectionSize", "size"))
    phases: Whole = Field(None, validation_alias=AliasPath("connectionSize", "phase"))
    connection: Text = Field(None, validation_alias=AliasPath("connectionSize", "representativeConnectionSize"))


# --- Bills ------------------------------------------------------------------------------------------------------------


class Bill(ElectricityRecord):
    """I15: what is to be paid now."""

    table = models.ElectricityBill
    natural_key = ("contract",)
    versioned = True
    contract: str
    to_pay: Amount = Field(alias="totalAmountToPay")
    invoices_to_pay: Whole = Field(None, alias="totalInvoicesToPay")
    pay_until: Day = Field(None, alias="lastDateToPay")


class Invoice(ElectricityRecord):
    """I15 and I16: an invoice. The company corrects them: earlier versions are kept."""

    table = models.ElectricityInvoice
    natural_key = ("contract", "invoice")
    versioned = True
    contract: str
    invoice: Number = Field(alias="invoiceId")
    document: Text = Field(None, alias="documentID")
    type: Whole = Field(None, alias="invoiceType")
    order_number: Text = Field(None, alias="orderNumber")
    amount: Amount = Field(alias="amountOrigin")
    to_pay: Amount = Field(None, alias="amountToPay")
    paid: Amount = Field(None, alias="amountPaid")
    payment_status: Whole = Field(None, alias="invoicePaymentStatus")
    payment_lock: Text = Field(None, alias="paymentLockIndication")
    has_direct_debit: Flag = Field(None, alias="hasDirectDebit")
    pay_until: Day = Field(None, alias="lastDate")
    issued_at: Instant = Field(None, alias="fullDate")
    period_starts_at: Instant = Field(None, alias="fromDate")
    period_ends_at: Instant = Field(None, alias="toDate")
    days: Whole = Field(None, alias="daysPeriod")
    kwh: Amount = Field(None, alias="consumption")
    reading_code: Whole = Field(None, alias="readingCode")

    @property
    def has_pdf(self) -> bool:
        """Whether the company keeps a PDF of it: electricity invoices of a period that has ended."""
        return self.document == "1" and self.period_ends_at is not None


class CounterState(ElectricityRecord):
    """I16, meterReadings[]: a counter as an invoice shows it."""

    table = models.InvoiceReading
    natural_key = ("contract", "invoice", "position")
    versioned = True
    contract: str
    invoice: str
    position: int
    meter: NumberOrNone = Field(None, alias="serialNumber")
    reading: Amount = None
    read_at: Instant = Field(None, alias="readingDate")
    code: Text = Field(None, alias="readingCode")
    usage: Amount = None


# --- Outages ----------------------------------------------------------------------------------------------------------


class Outage(ElectricityRecord):
    """I18 and F2: an outage at a contract."""

    table = models.ElectricityOutage
    natural_key = ("username", "source", "outage")
    versioned = True
    username: str
    source: str
    outage: UUID = Field(validation_alias=AliasChoices(AliasPath("disconnect", "id"), "id"))
    contract: NumberOrNone = None
    outage_key: Text = Field(None, validation_alias=AliasPath("disconnect", "disconnectKey"))
    type: Text = Field(None, validation_alias=AliasPath("disconnect", "disconnectType", "displayName"))
    type_code: Whole = Field(None, validation_alias=AliasPath("disconnect", "disconnectType", "code"))
    state: Text = Field(None, validation_alias=AliasPath("disconnect", "disconnectTreatmentState", "displayName"))
    state_code: Whole = Field(None, validation_alias=AliasPath("disconnect", "disconnectTreatmentState", "code"))
    is_back: Flag = Field(
        None, validation_alias=AliasPath("disconnect", "disconnectTreatmentState", "isConnectIndicationBit")
    )
    started_at: Instant = Field(
        None, validation_alias=AliasChoices("disconnectDate", AliasPath("disconnect", "disconnectDate"))
    )
    expected_at: Instant = Field(None, validation_alias=AliasPath("disconnect", "estimateTreatmentDate"))
    ended_at: Instant = Field(None, validation_alias=AliasPath("disconnect", "energizedDate"))


class PlaceOutage(ElectricityRecord):
    """D3: an outage at a place, under the owner's own word for it: its address is not kept."""

    table = models.ElectricityOutage
    natural_key = ("username", "source", "outage")
    versioned = True
    username: str
    outage: str
    source: str = PLACE
    type: Text = Field(None, validation_alias=AliasPath("transaction", "disconnectionType"))
    expected_at: Instant = Field(None, validation_alias=AliasPath("transaction", "estimateTreatmentDate"))
    message: Text = Field(None, validation_alias=AliasPath("transaction", "messageToDisplay"))
    asked_at: Instant = Field(None, alias="readDataTime")


# --- Customer works (MASA) --------------------------------------------------------------------------------------------


class Profile(ElectricityRecord):
    """M2, M3, F1: the permissions of a person."""

    table = models.MasaProfile
    natural_key = ("username", "source")
    username: str
    source: str
    profile: UUID = Field(alias="id")
    id_type: Whole = Field(None, alias="idType")
    is_connected_to_private_account: Flag = Field(None, alias="isConnectedToPrivateAccount")
    is_account_owner: Flag = Field(None, alias="isAccountOwner")
    is_account_contact: Flag = Field(None, alias="isAccountContact")
    is_verified: Flag = Field(None, alias="verificationStatus")
    kind: Text = Field(None, alias="logicalName")


class OrderView(ElectricityRecord):
    """F3: how the orders of a person's accounts are shown."""

    table = models.MasaProfile
    natural_key = ("username", "source")
    username: str
    source: str = "faults_accounts"
    order_view_type: Whole = Field(alias="consumptionOrderViewTypeCode")
    kind: Text = Field(None, alias="logicalName")


class Connection(ElectricityRecord):
    """M3 and M4: who sees which contract."""

    table = models.MasaConnection
    natural_key = ("username", "connection")
    username: str
    connection: UUID = Field(alias="id")
    contact: Text = Field(None, validation_alias=AliasPath("contact", "id"))
    masa_contract: Text = Field(None, validation_alias=AliasPath("contract", "id"))
    contract: NumberOrNone = Field(None, validation_alias=AliasPath("contract", "contractAccNumberInShoval"))
    part: Whole = Field(None, alias="partConnectionCode")
    type: Text = Field(None, validation_alias=AliasPath("connectionType", "name"))
    is_default: Flag = Field(None, alias="defaultContractBit")
    is_smart: Flag = Field(None, validation_alias=AliasPath("contract", "site", "isSmart"))
    is_prepaid: Flag = Field(None, validation_alias=AliasPath("contract", "isMatam"))
    is_private_producer: Flag = Field(None, validation_alias=AliasPath("contract", "isPrivateProducer"))
    supply: Whole = Field(None, validation_alias=AliasPath("contract", "supplyCode"))
    state: Whole = Field(None, validation_alias=AliasPath("contract", "stateCode"))
    expires_at: Instant = Field(None, alias="tokenExpirationDate")


class SharedConnection(ElectricityRecord):
    """M4: another person who sees a contract of this one. It has fewer fields than M3; the values of M3 are kept."""

    table = models.MasaConnection
    natural_key = ("username", "connection")
    username: str
    contract: str
    masa_contract: str
    connection: UUID = Field(alias="id")
    contact: Text = Field(None, validation_alias=AliasPath("contact", "id"))
    part: Whole = Field(None, alias="partConnectionCode")
    expires_at: Instant = Field(None, alias="tokenExpirationDate")


class Equipment(ElectricityRecord):
    """M10: a connection to the grid."""

    table = models.MasaEquipment
    natural_key = ("account_id", "site", "connection")
    account_id: str
    site: str
    contract: str | None
    site_type: int | None
    active_connections: int | None
    connection: Annotated[str, BeforeValidator(lambda value: words(value) or "")] = Field("", alias="connectionId")
    connection_number: Text = Field(None, alias="connectionNumber")
    size_type: Whole = Field(None, alias="powerConnectionSize")
    size: str | None = None
    is_low_voltage: Flag = Field(None, alias="isLowVolte")
    can_increase: Flag = Field(None, alias="isCanIncrease")
    has_open_orders: Flag = Field(None, alias="hasOpenOrders")
    meter: Text = Field(None, alias="meterNumber")
    voltage_type: Whole = Field(None, alias="voltType")
    ampere: Text = Field(None, alias="currentAmpere")
    voltage_level: Text = Field(None, validation_alias=AliasPath("currentVoltLevel", "name"))


class Site(ElectricityRecord):
    """M10, items[]: a site. Not stored itself; its connections are."""

    site: UUID = Field(alias="siteId")
    contract: NumberOrNone = Field(None, alias="iec_ContractNumber")
    site_type: Whole = Field(None, alias="siteType")
    active_connections: Whole = Field(None, alias="activeConnections")
    connections: list[Any] | None = None


class Entry(ElectricityRecord):
    """M1, M7-M9, M11, M12, D1, D2: an entry of one of the company's lists."""

    table = models.MasaEntry
    natural_key = ("kind", "code")
    kind: str
    code: Filled
    name: Text = None
    details: dict[str, Any] = Field(default_factory=dict)


# --- Tariffs ----------------------------------------------------------------------------------------------------------


class Tariff(ElectricityRecord):
    """S1-S3: a price in shekels. Prices change about once a year: the old ones are kept."""

    table = models.ElectricityTariff
    natural_key = ("source", "kind", "phases")
    versioned = True
    source: str
    kind: str
    phases: int = 0
    unit: str
    without_vat: Decimal | None = None
    with_vat: Decimal | None = None
    updated_at: Instant = None


class Power(ElectricityRecord):
    """S2: how many kVA a size of connection is billed as."""

    table = models.PowerSize
    natural_key = ("connection",)
    versioned = True
    connection: str
    kva: Amount


class ApplianceRecord(ElectricityRecord):
    """S3: an appliance of the usage calculator. The company's spelling of its average duration is kept on the left."""

    table = models.Appliance
    natural_key = ("name",)
    versioned = True
    name: Filled
    power: Amount = None
    power_unit: Whole = Field(None, alias="powerUnit")
    resolution: Whole = Field(None, alias="calculationResolution")
    minutes: Amount = Field(None, alias="avarageDurationTimeOfOperationInMinutes")


def day_and_clock(day: Any, clock: Any) -> datetime | None:
    """
    Return the instant of a day and of a clock time that stands in a date of its own.

    >>> day_and_clock("2028-06-30T00:00:00", "0001-01-01T09:30:00")
    datetime.datetime(2028, 6, 30, 6, 30, tzinfo=datetime.timezone.utc)
    """
    at = instant(day, ISRAEL)
    text = words(clock)
    if at is None or text is None:
        return at
    try:
        time = datetime.fromisoformat(text).time()
    except ValueError:
        return at
    return datetime.combine(at.astimezone(JERUSALEM).date(), time, JERUSALEM).astimezone(UTC)
