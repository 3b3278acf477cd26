"""What a visit writes beside its items: how far it has come, pauses, failures. Only while it holds its session's lease."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from database import notes
from database.access.leases import is_held
from database.engine import Database, DatabaseAway, now
from database.families.telegram import messages, sessions
from database.models.telegram import Source
from scrapers.core.outcomes import DatabaseAwayFailure, LeaseLost
from scrapers.families.messaging.settings import MessagingSettings

if TYPE_CHECKING:
    from scrapers.core.jobs import Job
    from scrapers.portals.telegram.channels import OpenChannel
    from scrapers.portals.telegram.facts import SourceFacts

T = TypeVar("T")


class Writer:
    """Short transactions of one visit."""

    def __init__(self, db: Database, job: Job, facts: SourceFacts) -> None:
        self._db = db
        self._job = job
        self._facts = facts

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run what only reads."""
        try:
            return await self._db.run(work)
        except (DatabaseAway, SQLAlchemyError) as error:
            raise DatabaseAwayFailure(type(error).__name__) from error

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run what writes; raise LeaseLost where another crawl has the session."""
        fences = dict(self._job.fences)

        def fenced(session: Session) -> T:
            if not all(is_held(session, lease, holder) for lease, holder in fences.items()):
                raise LeaseLost
            return work(session)

        return await self.read(fenced)

    async def advance(self, to: int, note: str, start: int) -> None:
        """
        Note that everything up to a message is seen and stored, or wanted.

        note: of a run that looks again from a day on, to go on from there; empty for others. start: what was seen when it
        began; up to that such a run changes nothing of it.
        """

        def advanced(session: Session) -> None:
            if note:
                notes.write(session, self._job.spider, self._job.key, note, to)
            if not note or start == 0 or to > start:
                messages.advance(session, self._facts.id, to)

        await self.write(advanced)

    async def note_wait(self, until: datetime) -> None:
        """Note until when Telegram wants a pause of the session."""
        await self.write(partial(sessions.note_wait, session_id=self._facts.session_id, until=until))

    async def note_name(self, channel: OpenChannel) -> bool:
        """Note what the channel is called now, and its access hash; return whether that is new."""
        hash_known, facts = self._facts.access_hash is not None, self._facts
        if hash_known and (facts.title, facts.username) == (channel.title[:300], channel.username):
            return False
        values = {
            "channel_title": channel.title[:300],
            "username": channel.username,
            "access_hash": channel.peer.access_hash,
        }
        of = update(Source).where(Source.id == facts.id)
        await self.write(lambda session: session.execute(of.values(**values, updated_at=now(session))))
        return (facts.title, facts.username) != (channel.title[:300], channel.username)

    async def note_deleted(self, ids: Collection[int]) -> int:
        """Note that messages are deleted."""
        return await self.write(lambda session: messages.note_deleted(session, self._facts.id, ids, now(session)))

    async def note_failure(self, document_id: int, text: str) -> bool:
        """Remember that a document could not be fetched; return whether it is tried again."""
        most = MessagingSettings.current().sources_tries

        def failed(session: Session) -> bool:
            return messages.note_failure(session, self._facts.id, document_id, text, now(session), most)

        return await self.write(failed)

    async def note_skipped(self, document_id: int, message_id: int, reason: str) -> None:
        """Remember that a file is not fetched."""
        await self.write(
            partial(
                messages.note_skipped,
                source_id=self._facts.id,
                document_id=document_id,
                messages=[message_id],
                reason=reason,
            )
        )
