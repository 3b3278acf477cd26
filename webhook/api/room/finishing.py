"""A sign-in that the user of a request finishes: its picture and the acts in its page, relayed in memory and kept nowhere."""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import g
from werkzeug.exceptions import NotFound

from database.access.assisted import end, of_user
from database.engine import Database
from database.models.assisted import AssistedSignIn, AssistedState
from scrapers.core.remote import LARGEST, Act, Ask, Broken, Picture, Seal, read_answer

ANSWER_SECONDS = 15.0  # longer than an act may take
AWAY = "away"  # the state of an open sign-in when its process cannot be reached
CANCELLED = "It was cancelled before it was the operator's turn."


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to see: the state of the sign-in, and a picture that is newer than the last one."""

    state: str
    picture: Picture | None = None


@dataclass(frozen=True)
class Finishing:
    """The sign-ins that operators finish, each for the operator alone who has asked for it."""

    db: Database

    def sign_in(self, number: int) -> AssistedSignIn:
        """Return a sign-in of the user of this request; raise NotFound for any other."""
        with self.db.transaction() as session:
            found = of_user(session, number, g.user.id)
        if found is None:
            raise NotFound("There is no such sign-in of yours.")
        return found

    def look(self, number: int, after: int) -> Look:
        """Return the state and a picture newer than *after*, which is waited for a moment. Raises NotFound."""
        found = self.sign_in(number)
        if found.state is not AssistedState.OPEN:
            return Look(found.state.value)
        told = _tell(found, do="look", after=after)
        if told is None:  # its time may have ended meanwhile
            now = self.sign_in(number).state
            return Look(AWAY if now is AssistedState.OPEN else now.value)
        return Look(found.state.value, told[1])

    def act(self, number: int, acts: Sequence[Act]) -> bool:
        """Do acts in the page; return whether all were done. Raises NotFound."""
        found = self.sign_in(number)
        if found.state is not AssistedState.OPEN:
            return False
        told = _tell(found, do="act", acts=list(acts))
        return told is not None and bool(told[0].get("done"))

    def cancel(self, number: int) -> None:
        """End the sign-in. Raises NotFound."""
        found = self.sign_in(number)
        if found.state is AssistedState.OPEN and _tell(found, do="stop") is not None:
            return  # its process says how it has ended
        with self.db.transaction() as session:
            end(session, number, None, CANCELLED)


def _tell(sign_in: AssistedSignIn, **ask: Any) -> tuple[dict[str, Any], Picture | None] | None:
    """Send a message to the browser's process and return what it answers; None when it cannot be reached."""
    if sign_in.address is None or sign_in.key is None:
        return None
    nonce, seal = secrets.token_urlsafe(16), Seal(sign_in.key)
    message = seal.close(Ask(nonce=nonce, **ask).model_dump_json().encode())
    # Straight to that address: no proxy of the environment is asked.
    connection = http.client.HTTPConnection(sign_in.address, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", "/", message)
        response = connection.getresponse()
        body = response.read(LARGEST)
        return read_answer(nonce, seal.open(body)) if response.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException, Broken):
        return None
    finally:
        connection.close()
