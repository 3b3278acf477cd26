"""Sessions at portals, encrypted, each with the identity proved for it; and the identities proved before."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update

from database.dialects import postgresql, sqlite
from database.engine import Transacting, now
from database.models import ProvedIdentity, StoredSession
from database.models.audit import record
from database.upsert import normalise, upsert


@dataclass(frozen=True, slots=True)
class SavedSession:
    """The saved state of a signed-in session, and the identity proved for it."""

    login: str
    username: str
    state: dict[str, Any] = field(repr=False)  # cookies, storage, tokens
    user_agent: str
    identity: str = field(repr=False)  # as proved at the sign-in
    created_at: datetime
    expires_at: datetime | None  # None: only the portal knows
    version: int


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """The identity proved for a user name before; empty before the first sign-in."""

    name: str | None = field(default=None, repr=False)
    accounts: frozenset[str] = field(default=frozenset(), repr=False)


class Sessions:
    """Sessions by login and user name. Each call is one short transaction."""

    def __init__(self, db: Transacting) -> None:
        self.db = db

    def load(self, login: str, username: str) -> SavedSession | None:
        """Return the current session, or None when there is none or its time is over."""
        with self.db.transaction() as session:
            row = session.scalar(select(StoredSession).where(*_key(login, username), StoredSession.state.is_not(None)))
            if row is None or row.state is None:
                return None
            if row.expires_at is not None and row.expires_at <= now(session):
                row.state = None
                return None
            return SavedSession(
                login=login,
                username=username,
                state=json.loads(row.state),
                user_agent=row.user_agent,
                identity=row.identity,
                created_at=row.created_at,
                expires_at=row.expires_at,
                version=row.version,
            )

    def save(
        self,
        login: str,
        username: str,
        state: dict[str, Any],
        user_agent: str,
        identity: str,
        expires_at: datetime | None = None,
        device: dict[str, Any] | None = None,
    ) -> int:
        """
        Save a new session in place of the former one; return its version, higher than any before.

        device: what of its state belongs to a device that the portal trusts, and outlives the session.
        """
        with self.db.transaction() as session:
            time = now(session)
            values = {
                "state": _packed(state),
                "device": _packed(device) if device else None,
                "user_agent": normalise(user_agent),
                "identity": normalise(identity),
                "created_at": time,
                "proved_at": time,
                "expires_at": expires_at,
            }
            make_insert = postgresql.insert if self.db.dialect == "postgresql" else sqlite.insert
            statement = make_insert(StoredSession).values(login=login, username=username, version=1, **values)
            statement = statement.on_conflict_do_update(
                index_elements=["login", "username"],
                set_={name: statement.excluded[name] for name in values} | {"version": StoredSession.version + 1},
            )
            return session.execute(statement.returning(StoredSession.version)).scalar_one()

    def device(self, login: str, username: str) -> dict[str, Any]:
        """Return what is kept of a trusted device, whether its session has ended or not; empty when there is none."""
        with self.db.transaction() as session:
            packed = session.scalar(select(StoredSession.device).where(*_key(login, username)))
            return json.loads(packed) if packed else {}

    def forget_device(self, login: str, username: str) -> None:
        """Forget the trusted device of a user: the next sign-in begins without its cookies."""
        with self.db.transaction() as session:
            session.execute(update(StoredSession).where(*_key(login, username)).values(device=None))

    def destroy(self, login: str, username: str, version: int | None = None) -> bool:
        """
        Forget a session's state, only that of *version* when given; False when there was nothing to forget.

        The cookies of a trusted device are kept.
        """
        with self.db.transaction() as session:
            statement = update(StoredSession).where(*_key(login, username), StoredSession.state.is_not(None))
            if version is not None:
                statement = statement.where(StoredSession.version == version)
            statement = statement.values(state=None, identity="", user_agent="")
            is_gone = session.execute(statement.returning(StoredSession.id)).first() is not None
            if is_gone:
                record(session, "session.ended", f"{login} {username}")
            return is_gone

    def touch_state(
        self, login: str, username: str, version: int, state: dict[str, Any], device: dict[str, Any] | None = None
    ) -> bool:
        """Write refreshed cookies and tokens; False when *version* is no longer the current session."""
        with self.db.transaction() as session:
            statement = (
                update(StoredSession)
                .where(*_key(login, username), StoredSession.version == version, StoredSession.state.is_not(None))
                .values(state=_packed(state), device=_packed(device) if device else None)
            )
            return session.execute(statement.returning(StoredSession.id)).first() is not None

    def known_identity(self, login: str, username: str) -> KnownIdentity:
        """Return what was proved before; empty when nothing was."""
        with self.db.transaction() as session:
            row = session.scalar(
                select(ProvedIdentity).where(ProvedIdentity.login == login, ProvedIdentity.username == username)
            )
            return KnownIdentity() if row is None else KnownIdentity(row.name, frozenset(row.accounts))

    def is_shared_name(self, login: str, username: str, name: str) -> bool:
        """Return whether another user of the login was shown under the same name."""
        with self.db.transaction() as session:
            same = (ProvedIdentity.login == login, ProvedIdentity.name == normalise(name))
            others = select(ProvedIdentity.id).where(*same, ProvedIdentity.username != username)
            return session.scalar(others.limit(1)) is not None

    def remember_identity(self, login: str, username: str, name: str | None, accounts: frozenset[str]) -> None:
        """Store the identity that a session has proved: its name, if any, and its accounts, added to the known ones."""
        with self.db.transaction() as session:
            here = [ProvedIdentity.login == login, ProvedIdentity.username == username]
            # The row first, so that two processes that prove at once wait for each other.
            first = {"login": login, "username": username, "accounts": [], "proved_at": now(session)}
            upsert(session, ProvedIdentity, [first], ["login", "username"], update=[])
            row = session.execute(select(ProvedIdentity).where(*here).with_for_update()).scalar_one()
            row.name = normalise(name) or row.name
            row.accounts = sorted(set(row.accounts) | set(normalise(list(accounts))))
            row.proved_at = now(session)


def _key(login: str, username: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return StoredSession.login == login, StoredSession.username == username


def _packed(state: dict[str, Any]) -> str:
    return json.dumps(state, allow_nan=False, separators=(",", ":"))
