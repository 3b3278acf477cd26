"""Messages and files of a source: what is known, what is wanted next, and how far the source was read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, distinct, func, or_, select, update
from sqlalchemy.orm import Session

from database.engine import now
from database.models.messaging import ChannelFile, ChannelMessage, FileState
from database.models.telegram import Source
from database.upsert import batches

FIRST_PAUSE = timedelta(minutes=5)  # after a file's first failure; doubled with each further one
LONGEST_PAUSE = timedelta(days=1)

MESSAGE_KEY = ("source_id", "message_id")
FILE_KEY = ("source_id", "message_id", "document_id", "member")
# The columns of a file's row that a crawl writes; the records pipeline adds run and stored file.
WRITTEN = (
    *FILE_KEY,
    *("kind", "name", "extension", "media_type", "size", "sent_at", "sha256"),
    *("state", "reason", "message", "attempts", "next_try_at", "stored_at"),
)


def row_of(file: ChannelFile) -> dict[str, Any]:
    """Return the columns of a file's row that a crawl writes."""
    return {name: getattr(file, name) for name in WRITTEN}


def files_in(session: Session, source_id: str, messages: Collection[int]) -> dict[tuple[int, int], ChannelFile]:
    """Return the known files of messages, by message and document; members of archives are left out."""
    found = session.scalars(
        select(ChannelFile).where(
            ChannelFile.source_id == source_id, ChannelFile.message_id.in_(messages), ChannelFile.member == ""
        )
    )
    return {(file.message_id, file.document_id): file for file in found}


def messages_between(session: Session, source_id: str, after: int, to: int) -> dict[int, ChannelMessage]:
    """Return the known messages with ids above *after* and up to *to*."""
    found = session.scalars(
        select(ChannelMessage).where(
            ChannelMessage.source_id == source_id, ChannelMessage.message_id > after, ChannelMessage.message_id <= to
        )
    )
    return {message.message_id: message for message in found}


def newest(session: Session, source_id: str, to: int, count: int) -> list[ChannelMessage]:
    """Return the newest known messages with ids up to *to* that were not deleted."""
    found = select(ChannelMessage).where(
        ChannelMessage.source_id == source_id, ChannelMessage.message_id <= to, ChannelMessage.deleted_at.is_(None)
    )
    return list(session.scalars(found.order_by(ChannelMessage.message_id.desc()).limit(count)))


def stored_documents(session: Session, source_id: str, documents: Collection[int]) -> dict[int, ChannelFile]:
    """Return a stored file of each document that the source has, by document."""
    found = _stored(source_id).where(ChannelFile.document_id.in_(documents), ChannelFile.member == "")
    return {file.document_id: file for file in session.scalars(found)}


def same_content(session: Session, source_id: str, sha256: str, size: int) -> ChannelFile | None:
    """Return a stored file of the source with this content; None where there is none."""
    found = _stored(source_id).where(ChannelFile.sha256 == sha256, ChannelFile.size == size)
    return session.scalars(found.order_by(ChannelFile.id).limit(1)).one_or_none()


def contents(session: Session, source_id: str, digests: Sequence[str]) -> dict[str, int]:
    """Return the stored file of each content that the source has, by SHA-256."""
    found: dict[str, int] = {}
    for some in batches(digests, 500):  # SQLite takes so many values
        rows = _stored(source_id).where(ChannelFile.sha256.in_(some), ChannelFile.file_id.is_not(None))
        found |= {file.sha256: file.file_id for file in session.scalars(rows) if file.sha256 and file.file_id}
    return found


def wanted(
    session: Session, source_id: str, at: datetime, count: int, without: Collection[int] = ()
) -> list[ChannelFile]:
    """
    Return the files to fetch next, the oldest messages first: those that are wanted, and failed ones that are due again.

    without: documents that are being fetched.
    """
    due = and_(ChannelFile.state == FileState.FAILED, ChannelFile.next_try_at <= at)
    found = select(ChannelFile).where(
        ChannelFile.source_id == source_id, or_(ChannelFile.state == FileState.WANTED, due), ChannelFile.member == ""
    )
    found = found.where(ChannelFile.document_id.not_in(without)) if without else found
    return list(session.scalars(found.order_by(ChannelFile.message_id, ChannelFile.id).limit(count)))


