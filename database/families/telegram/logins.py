"""
Logins to Telegram that have begun: a code was sent, or a session was uploaded. Each becomes a session, or expires.

Everything here is part of a short transaction of the caller's.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete
from sqlalchemy.orm import Session

from database.engine import now
from database.models.telegram import LoginKind, TelegramLogin


def begin(
    session: Session,
    user_id: int | None,
    *,
    phone_number: str,
    api_id: int,
    api_hash: str,
    session_string: str,
    life: timedelta,
    phone_code_hash: str | None = None,
    account_id: int | None = None,
) -> TelegramLogin:
    """Store a login; one with the hash of a code is of a code, another one an upload whose account is proved."""
    at = now(session)
    row = TelegramLogin(
        id=str(uuid4()),
        user_id=user_id,
        kind=LoginKind.UPLOAD if phone_code_hash is None else LoginKind.CODE,
        phone_number=phone_number,
        api_id=api_id,
        api_hash=api_hash,
        session_string=session_string,
        phone_code_hash=phone_code_hash,
        account_id=account_id,
        created_at=at,
        expires_at=at + life,
    )
    session.add(row)
    session.flush()
    return row


def of(session: Session, login_id: str, user_id: int | None) -> TelegramLogin | None:
    """Return an owner's login; None where there is none of that id, or it is another owner's."""
    row = session.get(TelegramLogin, login_id, with_for_update=True)
    return row if row is not None and row.user_id == user_id else None


def has_expired(session: Session, row: TelegramLogin) -> bool:
    """Tell whether a login can be finished no more."""
    return row.expires_at <= now(session)


def count_failure(session: Session, row: TelegramLogin, guesses: int) -> int:
    """Count a wrong code or password, and return how many more may be given; with none left the login is deleted."""
    row.failures += 1
    left = max(0, guesses - row.failures)
    if not left:
        session.delete(row)
    session.flush()
    return left


def sweep(session: Session) -> int:
    """Delete the logins that have expired, and return how many."""
    gone = session.execute(delete(TelegramLogin).where(TelegramLogin.expires_at <= now(session)))
    return gone.rowcount  # type: ignore[attr-defined,no-any-return]
