"""Looks up credentials: in the database, the environment and the credentials file."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.access.addresses import receivers
from database.access.credentials import Credential
from database.access.totp import TotpSecret
from database.models import StoredCredential
from database.settings import SettingsError
from scrapers.core.outcomes import CredentialMalformed
from scrapers.core.settings import crawl_settings

if TYPE_CHECKING:
    from scrapers.core.spider import PortalSpider


class SeveralCredentials(SettingsError):
    """A portal has several credentials, and none was named."""

    def __init__(self, portal: str, count: int) -> None:
        super().__init__(f"{portal} has {count} credentials: say which one with -a credential=USERNAME.")
        self.portal, self.count = portal, count

    def by(self, option: str) -> str:
        """Return the sentence for a command that names a credential by another option."""
        return f"{self.portal} has {self.count} credentials: say which one with {option}."


_given: dict[str, Credential] = {}


def give(credential: Credential) -> None:
    """Use a credential that was typed at the prompt in this process, before any stored one."""
    _given[credential.portal] = credential


def find_credential(session: Session, portal: str, login: str, username: str | None = None) -> Credential | None:
    """
    Return the credential of a login: typed at the prompt, or from database, environment or credentials file.

    One that is stored under the login's own name comes before one of its portal, which serves all of its logins.
    username: None takes the only credential there is; raises SettingsError when there are several.
    """
    given = _given.get(portal)
    if given is not None and username in (None, given.username):
        return given
    return (
        _from_database(session, login, username)
        or _from_database(session, portal, username)
        or _from_environment(portal, login, username)
        or _from_file(crawl_settings().credentials_file or Path(f".{portal}_credentials.json"), portal, username)
    )


def credential_for(spider: type[PortalSpider], session: Session, username: str | None) -> Credential | None:
    """Return the credential of a spider's first login, or of its portal where it states no login; see `find_credential`."""
    login = spider.logins[0].name if spider.logins else spider.portal
    return find_credential(session, spider.portal, login, username)


def username_for(session: Session, login: str, linked: StoredCredential) -> str:
    """
    Return the user name of a login for accounts that are linked to *linked*, a credential of the portal.

    It is that of the credential stored for this login alone, the same client's first, else one without a client; else
    that of *linked*.
    """
    own = _own(session, login, linked)
    if linked.username in own or not own:
        return linked.username
    if len(own) > 1:
        raise SeveralCredentials(login, len(own))
    return own[0]


def credential_beside(session: Session, login: str, first: Credential) -> Credential:
    """
    Return the credential of a further login that a visit meets, for a job with the credential *first*.

    It is the one that is stored for this login alone, the same client's first, or that its variables give; else *first*.
    """
    of_first = StoredCredential.portal == first.portal, StoredCredential.username == first.username
    linked = session.scalars(select(StoredCredential).where(*of_first)).first()
    username = None if linked is None else username_for(session, login, linked)
    return _from_database(session, login, username) or _from_environment(login, login, None) or first


def has_its_own(session: Session, login: str, linked: StoredCredential) -> bool:
    """Return whether a login has a credential of its own, which is used instead of *linked*, the portal's."""
    return bool(_own(session, login, linked))


def _own(session: Session, login: str, linked: StoredCredential) -> list[str]:
    """Return the user names of the credentials stored for a login alone: the same client's, else those without a client."""
    rows = session.scalars(select(StoredCredential).where(StoredCredential.portal == login)).all()
    for client in (getattr(linked, "client_id", None), None):
        if own := [row.username for row in rows if getattr(row, "client_id", None) == client]:
            return own
    return []


def _from_database(session: Session, portal: str, username: str | None) -> Credential | None:
    query = select(StoredCredential).where(StoredCredential.portal == portal)
    if username is not None:
        query = query.where(StoredCredential.username == username)
    rows = session.scalars(query).all()
    if len(rows) > 1:
        raise SeveralCredentials(portal, len(rows))
    if not rows:
        return None
    row = rows[0]
    return Credential(portal, row.username, row.password, row.totp_secret, row.receiver)


def _from_environment(portal: str, login: str, username: str | None) -> Credential | None:
    # The login's own variables come first: BELL_ENTERPRISE_CENTRE_USERNAME overrides BELL_USERNAME.
    for prefix in (login.upper(), portal.upper()):
        name, password = os.environ.get(f"{prefix}_USERNAME"), os.environ.get(f"{prefix}_PASSWORD")
        if name and password and username in (None, name):
            secret = os.environ.get(f"{prefix}_TOTP_SECRET") or None
            return Credential(portal, name, password, secret, os.environ.get(f"{prefix}_RECEIVER") or None)
    return None


def _from_file(path: Path, portal: str, username: str | None) -> Credential | None:
    if not path.exists():
        return None
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"{path} can be read by others: run `chmod 600 {path}`.")
    malformed = f"{path} is not a credentials file: it needs username and password as JSON"
    try:
        # Numbers are kept as they are written: "username": 533122 means the text.
        data = json.loads(path.read_text("utf-8-sig"), parse_int=str, parse_float=str, parse_constant=str)
    except ValueError:
        raise SettingsError(f"{malformed}; a number that begins with 0 needs quotes.") from None
    data = data.get(portal, data) if isinstance(data, dict) else None
    if not isinstance(data, dict) or not data.get("username") or not data.get("password"):
        raise SettingsError(f"{malformed}.")
    given = {field: data.get(field) for field in ("username", "password", "totp_secret", "receiver")}
    for field, value in given.items():
        if not isinstance(value, str | None):
            raise SettingsError(f"{path} is not a credentials file: `{field}` must be a text in quotes.")
    if username not in (None, given["username"]):
        return None
    return Credential(
        portal, str(given["username"]), str(given["password"]), given["totp_secret"] or None, given["receiver"] or None
    )


def check_second_factor(credential: Credential) -> None:
    """Raise CredentialMalformed for a TOTP secret or receiver that cannot be read: nothing is typed with it."""
    try:
        if credential.totp_secret:
            TotpSecret.parse(credential.totp_secret)
    except ValueError as error:
        raise CredentialMalformed(f"The TOTP secret: {error}") from None
    try:
        receivers(credential.receiver or "")
    except ValueError as error:
        raise CredentialMalformed(f"The receiver: {error}") from None
