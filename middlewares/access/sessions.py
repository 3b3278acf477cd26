"""The sessions of a crawl: reused and proved, brought about once for everybody, renewed, and let go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from database.access.fingerprints import fingerprints
from database.access.leases import holder
from database.access.sessions import SavedSession, Sessions
from middlewares.access.attempts import Portal, SignedIn, SignIn
from middlewares.access.identity import judge_identity, proof_of
from middlewares.access.leases import HeldLeases
from middlewares.cookies import CookiesMiddleware, as_cookie, from_cookie
from middlewares.download.handler import in_time
from scrapers.core import outcomes
from scrapers.core.outcomes import Failure, SignedOut
from scrapers.core.redaction import redactor
from scrapers.core.settings import crawl_settings
from scrapers.logins.base import Login, ShownIdentity
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.conversation import ConversationLogin, Tokens
from scrapers.logins.form import FormLogin

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from database.access.credentials import Credential
    from scrapers.core.jobs import Job
    from scrapers.core.page import PortalPage

logger = logging.getLogger(__name__)
progress = logging.getLogger("latchkey.progress")


class SessionKeeper:
    """The one session of a (login, credential) in this process: reused, proved, renewed, and let go."""

    def __init__(
        self, crawler: Crawler, login: type[Login], credential: Credential, on_lost: Callable[[SessionKeeper], None]
    ) -> None:
        self.crawler = crawler
        self.work = crawler.spider.work  # type: ignore[union-attr]
        self.portal = Portal(crawler)
        self.login = login()
        self.credential = credential
        self.name = f"{login.name}:{credential.username}"
        self.leases = HeldLeases(self.work.db, holder(self.work.crawl), self._lose)
        self._run_lease = f"run:{self.name}"  # who may work in the session
        self._on_lost = on_lost
        self.saved: SavedSession | None = None
        self.proved_versions: set[int] = set()  # of the sessions that are the credential's
        self.served = False  # the portal has answered somebody in this session
        self.context = ""  # the browser context that holds it
        self._establishing: asyncio.Task[None] | None = None
        self._failure: Failure | None = None  # remembered, so that no waiting request starts another attempt
        self._proving = asyncio.Lock()
        self._over = 0  # the newest session that is known to have ended
        self.lost = False
        self._barren = 0  # sessions since somebody was served, the present one with them

    def _lose(self) -> None:
        self.lost = True
        self._on_lost(self)

    def note_served(self) -> None:
        """Remember that the portal answered somebody in this session."""
        self.served, self._barren = True, 0

    def hopeless(self) -> bool:
        """Tell whether yet another sign-in is pointless: two sessions in a row served nobody."""
        return self._barren >= 2

    def is_over(self, exception: Exception) -> bool:
        """Tell whether this exception is the failed sign-in itself, which everybody who waited is told of."""
        return exception is self._failure

    @property
    def has_tokens(self) -> bool:
        """Tell whether the session is tokens, which are renewed without a sign-in."""
        return isinstance(self.login, ConversationLogin)

    @property
    def version(self) -> int:
        """The version of the present session; 0 when there is none."""
        return self.saved.version if self.saved else 0

    async def ensure(self, job: Job, stale: int = 0) -> SavedSession:
        """Return a session newer than *stale*; the first caller brings it about, everybody else waits for the same task."""
        if self._failure is not None:
            raise self._failure
        if not self.login.shared:
            job.fences[self._run_lease] = self.leases.holder
        self._over = max(self._over, stale)
        if self._good(self.saved, self._over):
            assert self.saved is not None
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

    def _good(self, saved: SavedSession | None, stale: int) -> bool:
        return saved is not None and saved.version > stale and not self.login.needs_renewal(saved.state)

    def is_current(self, version: int) -> bool:
        """Tell whether a session is the present one, as far as anybody knows."""
        return version == self.version and version > self._over

    async def _establish(self, job: Job) -> None:
        stale = self._over
        if not self.login.shared and self._run_lease not in self.leases:
            await self.leases.wait_for(self._run_lease, job)
        sessions = Sessions(self.work.db)
        if stale > 0 and not isinstance(self.login, ConversationLogin):
            await asyncio.to_thread(sessions.destroy, self.login.name, self.credential.username, stale)
            await self._let_go()
        lease = f"sign-in:{self.name}"
        deadline = asyncio.get_running_loop().time() + crawl_settings().busy_wait
        while True:
            saved = await asyncio.to_thread(sessions.load, self.login.name, self.credential.username)
            if saved is not None and self._good(saved, stale) and await self._usable(saved):
                self._adopt(saved, proved=False)
                logger.info("Reusing the session of %s", self.login.name)
                return
            if await self.leases.take(lease):
                break
            job.brake.check()
            if asyncio.get_running_loop().time() > deadline:
                raise outcomes.CredentialBusy("Another process is still signing in.")
            await asyncio.sleep(0.2)  # between two looks at the lease
        try:
            saved = await asyncio.to_thread(sessions.load, self.login.name, self.credential.username)
            if saved is not None and self._good(saved, stale) and await self._usable(saved):
                self._adopt(saved, proved=False)  # somebody signed in while we waited for the lease
                return
            if saved is not None and isinstance(self.login, ConversationLogin):
                await self._renew(job, self.login, saved)
                return
            signed_in = await SignIn(self.crawler, self.login, self.credential).run(job)
            self.context = signed_in.context
            await self._accept(job, signed_in)
        finally:
            await self.leases.release(lease)

    async def _renew(self, job: Job, login: ConversationLogin, saved: SavedSession) -> None:
        """Renew the tokens of a session: once for everybody, because the caller holds the sign-in lease."""
        before, sessions = Tokens.of(saved.state), Sessions(self.work.db)
        name, username = login.name, self.credential.username
        self._hide(saved.state)
        progress.info("%s: renewing the session of %s", self.work.spider, name)
        try:
            tokens = await login.hold(login.renew(before), self.portal.sender(job, ""))
        except outcomes.ReauthenticationRequired:
            await asyncio.to_thread(sessions.destroy, name, username, saved.version)
            raise
        self._hide(tokens.state())
        if before.subject and tokens.subject != before.subject:
            await asyncio.to_thread(sessions.destroy, name, username)
            raise outcomes.IdentityMismatch("The renewed session is another user's.", step="renew the session")
        await self._save(tokens.state(), "", tokens.subject, proved=saved.version in self.proved_versions)

    async def _usable(self, saved: SavedSession) -> bool:
        """Tell whether a stored session can be compared with anything: one of nobody we know is not trusted."""
        if isinstance(self.login, ConversationLogin):
            return True  # its portal says whose it is whenever it is asked
        if saved.identity.casefold() == self.credential.username.casefold():
            return True
        known = await asyncio.to_thread(Sessions(self.work.db).known_identity, saved.login, saved.username)
        return bool(known.name or known.accounts)

    def _adopt(self, saved: SavedSession, *, proved: bool) -> None:
        self.saved, self.served = saved, False
        if proved:
            self.proved_versions.add(saved.version)
        self._barren += 1
        self._hide(saved.state)
        if middleware := self.crawler.get_downloader_middleware(CookiesMiddleware):
            jar = middleware.jars[self.jar]
            for cookie in saved.state.get("cookies", []):
                jar.set_cookie(as_cookie(cookie))

    def _hide(self, state: dict[str, Any]) -> None:
        """Keep the secrets of a session's state out of everything that leaves this process."""
        for cookie in state.get("cookies", []):
            redactor.add(cookie["value"])
        for _name, value in (entry for entries in state.get("session_storage", {}).values() for entry in entries):
            redactor.add(value)
        for origin in state.get("origins", []):
            redactor.add(*(entry["value"] for entry in origin.get("localStorage", [])))
        redactor.add(*self.login.secrets(state))

    @property
    def jar(self) -> str:
        """The key of this session's cookie jar: a new session never sees an old one's cookies."""
        return f"{self.name}:{self.version}"

    async def _accept(self, job: Job, signed_in: SignedIn) -> None:
        """Save a new session once it is proved whose it is."""
        state, identity = signed_in.state, signed_in.identity
        self._hide(state)
        # Tokens cost a code, so they are kept at once; whose they are is proved before anything is passed on from them.
        by_tokens = isinstance(self.login, ConversationLogin)
        if not by_tokens:
            await self._prove(job, identity, fresh=True)
        proof = proof_of(identity)
        await self._save(state, signed_in.user_agent, proof, proved=not by_tokens)
        if self.crawler.spider.rendering == "http":  # type: ignore[union-attr]
            await self._drop_context()  # its cookies go on over HTTP

    async def _save(self, state: dict[str, Any], user_agent: str, proof: str, *, proved: bool) -> None:
        expires = datetime.now(UTC) + self.login.life if self.login.life else None
        sessions = Sessions(self.work.db)
        name, username = self.login.name, self.credential.username
        await asyncio.to_thread(sessions.save, name, username, state, user_agent, proof, expires)
        saved = await asyncio.to_thread(sessions.load, name, username)
        if saved is None:
            raise outcomes.LeaseLost("The session was destroyed while it was being saved.")
        self._adopt(saved, proved=proved)

    # Proving whose session it is

    async def prove(self, job: Job, identity: ShownIdentity, version: int) -> None:
        """Prove a reused session by what a page shows, or by asking for the page that shows it; once."""
        async with self._proving:
            if version in self.proved_versions:
                return
            if version != self.version:
                raise SignedOut("The session ended before it was looked at.")
            assert self.saved is not None
            subject = await self._proof()
            if not identity and subject:
                known = await asyncio.to_thread(
                    Sessions(self.work.db).known_identity, self.login.name, self.credential.username
                )
                identity = ShownIdentity(subject=subject if known.name == subject else "")
            if not identity and self.login.home:
                request = self.portal.request(job, self.login.home_address(), {"cookiejar": self.jar})
                self.login.authorize(request, self.saved.state)
                answer = await self.portal.send(request)
                if self.login.is_signed_out(answer):
                    raise SignedOut("The session was over when it was looked at.")
                identity = self.login.identity(answer)
            await self._prove(job, identity, fresh=False)
            self.proved_versions.add(version)

    async def _proof(self) -> str:
        """Return what is remembered once the portal has shown that tokens of this subject are this very user's; else ""."""
        if self.saved is None or not self.has_tokens:
            return ""
        # With the user, because the credential's user name may be a label under which somebody else is stored one day.
        subject, user = Tokens.of(self.saved.state).subject, self.login.user_of(self.credential)
        text = f"subject\0{self.login.name}\0{user}\0{subject}"
        proof: str = await self.work.db.run(lambda session: fingerprints(session, text)[0])
        return proof

    async def _prove(self, job: Job, identity: ShownIdentity, *, fresh: bool) -> None:
        sessions = Sessions(self.work.db)
        name, username = self.login.name, self.credential.username
        known = await asyncio.to_thread(sessions.known_identity, name, username)
        account = getattr(job.target, "account", None)
        failure = judge_identity(identity, known, self.login.user_of(self.credential), account, fresh=fresh)
        if failure is None:
            shown = identity.name or await self._proof() or None
            await asyncio.to_thread(sessions.remember_identity, name, username, shown, identity.accounts)
            return
        failure.step = "prove whose session it is"
        failure.selector = " | ".join(self.login.shows_username + self.login.shows_user + self.login.shows_accounts)
        await asyncio.to_thread(sessions.destroy, name, username)
        await self._let_go()
        self._failure = failure
        raise failure

    async def guard(self, page: PortalPage, job: Job) -> bool:
        """Ask, before the first flow in a reused session, whose it is; return whether the page was opened for that."""
        version = self.version
        if version in self.proved_versions:
            return False
        assert isinstance(self.login, BrowserLogin)
        await self.prove(job, await self.login.guard(page), version)
        return True

    # Letting go

    async def leave(self) -> None:
        """Sign out at the portal and destroy the session; one that cannot be signed out of is destroyed all the same."""
        assert self.saved is not None
        version, job = self.saved.version, next(iter(self.work.jobs.values()))
        try:
            if isinstance(self.login, BrowserLogin):
                await self.portal.send(
                    self.portal.request(
                        job,
                        self.login.home_address(),
                        flow=self.login.sign_out,
                        login=self.login.name,
                        storage=self.saved.state,
                        context=self.context or self.jar,
                    )
                )
            elif isinstance(self.login, FormLogin):
                url = urljoin(self.login.address(), self.login.sign_out_path)
                await self.portal.send(self.portal.request(job, url, {"cookiejar": self.jar}))
        except Failure as failure:
            job.warn(f"Signing out of {self.login.name} failed: {failure}")
        await asyncio.to_thread(Sessions(self.work.db).destroy, self.login.name, self.credential.username, version)
        await self._let_go()

    async def _let_go(self) -> None:
        await self._drop_context()
        self.saved = None

    async def _drop_context(self) -> None:
        handler = getattr(self.crawler, "latchkey_handler", None)
        if handler is not None:
            await handler.drop_context(self.context or self.jar)
        self.context = ""

    async def close(self) -> None:
        """Keep the session with its newest cookies, and give the leases back."""
        try:
            if self.saved is not None and not self.lost and self.served:
                await self._keep(self.saved)
        finally:
            await self.leases.close()

    async def _keep(self, saved: SavedSession) -> None:
        state = dict(saved.state)
        handler = getattr(self.crawler, "latchkey_handler", None)
        context = await handler.context(self.context or self.jar) if handler else None
        middleware = self.crawler.get_downloader_middleware(CookiesMiddleware)
        if context is not None:
            state.update(await in_time(context.storage_state()) or {})
        elif middleware is not None and self.jar in middleware.jars:
            state["cookies"] = [from_cookie(cookie) for cookie in middleware.jars[self.jar]]
        if state != saved.state:
            sessions = Sessions(self.work.db)
            await asyncio.to_thread(sessions.touch_state, saved.login, saved.username, saved.version, state)
