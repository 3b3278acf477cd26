"""What a visit needs to know of its source and session, read from the database before it begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from database.access.credentials import Credential
from database.models.telegram import Source, TelegramSession, TelegramState
from scrapers.core.jobs import ArgumentError, Plan
from scrapers.core.outcomes import AccountBanned, Failure, NotListed, SessionExpired, SessionInactive, SessionRevoked
from scrapers.families.messaging.arguments import SourceTarget
from scrapers.families.messaging.filters import Filters
from scrapers.families.messaging.settings import MessagingSettings
from scrapers.families.messaging.templates import below, folder_of

UNUSABLE: dict[TelegramState, type[Failure]] = {
    TelegramState.INACTIVE: SessionInactive,
    TelegramState.EXPIRED: SessionExpired,
    TelegramState.REVOKED: SessionRevoked,
    TelegramState.BANNED: AccountBanned,
}


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source with its session, as they stood when the visit began. No repr shows a secret."""

    id: str
    name: str
    channel_id: int
    access_hash: int | None
    username: str | None
    title: str
    types: tuple[str, ...]
    filters: Filters
    template: str  # of the path below the store, the source's folder in it
    unpacks: bool
    keeps_texts: bool
    last_message_id: int
    is_lent: bool  # its session is another owner's, for what everybody can read
    session_id: str
    state: TelegramState
    waits_until: datetime | None
    api_id: int
    api_hash: str = field(repr=False)
    session_string: str = field(repr=False)
    since: date | None = None
    again: bool = False

    def check_session(self) -> None:
        """Raise the failure of a session that cannot be used, before anything is sent."""
        if (failure := UNUSABLE.get(self.state)) is not None:
            raise failure


def read(session: Session, source_id: str, arguments: Any) -> SourceFacts:
    """Return the facts of a source; raise NotListed where it was deleted meanwhile."""
    source = session.get(Source, source_id)
    if source is None:
        raise NotListed("The source was deleted.")
    of = session.get_one(TelegramSession, source.session_id)
    template = source.path_template or MessagingSettings.current().sources_path
    return SourceFacts(
        source.id,
        source.name,
        source.channel_id,
        source.access_hash,
        source.username,
        source.channel_title,
        tuple(source.file_types),
        filters_of(source),
        below(folder_of(source.target_path, source.name), template),
        source.unpacks,
        source.keeps_texts if arguments.texts is None else arguments.texts,
        source.last_message_id,
        source.user_id != of.user_id,
        of.id,
        of.state,
        of.waits_until,
        of.api_id,
        of.api_hash,
        of.session_string,
        since=arguments.since,
        again=arguments.again,
    )


def filters_of(source: Source) -> Filters:
    """Return the filters of a source; raise ArgumentError where the row has others than we know."""
    try:
        return Filters(**source.filters)
    except (ValidationError, TypeError):
        raise ArgumentError(f"-a source={source.name}: its filters cannot be read.") from None


def plan_of(session: Session, source: Source, job_id: int | None = None) -> Plan:
    """
    Return the plan of a source.

    Its credential is its session: jobs of one session never run side by side, and those that wait for its owner go on when
    it changes. A session that cannot be used has no secret.
    """
    filters_of(source)
    of = session.get_one(TelegramSession, source.session_id)
    secret = of.session_string if of.state == TelegramState.ACTIVE else ""
    return Plan(
        SourceTarget(source=source.id),
        source.id,
        source.name,
        Credential("telegram", of.id, secret),
        job_id=job_id,
        store=source.target.value,
    )