def with_document(session: Session, source_id: str, document_id: int) -> list[ChannelFile]:
    """Return every row of a document that is not stored yet and not skipped: fetched once, it is stored for all of them."""
    open_states = (FileState.WANTED, FileState.FAILED)
    found = select(ChannelFile).where(
        ChannelFile.source_id == source_id,
        ChannelFile.document_id == document_id,
        ChannelFile.member == "",
        ChannelFile.state.in_(open_states),
    )
    return list(session.scalars(found.order_by(ChannelFile.message_id)))


def note_failure(session: Session, source_id: str, document_id: int, text: str, at: datetime, most: int) -> bool:
    """Count a failure of a document's files; they are due again later, until *most* have failed. Return whether they are."""
    again = False
    for file in with_document(session, source_id, document_id):
        file.state, file.message, file.attempts = FileState.FAILED, text, file.attempts + 1
        pause = min(FIRST_PAUSE * 2 ** min(file.attempts - 1, 20), LONGEST_PAUSE)
        file.next_try_at = at + pause if file.attempts < most else None
        again = again or file.next_try_at is not None
    return again


def note_skipped(session: Session, source_id: str, document_id: int, messages: Collection[int], reason: str) -> None:
    """Mark the files of a document in some messages as skipped."""
    of_messages = (ChannelFile.source_id == source_id, ChannelFile.message_id.in_(messages))
    skipped = {"state": FileState.SKIPPED, "reason": reason, "next_try_at": None}
    session.execute(update(ChannelFile).where(*of_messages, ChannelFile.document_id == document_id).values(skipped))


def note_deleted(session: Session, source_id: str, messages: Collection[int], at: datetime) -> int:
    """Note that messages were found to be deleted; return how many of them were not known to be."""
    gone = update(ChannelMessage).where(
        ChannelMessage.source_id == source_id,
        ChannelMessage.message_id.in_(messages),
        ChannelMessage.deleted_at.is_(None),
    )
    return len(session.scalars(gone.values(deleted_at=at).returning(ChannelMessage.id)).all())


def advance(session: Session, source_id: str, message_id: int) -> None:
    """Note that every message up to one was seen; what was noted never goes back."""
    ahead = update(Source).where(Source.id == source_id, Source.last_message_id < message_id)
    session.execute(ahead.values(last_message_id=message_id))


def unfinished(session: Session, source_id: str) -> tuple[int, int]:
    """Return how many documents of a source are to be fetched by a later run, and how many have failed for good."""
    given_up = and_(ChannelFile.state == FileState.FAILED, ChannelFile.next_try_at.is_(None))
    later = or_(
        ChannelFile.state == FileState.WANTED,
        and_(ChannelFile.state == FileState.FAILED, ChannelFile.next_try_at.is_not(None)),
    )
    documents = select(func.count(distinct(ChannelFile.document_id))).where(ChannelFile.source_id == source_id)
    return session.scalar(documents.where(later)) or 0, session.scalar(documents.where(given_up)) or 0


def conclude(session: Session, source_id: str, values: Mapping[str, Any], succeeded: bool) -> None:
    """Write the end of a run into its source: outcome, message, and the totals, which are counted anew."""
    messages = select(func.count()).where(ChannelMessage.source_id == source_id)
    stored = (
        _stored(source_id).where(ChannelFile.member == "").with_only_columns(func.count(distinct(ChannelFile.file_id)))
    )
    at = now(session)
    row = {
        **values,
        "total_messages_scraped": session.scalar(messages) or 0,
        "total_files_downloaded": session.scalar(stored) or 0,
        "updated_at": at,
        **({"last_scraped_at": at} if succeeded else {}),
    }
    session.execute(update(Source).where(Source.id == source_id).values(row))


def files_of(source_id: str, states: Iterable[FileState] = ()) -> Select[ChannelFile]:
    """Select the files of a source, the newest messages first; members of archives after their archive."""
    found = select(ChannelFile).where(ChannelFile.source_id == source_id)
    if chosen := list(states):
        found = found.where(ChannelFile.state.in_(chosen))
    return found.order_by(ChannelFile.message_id.desc(), ChannelFile.document_id, ChannelFile.member)


def open_documents(session: Session, source_id: str) -> set[int]:
    """Return the documents of a source that are still to be fetched: their part files are kept."""
    open_states = (FileState.WANTED, FileState.FAILED)
    found = select(ChannelFile.document_id).where(
        ChannelFile.source_id == source_id, ChannelFile.state.in_(open_states)
    )
    return set(session.scalars(found))


def _stored(source_id: str) -> Select[ChannelFile]:
    return select(ChannelFile).where(ChannelFile.source_id == source_id, ChannelFile.state == FileState.STORED)
