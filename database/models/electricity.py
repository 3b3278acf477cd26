"""
The electricity family, readings apart (`readings`): who, which contracts and meters, bills, notices, outages, tariffs.

Left out on purpose, because nothing here needs them: names, ID numbers, addresses, telephone numbers and mailboxes.
None is everywhere what the company does not say. Identifiers of digits stand without their leading zeros.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, ForeignKey, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from database.models.base import Base, JsonColumn, UtcDateTime

MONEY = Numeric(14, 4)  # shekels


class Brought:
    """Columns of every row here: an id, and the run that wrote it last."""

    id: Mapped[int] = mapped_column(primary_key=True)

    @declared_attr
    def run_id(cls) -> Mapped[int | None]:  # noqa: N805 - SQLAlchemy calls it with the class
        """The run that wrote the row last."""
        return mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)


class ElectricityCustomer(Brought, Base):
    """A person at the company, by the label of the credential."""

    __tablename__ = "electricity_customers"
    __table_args__ = (UniqueConstraint("username"),)

    username: Mapped[str] = mapped_column(String(300))
    bp: Mapped[str] = mapped_column(String(20))  # business partner: the company's number of the customer
    status: Mapped[int | None]
    id_type: Mapped[int | None]


class ElectricityAccount(Brought, Base):
    """A business partner that a person may see: themself, a spouse, a company."""

    __tablename__ = "electricity_accounts"
    __table_args__ = (UniqueConstraint("username", "bp"),)

    username: Mapped[str] = mapped_column(String(300))
    bp: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[str | None] = mapped_column(String(36))  # UUID by which outages and equipment are asked for
    account_type: Mapped[int | None]
    portal_account_type: Mapped[int | None]  # the same by the outages' list, with codes of its own
    view_type: Mapped[int | None]
    main_contract: Mapped[str | None] = mapped_column(String(20))
    main_contract_type: Mapped[int | None]
    bp_type: Mapped[int | None]
    is_active: Mapped[bool | None]
    role: Mapped[int | None]


class ElectricityContract(Brought, Base):
    """A contract as a person sees it, closed ones too."""

    __tablename__ = "electricity_contracts"
    __table_args__ = (UniqueConstraint("username", "contract"),)

    username: Mapped[str] = mapped_column(String(300))
    contract: Mapped[str] = mapped_column(String(20))
    bp: Mapped[str] = mapped_column(String(20))  # who owns it
    is_shared: Mapped[bool]  # it belongs to another customer, who shares it
    status: Mapped[int | None]  # 1 is active; of shared ones it says nothing
    due_date: Mapped[date | None] = mapped_column(Date)
    total_debt: Mapped[Decimal | None] = mapped_column(MONEY)
    debt_not_due: Mapped[Decimal | None] = mapped_column(MONEY)
    frequency: Mapped[int | None]  # of bills: 1 monthly, 2 every two months
    from_private_producer: Mapped[bool | None]
    is_time_of_use: Mapped[bool | None]
    smart_meter: Mapped[bool | None]
    producer_type: Mapped[int | None]
    is_domestic: Mapped[bool | None]
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: the company still lists it


class ContractCheck(Brought, Base):
    """What the company says about a contract when it is checked, for time of use and for prepayment."""

    __tablename__ = "electricity_contract_checks"
    __table_args__ = (UniqueConstraint("contract"),)

    contract: Mapped[str] = mapped_column(String(20))
    bp: Mapped[str | None] = mapped_column(String(20))
    bp_kind: Mapped[str | None] = mapped_column(String(20))
    bp_type: Mapped[str | None] = mapped_column(String(20))
    meter: Mapped[str | None] = mapped_column(String(20))
    is_private_producer: Mapped[bool | None]
    has_direct_debit: Mapped[bool | None]
    is_prepaid: Mapped[bool | None]
    frequency: Mapped[int | None]
    time_of_use_status: Mapped[int | None]
    time_of_use_compatible: Mapped[bool | None]
    main_meter: Mapped[str | None] = mapped_column(String(20))
    main_meter_type: Mapped[int | None]
    main_meter_active: Mapped[bool | None]
    meters: Mapped[int | None]  # how many there are
    balance: Mapped[Decimal | None] = mapped_column(MONEY)  # of a prepaid meter
    balance_at: Mapped[str | None] = mapped_column(String(50))  # as the company writes it: no example is known
    days_left_by_week: Mapped[int | None]
    days_left_by_month: Mapped[int | None]
    cost_by_week: Mapped[Decimal | None] = mapped_column(MONEY)
    cost_by_month: Mapped[Decimal | None] = mapped_column(MONEY)


class ElectricityDevice(Brought, Base):
    """A meter of a contract."""

    __tablename__ = "electricity_devices"
    __table_args__ = (UniqueConstraint("contract", "meter", "meter_code"),)

    contract: Mapped[str] = mapped_column(String(20))
    meter: Mapped[str] = mapped_column(String(20))  # serial number
    meter_code: Mapped[str] = mapped_column(String(10))  # "" where the company does not say
    kind: Mapped[str | None] = mapped_column(String(30))  # consumption or production, where the company tells
    type: Mapped[int | None]
    is_active: Mapped[bool | None]
    is_disconnected: Mapped[bool | None]
    disconnect_reason: Mapped[str | None] = mapped_column(Text)
    is_electronic: Mapped[bool | None]
    report_status: Mapped[int | None]
    last_reading: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    last_reading_type: Mapped[str | None] = mapped_column(String(20))
    last_reading_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_private_producer: Mapped[bool | None]
    mobility_requested: Mapped[bool | None]  # a change of supplier
    mobility_in_range: Mapped[bool | None]


class ElectricityCounter(Brought, Base):
    """A register of a meter, and the connection it hangs on."""

    __tablename__ = "electricity_counters"
    __table_args__ = (UniqueConstraint("contract", "meter", "register_number"),)

    contract: Mapped[str] = mapped_column(String(20))
    meter: Mapped[str] = mapped_column(String(20))
    register_number: Mapped[str] = mapped_column(String(20))
    last_reading: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    last_reading_on: Mapped[date | None] = mapped_column(Date)
    last_reading_type: Mapped[str | None] = mapped_column(String(20))
    last_reading_text: Mapped[str | None] = mapped_column(String(200))
    last_reading_code: Mapped[int | None]
    digits: Mapped[int | None]
    ampere: Mapped[int | None]
    phases: Mapped[int | None]
    connection: Mapped[str | None] = mapped_column(String(20))  # as it stands in electricity_power_sizes: 3X25


class ElectricityNotice(Brought, Base):
    """A subscription to the company's notices; where they are sent is not kept."""

    __tablename__ = "electricity_notices"
    __table_args__ = (UniqueConstraint("contract", "bp", "service", "method"),)

    contract: Mapped[str] = mapped_column(String(20))
    bp: Mapped[str] = mapped_column(String(20))
    service: Mapped[str] = mapped_column(String(20))  # EFS004 is a planned outage
    method: Mapped[int]  # the company's code of how it is sent; -1 where it does not say
    description: Mapped[str | None] = mapped_column(String(300))
    is_active: Mapped[bool | None]
    is_sms: Mapped[bool | None]
    of_bp: Mapped[bool | None]  # for all contracts of the business partner
    registration_status: Mapped[int | None]
    subscribed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unsubscribed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SocialDiscount(Brought, Base):
    """Whether a business partner pays less."""

    __tablename__ = "electricity_discounts"
    __table_args__ = (UniqueConstraint("bp"),)

    bp: Mapped[str] = mapped_column(String(20))
    exists: Mapped[bool | None]
    status: Mapped[int | None]  # 99 is none
    contract: Mapped[str | None] = mapped_column(String(20))
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)


