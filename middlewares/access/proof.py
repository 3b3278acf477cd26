"""Which user a credential's sessions were proved to belong to, and the check of each new session against that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from database.access.fingerprints import fingerprints
from database.access.sessions import KnownIdentity, SavedSession, Sessions
from database.engine import Within
from middlewares.access.identity import judge_identity, proved_by
from scrapers.logins.words import names_a_user, without_greeting

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from database.access.credentials import Credential
    from scrapers.core.jobs import Job
    from scrapers.logins.base import Login, ShownIdentity


class IdentityRecord:
    """Which user the sessions of one (login, credential) were proved to belong to; read and written in a transaction."""

    def __init__(self, login: Login, credential: Credential, beside: IdentityRecord | None = None) -> None:
        self.login = login
        self.credential = credential
        # Of another login with the same credential: the name that its sessions show proves one here, too.
        self.beside = beside

    def known(self, session: Session) -> KnownIdentity:
        """Return what was proved before; a name that another user is shown under, too, proves nothing."""
        known = Sessions(Within(session)).known_identity(self.login.name, self.credential.username)
        return replace(known, name=None) if known.name and self._is_shared(session, known.name) else known

    def _is_shared(self, session: Session, name: str) -> bool:
        return Sessions(Within(session)).is_shared_name(self.login.name, self.credential.username, name)

    def can_judge(self, session: Session, saved: SavedSession) -> bool:
        """Return whether a stored session can be compared with anything; one that cannot is not used."""
        if self.login.proved_by_request or saved.identity.casefold() == self.credential.username.casefold():
            return True
        known = self.known(session)
        return bool(known.name or known.accounts)

    def has_proved_subject(self, session: Session, state: dict[str, Any]) -> bool:
        """Tell whether the tokens of a session are of a subject that was proved to be this user."""
        subject = self._subject(session, state)
        return bool(subject) and subject == self.known(session).name

    def judge(self, session: Session, job: Job, shown: ShownIdentity, state: dict[str, Any], *, fresh: bool) -> str:
        """
        Store what a session shows if it is the credential's, and return by what it is proved.

        Raises IdentityMismatch or IdentityUnproved if it is not.
        """
        shown = replace(shown, name=without_greeting(shown.name))
        if shown.name and (not names_a_user(shown.name) or self._is_shared(session, shown.name)):
            shown = replace(shown, name="")
        shown = replace(shown, subject=self._subject(session, state))
        account = getattr(job.target, "account", None)
        known = self.known(session)
        if known.name is None and self.beside is not None and shown.name == self.beside.known(session).name:
            known = replace(known, name=shown.name or None)
        failure = judge_identity(shown, known, self.login.user_of(self.credential), account, fresh=fresh)
        if failure is not None:
            failure.step = "prove the session's identity"
            failure.selector = " | ".join(self.login.shows_username + self.login.shows_user + self.login.shows_accounts)
            raise failure
        name, username = self.login.name, self.credential.username
        proved = shown.name or shown.subject or None
        Sessions(Within(session)).remember_identity(name, username, proved, shown.accounts)
        return proved_by(shown, known)

    def _subject(self, session: Session, state: dict[str, Any]) -> str:
        """Return the fingerprint of the subject of a session's tokens; "" where it has none that was verified."""
        subject = self.login.subject(state)
        if not subject:
            return ""
        # The fingerprint includes the user: the credential's user name may be a label that is reused for another user.
        text = f"subject\0{self.login.name}\0{self.login.user_of(self.credential)}\0{subject}"
        return fingerprints(session, text)[0]
