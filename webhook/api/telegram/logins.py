"""How users sign in to Telegram here: by a code in two steps, or by the file of a session; for routes and pages alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest, Conflict, NotFound, TooManyRequests

from database.access.guesses import Limits
from database.access.users import count_sending
from database.engine import now
from database.families.telegram import logins, sessions
from database.families.telegram.sessions import ProvedSession
from database.models.telegram import LoginKind, TelegramLogin
from scrapers.portals.telegram.client import MalformedSession, SessionKey, read_string
from scrapers.portals.telegram.signing import (
    AppRefused,
    CodeExpired,
    NumberRefused,
    PasswordNeeded,
    WrongCode,
    WrongPassword,
    give_code,
    read_file,
    send_code,
)
from scrapers.portals.telegram.using import alone, ask, passing
from webhook.api.telegram.asking import Asking, wait_for
from webhook.api.telegram.managing import WHO, FieldRefused, TelegramSessions, told
from webhook.api.telegram.models import FileTaken, Finalized, OtpGiven, OtpSent, OtpStart, TelegramSessionAnswer

NO_LOGIN = "There is no such login."
EXPIRED = "The login has expired: begin anew."
TOO_MANY = "That was wrong too often: begin anew with another code."


@dataclass(frozen=True)
class TelegramLogins:
    """The acts. A login of another user is answered as one that is absent."""

    asking: Asking
    sessions: TelegramSessions

    def send(self, user_id: int, body: OtpStart) -> OtpSent:
        """Let Telegram send a code; raise FieldRefused, Conflict, TooManyRequests."""
        settings, db = self.asking.settings, self.asking.db
        limits = Limits(resend=timedelta(seconds=settings.code_seconds), sendings=settings.codes_per_hour)
        with db.transaction() as session:
            if sessions.works_for(session, body.phone_number, user_id):
                raise Conflict("This phone number has a session already: delete that first, or go on with it.")
        with self.asking.place():
            with db.transaction() as session:
                wait = count_sending(session, "telegram", body.phone_number, limits)
                until = now(session) + wait if wait is not None else None
            if until is not None:
                wait_for(until, f"Codes for this phone number rest until {until:%Y-%m-%d %H:%M:%S} UTC.")
            try:
                sent = ask(send_code(body.api_id, body.api_hash, body.phone_number, settings), settings)
            except NumberRefused as error:
                raise FieldRefused("phone_number", str(error)) from None
            except AppRefused as error:
                raise FieldRefused("api_id", str(error)) from None
        minutes = settings.login_minutes
        with db.transaction() as session:
            row = logins.begin(
                session,
                user_id,
                phone_number=body.phone_number,
                api_id=body.api_id,
                api_hash=body.api_hash,
                session_string=sent.session_string,
                phone_code_hash=sent.phone_code_hash,
                life=timedelta(minutes=minutes),
            )
            return OtpSent(
                temp_session_id=row.id,
                phone_number=body.phone_number,
                message="Telegram sends a code: to its apps on other devices, else by text message.",
                expires_in_minutes=minutes,
            )

    def give(self, user_id: int, body: OtpGiven) -> tuple[TelegramSessionAnswer, bool]:
        """
        Give the code, and the password where one is wanted; return the session, and whether it is new.

        A wrong one leaves the login as it is, up to TELEGRAM_LOGIN_GUESSES of them.
        """
        login_id = str(body.temp_session_id)
        _, number, code_hash = self._open(user_id, login_id)
        if code_hash is not None and not body.code:
            raise FieldRefused("code", "The code is missing.")
        with self.asking.place(), alone(self.asking.db, passing(login_id), WHO, self.asking.settings):
            # Once more: guesses that came at once may have ended the login meanwhile.
            key, number, code_hash = self._open(user_id, login_id)
            conversation = give_code(key, number, code_hash, body.code or "", body.password, self.asking.settings)
            try:
                proved = ask(conversation, self.asking.settings)
            except WrongCode:
                self._wrong(user_id, login_id, "The code is wrong.")
            except WrongPassword as error:
                self._wrong(user_id, login_id, "The password is wrong.", error.session_string)
            except PasswordNeeded as error:
                self._code_taken(user_id, login_id, error.session_string)
                raise BadRequest(
                    "The code was right; the account has a password: send it with the next call."
                ) from None
            except (CodeExpired, NumberRefused) as error:
                self.drop(user_id, login_id)
                raise BadRequest(str(error)) from None
        return self._finish(user_id, login_id, proved, body.session_name or sessions.default_name(number))

    def upload(self, user_id: int, api_id: int, api_hash: str, content: bytes) -> FileTaken:
        """Take the file of a session, after Telegram has named its account; raise FieldRefused."""
        try:
            text = read_file(content)
        except MalformedSession as error:
            raise FieldRefused("file", str(error)) from None
        proved = self.sessions.proved(SessionKey(api_id, api_hash, text), "file")
        minutes = self.asking.settings.upload_minutes
        with self.asking.db.transaction() as session:
            row = logins.begin(
                session,
                user_id,
                phone_number=proved.phone_number or "",
                api_id=api_id,
                api_hash=api_hash,
                session_string=proved.session_string,
                account_id=proved.account_id,
                life=timedelta(minutes=minutes),
            )
            return FileTaken(
                temp_session_id=row.id,
                phone_number=proved.phone_number,
                message="The session works: finalize it under a name.",
                expires_in_minutes=minutes,
            )

    def finalize(self, user_id: int, body: Finalized) -> tuple[TelegramSessionAnswer, bool]:
        """Keep an uploaded session; raise Conflict for a login whose account Telegram has not named."""
        login_id = str(body.temp_session_id)
        with self.asking.db.transaction() as session:
            row = self._living(session, user_id, login_id)
            if row is not None and (row.kind != LoginKind.UPLOAD or row.account_id is None):
                raise Conflict("This login was never verified: give the code that was sent.")
            proved = self._proved(row) if row is not None else None
        if proved is None:
            raise BadRequest(EXPIRED)
        return self._finish(user_id, login_id, proved, body.name)

    def drop(self, user_id: int, login_id: str) -> None:
        """Delete a login that has begun."""
        with self.asking.db.transaction() as session:
            session.delete(self._own(session, user_id, login_id))

    def _own(self, session: Session, user_id: int, login_id: str) -> TelegramLogin:
        row = logins.of(session, login_id, user_id)
        if row is None:
            raise NotFound(NO_LOGIN)
        return row

    def _living(self, session: Session, user_id: int, login_id: str) -> TelegramLogin | None:
        """Return a login; None for one that has expired, which is deleted: the caller says so after the commit."""
        row = self._own(session, user_id, login_id)
        if not logins.has_expired(session, row):
            return row
        session.delete(row)
        return None

    def _open(self, user_id: int, login_id: str) -> tuple[SessionKey, str, str | None]:
        """Return key, phone number and the code's hash of a login that waits for its code or password."""
        with self.asking.db.transaction() as session:
            row = self._living(session, user_id, login_id)
            if row is not None and row.kind != LoginKind.CODE:
                raise Conflict("This login was uploaded: finalize it.")
            found = None if row is None else (SessionKey.of(row), row.phone_number, row.phone_code_hash)
        if found is None:
            raise BadRequest(EXPIRED)
        return found

    def _wrong(self, user_id: int, login_id: str, said: str, session_string: str | None = None) -> NoReturn:
        """Count what was wrong, and say it. session_string: after the code was taken."""
        with self.asking.db.transaction() as session:
            row = self._own(session, user_id, login_id)
            if session_string is not None:
                row.session_string, row.phone_code_hash = session_string, None
            left = logins.count_failure(session, row, self.asking.settings.login_guesses)
        if not left:
            raise TooManyRequests(TOO_MANY)
        raise BadRequest(f"{said} {left} more {'tries' if left > 1 else 'try'}.")

    def _code_taken(self, user_id: int, login_id: str, session_string: str) -> None:
        with self.asking.db.transaction() as session:
            row = self._own(session, user_id, login_id)
            row.session_string, row.phone_code_hash = session_string, None

    def _finish(
        self, user_id: int, login_id: str, proved: ProvedSession, name: str
    ) -> tuple[TelegramSessionAnswer, bool]:
        """Make a session of a login."""

        def act(session: Session) -> tuple[TelegramSessionAnswer, bool]:
            login = self._own(session, user_id, login_id)
            row, is_new = sessions.store(session, proved, name, user_id)
            session.delete(login)
            return told(session, row), is_new

        return self.sessions.within(act)

    def _proved(self, row: TelegramLogin) -> ProvedSession:
        assert row.account_id is not None  # its caller has looked
        return ProvedSession(
            api_id=row.api_id,
            api_hash=row.api_hash,
            session_string=row.session_string,
            auth_key=read_string(row.session_string, self.asking.settings).auth_key.key,
            account_id=row.account_id,
            phone_number=row.phone_number or None,
            is_bot=not row.phone_number,
        )