class ElectricityBill(Brought, Base):
    """What is to be paid for a contract now."""

    __tablename__ = "electricity_bills"
    __table_args__ = (UniqueConstraint("contract"),)

    contract: Mapped[str] = mapped_column(String(20))
    to_pay: Mapped[Decimal | None] = mapped_column(MONEY)
    invoices_to_pay: Mapped[int | None]
    pay_until: Mapped[date | None] = mapped_column(Date)


class ElectricityInvoice(Brought, Base):
    """An invoice or another document of a contract. Negative amounts are credits."""

    __tablename__ = "electricity_invoices"
    __table_args__ = (UniqueConstraint("contract", "invoice"),)

    contract: Mapped[str] = mapped_column(String(20))
    invoice: Mapped[str] = mapped_column(String(30))
    document: Mapped[str | None] = mapped_column(String(20))  # 1 is an electricity invoice
    type: Mapped[int | None]
    order_number: Mapped[str | None] = mapped_column(String(30))
    amount: Mapped[Decimal | None] = mapped_column(MONEY)
    to_pay: Mapped[Decimal | None] = mapped_column(MONEY)  # 0 is paid
    paid: Mapped[Decimal | None] = mapped_column(MONEY)
    payment_status: Mapped[int | None]
    payment_lock: Mapped[str | None] = mapped_column(String(50))
    has_direct_debit: Mapped[bool | None]
    pay_until: Mapped[date | None] = mapped_column(Date)
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    period_starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    period_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: the period is still open
    days: Mapped[int | None]
    kwh: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    reading_code: Mapped[int | None]


