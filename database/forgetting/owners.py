"""Whose data is meant: a client, a credential or a user, found by the words that a person types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.models import CarrierPortalCredential, Client, StoredCredential
from database.models.prices import User
from database.models.telegram import TelegramSession

Kind = Literal["client", "credential", "user"]
TELEGRAM = "telegram"  # its sessions are its credentials


class NotFound(Exception):
    """There is no such client, credential or user. The text is one sentence that names the option."""


@dataclass(frozen=True, slots=True)
class Portal:
    """What is to be known of a portal here: its family, and the names of its logins."""

    family: str
    logins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignIn:
    """A user name at a portal. portal: "" where another credential has the same name at the portal's other logins."""

    portal: str
    username: str
    logins: tuple[str, ...]
    family: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A client, credential or user. The ids are those of their own rows; None: of another kind, or there is no row any more."""

    kind: Kind
    label: str  # for people
    client_id: int | None = None
    user_id: int | None = None
    credential_id: int | None = None
    telegram_session: str | None = None
    names: tuple[str, ...] = ()  # of the client, as schedules have it
    sign_ins: tuple[SignIn, ...] = ()
    receivers: tuple[str, ...] = field(default=(), repr=False)  # of codes, that no other credential has
    addresses: tuple[str, ...] = ()  # of a user: fingerprints of the address, as `notice_addresses` has them


def find_client(session: Session, name: str, portals: Mapping[str, Portal]) -> Owner:
    """Return a client with its credentials; raise NotFound."""
    client = session.scalars(select(Client).where(Client.name == name)).one_or_none()
    if client is None:
        raise NotFound(f"--client: there is no client {name!r}; `scrapy accounts list` shows them.")
    of_client = select(CarrierPortalCredential).where(CarrierPortalCredential.client_id == client.id)
    rows = session.scalars(of_client.order_by(StoredCredential.id).options(*_unread())).all()
    return Owner(
        "client",
        f"client {name}",
        client_id=client.id,
        names=(name,),
        sign_ins=tuple(_sign_in(session, row.portal, row.username, portals) for row in rows),
        receivers=_receivers(session, rows),
    )


def find_credential(session: Session, word: str, username: str | None, portals: Mapping[str, Portal]) -> Owner:
    """
    Return a credential of a portal, or of one of its logins; with *username* also one of which there is no row any more.

    Raises NotFound.
    """
    if word == TELEGRAM:
        return _telegram_session(session, username)
    if word not in portals and not any(word in portal.logins for portal in portals.values()):
        raise NotFound(f"--credential: there is no portal {word!r}; `scrapy portals` shows them.")
    query = select(StoredCredential).where(StoredCredential.portal == word).order_by(StoredCredential.username)
    if username is not None:
        query = query.where(StoredCredential.username == username)
    rows = session.scalars(query.options(*_unread())).all()
    if len(rows) > 1:
        raise NotFound(f"--credential: {word} has {len(rows)} credentials: say which one with --username.")
    if not rows and username is None:
        raise NotFound(f"--credential: {word} has no credential stored: say with --username whose traces are meant.")
    named = rows[0].username if rows else str(username)
    return Owner(
        "credential",
        f"credential {word} {named}",
        credential_id=rows[0].id if rows else None,
        sign_ins=(_sign_in(session, word, named, portals),),
        receivers=_receivers(session, rows),
    )


def find_user(session: Session, email: str) -> Owner:
    """Return a user of the price watch and of Telegram's sources by the mail address; raise NotFound."""
    user = session.scalars(select(User).where(User.email == email.strip().lower())).one_or_none()
    if user is None:
        raise NotFound("--user: there is no user with this mail address.")
    known = fingerprint(own_key(session), user.email)
    return Owner("user", f"user {user.email}", user_id=user.id, addresses=(known,))


def _telegram_session(session: Session, word: str | None) -> Owner:
    query = select(TelegramSession.id, TelegramSession.name).order_by(TelegramSession.created_at)
    if word is not None:
        query = query.where((TelegramSession.id == word) | (TelegramSession.name == word))
    rows = session.execute(query).all()
    if len(rows) != 1:
        raise NotFound(
            f"--username: {len(rows)} sessions of Telegram fit: give the id or name of one (`scrapy telegram sessions list`)."
        )
    return Owner("credential", f"session of Telegram {rows[0].name}", telegram_session=rows[0].id)


def _sign_in(session: Session, word: str, username: str, portals: Mapping[str, Portal]) -> SignIn:
    if word in portals:
        return SignIn(word, username, portals[word].logins or (word,), portals[word].family)
    portal = next((name for name, each in portals.items() if word in each.logins), "")
    others = [portal, *(portals[portal].logins if portal else ())]
    same_name = select(StoredCredential.id).where(
        StoredCredential.username == username, StoredCredential.portal.in_(others), StoredCredential.portal != word
    )
    is_alone = portal and session.scalar(same_name.limit(1)) is None
    return SignIn(portal if is_alone else "", username, (word,), portals[portal].family if portal else "")


def _receivers(session: Session, rows: Sequence[StoredCredential]) -> tuple[str, ...]:
    own = {row.id for row in rows}
    everybody = session.execute(select(StoredCredential.id, StoredCredential.receiver)).all()
    theirs = {each for row in everybody if row.id not in own for each in _split(row.receiver)}
    return tuple(sorted({each for row in rows for each in _split(row.receiver)} - theirs))


def _split(receivers: str | None) -> list[str]:
    return [each.strip() for each in (receivers or "").split(",") if each.strip()]


def _unread() -> tuple[Any, ...]:
    """Leave the secrets where they are: they may be under a key that is lost."""
    return defer(StoredCredential.password), defer(StoredCredential.totp_secret)
