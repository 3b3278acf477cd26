"""Who may enter the control room, in which role, and what a viewer of one client sees."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from database.access.users import revoke, token_hash, user_of
from database.engine import now
from database.models import (
    Account,
    BillingCycle,
    CarrierPortalCredential,
    Client,
    Run,
    ScraperConfig,
    ScraperJob,
    Workspace,
)
from database.models.audit import record
from database.models.operators import Grant, Role
from database.models.prices import AuthCode, Purpose, User, WatchlistItem
from database.upsert import ensure

LINK_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Access:
    """What a user may do. client_id: the only client whose data is seen; None: all."""

    role: Role
    client_id: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A user with a role, as lists show it. client: its name, for a viewer of one client."""

    user: User
    role: Role
    client: str | None


NO_GRANT = Access(Role.USER)


def access_of(session: Session, user_id: int) -> Access:
    """Return the role of a user."""
    grant = session.get(Grant, user_id)
    return NO_GRANT if grant is None else Access(grant.role, grant.client_id)


def members(session: Session) -> list[Member]:
    """Return the users who have a role, by mail address."""
    query = select(User, Grant.role, Client.name).join(Grant, Grant.user_id == User.id)
    rows = session.execute(query.outerjoin(Client, Client.id == Grant.client_id).order_by(User.email))
    return [Member(user, role, client) for user, role, client in rows]


def grant(session: Session, email: str, role: Role, client: Client | None = None) -> User:
    """
    Give a user a role, the user being made where there is none of that mail address; a changed role ends all sign-ins.

    client: of a viewer of one client.
    """
    user = user_of(session, email) or ensure(session, User, {"email": email}, {"created_at": now(session)})
    held = session.get(Grant, user.id)
    client_id = client.id if client is not None else None
    if held is not None and (held.role, held.client_id) == (role, client_id):
        return user
    if held is None:
        session.add(Grant(user_id=user.id, role=role, client_id=client_id))
    else:
        held.role, held.client_id = role, client_id
        revoke(session, user.id)
    session.flush()
    record(session, "user.granted", email, {"role": role.value, **({"client": client.name} if client else {})})
    return user


def withdraw(session: Session, email: str) -> bool:
    """
    Take the role of a user away, with the passkeys, and end all sign-ins; return whether there was one.

    A user who has nothing else here goes altogether.
    """
    user = user_of(session, email)
    held = session.get(Grant, user.id) if user is not None else None
    if user is None or held is None:
        return False
    session.delete(held)
    revoke(session, user.id)
    session.execute(delete(User).where(User.id == user.id, has_nothing_else()))
    session.flush()
    record(session, "user.removed", email, {"role": held.role.value})
    return True


def has_nothing_else() -> ColumnElement[bool]:
    """Return the condition of users who are not registered at the price watch, watch nothing, and have nothing of Telegram."""
    # Here, because mapping their tables takes time at the start of whatever imports this module.
    from database.models.telegram import Source, TelegramSession

    is_registered = and_(
        User.email_verified_at.is_not(None), User.phone_verified_at.is_not(None), User.two_factor_enabled
    )
    owned = (WatchlistItem.user_id, Source.user_id, TelegramSession.user_id)
    return and_(~is_registered, *(~exists().where(each == User.id).correlate(User) for each in owned))


# Links


def make_link(session: Session, user: User) -> str:
    """Return the token of a sign-in link; one that was made before is void."""
    token, at = secrets.token_urlsafe(32), now(session)
    session.execute(update(AuthCode).where(*_open_links(), AuthCode.user_id == user.id).values(consumed_at=at))
    made = AuthCode(user_id=user.id, purpose=Purpose.ROOM_LINK, channel="link", created_at=at)
    made.code_hash, made.expires_at = token_hash(token), at + LINK_LIFE
    session.add(made)
    session.flush()
    record(session, "user.link_made", user.email)
    return token


def use_link(session: Session, token: str) -> User | None:
    """Return the user of a sign-in link, once; None when it was used, has expired, or never was."""
    at = now(session)
    used = (
        update(AuthCode)
        .where(*_open_links(), AuthCode.code_hash == token_hash(token), AuthCode.expires_at > at)
        .values(consumed_at=at)
        .returning(AuthCode.user_id)
    )
    user_id = session.execute(used).scalar_one_or_none()
    if user_id is None or access_of(session, user_id) == NO_GRANT:
        return None
    return session.get_one(User, user_id)


def _open_links() -> tuple[ColumnElement[bool], ...]:
    return AuthCode.purpose == Purpose.ROOM_LINK, AuthCode.consumed_at.is_(None)


# What a viewer of one client sees


def accounts_of(client_id: int) -> ColumnElement[bool]:
    """Return the condition of the accounts of a client."""
    return Account.workspace_id.in_(select(Workspace.id).where(Workspace.client_id == client_id))


def cycles_of(client_id: int) -> ColumnElement[bool]:
    """Return the condition of the billing cycles of a client."""
    return BillingCycle.account_id.in_(select(Account.id).where(accounts_of(client_id)))


def jobs_of(client_id: int) -> ColumnElement[bool]:
    """Return the condition of the jobs of a client; those of families without clients are nobody's but an operator's."""
    configs = select(ScraperConfig.id).join(Account, Account.id == ScraperConfig.account_id)
    return or_(
        ScraperJob.billing_cycle_id.in_(select(BillingCycle.id).where(cycles_of(client_id))),
        ScraperJob.billing_cycle_id.is_(None) & ScraperJob.scraper_config_id.in_(configs.where(accounts_of(client_id))),
    )


def runs_of(client_id: int) -> ColumnElement[bool]:
    """Return the condition of the runs of a client."""
    return or_(
        Run.account_id.in_(select(Account.id).where(accounts_of(client_id))),
        Run.account_id.is_(None) & Run.job_id.in_(select(ScraperJob.id).where(jobs_of(client_id))),
    )


def credentials_of(client_id: int) -> ColumnElement[bool]:
    """Return the condition of the credentials of a client."""
    return CarrierPortalCredential.client_id == client_id