class InvoiceReading(Brought, Base):
    """A counter's state as an invoice shows it."""

    __tablename__ = "electricity_invoice_readings"
    __table_args__ = (UniqueConstraint("contract", "invoice", "position"),)

    contract: Mapped[str] = mapped_column(String(20))
    invoice: Mapped[str] = mapped_column(String(30))
    position: Mapped[int]  # in the invoice's own order, from 0
    meter: Mapped[str | None] = mapped_column(String(20))
    reading: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code: Mapped[str | None] = mapped_column(String(20))
    usage: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))


class ElectricityOutage(Brought, Base):
    """An outage at a customer's contracts, or at a place that the operator has asked about."""

    __tablename__ = "electricity_outages"
    __table_args__ = (UniqueConstraint("username", "source", "outage"),)

    username: Mapped[str] = mapped_column(String(300))
    source: Mapped[str] = mapped_column(String(20))  # account, faults (the fault portal) or place
    outage: Mapped[str] = mapped_column(String(100))  # the company's id; for a place the owner's own word for it
    contract: Mapped[str | None] = mapped_column(String(20))
    outage_key: Mapped[str | None] = mapped_column(String(100))
    type: Mapped[str | None] = mapped_column(String(200))
    type_code: Mapped[int | None]
    state: Mapped[str | None] = mapped_column(String(200))
    state_code: Mapped[int | None]
    is_back: Mapped[bool | None]  # the current is on again
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    message: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of a place: when the company looked
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: the company still lists it


class MasaProfile(Brought, Base):
    """What the customer-works portal (MASA) and the fault portal know of a person: what they may see, not who it is."""

    __tablename__ = "masa_profiles"
    __table_args__ = (UniqueConstraint("username", "source"),)

    username: Mapped[str] = mapped_column(String(300))
    source: Mapped[str] = mapped_column(String(20))  # masa, masa_contact, faults or faults_accounts
    profile: Mapped[str | None] = mapped_column(String(36))  # UUID
    id_type: Mapped[int | None]
    is_connected_to_private_account: Mapped[bool | None]
    is_account_owner: Mapped[bool | None]
    is_account_contact: Mapped[bool | None]
    is_verified: Mapped[bool | None]
    order_view_type: Mapped[int | None]
    kind: Mapped[str | None] = mapped_column(String(100))


