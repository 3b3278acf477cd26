"""Which rows are older than they are to be kept, in the order in which they are deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Table, and_, exists, func, or_, select

from database.jobs.notices import TELLS_BEGIN
from database.models import (
    AuditEntry,
    CodeRequest,
    FileStatus,
    Message,
    Run,
    RunState,
    ScraperJob,
    StoredFile,
    Upload,
    UploadState,
    Version,
)
from database.models.jobs import OPEN, Firing
from database.models.notices import Cause, NoticeDelivery, NoticeResult
from database.upsert import table_of

Old = list[tuple[Table, ColumnElement[bool]]]


def old_messages(before: datetime, at: datetime) -> Old:
    """Return messages, and requests for codes that have ended and whose receiver no longer rests."""
    ended = and_(CodeRequest.closed_at < before, or_(CodeRequest.rest_until.is_(None), CodeRequest.rest_until < at))
    requests = select(CodeRequest.id).where(ended)
    return [
        (table_of(Message), or_(Message.received_at < before, Message.claimed_by.in_(requests))),
        (table_of(CodeRequest), ended),
    ]


def old_runs(before: datetime) -> Old:
    """Return runs and jobs that have ended, what was told of them, and what became of due times, of each schedule without the newest."""
    newest = select(func.max(Firing.id)).group_by(Firing.schedule_id)
    return [
        (table_of(Run), and_(Run.state == RunState.FINISHED, Run.finished_at < before)),
        (table_of(ScraperJob), and_(ScraperJob.status.not_in(OPEN), ScraperJob.completed_at < before)),
        (table_of(Firing), and_(Firing.seen_at < before, Firing.id.not_in(newest))),
        *_old_notices(before),
    ]


def _old_notices(before: datetime) -> Old:
    """
    Return causes that were solved, and messages that have ended.

    By the last message that was sent of a cause, or of digests, to an address, and by the last one that told of a failure, is
    decided what is told next and when: they stay as long as the cause does.
    """
    is_sent = NoticeDelivery.result == NoticeResult.SENT
    newest = select(func.max(NoticeDelivery.id)).where(is_sent)
    by_topic = NoticeDelivery.address_id, NoticeDelivery.topic
    is_last = NoticeDelivery.id.in_(newest.group_by(*by_topic))
    tells_last = NoticeDelivery.id.in_(newest.where(NoticeDelivery.kind.in_(TELLS_BEGIN)).group_by(*by_topic))
    is_old = and_(NoticeDelivery.due_at.is_(None), NoticeDelivery.updated_at < before)
    is_told = exists().where(NoticeDelivery.cause_id == Cause.id, is_old.is_not(True)).correlate(Cause)
    return [
        (table_of(NoticeDelivery), and_(is_old, ~is_last, ~tells_last)),
        (table_of(Cause), and_(Cause.solved_at < before, Cause.last_at < before, ~is_told)),
    ]


def old_audit(before: datetime) -> Old:
    """Return rows of the audit."""
    return [(table_of(AuditEntry), AuditEntry.at < before)]


def old_versions(before: datetime) -> Old:
    """Return versions of rows that were replaced."""
    return [(table_of(Version), Version.replaced_at < before)]


def old_files(before: Mapping[str, datetime]) -> ColumnElement[bool]:
    """
    Return the condition of stored files that are older than those of their type are kept.

    before: by spider or report type. A file that is still to be sent to the customer's server is none of them.
    """
    waits = select(Upload.file_id).where(Upload.state.in_((UploadState.SENDING, UploadState.FAILED)))
    of_types = [
        and_(or_(StoredFile.spider == word, StoredFile.report_type == word), StoredFile.stored_at < at)
        for word, at in before.items()
    ]
    is_there = and_(StoredFile.path.is_not(None), StoredFile.status.in_((FileStatus.READY, FileStatus.PROCESSED)))
    return and_(or_(*of_types), is_there, StoredFile.id.not_in(waits))


def wanted_files() -> Iterable[Table]:
    """Give the tables with places of stored files in `s3_key`: what was wanted for a billing cycle."""
    from database.models import BillingCycleFile, BillingCyclePdfFile, DailyUsageFile

    return [table_of(model) for model in (BillingCycleFile, BillingCyclePdfFile, DailyUsageFile)]
