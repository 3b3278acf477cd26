"""Runs, one for each job of each crawl, and the stored files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database.models.base import Base, JsonColumn, UtcDateTime, text_enum, utc_now
from database.processes import has_died

UNSEEN = text("noticed_at IS NULL")


class RunState(StrEnum):
    """Whether a run is over."""

    RUNNING = "running"
    FINISHED = "finished"


class FileStatus(StrEnum):
    """What has become of a file that is wanted."""

    TO_BE_FETCHED = "to_be_fetched"
    READY = "ready"
    PROCESSING = "processing"
    PROCESSED = "processed"
    ERROR = "error"


# Columns that name a job, account, billing cycle or client get their foreign keys in `database.models.carriers`, which
# has those tables: the other families do without them.


class Run(Base):
    """What became of one job in one crawl."""

    __tablename__ = "runs"
    __table_args__ = (
        Index(None, "spider", "started_at"),
        Index(None, "crawl"),
        Index("ix_runs_noticed_at", "id", sqlite_where=UNSEEN, postgresql_where=UNSEEN),
        # Lists of runs, the newest first: those that run, or ended so; of an account; of an account's month.
        Index(None, "outcome", "id"),
        Index(None, "account_id", "id"),
        Index(None, "billing_cycle_id", "report_type", "id"),
        # Counts by portal, day and outcome, which are read from it alone.
        Index(None, "started_at", "portal", "outcome", "account_id"),
        Index(None, "job_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    crawl: Mapped[str] = mapped_column(String(36))  # UUID, the same for all runs of a process
    spider: Mapped[str] = mapped_column(String(100))
    portal: Mapped[str] = mapped_column(String(50))
    report_type: Mapped[str] = mapped_column(String(100))
    job_id: Mapped[int | None]
    account_id: Mapped[int | None]
    billing_cycle_id: Mapped[int | None]
    username: Mapped[str | None] = mapped_column(String(300))
    target: Mapped[str] = mapped_column(String(300), default="")  # for people: account and period
    state: Mapped[RunState] = mapped_column(text_enum(RunState), default=RunState.RUNNING)
    outcome: Mapped[str | None] = mapped_column(String(50))  # None while it runs
    actor: Mapped[str | None] = mapped_column(String(20))
    message: Mapped[str | None] = mapped_column(Text)  # one sentence, without secrets
    step: Mapped[str | None] = mapped_column(Text)
    selector: Mapped[str | None] = mapped_column(Text)
    # By what the session was proved to be the credential's: username, name, subject, accounts, sign-in; None: by nothing.
    proved_by: Mapped[str | None] = mapped_column(String(20))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When its end was looked at for what people are told (`database.jobs.causes`); None: it was not yet.
    noticed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    files: Mapped[int] = mapped_column(default=0)
    records: Mapped[int] = mapped_column(default=0)
    already: Mapped[int] = mapped_column(default=0)  # files and records that were stored before
    missing: Mapped[int] = mapped_column(default=0)
    missing_names: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    sign_ins: Mapped[int] = mapped_column(default=0)
    requests: Mapped[int] = mapped_column(default=0)
    downloads: Mapped[int] = mapped_column(default=0)
    warnings: Mapped[list[str]] = mapped_column(JsonColumn, default=list)
    bundle: Mapped[str | None] = mapped_column(Text)  # path of the evidence bundle; None when nothing failed
    host: Mapped[str] = mapped_column(String(255), default="")
    pid: Mapped[int | None]
    process: Mapped[str | None] = mapped_column(String(200))  # its signature, by which it is told from every other one

    @property
    def has_died(self) -> bool:
        """Whether the process of this run was on this machine and has ended."""
        return has_died(self.process, self.host, self.pid)


class StoredFile(Base):
    """A file in the store, and where it came from."""

    __tablename__ = "files"
    __table_args__ = (
        UniqueConstraint("spider", "target_key", "name"),
        Index(None, "account_id"),
        Index(None, "billing_cycle_id"),
        Index(None, "run_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))
    spider: Mapped[str] = mapped_column(String(100))
    portal: Mapped[str] = mapped_column(String(50))
    report_type: Mapped[str] = mapped_column(String(100))
    account_id: Mapped[int | None]
    billing_cycle_id: Mapped[int | None]
    target_key: Mapped[str] = mapped_column(String(300))
    # The last part of the natural key: what the file is, not what the portal calls it.
    key: Mapped[str] = mapped_column("name", String(300))
    path: Mapped[str | None] = mapped_column(Text)  # relative to the store; None until stored
    store: Mapped[str | None] = mapped_column(Text)  # the store's address without its secrets; None until stored
    sha256: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int | None] = mapped_column(BigInteger)  # bytes
    media_type: Mapped[str | None] = mapped_column(String(100))
    source: Mapped[str | None] = mapped_column(Text)  # URL without its query
    status: Mapped[FileStatus] = mapped_column(text_enum(FileStatus), default=FileStatus.TO_BE_FETCHED)
    stored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None until stored
