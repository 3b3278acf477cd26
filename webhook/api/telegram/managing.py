"""What users do with their sessions: store a string, look, change, delete, test, list channels; for routes and pages alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.orm import Session
from werkzeug.exceptions import Conflict, NotFound

from database.engine import Database, now
from database.families.telegram import sessions
from database.families.telegram.sessions import ProvedSession, SessionRefused
from database.models.telegram import TelegramSession, TelegramState
from scrapers.core.outcomes import Failure
from scrapers.portals.telegram.client import MalformedSession, SessionKey, read_string, state_of
from scrapers.portals.telegram.dialogs import Channels, channels_of
from scrapers.portals.telegram.signing import prove
from scrapers.portals.telegram.using import ENDED, alone, ask, check, passing, use
from webhook.api.telegram.asking import NO_SESSION, Asking
from webhook.api.telegram.models import NewTelegramSession, SessionChange, SessionTest, Status, TelegramSessionAnswer

T = TypeVar("T")
WHO = "request"
STATUSES: dict[TelegramState, Status] = {
    TelegramState.EXPIRED: "expired",
    TelegramState.REVOKED: "revoked",
    TelegramState.BANNED: "banned",
}


class FieldRefused(Exception):
    """A field of a request was refused by more than its form. name: which; the text is one sentence."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(said)
        self.name = name


@dataclass(frozen=True)
class TelegramSessions:
    """The acts. A session of another owner is answered as one that is absent."""

    asking: Asking

    @property
    def db(self) -> Database:
        """The database."""
        return self.asking.db

    def own(self, session: Session, session_id: str, user_id: int) -> TelegramSession:
        """Return a session; raise NotFound for one that is absent or another owner's, in the same words."""
        row = sessions.of(session, session_id, user_id)
        if row is None:
            raise NotFound(NO_SESSION)
        return row

    def add(self, user_id: int, new: NewTelegramSession) -> tuple[TelegramSessionAnswer, bool]:
        """
        Store a session that was made elsewhere, after Telegram has named its account; return it, and whether it is new.

        Raises FieldRefused, and Conflict where it is stored already.
        """
        key = SessionKey(new.api_id, new.api_hash, new.session_string)
        proved = self.proved(key, "session_string")
        if new.phone_number is not None and proved.phone_number != new.phone_number:
            raise FieldRefused("phone_number", "The session belongs to another phone number.")
        return self.kept(user_id, proved, new.name)

    def proved(self, key: SessionKey, name: str) -> ProvedSession:
        """Let Telegram name the account of a session that is not stored yet. name: of the field that it came in."""
        try:
            auth_key = read_string(key.session_string, self.asking.settings).auth_key.key
        except MalformedSession as error:
            raise FieldRefused(name, str(error)) from None
        with self.db.transaction() as session:
            mark = sessions.key_mark(session, auth_key)
            # A crawl elsewhere may work with it: asking from here too would end its key.
            if sessions.is_stored(session, mark):
                raise Conflict("This session is stored already.")
        with self.asking.place(), alone(self.db, passing(mark), WHO, self.asking.settings):
            try:
                return ask(prove(key, self.asking.settings), self.asking.settings)
            except ENDED as failure:
                raise FieldRefused(name, str(failure)) from None

    def kept(self, user_id: int, proved: ProvedSession, name: str) -> tuple[TelegramSessionAnswer, bool]:
        """Store a session whose account is known; raise Conflict where that cannot be."""

        def keep(session: Session) -> tuple[TelegramSessionAnswer, bool]:
            row, is_new = sessions.store(session, proved, name, user_id)
            return told(session, row), is_new

        return self.within(keep)

    def all(self, user_id: int, skip: int, limit: int) -> tuple[list[TelegramSessionAnswer], int]:
        """Return the sessions of a user, and how many there are."""
        with self.db.transaction() as session:
            rows = sessions.all_of(session, user_id, skip=skip, limit=limit)
            used = sessions.source_counts(session, [row.id for row in rows])
            found = [told(session, row, used.get(row.id, 0)) for row in rows]
            return found, sessions.count_of(session, user_id)

    def one(self, user_id: int, session_id: str) -> TelegramSessionAnswer:
        """Return a session."""
        with self.db.transaction() as session:
            return told(session, self.own(session, session_id, user_id))

    def change(self, user_id: int, session_id: str, body: SessionChange) -> TelegramSessionAnswer:
        """Rename a session, or switch it on and off."""

        def act(session: Session) -> TelegramSessionAnswer:
            row = self.own(session, session_id, user_id)
            sessions.change(session, row, body.name, body.is_active)
            return told(session, row)

        return self.within(act)

    def delete(self, user_id: int, session_id: str) -> None:
        """Delete a session; raise Conflict while sources use it."""
        self.within(lambda session: sessions.delete(session, self.own(session, session_id, user_id)))

    def test(self, user_id: int, session_id: str) -> SessionTest:
        """Ask Telegram whether a session works."""
        with self.db.transaction() as session:
            self.own(session, session_id, user_id)
        with self.asking.place():
            failure = check(self.db, session_id, who=WHO, settings=self.asking.settings)
        with self.db.transaction() as session:
            row = self.own(session, session_id, user_id)
            return SessionTest(
                session_id=session_id,
                is_valid=failure is None,
                status=status_of(failure),
                message=str(failure) if failure is not None else row.message,
                is_active=row.state,
                last_checked_at=row.last_checked_at,
            )

    def channels(self, user_id: int, session_id: str, *, details: bool) -> Channels:
        """Return the channels that a session's account sees; raise Conflict for a session that is not active."""
        with self.db.transaction() as session:
            row = self.own(session, session_id, user_id)
            if row.state != TelegramState.ACTIVE:
                raise Conflict(f"This session is {row.state}: test it, or sign in again.")
            if row.is_bot:
                raise Conflict("This session is a bot's: Telegram lets bots list no channels.")
        with self.asking.place():
            found = use(
                self.db,
                session_id,
                lambda client: channels_of(client, details=details),
                who=WHO,
                settings=self.asking.settings,
            )
        if found.waits_until is not None:
            with self.db.transaction() as session:
                sessions.note_wait(session, session_id, found.waits_until)
        return found

    def within(self, act: Callable[[Session], T]) -> T:
        """Do something in a transaction; raise Conflict for what a session's state does not allow."""
        try:
            with self.db.transaction() as session:
                return act(session)
        except SessionRefused as error:
            raise Conflict(str(error)) from None


def told(session: Session, row: TelegramSession, sources: int | None = None) -> TelegramSessionAnswer:
    """Return a session as it is answered. sources: how many use it; None: not counted yet."""
    waits = row.waits_until if row.waits_until is not None and row.waits_until > now(session) else None
    return TelegramSessionAnswer(
        id=row.id,
        name=row.name,
        phone_number=row.phone_number,
        api_id=row.api_id,
        is_active=row.state,
        is_bot=row.is_bot,
        message=row.message,
        waits_until=waits,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_checked_at=row.last_checked_at,
        sources=sessions.sources_with(session, row.id) if sources is None else sources,
    )


def status_of(failure: Failure | None) -> Status:
    """Return what a test of a session has shown; all but Telegram's own word on it is `unreachable`."""
    if failure is None:
        return "active"
    state = state_of(failure)
    return STATUSES.get(state, "unreachable") if state is not None else "unreachable"
