"""Rows of sources, runs and files as the API answers them. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from database.families.telegram.sources import Standing
from database.models import Run, RunState, StoredFile
from database.models.jobs import CLAIMED, ScraperJob, ScraperJobStatus
from database.models.messaging import ChannelFile
from database.models.telegram import TelegramState
from jobs.tick import next_due
from scrapers.core.outcomes import SUCCESS
from webhook.api.telegram.source_models import FileAnswer, LogAnswer, SourceAnswer, SourceRunAnswer

BOTS = (
    "A bot can neither list channels nor read what was posted in one before: the token is kept and not used, and the channel "
    "is read with a session."
)
PROTECTED = "Its owner forbids saving: its files are named and not fetched."
OF_THE_HOUSE = "It is read with a session of this installation."
STATES = {
    TelegramState.INACTIVE: "Its session is switched off: nothing is fetched with it.",
    TelegramState.EXPIRED: "Its session has expired: sign in again.",
    TelegramState.REVOKED: "Its session was ended: sign in again.",
    TelegramState.BANNED: "The account of its session is banned.",
}
LINE = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] (.*)")  # of a job's log

Status = Literal["never", "waiting", "running", "completed", "failed"]


def source_answer(found: Standing, at: datetime, engine: str | None, more: Iterable[str] = ()) -> SourceAnswer:
    """Return how a source stands. engine: why its schedule is not followed yet. more: notes besides the usual ones."""
    source, session, schedule = found.source, found.session, found.schedule
    is_own = session.user_id == source.user_id
    notes = [*more, *([BOTS] if source.bot_token else []), *([] if is_own else [OF_THE_HOUSE])]
    if session.state != TelegramState.ACTIVE:
        notes.append(STATES[session.state])
    is_due = schedule is not None and not schedule.paused
    return SourceAnswer(
        id=source.id,
        name=source.name,
        access_level=source.access_level,
        identifier=source.identifier,
        channel_id=source.channel_id,
        channel_title=source.channel_title,
        username=source.username,
        session_id=session.id if is_own else None,
        session_name=session.name if is_own else None,
        has_bot_token=source.bot_token is not None,
        file_types=source.file_types,
        filters=source.filters,
        target=source.target,
        target_path=source.target_path,
        path_template=source.path_template,
        unpacks=source.unpacks,
        keeps_texts=source.keeps_texts,
        schedule=schedule.cron if schedule is not None else None,
        time_zone=schedule.time_zone if schedule is not None else None,
        next_run_at=next_due(schedule.cron, schedule.time_zone, at) if schedule is not None and is_due else None,
        is_active="active" if source.is_active else "inactive",
        status=status_of(found),
        outcome=source.outcome or (found.last.outcome if found.last is not None else None),
        message=source.message or (found.last.message if found.last is not None else None),
        waits_until=session.waits_until if session.waits_until is not None and session.waits_until > at else None,
        created_at=source.created_at,
        updated_at=source.updated_at,
        last_scraped_at=source.last_scraped_at,
        total_messages_scraped=source.total_messages_scraped,
        total_files_downloaded=source.total_files_downloaded,
        engine=engine,
        notes=notes,
    )


def status_of(found: Standing) -> Status:
    """Return how the work on a source stands."""
    if found.job is not None:
        return "running" if found.job.status in CLAIMED else "waiting"
    outcome = found.source.outcome or (found.last.outcome if found.last is not None else None)
    if outcome is None:
        return "never"
    return "completed" if outcome == SUCCESS.code else "failed"


def run_answer(run: Run, job: ScraperJob | None, source_id: str) -> SourceRunAnswer:
    """Return a run."""
    status: Literal["running", "completed", "failed", "cancelled"] = "failed"
    if run.state == RunState.RUNNING and not run.has_died:
        status = "running"
    elif run.outcome == SUCCESS.code:
        status = "completed"
    elif job is not None and job.status == ScraperJobStatus.CANCELLED:
        status = "cancelled"
    return SourceRunAnswer(
        id=run.id,
        source_id=source_id,
        flow_run_id=run.job_id,
        status=status,
        started_at=run.started_at,
        finished_at=run.finished_at,
        total_files_found=run.files + run.missing,
        total_files_processed=run.files,
        outcome=run.outcome,
        notes=run.message,
        step=run.step,
        requests=run.requests,
    )


def log_answers(run: Run, job: ScraperJob) -> list[LogAnswer]:
    """Return the lines of a run's job, then what the run itself has kept: warnings, what is missing, and its end."""
    found = []
    for line in (job.log or "").splitlines():
        if read := LINE.fullmatch(line):
            at = datetime.strptime(read[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            found.append(LogAnswer(timestamp=at, level="INFO", message=read[2]))
    end = run.finished_at
    found += [LogAnswer(timestamp=end, level="WARNING", message=said) for said in run.warnings]
    found += [LogAnswer(timestamp=end, level="WARNING", message=f"Missing: {name}") for name in run.missing_names]
    if run.outcome is not None:
        step = f" (at: {run.step})" if run.step and run.outcome != SUCCESS.code else ""
        level: Literal["INFO", "ERROR"] = "INFO" if run.outcome == SUCCESS.code else "ERROR"
        found.append(LogAnswer(timestamp=end, level=level, message=f"{run.outcome}: {run.message or ''}{step}"))
    return found


def file_answer(file: ChannelFile, stored: StoredFile | None) -> FileAnswer:
    """Return a file of a channel."""
    return FileAnswer(
        id=file.id,
        source_id=file.source_id,
        run_id=file.run_id,
        message_id=file.message_id,
        file_id=str(file.document_id),
        file_name=file.name,
        file_extension=file.extension,
        kind=file.kind,
        member=file.member or None,
        size_bytes=file.size,
        sent_at=file.sent_at,
        state=file.state,
        reason=file.reason,
        message=file.message,
        next_try_at=file.next_try_at,
        checksum=file.sha256,
        store=stored.store if stored is not None else None,
        storage_path=stored.path if stored is not None else None,
        processed_at=file.stored_at,
    )
