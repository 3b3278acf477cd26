"""
Sessions of Telegram accounts: stored, found, changed, and what their tests have shown.

Everything here is part of a short transaction of the caller's. user_id None is the installation, whose sessions are those
of the command line. Phone numbers and keys are compared by fingerprints.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.engine import now
from database.models.prices import User
from database.models.telegram import Source, TelegramSession, TelegramState

LONGEST_NAME = 200
LIVING = (TelegramState.ACTIVE, TelegramState.INACTIVE)  # the others have ended, and are signed in to again


class SessionRefused(Exception):
    """A session cannot be stored, changed or deleted as it stands. The text is one sentence without a secret."""


@dataclass(frozen=True, slots=True)
class ProvedSession:
    """A session whose account Telegram has named."""

    api_id: int
    api_hash: str = field(repr=False)
    session_string: str = field(repr=False)
    auth_key: bytes = field(repr=False)
    account_id: int
    phone_number: str | None = field(repr=False)  # with "+"; None: of a bot
    is_bot: bool = False


def phone_number(text: str) -> str:
    """
    Return a phone number as it is compared; raise ValueError for what is none.

    >>> phone_number(" 1 (201) 555-0100")
    '+12015550100'
    """
    digits = re.sub(r"[\s()./-]", "", text).removeprefix("+")
    if not re.fullmatch(r"[1-9][0-9]{6,14}", digits):
        raise ValueError("that is no phone number; it looks like +12015550100")
    return f"+{digits}"


def default_name(number: str | None) -> str:
    """
    Return the name of a session that was given none; it is stored in clear, so it tells no more than the number's end.

    >>> default_name("+12015550100")
    'Session …00'
    """
    return f"Session …{number[-2:]}" if number else "Session of a bot"


def phone_mark(session: Session, number: str) -> str:
    """Return the fingerprint of a phone number."""
    return fingerprint(own_key(session), f"telegram phone\n{number}")


def key_mark(session: Session, auth_key: bytes) -> str:
    """Return the fingerprint of an authorization key."""
    return fingerprint(own_key(session), f"telegram key\n{auth_key.hex()}")


# Looking up


def of(session: Session, session_id: str, user_id: int | None) -> TelegramSession | None:
    """Return an owner's session; None where there is none of that id, or it is another owner's."""
    row = session.get(TelegramSession, session_id)
    return row if row is not None and row.user_id == user_id else None


def all_of(session: Session, user_id: int | None, *, skip: int = 0, limit: int | None = None) -> list[TelegramSession]:
    """Return the sessions of an owner, the oldest first."""
    return list(session.scalars(_of_owner(user_id).order_by(*_OLDEST_FIRST).offset(skip).limit(limit)))


def count_of(session: Session, user_id: int | None) -> int:
    """Return how many sessions an owner has."""
    return session.scalar(select(func.count()).select_from(_of_owner(user_id).subquery())) or 0


def every(session: Session) -> list[TelegramSession]:
    """Return the sessions of all owners, for who runs the installation."""
    return list(session.scalars(select(TelegramSession).order_by(*_OLDEST_FIRST)))


def for_public(session: Session, reference: str, user_id: int | None) -> TelegramSession | None:
    """Return the session with which an owner reads public channels: an own one by id, or the installation's by id or name."""
    own = of(session, reference, user_id) or of(session, reference, None)
    if own is not None:
        return own
    named = select(TelegramSession).where(TelegramSession.user_id.is_(None), TelegramSession.name == reference)
    return session.scalars(named.order_by(*_OLDEST_FIRST).limit(1)).one_or_none()


def of_phone(session: Session, number: str, user_id: int | None) -> TelegramSession | None:
    """Return the session that an owner has of a phone number."""
    wanted = _of_owner(user_id).where(TelegramSession.phone_fingerprint == phone_mark(session, number))
    return session.scalars(wanted.order_by(*_OLDEST_FIRST).limit(1)).one_or_none()


def works_for(session: Session, number: str, user_id: int | None) -> bool:
    """Tell whether an owner has a session of a phone number that has not ended."""
    row = of_phone(session, number, user_id)
    return row is not None and row.state in LIVING


def is_stored(session: Session, mark: str) -> bool:
    """Tell whether a key of that fingerprint is stored, for any owner."""
    return session.scalar(select(TelegramSession.id).where(TelegramSession.key_fingerprint == mark)) is not None


