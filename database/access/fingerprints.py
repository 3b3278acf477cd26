"""Fingerprints: HMACs by which a secret or a message is compared without being stored."""

from __future__ import annotations

import secrets
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.access.encryption import fingerprint, key_ring
from database.dialects import postgresql, sqlite
from database.models import FingerprintKey
from database.models.base import utc_now

_known: WeakKeyDictionary[Any, bytes] = WeakKeyDictionary()  # by engine: a key never changes


def fingerprints(session: Session, text: str) -> list[str]:
    """
    Return the HMAC-SHA256 of *text*, first under the key of this installation: compare with any, store the first.

    That key is random and stored encrypted, so a fingerprint means the same after every rotation of the encryption keys. The
    others are what earlier versions stored, under the encryption keys themselves.
    """
    return [fingerprint(own_key(session), text), *key_ring().fingerprints(text)]


def own_key(session: Session) -> bytes:
    """Return the key of this installation's fingerprints, made when there is none."""
    engine = session.get_bind().engine
    key = _known.get(engine)
    if key is None:
        stored = session.scalar(select(FingerprintKey.value))
        if stored is not None:
            key = _known[engine] = bytes.fromhex(stored)
        else:
            insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
            made = insert(FingerprintKey).values(id=1, value=secrets.token_hex(32), created_at=utc_now())
            session.execute(made.on_conflict_do_nothing())
            # Not remembered yet: this transaction may still be rolled back.
            key = bytes.fromhex(session.execute(select(FingerprintKey.value)).scalar_one())
    return key