class MasaConnection(Brought, Base):
    """Who sees which contract: a person's own, one that is shared with them, one that they share."""

    __tablename__ = "masa_connections"
    __table_args__ = (UniqueConstraint("username", "connection"),)

    username: Mapped[str] = mapped_column(String(300))
    connection: Mapped[str] = mapped_column(String(36))  # UUID
    contact: Mapped[str | None] = mapped_column(String(36))  # UUID of who sees it; None: the person
    masa_contract: Mapped[str | None] = mapped_column(String(36))  # UUID
    contract: Mapped[str | None] = mapped_column(String(20))
    part: Mapped[int | None]  # 1 is the owner
    type: Mapped[str | None] = mapped_column(String(200))
    is_default: Mapped[bool | None]
    is_smart: Mapped[bool | None]
    is_prepaid: Mapped[bool | None]
    is_private_producer: Mapped[bool | None]
    supply: Mapped[int | None]
    state: Mapped[int | None]
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of an invitation
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: the company still lists it


class MasaEquipment(Brought, Base):
    """A connection to the grid at a site of an account."""

    __tablename__ = "masa_equipment"
    __table_args__ = (UniqueConstraint("account_id", "site", "connection"),)

    account_id: Mapped[str] = mapped_column(String(36))
    site: Mapped[str] = mapped_column(String(36))
    connection: Mapped[str] = mapped_column(String(36))  # "" for a site without one
    contract: Mapped[str | None] = mapped_column(String(20))
    site_type: Mapped[int | None]
    active_connections: Mapped[int | None]
    connection_number: Mapped[str | None] = mapped_column(String(50))
    size_type: Mapped[int | None]  # key of an entry `connection_size` of masa_entries
    size: Mapped[str | None] = mapped_column(String(50))  # its name: 3X40
    is_low_voltage: Mapped[bool | None]
    can_increase: Mapped[bool | None]
    has_open_orders: Mapped[bool | None]
    meter: Mapped[str | None] = mapped_column(String(50))
    voltage_type: Mapped[int | None]
    ampere: Mapped[str | None] = mapped_column(String(50))
    voltage_level: Mapped[str | None] = mapped_column(String(100))


class MasaEntry(Brought, Base):
    """
    An entry of one of the company's lists: cities, streets, order categories, sizes of connections, kinds of sites and so on.

    One table for all: entries are looked up by kind and code, and their other fields differ from list to list.
    """

    __tablename__ = "masa_entries"
    __table_args__ = (UniqueConstraint("kind", "code"),)

    kind: Mapped[str] = mapped_column(String(50))
    code: Mapped[str] = mapped_column(String(100))
    name: Mapped[str | None] = mapped_column(String(500))
    details: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)  # what else the list says


class ElectricityTariff(Brought, Base):
    """A price that the company publishes, in shekels."""

    __tablename__ = "electricity_tariffs"
    __table_args__ = (UniqueConstraint("source", "kind", "phases"),)

    source: Mapped[str] = mapped_column(String(20))  # page, period or gadget: where it was read
    kind: Mapped[str] = mapped_column(String(20))  # kwh, distribution, delivery, kva, vat, kwh_general
    phases: Mapped[int]  # 1 or 3; 0 where it makes no difference
    unit: Mapped[str] = mapped_column(String(20))  # kWh, month, kVA and year, percent
    without_vat: Mapped[Decimal | None] = mapped_column(Numeric(14, 6))
    with_vat: Mapped[Decimal | None] = mapped_column(Numeric(14, 6))
    updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by the company


class PowerSize(Brought, Base):
    """How many kVA a size of connection is billed as. It is no price: there is no VAT on it."""

    __tablename__ = "electricity_power_sizes"
    __table_args__ = (UniqueConstraint("connection"),)

    connection: Mapped[str] = mapped_column(String(20))  # 3X25
    kva: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))


class Appliance(Brought, Base):
    """An appliance of the company's usage calculator, with its codes as they are."""

    __tablename__ = "electricity_appliances"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = mapped_column(String(200))
    power: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))
    power_unit: Mapped[int | None]
    resolution: Mapped[int | None]
    minutes: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))  # how long it is on, on average
