"""Who is signed in: sessions reused and proved, one sign-in for everybody, recovery in mid-run at most once each."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

from scrapy import Request, signals
from scrapy.exceptions import DontCloseSpider
from scrapy.http.request import NO_CALLBACK

from database import ledger as ledger_results
from database.engine import DatabaseAway
from database.leases import Leases, holder
from database.ledger import Ledger, Refusal
from database.sessions import SavedSession, Sessions
from database.settings import database_settings
from middlewares.cookies import CookiesMiddleware, as_cookie, from_cookie
from middlewares.two_factor import CodeSource
from scrapers import outcomes
from scrapers.login import Attempt, BrowserLogin, ChooseFactor, EnterCode, FormLogin, Identity, Login
from scrapers.options import crawl_settings
from scrapers.outcomes import CacheError, Failure, LoginFailed, SessionGone, SignedOut
from scrapers.redaction import redactor
from scrapers.spider import name_failure

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from scrapers.credentials import Credential
    from scrapers.page import PortalPage
    from scrapers.work import Job

logger = logging.getLogger(__name__)
progress = logging.getLogger("latchkey.progress")

# Times one request is sent again into a new session. Many requests in flight meet the same end, and some meet several in
# a row; what really bounds it is `hopeless` and the ledger's budget. Flows of a session run one after another.
REPLAYS, FLOW_REPLAYS = 50, 2
REFUSALS: dict[str, type[LoginFailed]] = {
    "blocked": outcomes.CredentialBlocked,
    "cooling_down": outcomes.CredentialCoolingDown,
    "budget": outcomes.SignInBudgetSpent,
}
# Ends of an attempt that are an answer of the portal; any other end after a submission is an attempt without one.
ANSWERS = (outcomes.BadCredentials, outcomes.AccountLocked, outcomes.CaptchaShown, outcomes.MfaFailed)
# Ends that only come once the portal has taken the password.
PROVE_SECRET = (outcomes.MfaRequired, outcomes.CodeNotReceived, outcomes.TermsPending)
# Ends that say nothing of the portal's answer: after a submission they are all the same.
UNHEARD = (outcomes.PortalDown, outcomes.BrowserDied, outcomes.FlowTimedOut, outcomes.RateLimited)


class SessionKeeper:
    """The one session of a (login, credential) in this process: reused, proved, renewed, and let go."""

    def __init__(self, auth: AuthMiddleware, login: type[Login], credential: Credential) -> None:
        self.auth = auth
        self.crawler = auth.crawler
        self.work = auth.crawler.spider.work  # type: ignore[union-attr]
        self.login = login()
        self.credential = credential
        self.name = f"{login.name}:{credential.username}"
        self.holder = holder(self.work.crawl)
        self.saved: SavedSession | None = None
        self.proved_versions: set[int] = set()  # of the sessions that are the credential's
        self.served = False  # the portal has answered somebody in this session
        self.context = ""  # the browser context that holds it
        self._establishing: asyncio.Task[None] | None = None
        self._failure: Failure | None = None  # remembered, so that no waiting request starts another attempt
        self._proving = asyncio.Lock()
        self._running = asyncio.Lock()
        self._over = 0  # the newest session that is known to have ended
        self._held: set[str] = set()
        self._renewal: asyncio.Task[None] | None = None
        self.lost = False
        self._barren = 0  # sessions since somebody was served, the present one with them

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
    def version(self) -> int:
        """The version of the present session; 0 when there is none."""
        return self.saved.version if self.saved else 0

    async def ensure(self, job: Job, stale: int = 0) -> SavedSession:
        """Return a session newer than *stale*; the first caller brings it about, everybody else waits for the same task."""
        if self._failure is not None:
            raise self._failure
        self._over = max(self._over, stale)
        if self.saved is not None and self.version > self._over:
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

    def is_current(self, version: int) -> bool:
        """Tell whether a session is the present one, as far as anybody knows."""
        return version == self.version and version > self._over

    async def _establish(self, job: Job) -> None:
        stale = self._over
        await self._hold_run_lease(job)
        sessions = Sessions(self.work.db)
        if stale > 0:
            await asyncio.to_thread(sessions.destroy, self.login.name, self.credential.username, stale)
            await self._let_go()
        lease = f"sign-in:{self.name}"
        deadline = asyncio.get_running_loop().time() + crawl_settings().busy_wait
        while True:
            saved = await asyncio.to_thread(sessions.load, self.login.name, self.credential.username)
            if saved is not None and saved.version > stale and await self._usable(saved):
                self._adopt(saved, proved=False)
                logger.info("Reusing the session of %s", self.login.name)
                return
            if await self._acquire(lease):
                break
            job.brake.check()
            if asyncio.get_running_loop().time() > deadline:
                raise outcomes.CredentialBusy("Another process is still signing in.")
            await asyncio.sleep(0.2)  # between two looks at the lease
        try:
            saved = await asyncio.to_thread(sessions.load, self.login.name, self.credential.username)
            if saved is not None and saved.version > stale and await self._usable(saved):
                self._adopt(saved, proved=False)  # somebody signed in while we waited for the lease
                return
            await self._sign_in(job)
        finally:
            await self._release(lease)

    async def _usable(self, saved: SavedSession) -> bool:
        """Tell whether a stored session can be compared with anything: one of nobody we know is not trusted."""
        if saved.identity.casefold() == self.credential.username.casefold():
            return True
        known = await asyncio.to_thread(Sessions(self.work.db).known_identity, saved.login, saved.username)
        return bool(known.name or known.accounts)

    def _adopt(self, saved: SavedSession, *, proved: bool) -> None:
        self.saved, self.served = saved, False
        if proved:
            self.proved_versions.add(saved.version)
        self._barren += 1
        for cookie in saved.state.get("cookies", []):
            redactor.add(cookie["value"])
        for _name, value in (entry for entries in saved.state.get("session_storage", {}).values() for entry in entries):
            redactor.add(value)
        for origin in saved.state.get("origins", []):
            redactor.add(*(entry["value"] for entry in origin.get("localStorage", [])))
        if middleware := self.crawler.get_downloader_middleware(CookiesMiddleware):
            jar = middleware.jars[self.jar]
            for cookie in saved.state.get("cookies", []):
                jar.set_cookie(as_cookie(cookie))

    @property
    def jar(self) -> str:
        """The key of this session's cookie jar: a new session never sees an old one's cookies."""
        return f"{self.name}:{self.version}"

    # Signing in

    async def _sign_in(self, job: Job) -> None:
        ledger = Ledger(self.work.db, database_settings().sign_in_budget)
        name, username = self.login.name, self.credential.username
        try:
            attempt_id = await asyncio.to_thread(ledger.begin, name, username, self.credential.secret, job.id)
        except Refusal as refusal:
            until = f"It is free again at {refusal.until:%Y-%m-%d %H:%M} UTC." if refusal.until else ""
            raise REFUSALS[refusal.kind](until) from None
        progress.info("%s: signing in to %s", self.work.spider, name)
        job.counts.sign_ins += 1
        result = ledger_results.NOT_SUBMITTED
        attempt: Attempt | None = None
        try:
            # The flow and the requests have deadlines of their own; this one is for what has none.
            async with (
                asyncio.timeout(self._deadline() + 30) as limit,
                CodeSource(self.work, type(self.login), self.credential, job.id) as codes,
            ):
                codes.deadlines.append(limit)
                attempt = Attempt(self.credential, codes, visible=self.work.visible)
                try:
                    state, user_agent, identity = await self._walk(job, attempt)
                except UNHEARD as failure:
                    if not attempt.submitted:
                        raise
                    # Named here, so that the code source sees it too: the portal may have sent a code all the same.
                    raise outcomes.SignInTimedOut(
                        failure.detail, failure.step, failure.selector, failure.evidence
                    ) from failure
            result = ledger_results.SIGNED_IN
        except TimeoutError:
            raise outcomes.SignInTimedOut("It did not end within LATCHKEY_SIGN_IN_WAIT.") from None
        except Failure as failure:
            self._place(failure, attempt.screens if attempt else [])
            if isinstance(failure, ANSWERS):
                result = failure.outcome.code
            elif isinstance(failure, PROVE_SECRET) and attempt and attempt.submitted:
                result = f"error:{failure.outcome.code}"
            elif isinstance(failure, outcomes.Interrupted) and attempt and self._asked_for_code(attempt):
                result = f"error:{failure.outcome.code}"  # the password was taken: it needs no watching
            raise
        finally:
            if result == ledger_results.NOT_SUBMITTED and attempt and attempt.submitted:
                result = ledger_results.UNANSWERED
            await asyncio.to_thread(ledger.finish, attempt_id, result)
        await self._accept(job, state, user_agent, identity)

    def _place(self, failure: Failure, screens: list[str]) -> None:
        """Say in a failure where the sign-in stood: its screens, and how the last one is recognised."""
        failure.evidence.setdefault("screens", list(screens))
        last = screens[-1] if screens else "open"
        failure.step = failure.step or f"sign in: {last}"
        shown = next((screen.shown for screen in self.login.screens if screen.name == last), ())
        failure.selector = failure.selector or " | ".join(shown)

    def _asked_for_code(self, attempt: Attempt) -> bool:
        screens = [screen.name for screen in self.login.screens if isinstance(screen.act, (ChooseFactor, EnterCode))]
        return not set(screens).isdisjoint(attempt.screens)

    def _deadline(self) -> float:
        settings = crawl_settings()
        return settings.sign_in_wait + (settings.person_wait if self.work.visible else 0)

    async def _walk(self, job: Job, attempt: Attempt) -> tuple[dict[str, Any], str, Identity]:
        if isinstance(self.login, BrowserLogin):
            return await self._walk_browser(self.login, job, attempt)
        assert isinstance(self.login, FormLogin)
        return await self._walk_forms(self.login, job, attempt)

    async def _walk_browser(
        self, login: BrowserLogin, job: Job, attempt: Attempt
    ) -> tuple[dict[str, Any], str, Identity]:
        from scrapers.page import session_state

        async def flow(page: PortalPage) -> tuple[dict[str, Any], str, Identity]:
            await login.sign_in(page, attempt)
            identity = await login.page_identity(page)
            return await session_state(page.raw.context), await page.raw.evaluate("navigator.userAgent"), identity

        self.context = f"{self.name}:{id(attempt)}"
        meta = {"flow": flow, "login": login.name, "context": self.context, "flow_wait": self._deadline()}
        meta["deadlines"] = attempt.second_factor.deadlines
        request = self._own_request(job, login.address(), meta)
        response = await self._download(request)
        return response.meta["flow_result"]  # type: ignore[no-any-return]

    async def _walk_forms(self, login: FormLogin, job: Job, attempt: Attempt) -> tuple[dict[str, Any], str, Identity]:
        jar = f"{self.name}:{id(attempt)}"

        async def send(request: Request) -> Response:
            own = self._own_request(job, request.url, {"cookiejar": jar})
            return await self._download(own.replace(method=request.method, body=request.body, headers=request.headers))

        landing = await login.sign_in(send, attempt)
        identity = login.identity(landing)
        if not identity and login.home:
            identity = login.identity(await send(Request(login.home_address())))
        middleware = self.crawler.get_downloader_middleware(CookiesMiddleware)
        assert middleware is not None
        cookies = [from_cookie(cookie) for cookie in middleware.jars.pop(jar)]
        return {"cookies": cookies}, "", identity

    def _own_request(self, job: Job, url: str, meta: dict[str, Any]) -> Request:
        own: dict[str, Any] = {"job": job.id, "sign_in": True, "dont_retry": True, "allow_offsite": True}
        own["download_timeout"] = min(60, crawl_settings().sign_in_wait)
        return Request(url, callback=NO_CALLBACK, dont_filter=True, meta={**own, **meta})

    async def _download(self, request: Request) -> Response:
        try:
            return await self.crawler.engine.download_async(request)
        except LoginFailed:
            raise
        except Failure as failure:
            raise failure from None
        except Exception as error:
            raise name_failure(error, request) from error

    async def _accept(self, job: Job, state: dict[str, Any], user_agent: str, identity: Identity) -> None:
        """Save a new session once it is proved whose it is."""
        for cookie in state.get("cookies", []):
            redactor.add(cookie["value"])
        await self._prove(job, identity, fresh=True)
        expires = datetime.now(UTC) + self.login.life if self.login.life else None
        proof = identity.username or identity.name or ",".join(sorted(identity.accounts))
        sessions = Sessions(self.work.db)
        name, username = self.login.name, self.credential.username
        await asyncio.to_thread(sessions.save, name, username, state, user_agent, proof, expires)
        saved = await asyncio.to_thread(sessions.load, name, username)
        if saved is None:
            raise outcomes.LeaseLost("The session was destroyed while it was being saved.")
        self._adopt(saved, proved=True)
        if self.crawler.spider.rendering == "http":  # type: ignore[union-attr]
            await self._drop_context()  # its cookies go on over HTTP

    # Proving whose session it is

    async def prove(self, job: Job, identity: Identity, version: int) -> None:
        """Prove a reused session by what a page shows, or by asking for the page that shows it; once."""
        async with self._proving:
            if version in self.proved_versions:
                return
            if version != self.version:
                raise SignedOut("The session ended before it was looked at.")
            if not identity and self.login.home:
                request = self._own_request(job, self.login.home_address(), {"cookiejar": self.jar})
                answer = await self._download(request)
                if self.login.is_signed_out(answer):
                    raise SignedOut("The session was over when it was looked at.")
                identity = self.login.identity(answer)
            await self._prove(job, identity, fresh=False)
            self.proved_versions.add(version)

    async def _prove(self, job: Job, identity: Identity, *, fresh: bool) -> None:
        sessions = Sessions(self.work.db)
        name, username = self.login.name, self.credential.username
        known = await asyncio.to_thread(sessions.known_identity, name, username)
        account = getattr(job.target, "account", None)
        failure: LoginFailed | None = None
        if identity.username:
            if identity.username.casefold() != username.casefold():
                failure = outcomes.IdentityMismatch("The page shows another user name.")
        elif identity.name:
            if known.name is not None and known.name != identity.name:
                failure = outcomes.IdentityMismatch("The page shows another name than before.")
            elif known.name is None and not fresh:
                failure = outcomes.IdentityUnproved("The name that the page shows was never proved before.")
        elif identity.accounts:
            if account is not None and account not in identity.accounts:
                failure = outcomes.IdentityMismatch("The page does not list the job's account.")
            elif known.accounts and not known.accounts & identity.accounts:
                failure = outcomes.IdentityMismatch("The page lists none of the accounts that were proved before.")
        else:
            failure = outcomes.IdentityUnproved()
        if failure is None:
            shown = identity.name or None
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

    # Leases

    async def _hold_run_lease(self, job: Job) -> None:
        """Take the session for this crawl alone, unless its requests carry everything themselves."""
        lease = f"run:{self.name}"
        async with self._running:
            if self.login.shared or lease in self._held:
                return
            deadline = asyncio.get_running_loop().time() + crawl_settings().busy_wait
            while not await self._acquire(lease):
                job.brake.check()
                if asyncio.get_running_loop().time() > deadline:
                    raise outcomes.CredentialBusy()
                await asyncio.sleep(0.2)  # between two looks at the lease

    async def _acquire(self, lease: str) -> bool:
        seconds = database_settings().lease_seconds
        epoch = await asyncio.to_thread(Leases(self.work.db).acquire, lease, self.holder, seconds)
        if epoch is None:
            return False
        self._held.add(lease)
        if self._renewal is None:
            self._renewal = asyncio.ensure_future(self._renew())
        return True

    async def _renew(self) -> None:
        leases, seconds = Leases(self.work.db), database_settings().lease_seconds
        while self._held:
            await asyncio.sleep(seconds / 3)
            for lease in list(self._held):
                try:
                    kept = await asyncio.to_thread(leases.renew, lease, self.holder, seconds)
                except DatabaseAway:
                    continue  # the lease lives two thirds longer; the next look may find the database again
                if not kept and lease in self._held:
                    self._held.discard(lease)
                    self.lost = True
                    self.auth.lose(self)

    async def _release(self, lease: str) -> None:
        if lease in self._held:
            self._held.discard(lease)
            await asyncio.to_thread(Leases(self.work.db).release, lease, self.holder)

    # Letting go

    async def leave(self) -> None:
        """Sign out at the portal and destroy the session; one that cannot be signed out of is destroyed all the same."""
        assert self.saved is not None
        version, job = self.saved.version, next(iter(self.work.jobs.values()))
        try:
            if isinstance(self.login, BrowserLogin):
                meta = {"flow": self.login.sign_out, "login": self.login.name, "state": self.saved.state}
                await self._download(
                    self._own_request(job, self.login.home_address(), {**meta, "context": self.context or self.jar})
                )
            elif isinstance(self.login, FormLogin):
                url = urljoin(self.login.address(), self.login.sign_out_path)
                await self._download(self._own_request(job, url, {"cookiejar": self.jar}))
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
            if self._renewal is not None:
                self._renewal.cancel()
            for lease in list(self._held):
                await self._release(lease)

    async def _keep(self, saved: SavedSession) -> None:
        state = dict(saved.state)
        handler = getattr(self.crawler, "latchkey_handler", None)
        context = await handler.context(self.context or self.jar) if handler else None
        middleware = self.crawler.get_downloader_middleware(CookiesMiddleware)
        if context is not None:
            state.update(await context.storage_state())
        elif middleware is not None and self.jar in middleware.jars:
            state["cookies"] = [from_cookie(cookie) for cookie in middleware.jars[self.jar]]
        if state != saved.state:
            sessions = Sessions(self.work.db)
            await asyncio.to_thread(sessions.touch_state, saved.login, saved.username, saved.version, state)


class AuthMiddleware:
    """Gives every request of a job the session it needs, and recovers requests that met a dead one."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._keepers: dict[tuple[str, str], SessionKeeper] = {}
        self._leaving: asyncio.Task[None] | None = None
        crawler.signals.connect(self._idle, signals.spider_idle)
        crawler.signals.connect(self._close, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        return cls(crawler)

    def _idle(self) -> None:
        """Sign out where a login says so, as long as requests can still be sent."""
        leaving = [keeper for keeper in self._keepers.values() if not keeper.login.keep and keeper.saved is not None]
        if leaving and self._leaving is None:
            self._leaving = asyncio.ensure_future(self._leave(leaving))
        if self._leaving is not None and not self._leaving.done():
            raise DontCloseSpider

    async def _leave(self, keepers: list[SessionKeeper]) -> None:
        for keeper in keepers:
            await keeper.leave()

    def _keeper(self, request: Request) -> tuple[SessionKeeper, Job] | None:
        spider: Any = self.crawler.spider
        job = spider.work.job(request.meta)
        if job is None or request.meta.get("sign_in") or not spider.logins:
            return None
        login = Login.registry[request.meta["login"]] if "login" in request.meta else spider.logins[0]
        if job.credential is None:
            raise outcomes.CredentialMissing(f"Portal: {spider.portal}.", step="find the credential")
        key = (login.name, job.credential.username)
        if key not in self._keepers:
            self._keepers[key] = SessionKeeper(self, login, job.credential)
        return self._keepers[key], job

    async def process_request(self, request: Request) -> None:
        """Wait until somebody is signed in, and put the request into that session."""
        found = self._keeper(request)
        if found is None:
            return
        keeper, job = found
        if keeper.lost:
            raise outcomes.LeaseLost()
        saved = await keeper.ensure(job)
        request.meta["session"] = saved.version
        request.meta["is_current"] = lambda: keeper.is_current(saved.version)
        if request.meta.get("flow") is not None:
            request.meta["context"] = keeper.context or keeper.jar
            request.meta["state"] = saved.state
            request.meta["guard"] = lambda page: keeper.guard(page, job)
        else:
            request.meta["cookiejar"] = keeper.jar
            if saved.user_agent:
                request.headers["User-Agent"] = saved.user_agent

    async def process_response(self, request: Request, response: Response) -> Response:
        """Pass an answer on once it is proved whose session it came from; recover it when nobody was signed in."""
        found = self._keeper(request)
        if found is None:
            return response
        keeper, job = found
        failure = await self._objection(request, response, keeper, job)
        if failure is not None:
            # Sent from here, not by way of the scheduler: there those that were never refused would overtake it.
            again = await self._replay(request, keeper, job, failure)
            return await self.crawler.engine.download_async(again)
        keeper.note_served()
        return response

    async def _objection(
        self, request: Request, response: Response, keeper: SessionKeeper, job: Job
    ) -> SignedOut | None:
        """Return why an answer may not be passed on: nobody was signed in, or nobody knows who was."""
        if request.meta.get("flow") is None and keeper.login.is_signed_out(response):
            return SignedOut()
        # A session may have ended while this answer was on its way; what it proved before is as good as ever.
        if (seen := request.meta["session"]) not in keeper.proved_versions:
            if seen != keeper.version:
                return SignedOut()
            try:
                await keeper.prove(job, keeper.login.identity(response), seen)
            except SignedOut as failure:
                return failure
        return None

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Recover a flow that met the end of its session, the cache error, or the end of its browser."""
        if not isinstance(exception, (SignedOut, CacheError, outcomes.BrowserDied)):
            return None
        found = self._keeper(request)
        if found is None or found[0].is_over(exception):
            return None
        return await self._replay(request, *found, exception)

    async def _replay(self, request: Request, keeper: SessionKeeper, job: Job, failure: Failure) -> Request:
        """Renew the session, unless somebody has meanwhile, and return the request to be sent again; bounded."""
        replays = request.meta.get("replays", 0) + (not isinstance(failure, SessionGone))
        seen = request.meta.get("session", 0)
        if isinstance(failure, (CacheError, outcomes.BrowserDied)):
            code = failure.outcome.code
            job.recoveries[code] = job.recoveries.get(code, 0) + 1
            if job.recoveries[code] > 1:
                raise failure
        elif replays > (REPLAYS if request.meta.get("flow") is None else FLOW_REPLAYS):
            failure.detail = failure.detail or f"One request met the end of {replays} sessions."
            raise failure
        elif seen == keeper.version and keeper.hopeless():
            failure.detail = failure.detail or "Two sessions in a row served nobody."
            raise failure
        if isinstance(failure, outcomes.BrowserDied):
            keeper.context = ""  # a new one is made from the session's state
        else:
            if (recovered := f"{failure.outcome.code}: recovered by a new sign-in.") not in job.warnings:
                job.warnings.append(recovered)
            await keeper.ensure(job, stale=seen)
        # dont_filter: the request was seen before; the priority brings it before those that never failed.
        return request.replace(
            dont_filter=True, priority=request.priority + 50, meta={**request.meta, "replays": replays}
        )

    def lose(self, keeper: SessionKeeper) -> None:
        """A lease is lost: every job in that session fails and stores nothing more."""
        for job in self.crawler.spider.work.jobs.values():  # type: ignore[union-attr]
            if job.credential and job.credential.username == keeper.credential.username and not job.outcome:
                job.fail(outcomes.LeaseLost())
                job.brake.pull(outcomes.LeaseLost())

    async def _close(self) -> None:
        for keeper in self._keepers.values():
            await keeper.close()