def sources_with(session: Session, session_id: str) -> int:
    """Return how many sources use a session, those of all owners."""
    return source_counts(session, [session_id]).get(session_id, 0)


def source_counts(session: Session, session_ids: Sequence[str]) -> dict[str, int]:
    """Return how many sources use each of some sessions; those without one are left out."""
    wanted = select(Source.session_id, func.count()).where(Source.session_id.in_(session_ids))
    return {row[0]: row[1] for row in session.execute(wanted.group_by(Source.session_id))}


# Storing


def store(session: Session, new: ProvedSession, name: str, user_id: int | None) -> tuple[TelegramSession, bool]:
    """
    Store a session, and return its row and whether it is a new one.

    A session of the same account that can be used no more is renewed in its place, so that its sources go on. Raises
    SessionRefused where the account has one that works, or the key is stored already.
    """
    if user_id is not None:
        session.get_one(User, user_id, with_for_update=True)  # two that come at once are stored one after another
    mark = key_mark(session, new.auth_key)
    if is_stored(session, mark):
        raise SessionRefused("This session is stored already.")
    same = _of_owner(user_id).where(TelegramSession.account_id == new.account_id, TelegramSession.is_bot == new.is_bot)
    row = session.scalars(same.order_by(*_OLDEST_FIRST).limit(1).with_for_update()).one_or_none()
    if row is not None and row.state in LIVING:
        raise SessionRefused("This account has a session already: delete that first, or go on with it.")
    is_new, at = row is None, now(session)
    if row is None:
        row = TelegramSession(id=str(uuid4()), user_id=user_id, name=name, created_at=at)
    row.api_id, row.api_hash, row.session_string, row.key_fingerprint = (
        new.api_id,
        new.api_hash,
        new.session_string,
        mark,
    )
    row.account_id, row.is_bot, row.phone_number = new.account_id, new.is_bot, new.phone_number
    row.phone_fingerprint = None if new.phone_number is None else phone_mark(session, new.phone_number)
    row.state, row.message, row.waits_until = TelegramState.ACTIVE, None, None
    row.updated_at = row.last_checked_at = at
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:  # another owner has stored the same key in this moment
        raise SessionRefused("This session is stored already.") from None
    return row, is_new


def change(session: Session, row: TelegramSession, name: str | None, state: TelegramState | None) -> None:
    """Rename a session, or switch it on and off; raise SessionRefused for one that does not work."""
    if state is not None and state != row.state:
        if state not in LIVING or row.state not in LIVING:
            raise SessionRefused(f"This session is {row.state}: test it, or sign in again.")
        row.state, row.message = state, None
    row.name = row.name if name is None else name
    row.updated_at = now(session)


def delete(session: Session, row: TelegramSession) -> None:
    """Delete a session; raise SessionRefused while sources use it."""
    count = sources_with(session, row.id)
    if count:
        raise SessionRefused(f"{count} source{'s use' if count > 1 else ' uses'} this session: delete or change {'them' if count > 1 else 'it'} first.")  # fmt: skip
    session.delete(row)
    session.flush()


def note_state(session: Session, session_id: str, state: TelegramState, message: str | None) -> None:
    """
    Write down what Telegram has said of a session: that it works, or why not.

    One that was switched off stays so as long as it works.
    """
    row = session.get(TelegramSession, session_id, with_for_update=True)
    if row is None:
        return
    row.last_checked_at, row.message = now(session), message
    if not (state == TelegramState.ACTIVE and row.state == TelegramState.INACTIVE):
        row.state = state
    if row.waits_until is not None and row.waits_until <= row.last_checked_at:
        row.waits_until = None


def note_wait(session: Session, session_id: str, until: datetime) -> None:
    """Write down until when Telegram wants a pause of a session; an earlier end does not shorten a pause."""
    row = session.get(TelegramSession, session_id, with_for_update=True)
    if row is not None and (row.waits_until is None or row.waits_until < until):
        row.waits_until = until


_OLDEST_FIRST: Sequence[Any] = (TelegramSession.created_at, TelegramSession.id)


def _of_owner(user_id: int | None) -> Select[TelegramSession]:
    wanted = select(TelegramSession)
    if user_id is None:
        return wanted.where(TelegramSession.user_id.is_(None))
    return wanted.where(TelegramSession.user_id == user_id)
