"""Tables of what is to be fetched, and when: jobs, schedules with what became of their due times, breakers, workers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, Table, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database.models.base import Base, JsonColumn, UtcDateTime, text_enum, utc_now
from database.models.runs import Run


class ScraperType(StrEnum):
    """The report types of carriers."""

    DAILY_USAGE = "daily_usage"
    MONTHLY_REPORTS = "monthly_reports"
    PDF_INVOICE = "pdf_invoice"


class ScraperJobStatus(StrEnum):
    """How far a job has come."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"  # claimed by a worker, its crawl has not begun yet
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    CANCELLED = "cancelled"


OPEN = (ScraperJobStatus.PENDING, ScraperJobStatus.IN_PROGRESS, ScraperJobStatus.RUNNING)
CLAIMED = (ScraperJobStatus.IN_PROGRESS, ScraperJobStatus.RUNNING)
IS_OPEN = text("status IN ('pending', 'in_progress', 'running')")


class ScraperJob(Base):
    """A job: what to fetch for a carrier's billing cycle and config, or for another family's target."""

    __tablename__ = "scraper_jobs"
    __table_args__ = (
        Index(None, "status", "available_at"),
        Index(None, "claim"),
        Index(None, "identity", "id"),
        # What is open already is not made twice.
        Index("uq_scraper_jobs_identity", "identity", unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
        # A credential whose login is not shared works in one crawl at a time.
        Index("uq_scraper_jobs_held", "held", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    portal: Mapped[str] = mapped_column(String(50))
    report_type: Mapped[str] = mapped_column(String(100))
    billing_cycle_id: Mapped[int | None]  # foreign keys and relationships: `database.models.carriers`
    scraper_config_id: Mapped[int | None]
    target: Mapped[dict[str, Any] | None] = mapped_column(JsonColumn)  # None for carriers
    arguments: Mapped[dict[str, str] | None] = mapped_column(JsonColumn)  # further ones of the spider; None: none
    identity: Mapped[str | None] = mapped_column(String(700))  # spider, target and period; None: made by others
    label: Mapped[str | None] = mapped_column(String(300))  # target and period for people
    username: Mapped[str | None] = mapped_column(String(300))  # of its credential; None: unknown, or it needs none
    # Portal and user name, where its login is not shared; None: any number of crawls may use the session at once.
    exclusive: Mapped[str | None] = mapped_column(String(400))

    status: Mapped[ScraperJobStatus] = mapped_column(text_enum(ScraperJobStatus), default=ScraperJobStatus.PENDING)
    type: Mapped[ScraperType | None] = mapped_column(text_enum(ScraperType))  # None for other families
    priority: Mapped[int] = mapped_column(default=0, server_default="0")  # higher ones first
    log: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    available_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: at once
    retry_count: Mapped[int] = mapped_column(default=0)  # tries that are used up
    max_retries: Mapped[int] = mapped_column(default=3)  # tries there are
    outcome: Mapped[str | None] = mapped_column(String(50))  # of its last run; None: none has ended
    message: Mapped[str | None] = mapped_column(Text)  # of its last run

    worker: Mapped[str | None] = mapped_column(String(200))  # who has claimed it: a process's signature
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int] = mapped_column(default=0)  # times it was claimed
    claim: Mapped[str | None] = mapped_column(String(36))  # UUID, the same for all jobs of a crawl
    held: Mapped[str | None] = mapped_column(String(400))  # `exclusive`, in one job of a crawl as long as that lasts
    returns: Mapped[int] = mapped_column(
        default=0, server_default="0"
    )  # times in a row that it came back from a dead crawl

    parked_for: Mapped[str | None] = mapped_column(String(20))  # who has to act before it is tried again; None: no one
    parked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parked_secret: Mapped[str | None] = mapped_column(String(64))  # fingerprint of the secret that it was parked with

    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id", ondelete="SET NULL"), index=True)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # of its schedule
    hours: Mapped[str | None] = mapped_column(String(11))  # HH:MM-HH:MM in which it may start; None: at any hour
    time_zone: Mapped[str | None] = mapped_column(String(50))  # of these hours

    if TYPE_CHECKING:
        billing_cycle: Mapped[Any]  # a BillingCycle or None
        scraper_config: Mapped[Any]  # a ScraperConfig or None

    @property
    def spider(self) -> str:
        """Name of the spider that brings it."""
        return f"{self.portal}_{self.report_type}"


class MissedRuns(StrEnum):
    """What becomes of due times that no worker has seen in time."""

    ONCE = "once"  # the last one runs, the others are folded into it
    SKIP = "skip"
    EACH = "each"


class Schedule(Base):
    """When something is fetched: spiders and accounts, a cron expression and its time zone."""

    __tablename__ = "schedules"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    spiders: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    accounts: Mapped[list[str] | None] = mapped_column(JsonColumn)  # numbers, or targets of other families; None: all
    client: Mapped[str | None] = mapped_column(String(100))  # None: of all clients
    arguments: Mapped[dict[str, str] | None] = mapped_column(JsonColumn)  # further ones of the spiders
    cron: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(50))
    hours: Mapped[str | None] = mapped_column(String(11))  # HH:MM-HH:MM in which its jobs may start
    jitter: Mapped[int] = mapped_column(default=0)  # seconds by which jobs are spread at most
    missed: Mapped[MissedRuns] = mapped_column(text_enum(MissedRuns), default=MissedRuns.ONCE)
    fresh_by: Mapped[str | None] = mapped_column(String(5))  # HH:MM by which each day's jobs shall have succeeded
    priority: Mapped[int] = mapped_column(default=0)
    paused: Mapped[bool] = mapped_column(default=False)
    seen_until: Mapped[datetime] = mapped_column(UtcDateTime)  # up to when its due times were looked at
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Firing(Base):
    """What became of a due time of a schedule, or of several that were missed in a row."""

    __tablename__ = "schedule_firings"
    __table_args__ = (UniqueConstraint("schedule_id", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the last one
    first_due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_times: Mapped[int] = mapped_column(default=1)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    jobs: Mapped[int] = mapped_column(default=0)  # that were made
    reason: Mapped[str] = mapped_column(String(500), default="")  # why not one for each target; empty: there are


class Breaker(Base):
    """The trouble of a portal that concerns all its customers, as far as the jobs of all workers have met it."""

    __tablename__ = "portal_breakers"

    portal: Mapped[str] = mapped_column(String(50), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(50), default="")  # of the last one that met it
    usernames: Mapped[list[str]] = mapped_column(
        JsonColumn, default=list
    )  # of those that met it since the last success
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tripped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: jobs go on
    probe_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when one job may try
    probes: Mapped[int] = mapped_column(default=0)  # since it tripped


class Pace(Base):
    """When the next request may be sent to a portal, by any process."""

    __tablename__ = "portal_pace"

    portal: Mapped[str] = mapped_column(String(50), primary_key=True)
    free_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Worker(Base):
    """A worker that runs, or ran: what it may do and when it was last heard of."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)  # signature of its process
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    slots: Mapped[int]
    portals: Mapped[list[str] | None] = mapped_column(JsonColumn)  # None: all
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(20))  # working, draining, ended
    done: Mapped[int] = mapped_column(default=0)  # crawls
    sends: Mapped[list[str] | None] = mapped_column(JsonColumn)  # channels of alerts that it has settings for


cast(Table, Run.__table__).append_constraint(ForeignKeyConstraint(["job_id"], ["scraper_jobs.id"], ondelete="SET NULL"))
