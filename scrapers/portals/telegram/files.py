"""The files of Telegram channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from database.families.telegram import messages, sessions
from database.models.messaging import ChannelFile, ChannelMessage
from database.models.telegram import Source, TelegramSession, TelegramState
from scrapers.core.items import Listing
from scrapers.core.jobs import ArgumentError, Job, Plan
from scrapers.core.outcomes import SUCCESS, BadFile, ChannelClosed, Failure, FilesFailed, FloodWait, Interrupted
from scrapers.core.redaction import redactor
from scrapers.core.spider import PortalSpider
from scrapers.families.messaging import parts
from scrapers.families.messaging.arguments import ALL, SourceArguments
from scrapers.families.messaging.settings import MessagingSettings
from scrapers.portals.telegram import facts
from scrapers.portals.telegram.settings import TelegramSettings

if TYPE_CHECKING:
    from scrapers.core.visit import Visit
    from scrapers.portals.telegram.asking import Telegram
    from scrapers.portals.telegram.facts import SourceFacts
    from scrapers.portals.telegram.writing import Writer


@dataclass(frozen=True, slots=True)
class Open:
    """What a visit works with: its job, its source, and the session that is connected."""

    job: Job
    source: SourceFacts
    telegram: Telegram
    writer: Writer


class TelegramFiles(PortalSpider):
    """
    Portal
      Telegram channels and groups, each a source, read with a stored session of an account (docs/telegram.md).
    Caveats
      Read are messages newer than the last one that was seen; edits and deletions only of the newest known ones. Where the
      owner of a channel forbids saving, nothing is fetched. Texts are stored only where the source or -a texts=yes says so.
    """

    name = "telegram_files"
    by_client = True
    Arguments = SourceArguments
    target_argument = "source"
    tables: ClassVar = (Source, TelegramSession, ChannelMessage, ChannelFile)  # written beside what the items say
    arguments: SourceArguments

    @classmethod
    def plans(cls, session: Session, arguments: Any) -> list[Plan]:
        """Return a job for each source that is named."""
        if arguments.job:
            return [cls._of_row(session, number) for number in arguments.job]
        if not arguments.source:
            raise ArgumentError("-a source: name a source, or all.")
        return [facts.plan_of(session, source) for source in cls._named(session, arguments.source)]

    @classmethod
    def _of_row(cls, session: Session, number: int) -> Plan:
        row = cls.row(session, number)
        source = session.get(Source, str((row.target or {}).get("source", "")))
        if source is None:
            raise ArgumentError(f"-a job={number}: its source was deleted.")
        return facts.plan_of(session, source, row.id)

    @classmethod
    def _named(cls, session: Session, words: Sequence[str]) -> list[Source]:
        in_order = (Source.name, Source.id)
        if ALL in words:
            return list(session.scalars(select(Source).where(Source.is_active).order_by(*in_order)))
        found: dict[str, Source] = {}
        for word in words:
            same = session.scalars(
                select(Source).where(or_(Source.id == word, Source.name == word)).order_by(*in_order)
            )
            sources = list(same)
            if not sources:
                raise ArgumentError(f"-a source={word}: there is no such source; `scrapy telegram sources` shows all.")
            if len(sources) > 1:
                ids = ", ".join(each.id for each in sources)
                raise ArgumentError(f"-a source={word}: several have that name; give one of their ids: {ids}.")
            found[sources[0].id] = sources[0]
        return list(found.values())

    @classmethod
    def known_targets(cls, session: Session) -> list[str]:
        """Return the ids of all sources that are active."""
        return [source.id for source in cls._named(session, (ALL,))]

    @asynccontextmanager
    async def client(self, job: Job) -> AsyncIterator[Open]:
        """Connect in the session of a job's source, once no pause is under way."""
        # Telethon takes longer to import than all else: only who connects does.
        from scrapers.portals.telegram.asking import Telegram
        from scrapers.portals.telegram.client import SessionKey, connected, named_failures
        from scrapers.portals.telegram.writing import Writer

        source = await self.work.db.run(partial(facts.read, source_id=job.target.source, arguments=self.arguments))
        if job.credential is None or source.session_id != job.credential.username:
            raise Interrupted("The source was given another session meanwhile.")  # the lease is on the former one
        source.check_session()
        redactor.add(source.api_hash, source.session_string)
        writer = Writer(self.work.db, job, source)
        telegram = Telegram(job, MessagingSettings.current().sources_flood_wait, writer.note_wait)
        if source.waits_until is not None:
            await telegram.rest_until(source.waits_until)
        key = SessionKey(source.api_id, source.api_hash, source.session_string)
        with named_failures():
            async with connected(key, settings=TelegramSettings.current()) as client:
                telegram.client = client
                yield Open(job, source, telegram, writer)

    async def visit(self, page: Open) -> Visit:
        """Bring what is new: rows of messages first, then the files that they want, page by page."""
        from scrapers.portals.telegram.channels import OpenChannel
        from scrapers.portals.telegram.scanning import Scan
        from scrapers.portals.telegram.transfers import Transfers, ahead

        job, source = page.job, page.source
        job.step = "open the channel"
        channel = await OpenChannel.open(page.telegram, source.channel_id, source.access_hash, source.username)
        if source.is_lent and channel.username is None:
            raise ChannelClosed(
                "It has no user name any more, and a session of another owner reads public channels alone."
            )
        if await page.writer.note_name(channel):
            job.warn("The channel has another title or user name than before; the source has the new one.")
        # What it lists is known by its rows: each is stored, skipped, or tried again.
        yield Listing(job=job.id, keys=())
        note = f"since {source.since}" if source.since is not None else ""
        after = source.last_message_id
        if source.since is not None:
            begun = await job.recall(note)
            after = begun if isinstance(begun, int) else await channel.before(source.since)
        scan = Scan(job, source, channel, page.writer)
        transfers = Transfers(job, source, channel, page.writer, self.work.spool)
        async for each in scan.rounds(after, MessagingSettings.current().sources_checked):
            for batch in each.batches:
                yield batch
            if each.to:
                await page.writer.advance(each.to, note, source.last_message_id)
            if not each.wants:
                continue
            async with ahead(transfers.downloads()) as downloads:
                async for download in downloads:
                    try:
                        for item in await transfers.items(download):
                            yield item
                    except BadFile as failure:
                        await transfers.note_failure(download.wanted, failure)
        if note:
            await job.forget(note)
        await self._end(page)

    async def _end(self, page: Open) -> None:
        """Say which files have failed, and delete the parts of what is not wanted any more."""
        again, given_up = await page.writer.read(partial(messages.unfinished, source_id=page.source.id))
        wanted = await page.writer.read(partial(messages.open_documents, source_id=page.source.id))
        await asyncio.to_thread(parts.sweep, page.source.id, wanted)
        if given_up:
            page.job.warn(f"{given_up} files have failed so often that they are not tried again.")
        if again:
            raise FilesFailed(f"{again} files.", step="fetch the files")

    def conclude(self, session: Session, job: Job, failure: Failure | None) -> None:
        """Write into the source how its run ended, and into its session what Telegram has said of it."""
        outcome = failure.outcome if failure is not None else SUCCESS
        message = redactor.hide(str(failure)) if failure is not None else outcome.sentence
        messages.conclude(session, job.target.source, {"outcome": outcome.code, "message": message}, failure is None)
        assert job.credential is not None  # every plan has one
        session_id = job.credential.username
        if failure is None:
            sessions.note_state(session, session_id, TelegramState.ACTIVE, None)
            return
        from scrapers.portals.telegram.client import state_of

        if isinstance(failure, FloodWait) and failure.until is not None:
            sessions.note_wait(session, session_id, failure.until)
        elif (state := state_of(failure)) is not None:
            sessions.note_state(session, session_id, state, message)
