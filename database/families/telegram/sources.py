"""Sources of Telegram as rows: whose they are, with which session they work, how their runs went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from database.jobs.queue import cancel
from database.models import Run, StoredFile
from database.models.jobs import CLAIMED, OPEN, Schedule, ScraperJob
from database.models.messaging import ChannelFile, FileState
from database.models.telegram import Source, TelegramSession, TelegramState

PORTAL, REPORT_TYPE = "telegram", "files"
SPIDER = f"{PORTAL}_{REPORT_TYPE}"
ID_LENGTH = 36  # of a UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """A source with what belongs to it. last: its newest run that has ended; open: its job that waits or runs."""

    source: Source
    session: TelegramSession
    schedule: Schedule | None
    last: Run | None
    job: ScraperJob | None


def owned(user_id: int | None) -> list[ColumnElement[bool]]:
    """Return the condition of a user's sources; user_id None: the command line, which sees those of all."""
    return [] if user_id is None else [Source.user_id == user_id]


def source_of(session: Session, source_id: str, user_id: int | None) -> Source | None:
    """Return a source, None for one that is absent or another user's."""
    if len(source_id) > ID_LENGTH:
        return None
    return session.scalars(select(Source).where(Source.id == source_id, *owned(user_id))).one_or_none()


def named(session: Session, word: str, user_id: int | None) -> list[Source]:
    """Return the source of an id, else those of a name."""
    found = source_of(session, word, user_id)
    if found is not None:
        return [found]
    by_name = select(Source).where(Source.name == word, *owned(user_id)).order_by(Source.created_at, Source.id)
    return list(session.scalars(by_name))


def all_of(user_id: int | None) -> Select[Source]:
    """Select the sources of a user, the oldest first."""
    return select(Source).where(*owned(user_id)).order_by(Source.created_at, Source.id)


def standing(session: Session, sources: Sequence[Source]) -> list[Standing]:
    """Return how sources stand, with a few questions for all of them."""
    ids = [each.id for each in sources]
    sessions = {
        each.id: each
        for each in session.scalars(
            select(TelegramSession).where(TelegramSession.id.in_({each.session_id for each in sources}))
        )
    }
    numbers = {each.schedule_id for each in sources if each.schedule_id is not None}
    schedules = {each.id: each for each in session.scalars(select(Schedule).where(Schedule.id.in_(numbers)))}
    about = ScraperJob.target["source"].as_string()
    newest = (
        select(about.label("source"), func.max(Run.id).label("run"))
        .join(Run, Run.job_id == ScraperJob.id)
        .where(_of_spider(), about.in_(ids), Run.finished_at.is_not(None))
        .group_by(about)
        .subquery()
    )
    newest_runs = session.execute(select(newest.c.source, Run).join(newest, newest.c.run == Run.id))
    runs = {row.source: row.Run for row in newest_runs}
    jobs = {
        (each.target or {}).get("source"): each
        for each in session.scalars(
            select(ScraperJob).where(_of_spider(), about.in_(ids), ScraperJob.status.in_(OPEN)).order_by(ScraperJob.id)
        )
    }
    return [
        Standing(
            each, sessions[each.session_id], schedules.get(each.schedule_id or 0), runs.get(each.id), jobs.get(each.id)
        )
        for each in sources
    ]


def runs_of(source_id: str) -> Select[Run]:
    """Select the runs of a source that the queue has started, the newest first."""
    about = ScraperJob.target["source"].as_string() == source_id
    of_source = select(ScraperJob.id).where(_of_spider(), about)
    return select(Run).where(Run.job_id.in_(of_source)).order_by(Run.id.desc())


def run_of(session: Session, run_id: int, user_id: int | None) -> tuple[Run, ScraperJob, Source] | None:
    """Return a run with its job and its source; None for one that is absent or of another user's source."""
    run = session.get(Run, run_id)
    job = session.get(ScraperJob, run.job_id) if run is not None and run.job_id is not None else None
    if run is None or job is None or (job.portal, job.report_type) != (PORTAL, REPORT_TYPE):
        return None
    source = source_of(session, str((job.target or {}).get("source", "")), user_id)
    return (run, job, source) if source is not None else None


