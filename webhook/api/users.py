"""The routes by which users register, sign in and out, and change what is known of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, NoReturn

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadGateway, BadRequest, Forbidden, InternalServerError, NotFound, TooManyRequests

from database.access import users
from database.access.users import Limits, Verdict
from database.engine import Database, now
from database.models.base import utc_now
from database.models.prices import AuthSession, Purpose, User
from jobs.mail import MailNotSent
from webhook.access import Caller, for_callers
from webhook.api.models import (
    CodeAlone,
    CodeSent,
    InvalidFields,
    KeepQuery,
    LoginStart,
    NewEmail,
    NewPhone,
    Problem,
    RegisterStart,
    SessionAnswer,
    SessionList,
    SessionPath,
    Token,
    UserAnswer,
    WithCode,
)
from webhook.api.requests import UserAccess, bearer_token, cookie_token, is_from_here
from webhook.api.sending import NotSent, Sender
from webhook.settings import PriceWatchSettings

logger = logging.getLogger(__name__)
USERS = Tag(name="users", description="Registering, signing in, and what is known of oneself")
BY_TOKEN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
ERRORS: dict[str | int, Any] = {422: InvalidFields, **dict.fromkeys((403, 429, 503), Problem)}
SIGNED_IN: dict[str | int, Any] = {401: Problem, **ERRORS}
SENDS: dict[str | int, Any] = {500: Problem, 502: Problem}
BEGUN = "If this can be done for the address, a code is on its way to it."


def limits_of(settings: PriceWatchSettings) -> Limits:
    """Return the limits on codes and sessions that the settings name."""
    return Limits(
        code_life=timedelta(minutes=settings.auth_code_ttl_minutes),
        session_life=timedelta(hours=settings.auth_session_ttl_hours),
        attempts=settings.auth_otp_max_attempts,
        window=timedelta(minutes=settings.auth_otp_window_minutes),
        block=timedelta(minutes=settings.auth_otp_block_minutes),
        guesses=settings.auth_code_guesses,
        resend=timedelta(seconds=settings.auth_resend_seconds),
        sendings=settings.auth_resend_cap,
    )


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to a user."""

    channel: str
    to: str
    subject: str
    text: str


