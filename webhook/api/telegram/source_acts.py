"""What users do with sources, for the API, the pages and the command line alike."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy.orm import Session
from werkzeug.exceptions import Conflict, NotFound, ServiceUnavailable

from database.engine import Database, now
from database.families.telegram import sources
from database.models import StoredFile
from database.models.prices import User
from database.models.telegram import AccessLevel, Source, TelegramSession, TelegramState
from jobs.clock import Clock
from jobs.engines.chosen import chosen_engine
from jobs.engines.embedded import Engine, EngineAway
from jobs.sources import ZONE, Triggered, reschedule, schedule_of, trigger
from scrapers.core.outcomes import ChannelClosed, ChannelUnknown, StoreAway
from scrapers.families.messaging.filters import Filters
from scrapers.portals.telegram.addresses import Address, BadAddress, Kind, address_of
from scrapers.portals.telegram.resolving import Resolved
from webhook.api.telegram.asking import NO_SESSION
from webhook.api.telegram.managing import FieldRefused
from webhook.api.telegram.source_models import (
    Deleted,
    NewPrivate,
    NewPublic,
    SourceAnswer,
    SourceChange,
    SourceOptions,
    TriggerAnswer,
    TriggerResult,
)
from webhook.api.telegram.source_reading import BEHIND, SourceReading, count_of
from webhook.api.telegram.telling import PROTECTED, STATES

logger = logging.getLogger(__name__)
NO_PUBLIC = "There is no public channel of that name."
UNKNOWN = "There is no channel of that name or link."
CLOSED = "The channel is closed to the account of this session."
NOT_TOLD = "What starts the crawls was not told of the last change yet."
ENGINE_WAIT = 5.0  # seconds for one answer of its server
MOST = 500  # sources of a user
OPTIONS = tuple(SourceOptions.model_fields)


class LookUp(Protocol):
    """Asks Telegram for a channel, as a session."""

    def __call__(self, session_id: str, address: Address, *, join: bool) -> Resolved:
        """Return it; raise ChannelUnknown and ChannelClosed, and whatever else keeps a session from asking."""


@dataclass(frozen=True)
class Sources(SourceReading):
    """
    The acts upon sources; with user_id None new ones belong to the installation.

    look_up: asks Telegram. see_to: starts a crawl of a portal where no worker would. erase: deletes a file from a store.
    """

    look_up: LookUp
    see_to: Callable[[str], None]
    erase: Callable[[str, str], bool]

    # Adding and changing

    def add_private(self, user_id: int | None, body: NewPrivate) -> SourceAnswer:
        """Store a source that is read as a member of its channel, once Telegram has shown the channel."""
        address = _address("channel_id", body.channel_id)
        with self.db.transaction() as session:
            of = usable(sources.session_named(session, body.session_id, user_id, public=False))
        found = self._look_up("channel_id", of, address, join=body.join)
        return self._add(user_id, body, AccessLevel.PRIVATE, address, of, found)

    def add_public(self, user_id: int | None, body: NewPublic) -> SourceAnswer:
        """Store a source that anybody can read, once Telegram has shown the channel."""
        address = _address("channel_username", body.channel_username)
        if address.kind is Kind.INVITE:
            raise FieldRefused("channel_username", "An invitation leads to a private channel: add a private source.")
        with self.db.transaction() as session:
            if body.session_id is not None:
                of = usable(sources.session_named(session, body.session_id, user_id, public=True))
            else:
                of = usable(
                    sources.session_for_public(session, user_id, now(session)), "No session can be used: add one."
                )
        found = self._look_up("channel_username", of, address, is_public=True)
        return self._add(user_id, body, AccessLevel.PUBLIC, address, of, found)

    def change(self, source_id: str, user_id: int | None, body: SourceChange) -> SourceAnswer:
        """Change what is named; another session has to show the channel first."""
        given = {name: getattr(body, name) for name in body.model_fields_set if getattr(body, name) is not None}
        found = None
        with self.db.transaction() as session:
            source = self.own(session, source_id, user_id)
            if "schedule" not in given and "time_zone" in given and source.schedule_id is None:
                raise FieldRefused("time_zone", "It belongs to a schedule, and there is none.")
            of = None
            if (word := given.pop("session_id", None)) is not None:
                is_public = source.access_level == AccessLevel.PUBLIC
                of = usable(sources.session_named(session, word, source.user_id, public=is_public))
                if of.id == source.session_id:
                    of = None
                address = (
                    Address(Kind.USERNAME, source.username)
                    if source.username is not None
                    else Address(Kind.ID, str(source.channel_id))
                )
        if of is not None:
            found = self._look_up("session_id", of, address, is_public=is_public)
        engine = self.engine()
        with self.db.transaction() as session:
            source, at = self.own(session, source_id, user_id), now(session)
            if of is not None and found is not None:
                if found.id != source.channel_id:
                    raise FieldRefused("session_id", "The user name of the source belongs to another channel now.")
                _put_channel(source, self._still(session, of), found)
            for name in ("name", "file_types", "target", "unpacks", "keeps_texts"):
                if name in given:
                    setattr(source, name, given[name])
            for name in ("target_path", "path_template", "bot_token"):
                if name in given:
                    setattr(source, name, given[name] or None)
            if "filters" in given:
                source.filters = stored_filters(given["filters"])
            if "is_active" in given:
                source.is_active = given["is_active"] == "active"
            schedule = schedule_of(session, source)
            before = (None, ZONE) if schedule is None else (schedule.cron, schedule.time_zone)
            cron, zone = given.get("schedule", before[0]) or None, given.get("time_zone", before[1])
            was_paused = schedule is not None and schedule.paused
            is_timed = (cron, zone) != before or (schedule is not None and was_paused == source.is_active)
            if is_timed:
                reschedule(session, source, cron, zone, at)
                engine.note_behind(session, NOT_TOLD)
            source.updated_at = at
        said = _followed(engine, user_id) if is_timed else None
        return self.told(source_id, user_id, engine, said)

    def _add(
        self,
        user_id: int | None,
        body: NewPrivate | NewPublic,
        level: AccessLevel,
        address: Address,
        of: TelegramSession,
        found: Resolved,
    ) -> SourceAnswer:
        engine = self.engine()
        with self.db.transaction() as session:
            if user_id is not None:
                # Two that come at once are counted one after another.
                session.get_one(User, user_id, with_for_update=True)
            at = now(session)
            if user_id is not None and count_of(session, sources.all_of(user_id)) >= MOST:
                raise Conflict(f"There are {MOST} sources already: delete one first.")
            given = {name: getattr(body, name) for name in OPTIONS if name not in ("schedule", "time_zone", "filters")}
            source = Source(id=str(uuid4()), user_id=user_id, name=body.name, access_level=level, **given)
            source.target_path, source.path_template = body.target_path or None, body.path_template or None
            source.filters, source.identifier = stored_filters(body.filters), str(address)
            source.bot_token = (body.bot_token or None) if isinstance(body, NewPublic) else None
            _put_channel(source, self._still(session, of), found)
            source.is_active, source.created_at, source.updated_at = True, at, at
            session.add(source)
            session.flush()
            if body.schedule:
                reschedule(session, source, body.schedule, body.time_zone, at)
                engine.note_behind(session, NOT_TOLD)
        said = _followed(engine, user_id) if body.schedule else None
        return self.told(source.id, user_id, engine, said, [PROTECTED] if found.is_protected else [])

    def _look_up(
        self, field: str, of: TelegramSession, address: Address, *, join: bool = False, is_public: bool = False
    ) -> Resolved:
        """Return the channel; raise FieldRefused. is_public: it must have a user name."""
        try:
            found = self.look_up(of.id, address, join=join)
        except (ChannelUnknown, ChannelClosed) as error:
            own = CLOSED if isinstance(error, ChannelClosed) else UNKNOWN
            said = own if error.detail.startswith("(") else error.detail  # the name of an error says nothing to people
            # What the account of the installation sees of closed channels is not for its users.
            raise FieldRefused(field, NO_PUBLIC if is_public and of.user_id is None else said) from None
        if is_public and found.username is None:
            own = "The channel has no user name: add a private source, with a session of a member."
            raise FieldRefused(field, NO_PUBLIC if of.user_id is None else own)
        return found

    @staticmethod
    def _still(session: Session, of: TelegramSession) -> TelegramSession:
        """Return the row of a session that was used a moment ago."""
        found = session.get(TelegramSession, of.id, with_for_update=True)
        if found is None:
            raise NotFound(NO_SESSION)
        return found

    # Deleting and running

    def remove(self, source_id: str, user_id: int | None, *, files: bool = False) -> Deleted:
        """
        Delete a source with its schedule; its stored files stay unless *files*.

        With them raises Conflict while a crawl stores, and ServiceUnavailable where a store is away: the source stays then.
        """
        erased, kept = self._erase(source_id, user_id) if files else (0, 0)
        engine = self.engine()
        with self.db.transaction() as session:
            source = self.own(session, source_id, user_id)
            was_timed = source.schedule_id is not None
            sources.remove(session, source, now(session))
            if was_timed:
                engine.note_behind(session, NOT_TOLD)
        said = _followed(engine, user_id) if was_timed else None
        return Deleted(message="The source is deleted.", id=source_id, files=erased, kept=kept, engine=said)

    def _erase(self, source_id: str, user_id: int | None) -> tuple[int, int]:
        """Delete the stored files of a source; return how many, and how many another source has too."""
        with self.db.transaction() as session:
            source = self.own(session, source_id, user_id)
            is_running = sources.cancel_jobs(session, source, now(session))
            found = sources.stored_of(session, source_id)
        if is_running:
            raise Conflict("The source is being read, and its run is told to end: delete it again in a moment.")
        erased = kept = 0
        for file in found:
            with self.db.transaction() as session:
                is_shared = sources.is_shared(session, file)
            if is_shared or file.store is None or file.path is None:
                kept += 1
            else:
                try:
                    self.erase(file.store, file.path)
                except StoreAway as error:
                    raise ServiceUnavailable(f"{erased} files are deleted, the others not yet. {error}") from None
                erased += 1
            with self.db.transaction() as session:
                session.delete(session.get_one(StoredFile, file.id))
        return erased, kept

    def trigger(self, source_id: str, user_id: int | None) -> TriggerAnswer:
        """Make a job that reads a source now, or make the one that waits due; raise Conflict where its session cannot be used."""
        with self.db.transaction() as session:
            source = self.own(session, source_id, user_id)
            of = usable(session.get_one(TelegramSession, source.session_id))
            done = trigger(session, source, of, now(session))
        engine, said = self.engine(), None
        try:
            engine.post()
        except EngineAway as error:
            said = _away("The job is stored, and is started as soon as the engine answers.", error, user_id)
        if engine.name == "embedded":
            self.see_to(sources.PORTAL)
        return TriggerAnswer(message=_said(done), result=_result(done), engine=said)


def usable(found: TelegramSession | None, absent: str = NO_SESSION) -> TelegramSession:
    """Return a session; raise NotFound where there is none, Conflict where it cannot read a channel."""
    if found is None:
        raise NotFound(absent) if absent == NO_SESSION else Conflict(absent)
    if found.state != TelegramState.ACTIVE:
        raise Conflict(STATES[found.state])
    if found.is_bot:
        raise Conflict("Its session is that of a bot, which cannot read what was posted in a channel.")
    return found


def stored_filters(given: Filters) -> dict[str, Any]:
    """Return filters as they are stored: those alone that say something."""
    return given.model_dump(mode="json", exclude_defaults=True)


def _followed(engine: Engine, user_id: int | None) -> str | None:
    """Let the engine follow; return the sentence on why it has not, with details for who runs the installation alone."""
    try:
        engine.follow()
    except EngineAway as error:
        return _away(f"It is stored. {BEHIND}", error, user_id)
    return None


def _away(said: str, error: EngineAway, user_id: int | None) -> str:
    logger.warning("%s", error)
    return f"{said} {error}" if user_id is None else said


def _address(field: str, given: str | int) -> Address:
    try:
        return address_of(given)
    except BadAddress as error:
        raise FieldRefused(field, str(error)) from None


def _put_channel(source: Source, of: TelegramSession, found: Resolved) -> None:
    source.session_id, source.channel_id, source.access_hash = of.id, found.id, found.access_hash
    source.channel_title, source.username = found.title[:300], found.username


def _said(done: Triggered) -> str:
    if done.made:
        return "The source is read as soon as a worker is free."
    return "The source is being read." if done.status != "pending" else "The source waits to be read already."


def _result(done: Triggered) -> TriggerResult:
    return TriggerResult(job_id=done.job_id, made=done.made, status=done.status.value, starts_at=done.starts_at)


def engine_of(db: Database) -> Engine:
    """Return what starts the crawls, which a request waits for no longer than a person does."""
    return chosen_engine(db, Clock(), wait=ENGINE_WAIT)


def no_stores(store: str, path: str) -> bool:
    """Stand for deleting files where a server was made without stores."""
    raise StoreAway("This server has no file stores: delete the source without its files.")
