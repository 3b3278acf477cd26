"""Tables of the carriers' family: clients, accounts, billing cycles, wanted files, usage."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Numeric, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from database.models.access import CarrierPortalCredential
from database.models.base import Base, JsonColumn, UtcDateTime, text_enum, utc_now
from database.models.jobs import ScraperJob
from database.models.runs import FileStatus, Run, StoredFile
from database.models.uploads import Upload


class Navigators(StrEnum):
    """Browsers that a crawl can be told to use."""

    CHROME = "chrome"
    FIREFOX = "firefox"
    EDGE = "edge"
    SAFARI = "safari"


class AccountType(StrEnum):
    """The kind of customer that an account is for."""

    CORPORATE = "corporate"
    INDIVIDUAL = "individual"


class BillingCycleStatus(StrEnum):
    """How far the work on a billing cycle has come."""

    OPEN = "open"
    READY_TO_PROCESS = "ready_to_process"
    PROCESSING = "processing"
    PROCESSED = "processed"
    ERROR = "error"


class SessionStatus(StrEnum):
    """Whether a session is signed in."""

    LOGGED_OUT = "logged_out"
    LOGGED_IN = "logged_in"
    ERROR = "error"


class Client(Base):
    """A company that has accounts here."""

    __tablename__ = "clients"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("related_collection"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    contact_name: Mapped[str | None] = mapped_column(String(300))
    contact_email: Mapped[str | None] = mapped_column(String(300))
    address: Mapped[str | None] = mapped_column(String(255))
    city: Mapped[str | None] = mapped_column(String(100))
    zip_code: Mapped[str] = mapped_column(String(10), default="")
    phone_number: Mapped[str] = mapped_column(String(20), default="")
    related_collection: Mapped[str | None] = mapped_column(String(100))
    is_testing: Mapped[bool] = mapped_column(default=False)
    trial_ends: Mapped[datetime | None] = mapped_column(UtcDateTime)
    active: Mapped[bool] = mapped_column(default=True)
    managed_by_expertel: Mapped[bool] = mapped_column(default=True)


class Workspace(Base):
    """A part of a client that keeps its accounts apart from the others."""

    __tablename__ = "workspaces"
    __table_args__ = (UniqueConstraint("client_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="RESTRICT"))

    client: Mapped[Client] = relationship()


class Carrier(Base):
    """A telecom carrier."""

    __tablename__ = "carriers"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("portal"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))  # for people: AT&T
    portal: Mapped[str] = mapped_column(String(50))  # the portal's one word: att
    logo: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)


class Account(Base):
    """A contract number at a carrier."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("carrier_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(200))
    nickname: Mapped[str | None] = mapped_column(String(200))
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    carrier_id: Mapped[int] = mapped_column(ForeignKey("carriers.id", ondelete="RESTRICT"))
    account_type: Mapped[AccountType] = mapped_column(text_enum(AccountType), default=AccountType.CORPORATE)
    billing_day: Mapped[int] = mapped_column(default=15)
    description: Mapped[str | None] = mapped_column(String(500))

    workspace: Mapped[Workspace] = relationship()
    carrier: Mapped[Carrier] = relationship()

    @validates("billing_day")
    def sound_billing_day(self, key: str, value: int | None) -> int:
        """Replace a day that no month has by 15: one bad value must not stop every job."""
        return value if value is not None and 1 <= value <= 31 else 15


class BillingCycle(Base):
    """One billing period of an account; both dates belong to it."""

    __tablename__ = "billing_cycles"
    __table_args__ = (UniqueConstraint("account_id", "start_date"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    start_date: Mapped[date]
    end_date: Mapped[date]
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="RESTRICT"))
    status: Mapped[BillingCycleStatus] = mapped_column(text_enum(BillingCycleStatus), default=BillingCycleStatus.OPEN)

    account: Mapped[Account] = relationship()


