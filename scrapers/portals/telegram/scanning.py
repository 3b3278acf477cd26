"""From messages to rows: which files are wanted, which are stored already, what was edited or deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from database.families.telegram import messages
from database.models.messaging import ChannelFile, ChannelMessage, FileState
from scrapers.core.items import Batch
from scrapers.families.messaging.filters import ARCHIVES, Reason, refusal
from scrapers.portals.telegram.attachments import (
    Attachment,
    attachment_of,
    captions,
    file_row,
    message_row,
    seen_in,
)
from scrapers.portals.telegram.channels import PAGE, OpenChannel, Page

if TYPE_CHECKING:
    from scrapers.core.jobs import Job
    from scrapers.portals.telegram.facts import SourceFacts
    from scrapers.portals.telegram.writing import Writer


@dataclass(frozen=True, slots=True)
class Known:
    """A file as it is known from before."""

    state: FileState
    reason: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a document is stored."""

    file_id: int | None
    sha256: str | None
    stored_at: datetime | None


@dataclass(frozen=True, slots=True)
class Round:
    """A part of a visit: rows to store, and up to which message everything is seen then."""

    batches: Sequence[Batch] = ()
    to: int = 0
    wants: bool = True  # files may have to be fetched after it


class Scan:
    """Reads a source's channel: known messages for changes, then what is new."""

    def __init__(self, job: Job, facts: SourceFacts, channel: OpenChannel, writer: Writer) -> None:
        self.job = job
        self.facts = facts
        self.channel = channel
        self.writer = writer

    async def rounds(self, after: int, checked: int) -> AsyncIterator[Round]:
        """
        Yield what there is to store: changes of the *checked* newest known messages, what earlier runs left, the history.

        after: id above which the history is read.
        """
        async for batches in self._changes(checked):
            yield Round(batches, wants=False)
        yield Round()
        async for page in self.channel.pages(after):
            self.job.step = f"read messages from {page.after + 1} on"
            if page.after < self.facts.last_message_id:
                await self._missing(page)
            batches = await self._batches(page.messages, captions(page.messages), page.names)
            yield Round(batches, page.to, any(_wants(batch) for batch in batches))

    async def _batches(
        self, found: Sequence[Any], texts: Mapping[int, str], names: Mapping[int, str]
    ) -> Sequence[Batch]:
        """Return the rows of messages and of their files, of those that are new or to be judged anew."""
        if not found:
            return ()
        facts, is_forum = self.facts, self.channel.is_forum
        rows = [message_row(facts.id, each, is_forum, facts.keeps_texts) for each in found]
        held = {each.id: (each, attachment) for each in found if (attachment := attachment_of(each)) is not None}
        known, stored = await self.writer.read(partial(self._known, held=held))
        files = []
        for number, (message, attachment) in held.items():
            reason = self._reason(message, attachment, texts[number], names)
            old = known.get((number, attachment.document_id))
            if old is not None and not self._is_judged_anew(old, reason):
                continue
            files.append(file_row(facts.id, number, attachment, **self._state(attachment, reason, stored)))
        batches = [self._batch(ChannelMessage, messages.MESSAGE_KEY, rows)]
        return [*batches, self._batch(ChannelFile, messages.FILE_KEY, files)] if files else batches

    def _is_judged_anew(self, old: Known, reason: Reason | None) -> bool:
        """Return whether a known file is: filters have changed since it was skipped, or it is asked for again."""
        if old.state == FileState.SKIPPED:
            return old.reason != reason
        return self.facts.again and reason is None and old.state == FileState.STORED

    def _state(self, attachment: Attachment, reason: Reason | None, stored: Mapping[int, Stored]) -> dict[str, Any]:
        if reason is not None:
            return {"state": FileState.SKIPPED, "reason": reason}
        same = stored.get(attachment.document_id)
        if same is None or self.facts.again:
            return {"state": FileState.WANTED}
        values = {"file_id": same.file_id, "sha256": same.sha256, "stored_at": same.stored_at}
        return {"state": FileState.STORED, **values}

    def _reason(self, message: Any, attachment: Attachment, caption: str, names: Mapping[int, str]) -> Reason | None:
        """Return why a file is not fetched; None for one that is. Archives that are to be unpacked pass the file types."""
        if attachment.seen.size == 0:
            return Reason.EMPTY
        if attachment.protected:
            return Reason.PROTECTED
        seen = seen_in(message, attachment, caption, self.channel.is_forum, names)
        types = () if self.facts.unpacks and seen.extension in ARCHIVES else self.facts.types
        return refusal(seen, types, self.facts.filters)

    def _known(
        self, session: Session, held: Mapping[int, tuple[Any, Attachment]]
    ) -> tuple[dict[tuple[int, int], Known], dict[int, Stored]]:
        if not held:
            return {}, {}
        documents = {attachment.document_id for _, attachment in held.values()}
        known = messages.files_in(session, self.facts.id, held)
        stored = messages.stored_documents(session, self.facts.id, documents)
        return (
            {key: Known(file.state, file.reason) for key, file in known.items()},
            {number: Stored(file.file_id, file.sha256, file.stored_at) for number, file in stored.items()},
        )

    async def _changes(self, checked: int) -> AsyncIterator[Sequence[Batch]]:
        """Look at the newest known messages: note deleted ones, yield the rows of edited ones."""

        def newest(session: Session) -> dict[int, datetime | None]:
            found = messages.newest(session, self.facts.id, self.facts.last_message_id, checked)
            return {each.message_id: each.edited_at for each in found}

        known = await self.writer.read(newest)
        ids = sorted(known)
        for start in range(0, len(ids), PAGE):
            asked = ids[start : start + PAGE]
            self.job.step = f"look for changes in messages {asked[0]} to {asked[-1]}"
            found = await self.channel.messages(asked)
            if gone := set(asked) - set(found):
                await self.writer.note_deleted(gone)
            edited = [
                each
                for number, each in sorted(found.items())
                if each.edit_date is not None and not each.edit_hide and each.edit_date != known[number]
            ]
            if edited:
                yield await self._batches(edited, captions(found.values()), {})

    async def _missing(self, page: Page) -> None:
        """Note the known messages that a page no longer has, of one that was seen before."""
        to = min(page.to, self.facts.last_message_id)

        def between(session: Session) -> set[int]:
            return set(messages.messages_between(session, self.facts.id, page.after, to))

        if gone := await self.writer.read(between) - {each.id for each in page.messages}:
            await self.writer.note_deleted(gone)

    def _batch(self, table: Any, key: tuple[str, ...], rows: list[dict[str, Any]]) -> Batch:
        return Batch(job=self.job.id, table=table, natural_key=key, rows=rows)


def _wants(batch: Batch) -> bool:
    return any(row.get("state") == FileState.WANTED for row in batch.rows)
