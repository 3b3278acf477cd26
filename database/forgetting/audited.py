"""
The audit of what is erased: its rows stay, so that it is known who did what and when, without the names of what is erased.

Rows say what was done by subjects for people (`record` in `database/models/audit.py`); what each action writes there is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, exists, false, func, null, or_, select, update
from sqlalchemy.orm import Session

from database.access.addresses import storable
from database.access.typed_codes import shortened
from database.forgetting.names import sign_ins
from database.forgetting.owners import TELEGRAM
from database.forgetting.ownership import Ownership, begins, text
from database.models.audit import AuditEntry
from database.models.operators import Acceptance
from database.models.prices import User


def count_named(session: Session, of: Ownership) -> int:
    """Return how many rows name the owner or what is the owner's."""
    named = or_(_named(of), _viewed(of), *_of_user(session, of))
    return session.scalar(select(func.count()).select_from(AuditEntry).where(named)) or 0


def empty_audit(session: Session, of: Ownership) -> int:
    """Empty subject and detail of the rows that name the owner or what is the owner's; return of how many."""
    done = _empty(session, _named(of), subject="", detail=null())
    done += _empty(session, _viewed(of), detail=null())  # its subject is a user who stays
    if of.owner.user_id is not None and (user := session.get(User, of.owner.user_id)) is not None:
        done += empty_user(session, user.id, user.email)
    return done


def empty_user(session: Session, user_id: int, email: str) -> int:
    """Take a user out of the rows on and by that user, and out of what that user has accepted; return out of how many rows."""
    on, by = _user(email)
    number = session.scalar(select(func.count()).select_from(AuditEntry).where(or_(on, by))) or 0
    _empty(session, on, subject="", detail=null())
    # What one user has done stays told apart from what others have.
    name = f"erased user {user_id}"
    _empty(session, by, actor=name, address="")
    session.execute(update(Acceptance).where(Acceptance.actor == email).values(actor=name))
    return number


def empty_schedule(session: Session, name: str) -> None:
    """Empty the rows on a schedule."""
    _empty(session, and_(_is("schedule"), AuditEntry.subject == name), subject="", detail=null())


def _empty(session: Session, condition: ColumnElement[bool], **values: Any) -> int:
    emptied = update(AuditEntry).where(condition).values(**values).returning(AuditEntry.id)
    return len(session.execute(emptied.execution_options(synchronize_session=False)).all())


def _is(kind: str) -> ColumnElement[bool]:
    return AuditEntry.action.startswith(f"{kind}.", autoescape=True)


def _named(of: Ownership) -> ColumnElement[bool]:
    return or_(false(), *_of_sign_ins(of), *_of_client(of), *_of_targets(of))


def _of_sign_ins(of: Ownership) -> Iterator[ColumnElement[bool]]:
    """Give the rows on credentials, their sessions and codes, with login or portal before the user name."""
    for each in sign_ins(of):
        words = sorted({*each.logins, each.portal} - {""})
        receivers = [f"{word} {shortened(receiver)}" for word in words for receiver in of.owner.receivers]
        names = [f"{word} {each.username}" for word in words]
        yield AuditEntry.subject.in_([storable(name)[:500] for name in (*names, *receivers)])
        at = AuditEntry.detail["logins"].as_string()
        lifted = and_(AuditEntry.action == "credential.unblocked", AuditEntry.subject == storable(each.username)[:500])
        yield and_(lifted, or_(*(at.contains(f'"{word}"', autoescape=True) for word in words)))
    if (sessions := of.values("telegram_sessions", "id")) is not None:
        own = sessions.subquery()
        yield AuditEntry.subject.in_(select(text(f"{TELEGRAM} ") + own.c.id).correlate(None))


def _of_client(of: Ownership) -> Iterator[ColumnElement[bool]]:
    if of.owner.names:
        yield and_(_is("client"), AuditEntry.subject.in_([storable(name)[:500] for name in of.owner.names]))
    # A name or number that others have too does not tell whose it is.
    for kind, table, column in (
        ("workspace", "workspaces", "name"), ("account", "accounts", "number"), ("schedule", "schedules", "name")
    ):  # fmt: skip
        if (names := of.values(table, column, alone=True)) is not None:
            yield and_(_is(kind), AuditEntry.subject.in_(names))
    if (ids := of.values("accounts", "id")) is not None:
        own = ids.subquery()
        yield and_(_is("account_credential"), AuditEntry.subject.in_(select(cast(own.c.id, String)).correlate(None)))


def _of_targets(of: Ownership) -> Iterator[ColumnElement[bool]]:
    """Give the rows on billing cycles that were opened, and on periods that were accepted."""
    if (condition := of.condition("accounts")) is not None:
        accounts, carriers = of.tables["accounts"], of.tables["carriers"]
        named = begins(of.tables["audit"].c.subject, carriers.c.portal + " " + accounts.c.number + " ")
        of_account = exists().where(condition, accounts.c.carrier_id == carriers.c.id, named)
        yield and_(AuditEntry.action == "cycle.opened", of_account.correlate(AuditEntry))
    if (labels := of.values("acceptances", "label")) is not None:
        yield and_(AuditEntry.action == "period.accepted", AuditEntry.subject.in_(labels))


def _viewed(of: Ownership) -> ColumnElement[bool]:
    """Return the condition of the rows on users who were let see the client."""
    if not of.owner.names:
        return false()
    client = AuditEntry.detail["client"].as_string()
    return and_(AuditEntry.action == "user.granted", client.in_(list(of.owner.names)))


def _of_user(session: Session, of: Ownership) -> Iterator[ColumnElement[bool]]:
    if of.owner.user_id is not None and (user := session.get(User, of.owner.user_id)) is not None:
        yield from _user(user.email)


def _user(email: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions of the rows on a user, and of those by that user."""
    return and_(_is("user"), AuditEntry.subject == email), AuditEntry.actor == email
