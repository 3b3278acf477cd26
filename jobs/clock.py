"""The one clock that everything in this room asks, so that a simulation can turn it."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from database.engine import now
from database.models.base import utc_now


class Readable(Protocol):
    """What has a descriptor: a pipe, a socket, a child."""

    def fileno(self) -> int:
        """Return the descriptor."""


class Clock:
    """The time of this machine, and inside a transaction that of the database."""

    def now(self, session: Session | None = None) -> datetime:
        """Return the present instant, aware, in UTC."""
        return utc_now() if session is None else now(session)

    def elapsed(self) -> float:
        """Return seconds that never run backwards, for what lasts."""
        return time.monotonic()

    def wait(self, seconds: float, wake: Sequence[Readable] = ()) -> bool:
        """Wait *seconds*, or until one of *wake* can be read from; return whether one can."""
        return bool(select.select(wake, (), (), max(seconds, 0))[0])


class TurnableClock(Clock):
    """A clock that stands still until it is turned; it may jump backwards, as those of machines do."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._elapsed = 0.0

    def now(self, session: Session | None = None) -> datetime:
        """Return the instant to which it was turned."""
        return self.at

    def elapsed(self) -> float:
        """Return the seconds by which it was turned forwards."""
        return self._elapsed

    def turn(self, to: datetime) -> None:
        """Set it to another instant."""
        self._elapsed += max((to - self.at).total_seconds(), 0)
        self.at = to

    def wait(self, seconds: float, wake: Sequence[Readable] = ()) -> bool:
        """Turn it on by *seconds* without waiting."""
        self.turn(self.at + timedelta(seconds=max(seconds, 0)))
        return False