def files_of(
    source_id: str, state: FileState | None = None, run_id: int | None = None
) -> Select[ChannelFile, StoredFile]:
    """Select the files of a source, the newest message first, each with its place in a store, or None."""
    found = select(ChannelFile, StoredFile).outerjoin(StoredFile, StoredFile.id == ChannelFile.file_id)
    found = found.where(ChannelFile.source_id == source_id)
    if state is not None:
        found = found.where(ChannelFile.state == state)
    if run_id is not None:
        found = found.where(ChannelFile.run_id == run_id)
    return found.order_by(ChannelFile.message_id.desc(), ChannelFile.id)


def stored_of(session: Session, source_id: str) -> list[StoredFile]:
    """Return the rows of the stored files of a source."""
    ids = select(ChannelFile.file_id).where(ChannelFile.source_id == source_id, ChannelFile.file_id.is_not(None))
    return list(session.scalars(select(StoredFile).where(StoredFile.id.in_(ids)).order_by(StoredFile.id)))


def is_shared(session: Session, file: StoredFile) -> bool:
    """Tell whether another row has the same file in the store: the same content at the same place is stored once."""
    same = select(StoredFile.id).where(
        StoredFile.id != file.id, StoredFile.store == file.store, StoredFile.path == file.path
    )
    return session.scalar(same.limit(1)) is not None


def may_use(user_id: int | None, *, public: bool) -> list[ColumnElement[bool]]:
    """
    Return the condition of the sessions with which a user may read a channel.

    Those of the installation serve public channels of everybody; a private channel is read with a session of the user.
    """
    of_house = TelegramSession.user_id.is_(None)
    if user_id is None:
        return [of_house]
    own = TelegramSession.user_id == user_id
    return [or_(own, of_house) if public else own]


def session_named(session: Session, word: str, user_id: int | None, *, public: bool) -> TelegramSession | None:
    """Return the session of an id or a name that a user may use; an own one before one of the installation."""
    by_word = or_(TelegramSession.id == word, TelegramSession.name == word)
    found = select(TelegramSession).where(by_word, *may_use(user_id, public=public))
    order = (TelegramSession.user_id.is_(None), TelegramSession.created_at, TelegramSession.id)
    return session.scalars(found.order_by(*order).limit(1)).one_or_none()


def session_for_public(session: Session, user_id: int | None, at: datetime) -> TelegramSession | None:
    """
    Return a session with which public channels can be read now: an own one before one of the installation.

    Of several the one with the fewest sources; a bot cannot read a channel's history, and is none of them.
    """
    uses = (
        select(func.count())
        .select_from(Source)
        .where(Source.session_id == TelegramSession.id)
        .correlate(TelegramSession)
        .scalar_subquery()
    )
    waits = func.coalesce(TelegramSession.waits_until > at, False)
    usable = and_(TelegramSession.state == TelegramState.ACTIVE, TelegramSession.is_bot.is_(False))
    found = select(TelegramSession).where(usable, *may_use(user_id, public=True))
    order = (TelegramSession.user_id.is_(None), waits, uses, TelegramSession.created_at, TelegramSession.id)
    return session.scalars(found.order_by(*order).limit(1)).one_or_none()


def cancel_jobs(session: Session, source: Source, at: datetime) -> bool:
    """Cancel the open job of a source; return whether a crawl works on it, which ends when it sees that."""
    about = ScraperJob.target["source"].as_string() == source.id
    found = session.execute(
        select(ScraperJob.id, ScraperJob.status).where(_of_spider(), about, ScraperJob.status.in_(OPEN))
    ).all()
    cancel(session, [row.id for row in found], at, "Cancelled: its source is deleted.")
    return any(row.status in CLAIMED for row in found)


def remove(session: Session, source: Source, at: datetime) -> None:
    """Delete a source with its schedule, and cancel its open job; its runs and stored files stay."""
    cancel_jobs(session, source, at)
    schedule = session.get(Schedule, source.schedule_id) if source.schedule_id is not None else None
    session.delete(source)
    session.flush()
    if schedule is not None:
        session.delete(schedule)
        session.flush()


def remove_all(session: Session, user_id: int, at: datetime) -> int:
    """Delete all sources of a user; return how many there were."""
    found = session.scalars(all_of(user_id)).all()
    for each in found:
        remove(session, each, at)
    return len(found)


def _of_spider() -> ColumnElement[bool]:
    return and_(ScraperJob.portal == PORTAL, ScraperJob.report_type == REPORT_TYPE)
