"""Which user a credential's sessions were proved to belong to, and the check of each new session against that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from database.access.fingerprints import fingerprints
from database.access.sessions import KnownIdentity, SavedSession, Sessions
from middlewares.access.identity import judge_identity, proved_by
from scrapers.logins.words import names_a_user

if TYPE_CHECKING:
    from database.access.credentials import Credential
    from database.engine import Database
    from scrapers.core.jobs import Job
    from scrapers.logins.base import Login, ShownIdentity


class IdentityRecord:
    """Which user the sessions of one (login, credential) were proved to belong to."""

    def __init__(self, db: Database, login: Login, credential: Credential) -> None:
        self.db = db
        self.login = login
        self.credential = credential
        self._sessions = Sessions(db)

    async def known(self) -> KnownIdentity:
        """Return what was proved before; a name that another user is shown under, too, proves nothing."""
        known = await asyncio.to_thread(self._sessions.known_identity, self.login.name, self.credential.username)
        return replace(known, name=None) if known.name and await self._is_shared(known.name) else known

    async def _is_shared(self, name: str) -> bool:
        return await asyncio.to_thread(self._sessions.is_shared_name, self.login.name, self.credential.username, name)

    async def can_judge(self, saved: SavedSession) -> bool:
        """Return whether a stored session can be compared with anything; one that cannot is not used."""
        if self.login.proved_by_request or saved.identity.casefold() == self.credential.username.casefold():
            return True
        known = await self.known()
        return bool(known.name or known.accounts)

    async def has_proved_subject(self, state: dict[str, Any]) -> bool:
        """Tell whether the tokens of a session are of a subject that was proved to be this user."""
        subject = await self._subject(state)
        return bool(subject) and subject == (await self.known()).name

    async def judge(self, job: Job, shown: ShownIdentity, state: dict[str, Any], *, fresh: bool) -> str:
        """
        Store what a session shows if it is the credential's, and return by what it is proved.

        Raises IdentityMismatch or IdentityUnproved if it is not.
        """
        if shown.name and (not names_a_user(shown.name) or await self._is_shared(shown.name)):
            shown = replace(shown, name="")
        shown = replace(shown, subject=await self._subject(state))
        account = getattr(job.target, "account", None)
        known = await self.known()
        failure = judge_identity(shown, known, self.login.user_of(self.credential), account, fresh=fresh)
        if failure is not None:
            failure.step = "prove the session's identity"
            failure.selector = " | ".join(self.login.shows_username + self.login.shows_user + self.login.shows_accounts)
            raise failure
        name, username = self.login.name, self.credential.username
        proved = shown.name or shown.subject or None
        await asyncio.to_thread(self._sessions.remember_identity, name, username, proved, shown.accounts)
        return proved_by(shown, known)

    async def _subject(self, state: dict[str, Any]) -> str:
        """Return the fingerprint of the subject of a session's tokens; "" where it has none that was verified."""
        subject = self.login.subject(state)
        if not subject:
            return ""
        # The fingerprint includes the user: the credential's user name may be a label that is reused for another user.
        text = f"subject\0{self.login.name}\0{self.login.user_of(self.credential)}\0{subject}"
        proof: str = await self.db.run(lambda session: fingerprints(session, text)[0])
        return proof
