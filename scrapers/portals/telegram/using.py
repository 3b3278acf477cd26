"""
How API and commands use a session: alone, within a deadline, and what Telegram says of it is written down.

A crawl takes the same lease in its own way. No transaction is open while Telegram is asked.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import select
from telethon import TelegramClient

from database.access.leases import Leases, holder
from database.engine import Database, now
from database.families.telegram import sessions
from database.models import Lease
from database.models.telegram import TelegramSession, TelegramState
from scrapers.core.outcomes import AccountBanned, Failure, FloodWait, SessionExpired, SessionRevoked
from scrapers.portals.telegram.client import SessionKey, account_of, connected, named_failures, state_of
from scrapers.portals.telegram.settings import TelegramSettings

T = TypeVar("T")
LOOK = 0.1  # seconds between two attempts to take a lease
MARGIN = 30.0  # seconds that a lease lasts longer than what is done under it
OURS = ("request", "command")  # what a holder's text begins with; a crawl's begins with its own name


class InUse(Exception):
    """Something else works with the session. The text is one sentence."""

    def __init__(self, by: str, since: datetime | None) -> None:
        at = f" since {since:%Y-%m-%d %H:%M:%S} UTC" if since is not None else ""
        super().__init__(f"This session is in use by {by}{at}: try again later.")


class NoSession(Exception):
    """There is no session of that id any more."""


def lease_of(name: str) -> str:
    """Return the lease on a session, by its id; for a key that is not stored yet by `passing`."""
    return f"run:telegram:{name}"


def passing(mark: str) -> str:
    """
    Return the name of the lease on a key that is not stored, by a text in hexadecimal that is the key's own.

    Rows of leases stay, so these share 256 names: at worst one key waits for another one.
    """
    return f"key-{mark[:2]}"


@contextmanager
def alone(db: Database, name: str, who: str, settings: TelegramSettings) -> Iterator[None]:
    """Hold the lease on a session; raise InUse where it does not become free in time. who: one of OURS."""
    mine, lease, leases = holder(f"{who}-{uuid4().hex}"), lease_of(name), Leases(db)
    deadline, pause = time.monotonic() + settings.busy_wait, threading.Event()
    while leases.acquire(lease, mine, settings.call_wait + MARGIN) is None:
        if time.monotonic() >= deadline:
            raise _in_use(db, lease)
        pause.wait(LOOK)
    try:
        yield
    finally:
        leases.release(lease, mine)


def ask(coroutine: Coroutine[Any, Any, T], settings: TelegramSettings) -> T:
    """Run a conversation with Telegram within TELEGRAM_CALL_WAIT; raise its failures by name."""

    async def bounded() -> T:
        with named_failures():
            async with asyncio.timeout(settings.call_wait):
                return await coroutine

    return asyncio.run(bounded())


def use(
    db: Database,
    session_id: str,
    work: Callable[[TelegramClient], Awaitable[T]],
    *,
    who: str,
    settings: TelegramSettings | None = None,
) -> T:
    """
    Do something as a stored session and return what came of it.

    Raises InUse, NoSession, and a Failure, after it is written to the session's row: FloodWait also without asking, until the
    wait's end.
    """
    settings = settings or TelegramSettings.current()

    async def working(key: SessionKey) -> T:
        async with connected(key, settings=settings) as client:
            await account_of(client)
            return await work(client)

    with alone(db, session_id, who, settings):
        with db.transaction() as session:
            row = session.get(TelegramSession, session_id)
            if row is None:
                raise NoSession
            key, waits_until, at = SessionKey.of(row), row.waits_until, now(session)
        if waits_until is not None and waits_until > at:
            raise FloodWait(f"It ends at {waits_until:%Y-%m-%d %H:%M:%S} UTC.", until=waits_until)
        try:
            result = ask(working(key), settings)
        except Failure as failure:
            note(db, session_id, failure)
            raise
        with db.transaction() as session:
            sessions.note_state(session, session_id, TelegramState.ACTIVE, None)
    return result


def note(db: Database, session_id: str, failure: Failure) -> None:
    """Write to a session's row what a failure says of it; one of the network says nothing."""
    state = state_of(failure)
    with db.transaction() as session:
        if isinstance(failure, FloodWait) and failure.until is not None:
            sessions.note_wait(session, session_id, failure.until)
        elif state is not None:
            sessions.note_state(session, session_id, state, str(failure))


async def nothing(client: TelegramClient) -> None:
    """Do nothing as a session: that its account is known was seen already."""


def check(db: Database, session_id: str, *, who: str, settings: TelegramSettings | None = None) -> Failure | None:
    """Ask Telegram whether a session works, and write down what it says; None: it does. Raises InUse, NoSession, FloodWait."""
    try:
        use(db, session_id, nothing, who=who, settings=settings)
    except FloodWait:
        raise
    except Failure as failure:
        return failure
    return None


ENDED = (SessionExpired, SessionRevoked, AccountBanned)  # a session that has failed so is to be signed in to again


def _in_use(db: Database, lease: str) -> InUse:
    with db.transaction() as session:
        found = session.execute(select(Lease.holder, Lease.taken_at).where(Lease.name == lease)).one_or_none()
    if found is None or not found.holder:
        return InUse("something else", None)
    word = found.holder.partition("-")[0]
    return InUse(f"another {word}" if word in OURS else "a crawl", found.taken_at)
