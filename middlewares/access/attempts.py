"""One sign-in attempt: its row in the ledger, its second factor, the walk through the screens, and what it leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from database.access import ledger as ledger_results
from database.access.ledger import Ledger, Refusal
from database.settings import database_settings
from middlewares.access.codes import CodeSource
from middlewares.cookies import CookiesMiddleware, from_cookie
from scrapers.core import outcomes
from scrapers.core.naming import name_failure
from scrapers.core.outcomes import Failure, LoginFailed
from scrapers.core.requests import KEY, RequestState, own_state
from scrapers.core.settings import crawl_settings
from scrapers.logins.base import Attempt, Login, ShownIdentity
from scrapers.logins.browser import BrowserLogin
from scrapers.logins.conversation import ConversationLogin
from scrapers.logins.form import FormLogin
from scrapers.logins.screens import ChooseFactor, EnterCode, OpenLink

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from database.access.credentials import Credential
    from scrapers.core.jobs import Job
    from scrapers.core.page import PortalPage

progress = logging.getLogger("latchkey.progress")

REFUSALS: dict[str, type[LoginFailed]] = {
    "blocked": outcomes.CredentialBlocked,
    "cooling_down": outcomes.CredentialCoolingDown,
    "budget": outcomes.SignInBudgetSpent,
}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What an attempt leaves: the session's state, whose it is, and the browser context that holds it."""

    state: dict[str, Any] = field(repr=False)
    identity: ShownIdentity
    user_agent: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended, as the ledger records it."""

    result: str
    proved: bool = False


def ended(failure: Failure | None, *, submitted: bool, asked: bool = False) -> Ended:
    """
    Return what the ledger records of a sign-in that failed, or that ended without a named failure (None).

    submitted: the password was sent; asked: the portal asked for a one-time code, which it does after the password.
    """
    if failure is not None and failure.answers:
        return Ended(failure.outcome.code, submitted and failure.proves_secret)
    if failure is not None and submitted and failure.proves_secret:
        return Ended(f"error:{failure.outcome.code}", proved=True)
    if isinstance(failure, outcomes.Interrupted) and asked:
        return Ended(f"error:{failure.outcome.code}", submitted)
    return Ended(ledger_results.UNANSWERED if submitted else ledger_results.NOT_SUBMITTED)


class Portal:
    """How the middleware itself asks the portal: past the scheduler, and never twice."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    def request(self, job: Job, url: str, meta: dict[str, Any] | None = None, **state: Any) -> Request:
        """Return a request of our own; *meta* is Scrapy's, the rest goes into its RequestState."""
        own: dict[str, Any] = {KEY: RequestState(job.id, own=True, **state), "dont_retry": True, "allow_offsite": True}
        own["download_timeout"] = min(60, crawl_settings().sign_in_wait)
        return Request(url, callback=NO_CALLBACK, dont_filter=True, meta={**own, **(meta or {})})

    async def send(self, request: Request) -> Response:
        """Send a request of our own; whatever goes wrong has an outcome's name."""
        try:
            return await self.crawler.engine.download_async(request)
        except Failure:
            raise
        except Exception as error:
            raise name_failure(error, request) from error

    def sender(self, job: Job, jar: str) -> Callable[[Request], Awaitable[Response]]:
        """Return what sends a login's requests as ours, with the cookies of one jar."""

        async def send(request: Request) -> Response:
            own = self.request(job, request.url, {"cookiejar": jar, **request.meta})
            return await self.send(own.replace(method=request.method, body=request.body, headers=request.headers))

        return send


