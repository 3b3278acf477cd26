"""Conditions by the owner's user names: most rows that belong to a credential say so by one, not by a foreign key."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Table, and_

from database.forgetting.owners import TELEGRAM, SignIn
from database.forgetting.ownership import Link, Ownership

Found = Iterator[Link | ColumnElement[bool]]


def sign_ins(of: Ownership) -> tuple[SignIn, ...]:
    """Return the owner's user names; the rows in which they stand go after those of the asking table."""
    of.held("credentials")
    return of.owner.sign_ins


def with_portal(of: Ownership, family: str | None = None) -> list[SignIn]:
    """Return those user names that are the owner's at all logins of their portal, of one family if given."""
    return [each for each in sign_ins(of) if each.portal and family in (None, each.family)]


def usernames(of: Ownership, family: str) -> list[str]:
    """Return the user names at the portals of a family."""
    return [each.username for each in with_portal(of, family)]


def by_login(of: Ownership, table: Table) -> Found:
    """Give the rows under one of the owner's logins and its user name."""
    for each in sign_ins(of):
        yield and_(table.c.login.in_(each.logins), table.c.username == each.username)


def by_portal(of: Ownership, table: Table) -> Iterator[ColumnElement[bool]]:
    """Give the rows under one of the owner's portals and its user name."""
    for each in with_portal(of):
        yield and_(table.c.portal == each.portal, table.c.username == each.username)


def of_telegram(of: Ownership, table: Table) -> Iterator[ColumnElement[bool]]:
    """Give the rows under one of the owner's sessions of Telegram: its id takes the place of a user name."""
    if (sessions := of.values("telegram_sessions", "id")) is not None:
        yield and_(table.c.portal == TELEGRAM, table.c.username.in_(sessions))
