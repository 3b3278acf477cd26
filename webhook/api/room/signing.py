"""Signing in at the control room: by a code that is mailed, or by a link that `scrapy users` prints."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from sqlalchemy.orm import Session, object_session
from werkzeug.exceptions import BadRequest

from database.access import users
from database.access.roles import use_link
from database.actors import Actor, set_actor
from database.models.audit import record
from database.models.prices import Purpose, User
from webhook.api.accounts import Accounts
from webhook.api.models import CodeSent, Token, WithCode
from webhook.api.user_codes import Message

LONGEST_TOKEN = 200  # characters


@dataclass(frozen=True)
class RoomSigning:
    """The sign-ins of users with a role; what is refused is raised as an HTTP error."""

    accounts: Accounts

    def begin(self, email: str) -> CodeSent:
        """Send a code by mail; the answer is the same for an address without a role."""
        return self.accounts.begin("email", f"room\n{email}", lambda: self._code(email))

    def finish(self, body: WithCode) -> Token:
        """Compare the code of the mail, and sign the user in."""
        return self.accounts.sign_in(
            Purpose.ROOM, body, _has_role, lambda session, user: note_sign_in(session, user, "mail")
        )

    def by_link(self, given: str) -> str:
        """Return the token of a new sign-in for that of a link, or for the whole link, once. Raises BadRequest."""
        self.accounts.access.count_visitor()
        made = None
        with self.accounts.db.transaction() as session:
            user = use_link(session, given.rpartition("#")[2].strip()[:LONGEST_TOKEN])
            if user is not None:
                made = self.accounts.enter(session, user)
                note_sign_in(session, user, "link")
        if made is None:
            raise BadRequest("The link was used, or is older than ten minutes: make another with `scrapy users link`.")
        return made

    def _code(self, email: str) -> tuple[str | None, Message | None]:
        with self.accounts.db.transaction() as session:
            user = users.user_of(session, email)
            if user is None or not users.has_role(session, user):
                return None, None
            code = users.make_code(session, user, Purpose.ROOM, self.accounts.limits)
        text = FOR_ROOM.format(code=code, minutes=self.accounts.minutes)
        return code, Message("email", email, "Your code for Latchkey", text)


FOR_ROOM = """\
Your code: {code}

Enter it within {minutes} minutes to sign in at Latchkey's control room. If you did not ask for it, do not enter it anywhere.
"""


def _has_role(user: User) -> bool:
    session = object_session(user)
    return session is not None and users.has_role(session, user)


def note_sign_in(session: Session, user: User, by: str) -> None:
    """Write down that a user has signed in. by: mail, link or passkey."""
    set_actor(Actor(user.email, "web", request.remote_addr or ""))
    record(session, "user.signed_in", user.email, {"by": by})