class SignIn:
    """The sign-ins of one credential at one login."""

    def __init__(self, crawler: Crawler, login: Login, credential: Credential) -> None:
        self.crawler = crawler
        self.work = crawler.spider.work  # type: ignore[union-attr]
        self.portal = Portal(crawler)
        self.login = login
        self.credential = credential

    async def run(self, job: Job) -> SignedIn:
        """Make one attempt: one ledger row, at most one submission of the password."""
        ledger = Ledger(self.work.db, database_settings().sign_in_budget)
        name, username = self.login.name, self.credential.username
        self.login.check(self.credential)
        if self.login.always_asks and not self.credential.receiver and self.work.prompt is None:
            raise outcomes.ReauthenticationRequired("Nobody is there to answer a one-time code, so none was asked for.")
        try:
            attempt_id = await asyncio.to_thread(
                ledger.begin, name, username, self.credential.secret, job.id, self.login.code_pause
            )
        except Refusal as refusal:
            until = f"It is free again at {refusal.until:%Y-%m-%d %H:%M} UTC." if refusal.until else ""
            raise REFUSALS[refusal.kind](until) from None
        progress.info("%s: signing in to %s", self.work.spider, name)
        job.counts.sign_ins += 1
        end: Ended | None = None
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
                    signed_in = await self._walk(job, attempt)
                except Failure as failure:
                    if not (attempt.submitted and failure.hides_answer):
                        raise
                    # Named here, so that the code source sees it too: the portal may have sent a code all the same.
                    raise outcomes.SignInTimedOut(
                        failure.detail, failure.step, failure.selector, failure.evidence
                    ) from failure
            end = Ended(ledger_results.SIGNED_IN, proved=True)
        except TimeoutError:
            raise outcomes.SignInTimedOut("It did not end within LATCHKEY_SIGN_IN_WAIT.") from None
        except Failure as failure:
            self._place(failure, attempt.screens if attempt else [])
            if attempt is not None:
                end = ended(failure, submitted=attempt.submitted, asked=self._asked_for_code(attempt))
            raise
        finally:
            end = end or ended(None, submitted=attempt is not None and attempt.submitted)
            await asyncio.to_thread(ledger.finish, attempt_id, end.result, proved=end.proved)
        return signed_in

    def _place(self, failure: Failure, screens: list[str]) -> None:
        """Say in a failure where the sign-in stood: its screens, and how the last one is recognised."""
        failure.evidence.setdefault("screens", list(screens))
        last = screens[-1] if screens else "open"
        failure.step = failure.step or f"sign in: {last}"
        shown = next((screen.shown for screen in self.login.screens if screen.name == last), ())
        failure.selector = failure.selector or " | ".join(shown)

    def _asked_for_code(self, attempt: Attempt) -> bool:
        screens = [
            screen.name for screen in self.login.screens if isinstance(screen.act, (ChooseFactor, EnterCode, OpenLink))
        ]
        return not set(screens).isdisjoint(attempt.screens)

    def _deadline(self) -> float:
        settings = crawl_settings()
        return settings.sign_in_wait + (settings.person_wait if self.work.visible else 0)

    async def _walk(self, job: Job, attempt: Attempt) -> SignedIn:
        if isinstance(self.login, BrowserLogin):
            return await self._walk_browser(self.login, job, attempt)
        if isinstance(self.login, ConversationLogin):
            send = self.portal.sender(job, f"{self.login.name}:{self.credential.username}:{id(attempt)}")
            tokens = await self.login.hold(self.login.converse(self.credential), send, attempt)
            return SignedIn(tokens.state(), ShownIdentity(name=tokens.subject))
        assert isinstance(self.login, FormLogin)
        return await self._walk_forms(self.login, job, attempt)

    async def _walk_browser(self, login: BrowserLogin, job: Job, attempt: Attempt) -> SignedIn:
        from scrapers.core.page import session_state

        async def flow(page: PortalPage) -> SignedIn:
            await login.sign_in(page, attempt)
            identity = await login.page_identity(page)
            user_agent = await page.raw.evaluate("navigator.userAgent")
            return SignedIn(await session_state(page.raw.context), identity, user_agent, context)

        context = f"{login.name}:{self.credential.username}:{id(attempt)}"
        request = self.portal.request(
            job,
            login.address(),
            flow=flow,
            login=login.name,
            context=context,
            time_limit=self._deadline(),
            deadlines=attempt.second_factor.deadlines,
        )
        signed_in: SignedIn = own_state(await self.portal.send(request)).result
        return signed_in

    async def _walk_forms(self, login: FormLogin, job: Job, attempt: Attempt) -> SignedIn:
        jar = f"{login.name}:{self.credential.username}:{id(attempt)}"
        send = self.portal.sender(job, jar)
        landing = await login.sign_in(send, attempt)
        identity = login.identity(landing)
        if not identity and login.home:
            identity = login.identity(await send(Request(login.home_address())))
        middleware = self.crawler.get_downloader_middleware(CookiesMiddleware)
        assert middleware is not None
        cookies = [from_cookie(cookie) for cookie in middleware.jars.pop(jar)]
        return SignedIn({"cookies": cookies}, identity)
