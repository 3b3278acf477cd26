"""
Counters of wrong codes and passkeys, and of codes that are sent: who is blocked after too many, and for how long.

A counter is locked until the end of the caller's transaction. A refusal is returned, never raised: what was counted must be
committed all the same.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.models.prices import OtpAttempt
from database.upsert import ensure


@dataclass(frozen=True, slots=True)
class Limits:
    """How long codes and sessions live, and how often they may be guessed and sent."""

    code_life: timedelta = timedelta(minutes=10)
    session_life: timedelta = timedelta(hours=168)
    attempts: int = 5  # wrong codes of one client for one user and purpose, within the window
    window: timedelta = timedelta(minutes=15)
    block: timedelta = timedelta(minutes=30)
    guesses: int = 10  # wrong codes of all clients together; then the code is void
    resend: timedelta = timedelta(seconds=60)  # between two codes to one address
    sendings: int = 5  # codes to one address within an hour


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said of a code or passkey. wait: until the client may try again, where it is blocked."""

    right: bool
    wait: timedelta | None = None


def counter_of(session: Session, subject: str, at: datetime) -> OtpAttempt:
    """Return the counter of a subject, made where there is none; only an HMAC of the subject is stored."""
    key = {"subject_key": fingerprint(own_key(session), subject)}
    ensure(session, OtpAttempt, key, {"fail_count": 0, "window_started_at": at, "updated_at": at})
    locked = select(OtpAttempt).filter_by(**key).with_for_update().execution_options(populate_existing=True)
    return session.scalars(locked).one()


def blocked(counter: OtpAttempt, at: datetime) -> Verdict | None:
    """Return the refusal of a client that is blocked; None: it may guess."""
    if counter.blocked_until is None or counter.blocked_until <= at:
        return None
    return Verdict(right=False, wait=counter.blocked_until - at)


def count_wrong(counter: OtpAttempt, at: datetime, limits: Limits) -> Verdict:
    """Count a wrong guess, and block the client after too many within the window."""
    count(counter, at, limits.window)
    if counter.fail_count < limits.attempts:
        return Verdict(right=False)
    counter.blocked_until = at + limits.block
    return Verdict(right=False, wait=limits.block)


def count(counter: OtpAttempt, at: datetime, window: timedelta) -> None:
    """Add one to a counter, which begins anew after its window."""
    is_over = at >= counter.window_started_at + window
    counter.fail_count = 1 if is_over else counter.fail_count + 1
    if is_over or counter.fail_count == 1:
        counter.window_started_at = at
    counter.updated_at, counter.blocked_until = at, None


def network(client: str) -> str:
    """Return the network address that limits count for: of IPv6 the /64 that one customer has."""
    try:
        found = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
