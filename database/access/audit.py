"""Changes and uses of secrets are written down: who, what, when, from where; in the transaction of the change itself."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from database.access.addresses import storable
from database.models.audit import AuditEntry
from database.models.base import utc_now


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. via: web, or the command; address: network address, or the name of the host."""

    name: str
    via: str
    address: str


_ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Write down what is done in this block as done by *actor*."""
    token = _ACTOR.set(actor)
    try:
        yield
    finally:
        _ACTOR.reset(token)


def set_actor(actor: Actor | None) -> None:
    """Say who acts from now on, in this thread or task; None: the user of this process."""
    _ACTOR.set(actor)


def current_actor() -> Actor:
    """Return who acts: the user of this process, unless `acting` or `set_actor` has said otherwise."""
    return _ACTOR.get() or _of_process()


def record(session: Session | Connection, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
    """
    Write down a change or a use of a secret.

    action: what it was done to and what was done, such as `credential.changed`. subject: which one, for people. Neither
    those nor *detail* may hold a secret.
    """
    actor = current_actor()
    session.execute(
        insert(AuditEntry).values(
            at=utc_now(),
            actor=storable(actor.name)[:320],
            via=storable(actor.via)[:100],
            address=storable(actor.address)[:255],
            action=action,
            subject=storable(subject)[:500],
            detail=dict(detail) if detail else None,
        )
    )


def entries(
    session: Session,
    *,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[AuditEntry]:
    """
    Return the newest rows first.

    action: a whole one, or the part before the point. subject: text that it holds. before: rows older than this id.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if actor:
        query = query.where(AuditEntry.actor == actor)
    if action:
        query = query.where((AuditEntry.action == action) | AuditEntry.action.startswith(f"{action}.", autoescape=True))
    if subject:
        query = query.where(AuditEntry.subject.contains(subject, autoescape=True))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return list(session.scalars(query))


@cache
def _of_process() -> Actor:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container runs as a number without a name
        name = f"uid {os.getuid()}"
    # The word of the command alone: what follows it may be anything.
    words = [word for word in sys.argv[1:2] if word.replace("-", "").isalnum()]
    return Actor(name, " ".join(["scrapy", *words]), socket.gethostname())