@dataclass(frozen=True)
class UserRoutes:
    """Routes of registration, sign-in and account. proxies: in front of us."""

    settings: PriceWatchSettings
    db: Database
    access: UserAccess
    sender: Sender
    proxies: int

    @property
    def limits(self) -> Limits:
        """The limits on codes and sessions."""
        return limits_of(self.settings)

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("users", __name__, abp_tags=[USERS])
        self._add_registration(routes)
        self._add_sign_in(routes)
        self._add_account(routes)
        self._add_changes(routes)
        return routes

    def _add_registration(self, routes: APIBlueprint) -> None:
        @routes.post("/auth/register/start", responses={200: CodeSent, **SENDS, **ERRORS})
        @for_callers(Caller.ANYONE)
        def register_start(body: RegisterStart) -> dict[str, Any]:
            """
            Ask for a code by mail. An address that is registered gets a notice in its place.

            The answer is the same for both. Asking again replaces the phone number and the code.
            """
            return self.begin("email", f"register\n{body.email}", lambda: self.registering(body))

        @routes.post("/auth/register/verify-email", responses={200: CodeSent, 400: Problem, **SENDS, **ERRORS})
        @for_callers(Caller.ANYONE)
        def verify_email(body: WithCode) -> dict[str, Any]:
            """Show the code of the mail, and ask for one to the phone."""
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

        @routes.post("/auth/register/verify-phone", responses={200: Token, 400: Problem, **ERRORS})
        @for_callers(Caller.ANYONE)
        def verify_phone(body: WithCode) -> Response:
            """Show the code of the text message; the registration is complete, and the user signed in."""

            def complete(session: Session, user: User) -> None:
                user.phone_verified_at, user.two_factor_enabled = now(session), True

            return self.sign_in(
                Purpose.PHONE_VERIFY,
                body,
                lambda user: user.email_verified_at is not None and not user.is_registered,
                complete,
            )

    def _add_sign_in(self, routes: APIBlueprint) -> None:
        @routes.post("/auth/login/start", responses={200: CodeSent, **SENDS, **ERRORS})
        @for_callers(Caller.ANYONE)
        def login_start(body: LoginStart) -> dict[str, Any]:
            """Ask for a code by text message. The answer is the same for an address that is not registered."""
            return self.begin("sms", f"login\n{body.email}", lambda: self.logging_in(body.email))

        @routes.post("/auth/login/verify", responses={200: Token, 400: Problem, **ERRORS})
        @for_callers(Caller.ANYONE)
        def login_verify(body: WithCode) -> Response:
            """Show the code of the text message, and get a token."""
            return self.sign_in(Purpose.LOGIN, body, lambda user: user.is_registered)

        @routes.post("/auth/logout", responses={204: None, **ERRORS}, security=[{}, *BY_TOKEN])
        @for_callers(Caller.ANYONE)
        def logout() -> Response:
            """End the sign-ins of header and cookie, if they are any."""
            self.access.count_visitor()
            with self.db.transaction() as session:
                for token in filter(None, (bearer_token(), cookie_token(self.settings))):
                    users.revoke_token(session, token)
            return self.without_cookie(Response(status=204))

    def _add_account(self, routes: APIBlueprint) -> None:
        @routes.get("/me", responses={200: UserAnswer, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def me() -> dict[str, Any]:
            """Show who is signed in."""
            return told(g.user)

        @routes.delete("/me", responses={204: None, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def delete_me() -> Response:
            """Delete the user with all items, checks, codes and sign-ins. Needs a recent sign-in."""
            self.must_be_recent()
            with self.db.transaction() as session:
                session.delete(session.get_one(User, g.user.id))
            logger.info("A user was deleted")
            return self.without_cookie(Response(status=204))

        @routes.get("/me/sessions", responses={200: SessionList, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def sessions() -> Response:
            """List the open sign-ins, the newest first."""
            with self.db.transaction() as session:
                rows = users.sessions_of(session, g.user.id)
            return jsonify([_session(row) for row in rows])

        @routes.delete("/me/sessions", responses={204: None, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def end_sessions(query: KeepQuery) -> Response:
            """End all sign-ins, with `keep_current=true` all but the one that asks."""
            with self.db.transaction() as session:
                users.revoke(session, g.user.id, but=g.session.id if query.keep_current else None)
            response = Response(status=204)
            return response if query.keep_current else self.without_cookie(response)

        @routes.delete(
            "/me/sessions/<int:session_id>", responses={204: None, 404: Problem, **SIGNED_IN}, security=BY_TOKEN
        )
        @for_callers(Caller.USER)
        def end_session(path: SessionPath) -> Response:
            """End one sign-in."""
            with self.db.transaction() as session:
                if not users.revoke(session, g.user.id, [path.session_id]):
                    raise NotFound("There is no such sign-in.")
            return Response(status=204)

    def _add_changes(self, routes: APIBlueprint) -> None:
        answers: dict[str | int, Any] = {200: UserAnswer, 400: Problem, **SIGNED_IN}

        @routes.post("/me/email/start", responses={200: CodeSent, **SENDS, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def new_email(body: NewEmail) -> dict[str, Any]:
            """Ask for a code to another mail address, which takes the place of this one. Needs a recent sign-in."""
            self.must_be_recent()
            user_id = g.user.id
            return self.begin("email", f"change\n{body.email}", lambda: self.changing_email(user_id, body.email))

        @routes.post("/me/email/verify", responses=answers, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def verify_new_email(body: CodeAlone) -> dict[str, Any]:
            """Show the code of the mail: the address is changed, and all other sign-ins end."""
            return self.change(Purpose.EMAIL_CHANGE, body.code)

        @routes.post("/me/phone/start", responses={200: CodeSent, **SENDS, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def new_phone(body: NewPhone) -> dict[str, Any]:
            """Ask for a code to another phone, which takes the place of this one. Needs a recent sign-in."""
            self.must_be_recent()
            user_id = g.user.id
            return self.begin(
                "sms", f"change\n{body.phone_number}", lambda: self.changing_phone(user_id, body.phone_number)
            )

        @routes.post("/me/phone/verify", responses=answers, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def verify_new_phone(body: CodeAlone) -> dict[str, Any]:
            """Show the code of the text message: the number is changed, and all other sign-ins end."""
            return self.change(Purpose.PHONE_CHANGE, body.code)

    # Codes

    def begin(
        self, channel: str, subject: str, make: Callable[[], tuple[str | None, Message | None]]
    ) -> dict[str, Any]:
        """
        Make a code and send it, after the request: answer and time are the same whether there is such a user or not.

        subject: what sendings are counted for. make: looks up the user; returns the code, and what is to be sent.
        """
        self.access.count_visitor()
        shows = self.shows_codes()
        if not shows:
            self.must_send(channel)
        with self.db.transaction() as session:
            wait = users.count_sending(session, channel, subject, self.limits)
        if wait is not None:
            _too_soon(wait)
        if shows:
            return CodeSent(message=BEGUN, dev_code=make()[0]).model_dump(mode="json")

        def send() -> None:
            message = make()[1]
            if message is not None:
                self.sender.send(message.channel, message.to, message.subject, message.text)

        self.sender.later(send)
        return CodeSent(message=BEGUN).model_dump(mode="json")

    def registering(self, body: RegisterStart) -> tuple[str | None, Message | None]:
        """Make the user and the code of a registration."""
        with self.db.transaction() as session:
            user = users.begin_registration(session, body.email, body.phone_number)
            if user is None:
                return None, Message("email", body.email, "Your price watch", IS_REGISTERED)
            code = users.make_code(session, user, Purpose.EMAIL_VERIFY, self.limits)
        text = FOR_REGISTRATION.format(code=code, end=body.phone_number[-2:], minutes=self.minutes)
        return code, Message("email", body.email, "Your code for the price watch", text)

    def logging_in(self, email: str) -> tuple[str | None, Message | None]:
        """Make the code of a sign-in, if the address is registered."""
        with self.db.transaction() as session:
            user = users.user_of(session, email)
            if user is None or not user.is_registered:
                return None, None
            code = users.make_code(session, user, Purpose.LOGIN, self.limits)
            return code, self.text_message(user.phone_number or "", code)

    def changing_email(self, user_id: int, email: str) -> tuple[str | None, Message | None]:
        """Make the code of a change; an address that has a user gets a notice in its place."""
        with self.db.transaction() as session:
            user = session.get_one(User, user_id)
            if users.is_taken(session, email):
                return None, Message("email", email, "Your price watch", IS_REGISTERED)
            user.new_email = email
            code = users.make_code(session, user, Purpose.EMAIL_CHANGE, self.limits)
        text = FOR_CHANGE.format(code=code, minutes=self.minutes)
        return code, Message("email", email, "Your code for the price watch", text)

    def changing_phone(self, user_id: int, number: str) -> tuple[str | None, Message | None]:
        """Make the code of a change."""
        with self.db.transaction() as session:
            user = session.get_one(User, user_id)
            user.new_phone_number = number
            code = users.make_code(session, user, Purpose.PHONE_CHANGE, self.limits)
        return code, self.text_message(number, code)

    def to_phone(self, session: Session, user: User) -> tuple[str, Message]:
        """Make the code for the phone of a registration; raise TooManyRequests, so that nothing is changed."""
        number = user.phone_number or ""
        wait = users.count_sending(session, "sms", f"register\n{number}", self.limits)
        if wait is not None:
            _too_soon(wait)
        code = users.make_code(session, user, Purpose.PHONE_VERIFY, self.limits)
        return code, self.text_message(number, code)

    def text_message(self, number: str, code: str) -> Message:
        """Return the text message with a code."""
        return Message("sms", number, "", f"{code} is your code for the price watch. Give it to no one.")

    def sent(self, said: str, made: tuple[str, Message]) -> dict[str, Any]:
        """Send a code to a user who has proved who they are, and answer; raise BadGateway."""
        code, message = made
        if self.shows_codes():
            return CodeSent(message=said, dev_code=code).model_dump(mode="json")
        try:
            self.sender.send(message.channel, message.to, message.subject, message.text)
        except (MailNotSent, NotSent) as error:
            logger.error("A user was not sent a message: %s", error)
            raise BadGateway("The code could not be sent: begin again later.") from None
        return CodeSent(message=said).model_dump(mode="json")

    def judge(self, session: Session, user: User | None, purpose: Purpose, body: WithCode) -> Verdict:
        """Compare the code of a request with the newest one."""
        client = request.remote_addr or ""
        return users.check_code(session, user, purpose, body.code, body.email, client, self.limits)

    def sign_in(
        self,
        purpose: Purpose,
        body: WithCode,
        may: Callable[[User], bool],
        complete: Callable[[Session, User], None] = lambda session, user: None,
    ) -> Response:
        """Compare a code, and answer with a new token in body and cookie; the one that the browser had ends."""
        self.access.count_visitor()
        token = ""
        with self.db.transaction() as session:
            user = users.user_of(session, body.email)
            found = user if user is not None and may(user) else None
            verdict = self.judge(session, found, purpose, body)
            if verdict.right and found is not None:
                complete(session, found)
                if before := cookie_token(self.settings):
                    users.revoke_token(session, before)
                token = users.open_session(session, found, request.headers.get("User-Agent", ""), self.limits)
                user_answer = UserAnswer.model_validate(found)
        self.tell(verdict)
        response = jsonify(Token(access_token=token, user=user_answer).model_dump(mode="json"))
        response.set_cookie(
            self.settings.auth_cookie_name,
            token,
            max_age=int(self.limits.session_life.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=self.settings.auth_cookie_secure,
        )
        return response

    def change(self, purpose: Purpose, code: str) -> dict[str, Any]:
        """Put a new address in the place of the old one, end the other sign-ins, and tell the old mail address."""
        self.must_be_recent()
        try:
            with self.db.transaction() as session:
                user = session.get_one(User, g.user.id)
                before, verdict = user.email, self.changed(session, user, purpose, code)
                session.flush()
                answer = told(user)
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

    def tell(self, verdict: Verdict) -> None:
        """Raise BadRequest for a wrong code, TooManyRequests for a client that is blocked."""
        if verdict.wait is not None:
            _too_soon(verdict.wait, "Too many wrong codes: try again later.")
        if not verdict.right:
            raise BadRequest("The code is wrong or has expired.")

    def must_send(self, channel: str) -> None:
        """Raise InternalServerError where nothing can be sent that way."""
        if not self.shows_codes() and (missing := self.sender.missing(channel)):
            raise InternalServerError(missing)

    def must_be_recent(self) -> None:
        """Raise Forbidden where the sign-in is not recent: a token that was stolen takes no account over."""
        if utc_now() - g.session.created_at > timedelta(minutes=self.settings.auth_recent_minutes):
            raise Forbidden("Sign in again first: this needs a recent sign-in.")

    def shows_codes(self) -> bool:
        """Tell whether codes are in the answer: in development mode, to this machine alone."""
        return self.settings.auth_dev_mode and is_from_here(self.proxies)

    @property
    def minutes(self) -> str:
        """How long a code is good for, for people."""
        return f"{self.settings.auth_code_ttl_minutes:g}"

    def without_cookie(self, response: Response) -> Response:
        """Take the cookie away."""
        response.delete_cookie(
            self.settings.auth_cookie_name,
            httponly=True,
            samesite="Lax",
            secure=self.settings.auth_cookie_secure,
        )
        return response


FOR_REGISTRATION = """\
Your code: {code}

Somebody, most likely you, registers this mail address at the price watch, with a phone number that ends with {end}. Enter
the code within {minutes} minutes. If that was not you, or the number is not yours, do not enter it anywhere.
"""
FOR_CHANGE = """\
Your code: {code}

Enter it within {minutes} minutes, and this mail address takes the place of the one you have at the price watch. If that was
not you, do not enter it anywhere.
"""
IS_REGISTERED = """\
Somebody, most likely you, wanted to register this mail address at the price watch. It is registered already: sign in with
it. If that was not you, there is nothing to do.
"""
WAS_CHANGED = """\
The {what} of your user at the price watch was changed, and all other sign-ins were ended. If that was not you, ask the
operator for help at once.
"""


def told(user: User) -> dict[str, Any]:
    """Return a user as JSON."""
    return UserAnswer.model_validate(user).model_dump(mode="json")


def _session(row: AuthSession) -> dict[str, Any]:
    answer = SessionAnswer.model_validate(row).model_copy(update={"current": row.id == g.session.id})
    return answer.model_dump(mode="json")


def _too_soon(wait: timedelta, said: str = "Too many codes were asked for: try again later.") -> NoReturn:
    raise TooManyRequests(said, retry_after=max(1, ceil(wait.total_seconds())))
