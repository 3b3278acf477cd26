"""
Users of the price watch: the codes that we send them, and their sign-ins.

Everything here is one short transaction of the caller's. A refusal is returned, never raised: what was counted must be
committed all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from database.access.addresses import storable
from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.access.guesses import Limits, Verdict, blocked, count, count_wrong, counter_of, network
from database.engine import now
from database.models.operators import Grant, PasskeyChallenge
from database.models.prices import AuthCode, AuthSession, OtpAttempt, Purpose, User, WatchlistItem
from database.upsert import ensure

CHANNELS = {
    Purpose.EMAIL_VERIFY: "email",
    Purpose.PHONE_VERIFY: "sms",
    Purpose.LOGIN: "sms",
    Purpose.EMAIL_CHANGE: "email",
    Purpose.PHONE_CHANGE: "sms",
    Purpose.ROOM: "email",
}
UNFINISHED = timedelta(days=1)  # after which a registration that was begun is forgotten
USED_EVERY = timedelta(minutes=1)  # between two notes of when a session was used last


# Users


def user_of(session: Session, email: str) -> User | None:
    """Return the user of a mail address in lower case."""
    return session.scalars(select(User).where(User.email == email)).one_or_none()


def is_taken(session: Session, email: str) -> bool:
    """Tell whether a mail address has a user who is more than a registration that was begun."""
    user = user_of(session, email)
    return user is not None and (user.is_registered or user.phone_number is None or has_role(session, user))


def has_role(session: Session, user: User) -> bool:
    """Tell whether a user may enter the control room, and so is none whose registration was only begun."""
    return session.get(Grant, user.id) is not None


def forget_unfinished(session: Session, email: str) -> None:
    """Delete a registration of an address that was begun and not finished."""
    begun = (User.email == email, User.two_factor_enabled.is_(False), User.phone_number.is_not(None))
    session.execute(delete(User).where(*begun, User.id.not_in(select(Grant.user_id))))


def begin_registration(session: Session, email: str, phone_number: str) -> User | None:
    """
    Return the user who registers, made or begun anew; None when the address is registered in full, or has a role.

    Beginning anew takes back what was verified: else somebody could put another phone number behind a verified address.
    """
    user = ensure(session, User, {"email": email}, {"created_at": now(session)})
    if user.is_registered or has_role(session, user):
        return None
    user.phone_number, user.email_verified_at, user.phone_verified_at = phone_number, None, None
    return user


def address_of(user: User | None, purpose: Purpose) -> str:
    """Return the address that a code of a purpose proves; empty where the user has none."""
    if user is None:
        return ""
    if purpose is Purpose.ROOM:
        return user.email
    if purpose is Purpose.EMAIL_VERIFY:
        # With the number: a code must not vouch for one that took its place afterwards.
        return f"{user.email} {user.phone_number}"
    changing = {Purpose.EMAIL_CHANGE: user.new_email, Purpose.PHONE_CHANGE: user.new_phone_number}
    return changing.get(purpose, user.phone_number) or ""


# Codes


def make_code(session: Session, user: User, purpose: Purpose, limits: Limits) -> str:
    """Return a new code of six digits; those before it of the same user and purpose are void."""
    code, at = f"{secrets.randbelow(10**6):06d}", now(session)
    open_ones = (AuthCode.user_id == user.id, AuthCode.purpose == purpose, AuthCode.consumed_at.is_(None))
    session.execute(update(AuthCode).where(*open_ones).values(consumed_at=at))
    made = AuthCode(user_id=user.id, purpose=purpose, channel=CHANNELS[purpose], created_at=at)
    made.code_hash = _code_hash(session, user.id, purpose, address_of(user, purpose), code)
    made.expires_at = at + limits.code_life
    session.add(made)
    session.flush()
    return code


def check_code(
    session: Session, user: User | None, purpose: Purpose, code: str, subject: str, client: str, limits: Limits
) -> Verdict:
    """
    Compare a code with the newest of a user and purpose, and use it up when it is right.

    subject: what was named as the user, also where there is none: the same statements are sent for both. client: network
    address that asks. Wrong ones are counted for subject, purpose and client, and for the code itself.
    """
    at = now(session)
    counter = counter_of(session, f"code\n{subject}\n{purpose}\n{network(client)}", at)
    if (refusal := blocked(counter, at)) is not None:
        return refusal
    user_id = user.id if user is not None else 0
    is_open = (
        AuthCode.user_id == user_id,
        AuthCode.purpose == purpose,
        AuthCode.consumed_at.is_(None),
        AuthCode.expires_at > at,
    )
    # Locked, so that guesses that come at once are counted one after another.
    newest = select(AuthCode).where(*is_open).order_by(AuthCode.id.desc()).limit(1).with_for_update()
    stored = session.scalars(newest.execution_options(populate_existing=True)).one_or_none()
    given = _code_hash(session, user_id, purpose, address_of(user, purpose), code)
    right = hmac.compare_digest(given, stored.code_hash if stored is not None else "0" * 64) and stored is not None
    if right:
        session.execute(update(AuthCode).where(*is_open).values(consumed_at=at))
        session.delete(counter)
        return Verdict(right=True)
    session.execute(update(AuthCode).where(*is_open).values(failures=AuthCode.failures + 1))
    session.execute(update(AuthCode).where(*is_open, AuthCode.failures >= limits.guesses).values(consumed_at=at))
    return count_wrong(counter, at, limits)


def count_sending(session: Session, purpose: str, address: str, limits: Limits) -> timedelta | None:
    """Count a code that is to be sent to an address; return how long to wait where it may not be sent yet."""
    at = now(session)
    sent = counter_of(session, f"send\n{purpose}\n{address}", at)
    hour = timedelta(hours=1)
    if sent.fail_count and at < sent.updated_at + limits.resend:
        return sent.updated_at + limits.resend - at
    if sent.fail_count >= limits.sendings and at < sent.window_started_at + hour:
        return sent.window_started_at + hour - at
    count(sent, at, hour)
    return None


def _code_hash(session: Session, user_id: int, purpose: Purpose, address: str, code: str) -> str:
    return fingerprint(own_key(session), "\n".join(("auth code", str(user_id), purpose, address, code)))


# Sessions


def open_session(session: Session, user: User, user_agent: str, limits: Limits) -> str:
    """Return the token of a new session of a user."""
    token, at = secrets.token_urlsafe(32), now(session)
    made = AuthSession(user_id=user.id, token_hash=token_hash(token), user_agent=storable(user_agent)[:200])
    made.created_at = made.last_used_at = at
    made.expires_at = at + limits.session_life
    session.add(made)
    session.flush()
    return token


def session_of(session: Session, token: str) -> tuple[AuthSession, User] | None:
    """Return the session of a token and its user; None when there is none, or it has ended."""
    at = now(session)
    query = (
        select(AuthSession, User)
        .join(User, User.id == AuthSession.user_id)
        .where(AuthSession.token_hash == token_hash(token), AuthSession.revoked_at.is_(None))
        .where(AuthSession.expires_at > at)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    if found[0].last_used_at < at - USED_EVERY:
        found[0].last_used_at = at
    return found[0], found[1]


def sessions_of(session: Session, user_id: int) -> list[AuthSession]:
    """Return the open sessions of a user, the newest first."""
    query = select(AuthSession).where(*_open_of(user_id, now(session)))
    return list(session.scalars(query.order_by(AuthSession.id.desc())))


def revoke(session: Session, user_id: int, ids: Iterable[int] | None = None, but: int | None = None) -> int:
    """End sessions of a user, and return how many. ids: those alone; None: all. but: this one stays."""
    at = now(session)
    query = update(AuthSession).where(*_open_of(user_id, at))
    if ids is not None:
        query = query.where(AuthSession.id.in_(list(ids)))
    if but is not None:
        query = query.where(AuthSession.id != but)
    return len(session.scalars(query.values(revoked_at=at).returning(AuthSession.id)).all())


def revoke_token(session: Session, token: str) -> None:
    """End the session of a token, if there is one."""
    of_token = (AuthSession.token_hash == token_hash(token), AuthSession.revoked_at.is_(None))
    session.execute(update(AuthSession).where(*of_token).values(revoked_at=now(session)))


def _open_of(user_id: int, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None), AuthSession.expires_at > at


def token_hash(token: str) -> str:
    """Return what is stored of a token of 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def purge_sign_ins(session: Session) -> int:
    """Delete codes, sessions, challenges and counters that have ended, and registrations that were never finished; return how many."""
    at = now(session)
    day = at - UNFINISHED
    unfinished = (User.two_factor_enabled.is_(False), User.created_at < day)
    recent = select(AuthCode.user_id).where(AuthCode.created_at >= day)
    # Those of the routes without sign-in were never registered, and have items.
    kept = select(WatchlistItem.user_id).union(select(Grant.user_id))
    gone = 0
    for query in (
        delete(AuthCode).where(AuthCode.expires_at < day),
        delete(AuthSession).where(or_(AuthSession.expires_at < at, AuthSession.revoked_at < day)),
        delete(OtpAttempt).where(OtpAttempt.updated_at < day),
        delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < at),
        delete(User).where(*unfinished, User.phone_number.is_not(None), User.id.not_in(recent), User.id.not_in(kept)),
    ):
        gone += session.execute(query).rowcount  # type: ignore[attr-defined]
    return gone
