"""The session of a (login, credential) in a crawl: restores or signs in once, proves the identity, saves and closes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from scrapy import Request
from sqlalchemy.orm import Session

from database.access.leases import holder
from database.access.sessions import SavedSession, Sessions
from database.engine import Within
from middlewares.access.attempts import SignIn
from middlewares.access.identity import proof_of
from middlewares.access.leases import HeldLeases
from middlewares.access.portal import PortalClient
from middlewares.access.proof import IdentityRecord
from middlewares.access.storage import SessionStorage
from scrapers.core import outcomes
from scrapers.core.compat import PlaywrightError
from scrapers.core.outcomes import Failure, LoginFailed, SignedOut
from scrapers.core.settings import crawl_settings
from scrapers.logins.base import Login, ShownIdentity, SignedIn, landing

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from database.access.credentials import Credential
    from scrapers.core.jobs import Job
    from scrapers.core.page import PortalPage

logger = logging.getLogger(__name__)
progress = logging.getLogger("latchkey.progress")


T = TypeVar("T")

LOOK_AGAIN = 10.0  # seconds for which a session that was seen alive is not looked at again for further unknown pages


@dataclass(frozen=True, slots=True)
class Found:
    """What was there before a session is got: the leases that were taken, and the stored session."""

    leases: Sequence[str] = ()
    usable: SavedSession | None = None  # the stored session, if it can be used as it is
    saved: SavedSession | None = None


class SessionKeeper:
    """Keeps the session of one (login, credential) in this process."""

    def __init__(
        self, crawler: Crawler, login: type[Login], credential: Credential, on_lost: Callable[[SessionKeeper], None]
    ) -> None:
        self.crawler = crawler
        self.work = crawler.spider.work  # type: ignore[union-attr]
        self.login = login()
        self.credential = credential
        self.name = f"{login.name}:{credential.username}"
        self.leases = HeldLeases(self.work.db, holder(self.work.crawl), self._lose)
        self.storage = SessionStorage(crawler, self.login, self.name)
        self.identities = IdentityRecord(self.login, credential)
        self.saved: SavedSession | None = None
        self.proved_versions: dict[int, str] = {}  # of the sessions with a proved identity, and by what
        self.served = False  # the portal has answered a request in this session
        self.lost = False  # a lease was lost: nothing more may be done in the session
        self._run_lease = f"run:{self.name}"  # name of the lease on the session …
        self._sign_in_lease = f"sign-in:{self.name}"  # … and on signing in to a new one
        self._on_lost = on_lost
        self._establishing: asyncio.Task[None] | None = None
        self._failure: Failure | None = None  # remembered, so that no waiting request starts another attempt
        self._proving = asyncio.Lock()
        self._over = 0  # version of the newest session that is known to have ended
        self._alive_until = 0.0  # by the loop's clock: the session was seen alive, and is not looked at again
        self._unserved_sessions = 0  # sessions since the last answer that was passed on, including the present one

    def _lose(self) -> None:
        self.lost = True
        self._on_lost(self)

    def note_served(self) -> None:
        """Remember that the portal answered a request in this session."""
        self.served, self._unserved_sessions = True, 0

    def gave_up(self) -> bool:
        """Return True once two sessions in a row answered no request: no further sign-in is attempted."""
        return self._unserved_sessions >= 2

    def is_over(self, exception: Exception) -> bool:
        """Return whether this exception is the failed sign-in's own, which is raised for every waiting request."""
        return exception is self._failure

    @property
    def version(self) -> int:
        """The version of the present session; 0 when there is none."""
        return self.saved.version if self.saved else 0

    def is_current(self, version: int) -> bool:
        """Return whether a version is the present session's, and that session is not known to have ended."""
        return version == self.version and version > self._over

    # Getting a session

    async def ensure(self, job: Job, stale: int = 0) -> SavedSession:
        """Return a session newer than *stale*; the first caller starts the task, all others wait for it."""
        if self._failure is not None:
            raise self._failure
        if not self.login.shared:
            job.fences[self._run_lease] = self.leases.holder
        self._over = max(self._over, stale)
        if self.saved is not None and self._good(self.saved, self._over):
            return self.saved
        if self._establishing is None:
            self._establishing = asyncio.ensure_future(self._establish(job))
        try:
            await asyncio.shield(self._establishing)
        except Failure as failure:
            failure.step = failure.step or "get a session"
            self._failure = failure
            raise
        finally:
            if self._establishing is not None and self._establishing.done():
                self._establishing = None
        assert self.saved is not None
        return self.saved

    def _good(self, saved: SavedSession, stale: int) -> bool:
        return saved.version > stale and not self.login.needs_renewal(saved.state)

    async def _establish(self, job: Job) -> None:
        stale = self._over
        if stale > 0 and not self.login.renewable:
            if not self.login.shared and self._run_lease not in self.leases:
                await self.leases.wait_for(self._run_lease, job)
            await self._destroy(stale)
        deadline = asyncio.get_running_loop().time() + crawl_settings().busy_wait
        while True:
            found = await self.work.db.run(lambda session: self._look(session, stale))
            for lease in found.leases:
                self.leases.hold(lease)
            if found.usable is not None:
                logger.info("Reusing the session of %s", self.login.name)
                self._adopt(found.usable, is_new=stale > 0)
                return
            if self._sign_in_lease in found.leases:
                break
            if not self.login.shared and self._run_lease not in self.leases:
                await self.leases.wait_for(self._run_lease, job)
                continue
            job.brake.check()
            if asyncio.get_running_loop().time() > deadline:
                raise outcomes.CredentialBusy("Another process is still signing in.")
            await asyncio.sleep(0.2)  # between two attempts to take the lease
        try:
            if found.saved is not None and self.login.renewable:
                await self._renew(job, found.saved)
                return
            if self.work.only_stored:
                raise outcomes.SessionEnded()
            sign_in = SignIn(self.crawler, self.login, self.credential)
            signed_in = await sign_in.run(job)
            self.storage.context = signed_in.context
            try:
                await self._accept(job, signed_in)
            finally:
                await sign_in.finished()
        finally:
            await self.leases.release(self._sign_in_lease)

    def _look(self, session: Session, stale: int) -> Found:
        """Take the run lease, look for a session that can be used, and take the sign-in lease if there is none."""
        leases = []
        if not self.login.shared and self._run_lease not in self.leases:
            if not self.leases.take_within(session, self._run_lease):
                return Found()
            leases.append(self._run_lease)
        if (usable := self._usable(session, stale)) is None and self.leases.take_within(session, self._sign_in_lease):
            leases.append(self._sign_in_lease)
            # Another process may have signed in, and let go of the lease, since we looked.
            usable = self._usable(session, stale)
        return Found(leases, usable, usable or self._load(session))

    def _load(self, session: Session) -> SavedSession | None:
        return Sessions(Within(session)).load(self.login.name, self.credential.username)

    def _usable(self, session: Session, stale: int) -> SavedSession | None:
        """Return the stored session if it is newer than *stale* and its identity can be checked."""
        saved = self._load(session)
        is_usable = saved is not None and self._good(saved, stale) and self.identities.can_judge(session, saved)
        return saved if is_usable else None

    async def _renew(self, job: Job, saved: SavedSession) -> None:
        """Renew a session. The caller holds the sign-in lease, so one process renews for all."""
        self.storage.hide(saved.state)
        progress.info("%s: renewing the session of %s", self.work.spider, self.login.name)
        try:
            renewed = await self.login.renew(PortalClient(self.crawler, self.login, job, ""), saved.state)
        except outcomes.ReauthenticationRequired:
            await self._destroy(saved.version)
            raise
        self.storage.hide(renewed.state)
        before = self.login.subject(saved.state)
        if before and self.login.subject(renewed.state) != before:
            await self._destroy()
            raise outcomes.IdentityMismatch("The renewed session is another user's.", step="renew the session")
        proved = self.proved_versions.get(saved.version, "")
        self._adopt_new(await self.work.db.run(lambda session: self._save(session, renewed)), proved)

    async def _accept(self, job: Job, signed_in: SignedIn) -> None:
        """Prove and save a new session; a login that is `proved_by_request` saves it before it is proved."""
        self.storage.hide(signed_in.state)

        def accept(session: Session) -> tuple[str, SavedSession | None]:
            proved, shown, state = "", signed_in.shown, signed_in.state
            if not self.login.proved_by_request:
                proved = self.identities.judge(session, job, shown, state, fresh=signed_in.fresh)
            saved = self._save(session, signed_in)
            self.leases.release_within(session, self._sign_in_lease)
            return proved, saved

        proved, saved = await self._judged(accept)
        self.leases.let_go(self._sign_in_lease)
        self._adopt_new(saved, proved)
        if self.login.keeps_context and self.crawler.spider.rendering == "http":  # type: ignore[union-attr]
            await self.storage.drop_context()  # its cookies are used over plain HTTP from here on

    def _save(self, session: Session, signed_in: SignedIn) -> SavedSession | None:
        """Save a new session and return it as it is stored."""
        expires = datetime.now(UTC) + self.login.life if self.login.life else None
        name, username, proof = self.login.name, self.credential.username, proof_of(signed_in.shown)
        state, user_agent = signed_in.state, signed_in.user_agent
        device = self.login.device(state)
        Sessions(Within(session)).save(name, username, state, user_agent, proof, expires, device)
        return self._load(session)

    def _adopt_new(self, saved: SavedSession | None, proved: str) -> None:
        if saved is None:
            raise outcomes.LeaseLost("The session was destroyed while it was being saved.")
        self._adopt(saved, proved)

    def _adopt(self, saved: SavedSession, proved: str = "", *, is_new: bool = True) -> None:
        self.saved, self.served = saved, False
        if proved:
            self.proved_versions[saved.version] = proved
        self._unserved_sessions += is_new  # one of an earlier run may have ended long ago
        self.storage.load(saved)

    # Identity

    async def prove(self, job: Job, shown: ShownIdentity, version: int, *, look: bool = True) -> None:
        """
        Prove a reused session by what a page shows; does nothing once proved.

        look: when it shows nothing, request the page that shows the user.
        """
        async with self._proving:
            if version in self.proved_versions:
                return
            if version != self.version:
                raise SignedOut("The session ended before it was looked at.")
            assert self.saved is not None
            state = self.saved.state
            address = self.login.shows_user_at(state)
            if look and not shown and address and not await self._has_proved_subject(state):
                shown = await self._landing_identity(job, state, address)
                if not shown and await self.has_ended_by_http(job):
                    raise SignedOut("The session was over when it was looked at.")
            self.proved_versions[version] = await self._judged(
                lambda session: self.identities.judge(session, job, shown, state, fresh=False)
            )

    async def _has_proved_subject(self, state: dict[str, Any]) -> bool:
        if not self.login.subject(state):
            return False
        has: bool = await self.work.db.run(lambda session: self.identities.has_proved_subject(session, state))
        return has

    async def _landing_identity(self, job: Job, state: dict[str, Any], address: str) -> ShownIdentity:
        request = Request(address)
        self.login.authorize(request, state)
        answer = await PortalClient(self.crawler, self.login, job, self.storage.jar).send(request)
        if self.login.is_signed_out(answer):
            raise SignedOut("The session was over when it was looked at.")
        return self.login.identity(answer)

    async def _judged(self, judge: Callable[[Session], T]) -> T:
        """Run what judges a session; destroy the session, and forget the device, if it is not proved to be the credential's."""
        try:
            judged: T = await self.work.db.run(judge)
        except LoginFailed as failure:
            await self._destroy(forget_device=True)
            self._failure = failure
            raise
        return judged

    async def guard(self, page: PortalPage, job: Job) -> None:
        """Open the page on which the sign-in ended; before the first flow of a reused session its identity is proved."""
        version = self.version
        await self.login.guard(page, self._landing)
        if version not in self.proved_versions:
            await self.prove(job, await self.login.page_identity(page), version, look=False)
        job.proved_by = self.proved_versions.get(version, "")

    async def has_ended(self, page: PortalPage) -> bool:
        """Look beside a page of the session whether it has ended; False where that cannot be seen."""
        try:
            return await self.login.has_ended(page, self._landing)
        except (Failure, PlaywrightError) as error:
            logger.info("Whether the session has ended cannot be seen (%s)", type(error).__name__)
            return False

    async def has_ended_by_http(self, job: Job) -> bool:
        """Request the sign-in's address in the session: the form means its end, unless the landing page is shown still."""
        loop = asyncio.get_running_loop()
        if self.saved is None or not self.login.credential_screens() or loop.time() < self._alive_until:
            return False
        portal = PortalClient(self.crawler, self.login, job, self.storage.jar)
        try:
            ended = self.login.is_signed_out(await portal.send(Request(self.login.address())))
            if ended and (address := self._landing):  # some portals show the form to signed-in users, too
                ended = not self.login.is_signed_in(await portal.send(Request(address)))
        except Failure as error:
            logger.info("Whether the session has ended cannot be seen (%s)", type(error).__name__)
            return False
        if not ended:
            self._alive_until = loop.time() + LOOK_AGAIN
        return ended

    @property
    def _landing(self) -> str:
        return landing(self.saved.state) if self.saved else ""

    # Closing

    async def leave_stored(self, job: Job) -> None:
        """Sign out of the stored session, if there is one, without signing in to another."""
        if not self.login.shared:
            await self.leases.wait_for(self._run_lease, job)
        saved = await self.work.db.run(self._load)
        if saved is not None:
            self._adopt(saved)
            await self.leave()

    async def leave(self) -> None:
        """Sign out at the portal and destroy the session, also when the sign-out fails."""
        assert self.saved is not None
        storage, job = self.storage, next(iter(self.work.jobs.values()))
        portal = PortalClient(
            self.crawler, self.login, job, storage.jar, context=storage.context_key, storage=self.saved.state
        )
        try:
            await self.login.leave(portal, self.saved.state)
        except SignedOut:
            logger.info("The session of %s was over already", self.login.name)
        except Failure as failure:
            job.warn(f"Signing out of {self.login.name} failed: {failure}")
        await self._destroy(self.saved.version)

    async def _destroy(self, version: int | None = None, *, forget_device: bool = False) -> None:
        """Destroy the stored session (only if it is *version*, when given) and clear the one held here."""
        name, username = self.login.name, self.credential.username

        def destroy(session: Session) -> None:
            sessions = Sessions(Within(session))
            sessions.destroy(name, username, version)
            if forget_device:
                sessions.forget_device(name, username)

        await self.work.db.run(destroy)
        await self.storage.clear()
        self.saved = None

    async def close(self) -> None:
        """Save the session with its newest cookies, and release the leases."""
        keep = None
        try:
            if self.saved is not None and not self.lost and self.served:
                keep = await self._kept(self.saved)
        finally:
            await self.leases.close(keep)

    async def _kept(self, saved: SavedSession) -> Callable[[Session], object] | None:
        """Return what writes the session's newest cookies and storage; None when they are those that are stored."""
        state = await self.storage.newest(saved.state)
        if state == saved.state:
            return None
        key, device = (saved.login, saved.username, saved.version), self.login.device(state)
        return lambda session: Sessions(Within(session)).touch_state(*key, state, device)
