"""Registering, signing in and out, and changing what is known of a user: what the API and the pages have in common."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Response, g, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden, NotFound

from database.access import users
from database.access.guesses import Verdict
from database.engine import now
from database.families.telegram.sources import remove_all
from database.models.base import utc_now
from database.models.prices import AuthSession, Purpose, User
from jobs.clock import Clock
from jobs.engines.chosen import chosen_engine
from webhook.api.models import CodeSent, RegisterStart, Token, UserAnswer, WithCode
from webhook.api.requests import bearer_token, cookie_token
from webhook.api.user_codes import UserCodes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Accounts(UserCodes):
    """The acts of users upon their accounts; what is refused is raised as an HTTP error with its sentence."""

    # Registration and sign-in

    def begin_registration(self, body: RegisterStart) -> CodeSent:
        """Send a code by mail, or a notice to an address that is registered; the answer is the same."""
        return self.begin("email", f"register\n{body.email}", lambda: self.registering(body))

    def verify_email(self, body: WithCode) -> CodeSent:
        """Compare the code of the mail, and send one to the phone."""
        self.access.count_visitor()
        self.must_send("sms")
        with self.db.transaction() as session:
            user = users.user_of(session, body.email)
            found = user if user is not None and user.phone_number is not None else None
            verdict = self.judge(session, found, Purpose.EMAIL_VERIFY, body)
            message = None
            if verdict.right and found is not None:
                found.email_verified_at = now(session)
                message = self.to_phone(session, found)
        self.tell(verdict)
        assert message is not None
        return self.sent("The mail address is verified; a code is on its way to the phone.", message)

    def verify_phone(self, body: WithCode) -> Token:
        """Compare the code of the text message: the registration is complete, and the user signed in."""

        def complete(session: Session, user: User) -> None:
            user.phone_verified_at, user.two_factor_enabled = now(session), True

        return self.sign_in(
            Purpose.PHONE_VERIFY,
            body,
            lambda user: user.email_verified_at is not None and not user.is_registered,
            complete,
        )

    def begin_sign_in(self, email: str) -> CodeSent:
        """Send a code by text message; the answer is the same for an address that is not registered."""
        return self.begin("sms", f"login\n{email}", lambda: self.logging_in(email))

    def finish_sign_in(self, body: WithCode) -> Token:
        """Compare the code of the text message, and sign the user in."""
        return self.sign_in(Purpose.LOGIN, body, lambda user: user.is_registered)

    def sign_out(self) -> None:
        """End the sign-ins of header and cookie, if they are any."""
        self.access.count_visitor()
        with self.db.transaction() as session:
            for token in filter(None, (bearer_token(), cookie_token(self.settings))):
                users.revoke_token(session, token)

    # The account of who is signed in

    def delete(self) -> None:
        """Delete the user with all items, checks, sources, codes and sign-ins; the schedules of sources go, too."""
        self.must_be_recent()
        engine = chosen_engine(self.db, Clock())
        with self.db.transaction() as session:
            if remove_all(session, g.user.id, now(session)):
                engine.note_behind(session, "It was not told yet that sources were deleted with their user.")
            session.delete(session.get_one(User, g.user.id))
        logger.info("A user was deleted")

    def sessions(self) -> list[AuthSession]:
        """Return the open sign-ins, the newest first."""
        with self.db.transaction() as session:
            return users.sessions_of(session, g.user.id)

    def end_sessions(self, *, keep_current: bool) -> None:
        """End all sign-ins, or all but the one that asks."""
        with self.db.transaction() as session:
            users.revoke(session, g.user.id, but=g.session.id if keep_current else None)

    def end_session(self, session_id: int) -> None:
        """End one sign-in."""
        with self.db.transaction() as session:
            if not users.revoke(session, g.user.id, [session_id]):
                raise NotFound("There is no such sign-in.")

    def begin_new_email(self, email: str) -> CodeSent:
        """Send a code to another mail address, which is to take the place of this one."""
        self.must_be_recent()
        user_id = g.user.id
        return self.begin("email", f"change\n{email}", lambda: self.changing_email(user_id, email))

    def begin_new_phone(self, number: str) -> CodeSent:
        """Send a code to another phone, which is to take the place of this one."""
        self.must_be_recent()
        user_id = g.user.id
        return self.begin("sms", f"change\n{number}", lambda: self.changing_phone(user_id, number))

    def sign_in(
        self,
        purpose: Purpose,
        body: WithCode,
        may: Callable[[User], bool],
        complete: Callable[[Session, User], None] = lambda session, user: None,
    ) -> Token:
        """Compare a code, and return a new token; the one that the browser had ends."""
        self.access.count_visitor()
        token = ""
        with self.db.transaction() as session:
            user = users.user_of(session, body.email)
            found = user if user is not None and may(user) else None
            verdict = self.judge(session, found, purpose, body)
            if verdict.right and found is not None:
                complete(session, found)
                token = self.enter(session, found)
                user_answer = UserAnswer.model_validate(found)
        self.tell(verdict)
        return Token(access_token=token, user=user_answer)

    def enter(self, session: Session, user: User) -> str:
        """Return the token of a new session of a user; the one that the browser had ends."""
        if before := cookie_token(self.settings):
            users.revoke_token(session, before)
        return users.open_session(session, user, request.headers.get("User-Agent", ""), self.limits)

    def change(self, purpose: Purpose, code: str) -> UserAnswer:
        """Put a new address in the place of the old one, end the other sign-ins, and tell the old mail address."""
        self.must_be_recent()
        try:
            with self.db.transaction() as session:
                user = session.get_one(User, g.user.id)
                before, verdict = user.email, self.changed(session, user, purpose, code)
                session.flush()
                answer = UserAnswer.model_validate(user)
        except IntegrityError:  # somebody has registered the address in this moment
            verdict = Verdict(right=False)
        self.tell(verdict)
        what = "mail address" if purpose is Purpose.EMAIL_CHANGE else "phone number"
        if self.sender.missing("email") is None:
            text = WAS_CHANGED.format(what=what)
            self.sender.later(lambda: self.sender.send("email", before, "Your price watch", text))
        return answer

    def changed(self, session: Session, user: User, purpose: Purpose, code: str) -> Verdict:
        """Compare a code, and when it is right put the new address in its place and end the other sign-ins."""
        is_email = purpose is Purpose.EMAIL_CHANGE
        asked_for = user.new_email if is_email else user.new_phone_number
        given = WithCode.model_construct(email=user.email, code=code)
        verdict = self.judge(session, user if asked_for else None, purpose, given)
        if not verdict.right or not asked_for:
            return verdict
        if is_email:
            if users.is_taken(session, asked_for):  # meanwhile
                return Verdict(right=False)
            users.forget_unfinished(session, asked_for)
            user.email, user.email_verified_at, user.new_email = asked_for, now(session), None
        else:
            user.phone_number, user.phone_verified_at, user.new_phone_number = asked_for, now(session), None
        users.revoke(session, user.id, but=g.session.id)
        return verdict

    # What is refused

    def must_be_recent(self) -> None:
        """Raise Forbidden where the sign-in is not recent: a token that was stolen takes no account over."""
        if utc_now() - g.session.created_at > timedelta(minutes=self.settings.auth_recent_minutes):
            raise Forbidden("Sign in again first: this needs a recent sign-in.")

    # The cookie

    def with_cookie(self, response: Response, token: str) -> Response:
        """Put a token into the browser's cookie."""
        response.set_cookie(
            self.settings.auth_cookie_name,
            token,
            max_age=int(self.limits.session_life.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=self.settings.auth_cookie_secure,
        )
        return response

    def without_cookie(self, response: Response) -> Response:
        """Take the cookie away."""
        response.delete_cookie(
            self.settings.auth_cookie_name,
            httponly=True,
            samesite="Lax",
            secure=self.settings.auth_cookie_secure,
        )
        return response


WAS_CHANGED = """\
The {what} of your user at the price watch was changed, and all other sign-ins were ended. If that was not you, ask the
operator for help at once.
"""
