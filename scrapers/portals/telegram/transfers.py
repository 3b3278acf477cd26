"""Brings the files that a source wants, the oldest first: each document once, a large one from where it stopped."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.orm import Session

from database.engine import now
from database.families.telegram import messages
from database.models.base import utc_now
from database.models.messaging import ChannelFile, FileState
from scrapers.core.items import Batch, FileItem, Item
from scrapers.core.outcomes import BadFile, Failure, PortalRefused
from scrapers.core.spool import PartFile
from scrapers.families.messaging.filters import Reason
from scrapers.families.messaging.parts import STEP, KeptPart, folder_of
from scrapers.families.messaging.templates import fields_of
from scrapers.portals.telegram.asking import EXPIRED
from scrapers.portals.telegram.attachments import Attachment, attachment_of, topic_of
from scrapers.portals.telegram.client import failure_of
from scrapers.portals.telegram.unpacking import Archive

if TYPE_CHECKING:
    from scrapers.core.jobs import Job
    from scrapers.portals.telegram.channels import OpenChannel
    from scrapers.portals.telegram.facts import SourceFacts
    from scrapers.portals.telegram.writing import Writer

T = TypeVar("T")

GROUP = 50  # messages that are fetched anew at once, right before their files
UNDER_WAY = 4  # documents that are fetched or stored at a time, at most
MOST_RENEWALS = 3  # times in a row that a file reference may be refused
MOST_REFUSED = 5  # files in a row that Telegram may refuse before the run ends


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch."""

    message_id: int
    document_id: int


@dataclass(frozen=True, slots=True)
class Download:
    """A document that was fetched."""

    wanted: Wanted
    attachment: Attachment
    message: Any
    part: PartFile


