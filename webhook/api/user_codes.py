"""The codes that users are sent: made and sent within limits, compared, and what is refused about them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import NoReturn

from flask import request
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadGateway, BadRequest, InternalServerError, TooManyRequests

from database.access import users
from database.access.guesses import Limits, Verdict
from database.engine import Database
from database.models.prices import Purpose, User
from jobs.mail import MailNotSent
from webhook.api.models import CodeSent, RegisterStart, WithCode
from webhook.api.requests import UserAccess, is_from_here
from webhook.api.sending import NotSent, Sender
from webhook.settings import PriceWatchSettings

logger = logging.getLogger(__name__)
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
class UserCodes:
    """Sends codes and compares them; what is refused is raised as an HTTP error. proxies: in front of us."""

    settings: PriceWatchSettings
    db: Database
    access: UserAccess
    sender: Sender
    proxies: int

    @property
    def limits(self) -> Limits:
        """The limits on codes and sessions."""
        return limits_of(self.settings)

    def begin(self, channel: str, subject: str, make: Callable[[], tuple[str | None, Message | None]]) -> CodeSent:
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
            return CodeSent(message=BEGUN, dev_code=make()[0])

        def send() -> None:
            message = make()[1]
            if message is not None:
                self.sender.send(message.channel, message.to, message.subject, message.text)

        self.sender.later(send)
        return CodeSent(message=BEGUN)

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

    def sent(self, said: str, made: tuple[str, Message]) -> CodeSent:
        """Send a code to a user who has proved who they are, and answer; raise BadGateway."""
        code, message = made
        if self.shows_codes():
            return CodeSent(message=said, dev_code=code)
        try:
            self.sender.send(message.channel, message.to, message.subject, message.text)
        except (MailNotSent, NotSent) as error:
            logger.error("A user was not sent a message: %s", error)
            raise BadGateway("The code could not be sent: begin again later.") from None
        return CodeSent(message=said)

    def judge(self, session: Session, user: User | None, purpose: Purpose, body: WithCode) -> Verdict:
        """Compare the code of a request with the newest one."""
        client = request.remote_addr or ""
        return users.check_code(session, user, purpose, body.code, body.email, client, self.limits)

    def tell(
        self,
        verdict: Verdict,
        wrong: str = "The code is wrong or has expired.",
        too_many: str = "Too many wrong codes: try again later.",
    ) -> None:
        """Raise BadRequest with *wrong* where it was, TooManyRequests with *too_many* for a client that is blocked."""
        if verdict.wait is not None:
            _too_soon(verdict.wait, too_many)
        if not verdict.right:
            raise BadRequest(wrong)

    def must_send(self, channel: str) -> None:
        """Raise InternalServerError where nothing can be sent that way."""
        if not self.shows_codes() and (missing := self.sender.missing(channel)):
            raise InternalServerError(missing)

    def shows_codes(self) -> bool:
        """Tell whether codes are in the answer: in development mode, to this machine alone."""
        return self.settings.auth_dev_mode and is_from_here(self.proxies)

    @property
    def minutes(self) -> str:
        """How long a code is good for, for people."""
        return f"{self.settings.auth_code_ttl_minutes:g}"


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


def _too_soon(wait: timedelta, said: str = "Too many codes were asked for: try again later.") -> NoReturn:
    raise TooManyRequests(said, retry_after=max(1, ceil(wait.total_seconds())))
