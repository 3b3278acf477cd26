"""Passkeys of users of the control room, and the challenges that they sign: each is good once, in the browser that asked for it."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.access.users import token_hash
from database.engine import now
from database.models.audit import record
from database.models.operators import ChallengePurpose, Grant, Passkey, PasskeyChallenge
from database.models.prices import User

CHALLENGE_LIFE = timedelta(minutes=5)
MOST = 20  # passkeys of one user


# Challenges


def make_challenge(session: Session, purpose: ChallengePurpose, browser: str) -> str:
    """
    Return a new challenge: base64url of 32 random bytes, of which only a hash is stored.

    browser: secret text of the session of the browser that asks.
    """
    challenge = secrets.token_urlsafe(32)
    made = PasskeyChallenge(challenge_hash=token_hash(challenge), browser_hash=token_hash(browser), purpose=purpose)
    made.expires_at = now(session) + CHALLENGE_LIFE
    session.add(made)
    session.flush()
    return challenge


def use_challenge(session: Session, purpose: ChallengePurpose, browser: str, challenge: str) -> bool:
    """Use up a challenge; return False when it was used, has expired, or was made for another browser or purpose."""
    used = (
        delete(PasskeyChallenge)
        .where(PasskeyChallenge.challenge_hash == token_hash(challenge), PasskeyChallenge.purpose == purpose)
        .where(PasskeyChallenge.browser_hash == token_hash(browser), PasskeyChallenge.expires_at > now(session))
        .returning(PasskeyChallenge.id)
    )
    return session.execute(used).scalar_one_or_none() is not None


# Passkeys


def user_handle(session: Session, user_id: int) -> bytes:
    """Return the 32 bytes by which devices know a user, and which tell nothing of the user to others."""
    return bytes.fromhex(fingerprint(own_key(session), f"passkeys of user\n{user_id}"))


def passkeys_of(session: Session, user_id: int) -> list[Passkey]:
    """Return the passkeys of a user, the oldest first."""
    return list(session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def find_passkey(session: Session, credential_id: str) -> tuple[Passkey, User] | None:
    """Return a passkey, locked until the end of the transaction, and its user; None when there is none of a user with a role."""
    query = (
        select(Passkey, User)
        .join(Grant, Grant.user_id == Passkey.user_id)
        .join(User, User.id == Grant.user_id)
        .where(Passkey.credential_id == credential_id)
        .with_for_update(of=Passkey)
    )
    found = session.execute(query.execution_options(populate_existing=True)).one_or_none()
    return None if found is None else (found[0], found[1])


def add_passkey(session: Session, user: User, name: str, credential_id: str, public_key: str, sign_count: int) -> None:
    """Store a passkey. Raises IntegrityError where it is stored already."""
    made = Passkey(user_id=user.id, name=name, credential_id=credential_id, public_key=public_key)
    made.sign_count, made.created_at = sign_count, now(session)
    session.add(made)
    session.flush()
    record(session, "user.passkey_added", user.email, {"name": name})


def remove_passkey(session: Session, user: User, passkey_id: int) -> bool:
    """Delete a passkey of a user; return False where the user has none of this id."""
    own = (Passkey.id == passkey_id, Passkey.user_id == user.id)
    name = session.execute(delete(Passkey).where(*own).returning(Passkey.name)).scalar_one_or_none()
    if name is None:
        return False
    record(session, "user.passkey_removed", user.email, {"name": name})
    return True