class Transfers:
    """The downloads of one visit."""

    def __init__(self, job: Job, facts: SourceFacts, channel: OpenChannel, writer: Writer, spool: Path) -> None:
        self.job = job
        self.facts = facts
        self.channel = channel
        self.writer = writer
        self.spool = spool
        self._tried: set[int] = set()  # documents
        # Documents whose rows may not say yet that they are stored.
        self._under_way: deque[int] = deque(maxlen=UNDER_WAY)
        self._refused = 0

    async def downloads(self) -> AsyncGenerator[Download, None]:
        """Yield what is fetched. A file that fails is remembered; what stops everything is raised."""
        while group := await self._next_group():
            found = await self.channel.messages({each.message_id for each in group})
            for wanted in group:
                if wanted.document_id in self._tried:
                    continue
                message = found.get(wanted.message_id)
                attachment = attachment_of(message) if message is not None else None
                if message is None:
                    await self.writer.note_deleted([wanted.message_id])
                if attachment is None or attachment.document_id != wanted.document_id:
                    await self.writer.note_skipped(wanted.document_id, wanted.message_id, Reason.GONE)
                    continue
                self._tried.add(wanted.document_id)
                self._under_way.append(wanted.document_id)
                try:
                    part = await self._fetch(wanted, attachment)
                    self._refused = 0
                    yield Download(wanted, attachment, message, part)
                except (BadFile, PortalRefused) as failure:
                    await self.note_failure(wanted, failure)

    async def note_failure(self, wanted: Wanted, failure: Failure) -> None:
        """Remember that a document failed; raise its failure where Telegram refuses one file after the other."""
        self._refused = self._refused + 1 if isinstance(failure, PortalRefused) else 0
        await self.writer.note_failure(wanted.document_id, failure.detail or failure.outcome.sentence)
        if self._refused > MOST_REFUSED:
            raise failure

    async def _next_group(self) -> list[Wanted]:
        def group(session: Session) -> list[Wanted]:
            found = messages.wanted(session, self.facts.id, now(session), GROUP, list(self._under_way))
            return [Wanted(each.message_id, each.document_id) for each in found]

        return [each for each in await self.writer.read(group) if each.document_id not in self._tried]

    async def _fetch(self, wanted: Wanted, attachment: Attachment) -> PartFile:
        """Return the whole file, in the spool; raise BadFile where other bytes came than Telegram said."""
        size, name = attachment.seen.size, attachment.seen.name or str(wanted.document_id)
        part = KeptPart(folder_of(self.facts.id), wanted.document_id, size)
        renewals = 0
        try:
            await asyncio.to_thread(part.open)
            while part.offset < size:
                self.job.step = f"file of message {wanted.message_id}: {part.offset} of {size} bytes"
                try:
                    piece = await self.channel.telegram.part(attachment.location, attachment.data_centre, part.offset)
                except EXPIRED as error:
                    renewals += 1
                    if renewals > MOST_RENEWALS:
                        raise failure_of(error) or error from error
                    attachment = await self._renewed(wanted)
                    continue
                renewals, end = 0, part.offset + len(piece)
                if end > size or (len(piece) < STEP and end < size):
                    await asyncio.to_thread(part.discard)
                    raise BadFile(f"{end} of {size} bytes came.")
                await asyncio.to_thread(part.write, piece)
            self.job.counts.downloads += 1
            return await asyncio.to_thread(part.finish, name)
        finally:
            part.close()

    async def _renewed(self, wanted: Wanted) -> Attachment:
        """Return the file of a message with a new reference."""
        message = (await self.channel.messages([wanted.message_id])).get(wanted.message_id)
        attachment = attachment_of(message) if message is not None else None
        if attachment is None or attachment.document_id != wanted.document_id:
            raise BadFile("Its message was deleted, or holds another file now.")
        return attachment

    async def items(self, download: Download) -> Sequence[Item]:
        """
        Return what stores a document: members of an archive first, the file itself last; only rows where the source has its content.

        Called once everything before it is stored: that may be the same.
        """
        wanted, attachment, part = download.wanted, download.attachment, download.part

        def rows(session: Session) -> tuple[list[dict[str, Any]], int | None]:
            same = messages.same_content(session, self.facts.id, part.sha256, part.size)
            found = messages.with_document(session, self.facts.id, wanted.document_id)
            stored = {"state": FileState.STORED, "sha256": part.sha256, "stored_at": utc_now()}
            cleared = {"reason": None, "message": None, "next_try_at": None}
            return [messages.row_of(each) | stored | cleared for each in found], same.file_id if same else None

        of_document, same = await self.writer.read(rows)
        if same is not None and not self.facts.again:
            await asyncio.to_thread(part.path.unlink, missing_ok=True)
            return [self._batch([{**row, "file_id": same} for row in of_document])]
        fields = fields_of(
            source=self.facts.name,
            channel=self.channel.title,
            channel_id=self.facts.channel_id,
            message_id=wanted.message_id,
            document_id=wanted.document_id,
            sent_at=attachment.seen.sent_at,
            kind=attachment.seen.kind,
            name=attachment.seen.name,
            extension=attachment.seen.extension,
            topic_id=topic_of(download.message, self.channel.is_forum),
            album_id=download.message.grouped_id,
        )
        item = FileItem(
            job=self.job.id,
            part=part,
            key=str(wanted.document_id),
            name=fields["name"],
            declared=(),
            source=f"https://t.me/c/{self.facts.channel_id}/{wanted.message_id}",
            template=self.facts.template,
            fields=fields,
            records=(self._batch(of_document),),
        )
        if not self.facts.unpacks:
            return [item]
        archive = Archive(self.facts, self.job, item, of_document[0] if of_document else {})
        await asyncio.to_thread(archive.unpack, attachment.seen.extension, self.spool)
        for row in of_document:
            row["message"] = archive.refused
        known = await self.writer.read(partial(messages.contents, source_id=self.facts.id, digests=list(archive.parts)))
        return [*archive.items({} if self.facts.again else known), item]

    def _batch(self, rows: list[dict[str, Any]]) -> Batch:
        return Batch(job=self.job.id, table=ChannelFile, natural_key=messages.FILE_KEY, rows=rows)


@asynccontextmanager
async def ahead(source: AsyncGenerator[T, None]) -> AsyncIterator[AsyncIterator[T]]:
    """Give what *source* yields, the next one being made while one is worked on; no more than that is ahead."""
    ready: asyncio.Queue[tuple[T | None, BaseException | None]] = asyncio.Queue(maxsize=1)

    async def fill() -> None:
        try:
            async with aclosing(source):
                async for each in source:
                    await ready.put((each, None))
        except Exception as error:  # noqa: BLE001 - it is raised to who takes the files
            await ready.put((None, error))
        else:
            await ready.put((None, None))

    async def drain() -> AsyncIterator[T]:
        while True:
            each, error = await ready.get()
            if error is not None:
                raise error
            if each is None:
                return
            yield each

    filling = asyncio.create_task(fill())
    try:
        yield drain()
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