class CarrierReport(Base):
    """A monthly report that a carrier offers."""

    __tablename__ = "carrier_reports"
    __table_args__ = (UniqueConstraint("carrier_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(200))
    carrier_id: Mapped[int] = mapped_column(ForeignKey("carriers.id", ondelete="RESTRICT"))
    details: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    required: Mapped[bool | None] = mapped_column(default=False)  # None: not set

    carrier: Mapped[Carrier] = relationship()


class FetchedFile:
    """Columns that every kind of wanted file has: its status and its place in the store."""

    status: Mapped[FileStatus] = mapped_column(text_enum(FileStatus), default=FileStatus.TO_BE_FETCHED)
    status_comment: Mapped[str | None] = mapped_column(String(300))
    # Relative to the store; None until the file is stored.
    store_path: Mapped[str | None] = mapped_column("s3_key", String(300))
    # None until it is stored.
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"), index=True)


class BillingCycleFile(FetchedFile, Base):
    """One monthly report of a billing cycle."""

    __tablename__ = "billing_cycle_files"
    __table_args__ = (UniqueConstraint("billing_cycle_id", "carrier_report_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    billing_cycle_id: Mapped[int] = mapped_column(ForeignKey("billing_cycles.id", ondelete="RESTRICT"))
    carrier_report_id: Mapped[int] = mapped_column(ForeignKey("carrier_reports.id", ondelete="RESTRICT"))

    billing_cycle: Mapped[BillingCycle] = relationship()
    carrier_report: Mapped[CarrierReport] = relationship()


class DailyUsageFile(FetchedFile, Base):
    """The usage file of one day, by the calendar of the portal."""

    __tablename__ = "daily_usage_files"
    __table_args__ = (UniqueConstraint("billing_cycle_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    billing_cycle_id: Mapped[int] = mapped_column(ForeignKey("billing_cycles.id", ondelete="RESTRICT"))
    day: Mapped[date]

    billing_cycle: Mapped[BillingCycle] = relationship()


class BillingCyclePdfFile(FetchedFile, Base):
    """A PDF of a billing cycle: the invoice, a statement."""

    __tablename__ = "billing_cycle_pdf_files"
    __table_args__ = (UniqueConstraint("billing_cycle_id", "pdf_type"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    billing_cycle_id: Mapped[int] = mapped_column(ForeignKey("billing_cycles.id", ondelete="RESTRICT"))
    pdf_type: Mapped[str] = mapped_column(String(50), default="invoice")

    billing_cycle: Mapped[BillingCycle] = relationship()


class Invoice(Base):
    """What a PDF of a billing cycle says. None: it does not say it, or not with certainty; then `unclear` has the reason."""

    __tablename__ = "invoices"
    __table_args__ = (UniqueConstraint("billing_cycle_id", "pdf_type"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    billing_cycle_id: Mapped[int] = mapped_column(ForeignKey("billing_cycles.id", ondelete="RESTRICT"))
    pdf_type: Mapped[str] = mapped_column(String(50))
    account_number: Mapped[str | None] = mapped_column(String(200))  # its digits
    invoice_number: Mapped[str | None] = mapped_column(String(50))
    invoice_date: Mapped[date | None]
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]  # belongs to the period
    total: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))  # what is to be paid
    currency: Mapped[str | None] = mapped_column(String(3))  # ISO code; None beside "$" alone
    due_date: Mapped[date | None]
    unclear: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)  # reasons by what they are about; None: nothing
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"), index=True)


class Difference(Base):
    """Where a PDF says another thing than the portal's list, its job or its own lines. Neither is ever corrected."""

    __tablename__ = "differences"
    __table_args__ = (UniqueConstraint("billing_cycle_id", "pdf_type", "compared"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    billing_cycle_id: Mapped[int] = mapped_column(ForeignKey("billing_cycles.id", ondelete="RESTRICT"))
    pdf_type: Mapped[str] = mapped_column(String(50))
    # total, sum_of_lines, invoice_number, invoice_date, account, period
    compared: Mapped[str] = mapped_column(String(50))
    stated_by: Mapped[str] = mapped_column(String(20))  # portal: its list; job; lines: of the PDF itself
    stated: Mapped[str] = mapped_column(String(100))
    said: Mapped[str] = mapped_column(String(100))  # by the PDF
    noticed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"), index=True)


class PoolUsage(Base):
    """The data pool of an account on one day, in bytes."""

    __tablename__ = "pool_usage"
    __table_args__ = (UniqueConstraint("account_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="RESTRICT"))
    day: Mapped[date]
    pool_size: Mapped[int | None] = mapped_column(BigInteger)  # None: the portal did not say
    pool_used: Mapped[int | None] = mapped_column(BigInteger)  # None: the portal did not say
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"), index=True)


class UsageRecord(Base):
    """A row of a day's usage file: what one line of the account has used in the cycle so far."""

    __tablename__ = "usage_records"
    __table_args__ = (UniqueConstraint("billing_cycle_id", "day", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    billing_cycle_id: Mapped[int] = mapped_column(ForeignKey("billing_cycles.id", ondelete="RESTRICT"))
    day: Mapped[date]
    row: Mapped[int]  # its place in the file, from 1: one line may have several rows
    account_number: Mapped[str] = mapped_column(String(200))
    phone_number: Mapped[str | None] = mapped_column(String(50))
    user_name: Mapped[str | None] = mapped_column(String(300))
    usage_type: Mapped[str | None] = mapped_column(String(200))
    used: Mapped[int | None] = mapped_column(BigInteger)  # bytes; None: the portal did not say
    extra: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)  # what we do not know, by title; None: nothing
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"), index=True)


class ReportLine(Base):
    """A row of a monthly report. What all reports have are columns; what only one has is in `data`, typed and named by us."""

    __tablename__ = "report_rows"
    __table_args__ = (UniqueConstraint("billing_cycle_id", "carrier_report_id", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    billing_cycle_id: Mapped[int] = mapped_column(ForeignKey("billing_cycles.id", ondelete="RESTRICT"))
    carrier_report_id: Mapped[int] = mapped_column(ForeignKey("carrier_reports.id", ondelete="RESTRICT"))
    row: Mapped[int]  # its place in the file, from 1
    account_number: Mapped[str] = mapped_column(String(200))
    phone_number: Mapped[str | None] = mapped_column(String(50))
    period: Mapped[str | None] = mapped_column(String(10))  # YYYY-MM
    currency: Mapped[str | None] = mapped_column(
        String(3)
    )  # of every amount in `data`, which are exact decimals as text
    data: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    extra: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)  # what we do not know, by title; None: nothing
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    file_id: Mapped[int | None] = mapped_column(ForeignKey("files.id", ondelete="SET NULL"), index=True)


class ScraperConfig(Base):
    """Which credential opens an account, and with what parameters it is fetched."""

    __tablename__ = "scraper_configs"
    __table_args__ = (UniqueConstraint("account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    credential_id: Mapped[int] = mapped_column(ForeignKey("credentials.id", ondelete="RESTRICT"))
    carrier_id: Mapped[int] = mapped_column(ForeignKey("carriers.id", ondelete="RESTRICT"))
    parameters: Mapped[dict[str, Any]] = mapped_column(JsonColumn, default=dict)
    days_offset: Mapped[int] = mapped_column(default=0)

    account: Mapped[Account] = relationship()
    credential: Mapped[CarrierPortalCredential] = relationship()
    carrier: Mapped[Carrier] = relationship()


# References of tables that all families have to those of this one.
for model, column, target, ondelete in (
    (ScraperJob, "billing_cycle_id", "billing_cycles.id", "CASCADE"),
    (ScraperJob, "scraper_config_id", "scraper_configs.id", "RESTRICT"),
    (Run, "account_id", "accounts.id", "SET NULL"),
    (Run, "billing_cycle_id", "billing_cycles.id", "SET NULL"),
    (StoredFile, "account_id", "accounts.id", "SET NULL"),
    (StoredFile, "billing_cycle_id", "billing_cycles.id", "SET NULL"),
    (CarrierPortalCredential, "client_id", "clients.id", "CASCADE"),
    (CarrierPortalCredential, "carrier_id", "carriers.id", "RESTRICT"),
    (Upload, "client_id", "clients.id", "SET NULL"),
):
    cast(Table, model.__table__).append_constraint(ForeignKeyConstraint([column], [target], ondelete=ondelete))

ScraperJob.billing_cycle = relationship(BillingCycle)
ScraperJob.scraper_config = relationship(ScraperConfig)
