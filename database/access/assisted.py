"""
Sign-ins that an operator finishes from the control room, as rows: asked for by one, taken by one worker, ended once.

Each function is part of a short transaction of the caller's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database.engine import now
from database.models.assisted import AssistedSignIn, AssistedState
from database.models.audit import record
from database.models.prices import User
from database.processes import has_ended

WAITS = timedelta(minutes=2)  # for a worker
KEPT = timedelta(days=1)  # what has ended
NOT_TAKEN = "No worker has taken it: `scrapy worker` has to run, for this portal too."
LOST = "The process that signed in has ended without saying how."


class OneAtATime(Exception):
    """Another operator finishes a sign-in of that credential. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The sign-in that an operator wants to finish. job: of the entry of the inbox beside which that was asked for."""

    portal: str
    login: str
    username: str
    job: int


def ask(session: Session, user_id: int, wanted: Wanted) -> int:
    """Ask for a sign-in that a user finishes, and return its number; that of the one which is under way. Raises OneAtATime."""
    settle(session)
    at = now(session)
    session.execute(delete(AssistedSignIn).where(AssistedSignIn.ended_at < at - KEPT))
    key = {"login": wanted.login, "username": wanted.username, "ended_at": None}
    under_way = select(AssistedSignIn).filter_by(**key)
    there = session.scalars(under_way).one_or_none()
    if there is None:
        made = AssistedSignIn(user_id=user_id, portal=wanted.portal, asked_at=at, deadline=at + WAITS, **key)
        try:
            with session.begin_nested():
                session.add(made)
                session.flush()
                detail = {"job": wanted.job, "number": made.id}
                record(session, "sign_in.asked", f"{wanted.login} {wanted.username}", detail)
            there = made
        except IntegrityError:  # another request was faster
            there = session.scalars(under_way).one()
    if there.user_id != user_id:
        raise OneAtATime(f"{session.get_one(User, there.user_id).email} finishes this sign-in now: wait for its end.")
    return there.id


def of_user(session: Session, number: int, user_id: int) -> AssistedSignIn | None:
    """Return a sign-in that this user has asked for; None for any other."""
    settle(session)
    return session.scalars(select(AssistedSignIn).filter_by(id=number, user_id=user_id)).one_or_none()


def take(session: Session, process: str, life: timedelta, portals: Collection[str] | None) -> AssistedSignIn | None:
    """
    Take the oldest one that no worker has, and return it; None where there is none.

    process: the worker's signature. life: the time within which it ends. portals: those of the worker; None: all.
    """
    at = now(session)
    due = select(AssistedSignIn.id).where(AssistedSignIn.state == AssistedState.ASKED, AssistedSignIn.deadline > at)
    if portals is not None:
        due = due.where(AssistedSignIn.portal.in_(portals))
    number = session.scalar(due.order_by(AssistedSignIn.id).limit(1))
    if number is None:
        return None
    # Another worker may have been faster.
    still = (AssistedSignIn.id == number, AssistedSignIn.state == AssistedState.ASKED)
    values = {"state": AssistedState.STARTED, "process": process, "deadline": at + life}
    taken = session.scalar(update(AssistedSignIn).where(*still).values(values).returning(AssistedSignIn.id))
    return None if taken is None else session.get_one(AssistedSignIn, taken)


def started(session: Session, number: int) -> AssistedSignIn | None:
    """Return a sign-in that a worker has taken and that has not ended."""
    found = session.get(AssistedSignIn, number)
    return found if found is not None and found.state is AssistedState.STARTED else None


def open_to_operator(session: Session, number: int, address: str, key: str, until: datetime) -> bool:
    """Tell where the operator reaches the portal's page; return False when the sign-in was ended meanwhile."""
    values = {"state": AssistedState.OPEN, "address": address, "key": key, "until": until}
    return _change(session, number, values)


def close_to_operator(session: Session, number: int) -> None:
    """Take that back: the sign-in goes on without the operator, or ends."""
    _change(session, number, {"state": AssistedState.STARTED, "address": None, "key": None})


def end(session: Session, number: int, outcome: str | None, message: str) -> None:
    """Write down how a sign-in has ended, once. outcome: a code of `scrapers.core.outcomes`; None: not known."""
    found = session.get(AssistedSignIn, number, with_for_update=True)
    if found is None or found.ended_at is not None:
        return
    found.state, found.ended_at, found.outcome, found.message = AssistedState.ENDED, now(session), outcome, message
    found.address = found.key = None
    detail = {"number": number, "outcome": outcome}
    record(session, "sign_in.ended", f"{found.login} {found.username}", detail)


def settle(session: Session) -> None:
    """End those that no worker has taken in time, and those of processes that have ended."""
    at = now(session)
    for found in session.scalars(select(AssistedSignIn).where(AssistedSignIn.ended_at.is_(None))):
        if found.deadline <= at or (found.process is not None and has_ended(found.process)):
            end(session, found.id, None, NOT_TAKEN if found.state is AssistedState.ASKED else LOST)


def _change(session: Session, number: int, values: dict[str, object]) -> bool:
    still = (AssistedSignIn.id == number, AssistedSignIn.ended_at.is_(None))
    changed = session.scalar(update(AssistedSignIn).where(*still).values(values).returning(AssistedSignIn.id))
    return changed is not None
