"""Addresses that are told, each for some actors, and for one client or for all that have none of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.jobs.notices import tell_open_causes
from database.models import Client
from database.models.notices import NoticeAddress


class NoSuchClient(Exception):
    """There is no client of that name. The text is one sentence."""


def client_named(session: Session, name: str | None) -> int | None:
    """Return the id of a client; None without a name. Raises NoSuchClient."""
    if name is None:
        return None
    found = session.scalar(select(Client.id).where(Client.name == name))
    if found is None:
        raise NoSuchClient(f"There is no client {name!r}; `scrapy accounts list` shows them.")
    return found


def put(
    session: Session,
    address: str,
    service: str,
    at: datetime,
    *,
    actors: Sequence[str],
    digest: bool,
    client_id: int | None = None,
) -> tuple[NoticeAddress, bool]:
    """Add an address, or change what the one that is there is told; return it, and whether it is new."""
    known = fingerprint(own_key(session), address)
    same = select(NoticeAddress).where(
        NoticeAddress.fingerprint == known, NoticeAddress.client_id.is_not_distinct_from(client_id)
    )
    row = session.scalars(same).one_or_none()
    is_new = row is None
    if row is None:
        row = NoticeAddress(client_id=client_id, service=service, address=address, fingerprint=known, created_at=at)
        session.add(row)
    row.actors, row.digest = sorted(actors), digest
    session.flush()
    tell_open_causes(session, at)
    return row, is_new


def listed(
    session: Session, *, client_id: int | None = None, digest: bool = False
) -> list[tuple[NoticeAddress, str | None]]:
    """Return the addresses with the names of their clients. client_id: only of this one. digest: only what gets the digest."""
    query = select(NoticeAddress, Client.name).outerjoin(Client, Client.id == NoticeAddress.client_id)
    if client_id is not None:
        query = query.where(NoticeAddress.client_id == client_id)
    if digest:
        query = query.where(NoticeAddress.digest)
    return [(row, name) for row, name in session.execute(query.order_by(NoticeAddress.id))]


def remove(session: Session, number: int, at: datetime) -> NoticeAddress | None:
    """Remove an address with the messages that wait for it; return what it was, None when there is none."""
    row = session.get(NoticeAddress, number)
    if row is None:
        return None
    # Others may be told in its place. First, because the causes are locked before their messages elsewhere too.
    tell_open_causes(session, at)
    session.delete(row)
    session.flush()
    return row
