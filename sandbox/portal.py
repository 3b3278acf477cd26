"""What the pages of a portal know: its people, codes, visits and sessions, on the ground of `PortalBase`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from aiohttp import web

from sandbox.base import PortalBase
from sandbox.messages import Gateway
from sandbox.signin import Codes, Passwords, Session, Sessions, Visits, digest
from sandbox.state import State


class PortalState(PortalBase):
    """
    The object that pages work on. A portal of several modules extends it in `sandbox/<word>/state.py`.

    passwords, codes, visits, sessions: the parts, see their classes.
    """

    def __init__(self, state: State, gateway: Gateway, urls: Mapping[str, str], own_hosts: bool = True) -> None:
        super().__init__(state, gateway, urls, own_hosts)
        self.passwords, self.visits = Passwords(self), Visits(self)
        self.codes, self.sessions = Codes(self, self.passwords), Sessions(self, self.passwords)

    def session(self, request: web.Request, origin: str = "") -> Session | None:
        """Return the live session of a request's cookie `session`, counting the request against its life."""
        session = self.sessions.use(request.cookies.get(self.cookie("session", origin)))
        if session is None:
            request["user"] = self.sessions.former_user(
                digest(request.cookies.get(self.cookie("session", origin)) or "")
            )
        else:
            mark(request, session)
        return session


def mark(request: web.Request, session: Session) -> None:
    """Have the journal name the session (by a digest) and the user of a request."""
    request["user"], request["session"] = session.user.name, hashlib.sha256(session.key.encode()).hexdigest()[:8]
