"""Sends every request of a job in its session, and signs in again when a session ends in mid-run."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, signals
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response

from middlewares.access.second import SecondSessions
from middlewares.access.sessions import SessionKeeper
from scrapers.core import outcomes
from scrapers.core.outcomes import CacheError, Failure, SessionGone, SignedOut
from scrapers.core.requests import own_state, state_of
from scrapers.core.runs import work_of
from scrapers.logins.base import Login

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from scrapers.core.jobs import Job

# Times one request is sent again in a new session. All requests in flight fail when a session ends, and some fail several
# times; sign-ins are bounded by `gave_up` and the ledger's budget. Flows of a session run one after another.
REPLAYS = 50
# Lower for flows, which repeat clicks, and for tokens: a request that two new tokens did not help will not succeed.
FEW_REPLAYS = 2


class AuthMiddleware:
    """Attaches the session to every request of a job, and repeats requests after their session has ended."""

    def __init__(self, crawler: Crawler) -> None:
        work = work_of(crawler, "This spider has no jobs: its requests need no session.")
        work.recover = self._look
        self.crawler = crawler
        self._keepers: dict[tuple[str, str], SessionKeeper] = {}
        self._leaving: asyncio.Task[None] | None = None
        self._second = SecondSessions(crawler)
        crawler.signals.connect(self._idle, signals.spider_idle)
        crawler.signals.connect(self._close, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        return cls(crawler)

    def _idle(self) -> None:
        """Sign out of the sessions of logins that do not keep them, while requests can still be sent."""
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
        state, job = state_of(request), spider.work.job_of(request)
        if state is None or job is None or state.own or not spider.logins:
            return None
        login = Login.registry[state.login] if state.login else spider.logins[0]
        if job.credential is None:
            raise outcomes.CredentialMissing(f"Portal: {spider.portal}.", step="find the credential")
        key = (login.name, job.credential.username)
        if key not in self._keepers:
            self._keepers[key] = SessionKeeper(self.crawler, login, job.credential, self.lose)
        return self._keepers[key], job

    async def process_request(self, request: Request) -> Request | Response | None:
        """Wait for the session, and add its cookies, token or browser context to the request."""
        found = self._keeper(request)
        if found is None:
            return None
        keeper, job = found
        if keeper.lost:
            raise outcomes.LeaseLost()
        job.brake.check()  # no sign-in for a job that must stop
        if own_state(request).leaves:
            await keeper.leave_stored(job)
            return Response(request.url, request=request)
        saved = await keeper.ensure(job)
        state = own_state(request)
        if state.landing and (address := keeper.login.shows_user_at(saved.state)):
            state.landing = False
            return request.replace(url=address, dont_filter=True)
        state.session = saved.version
        state.is_current = lambda: keeper.is_current(saved.version)
        if state.in_browser:
            state.context, state.storage = keeper.storage.context_key, saved.state
            state.guard = lambda page: keeper.guard(page, job)
            state.is_over = keeper.has_ended
            state.enter = partial(self._second.enter, job, keeper)
        else:
            request.meta["cookiejar"] = keeper.storage.jar
            keeper.login.authorize(request, saved.state)
            if saved.user_agent:
                request.headers["User-Agent"] = saved.user_agent
        return None

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the response once its session is proved; send the request again if it was answered as signed out."""
        found = self._keeper(request)
        if found is None or own_state(request).leaves:
            return response
        keeper, job = found
        failure = await self._objection(request, response, keeper, job)
        if failure is not None:
            return await self._send_again(request, await self._replay(request, keeper, job, failure))
        keeper.note_served()
        job.proved_by = keeper.proved_versions.get(own_state(request).session, job.proved_by)
        return response

    async def _send_again(self, request: Request, again: Request) -> Request | Response:
        """
        Send *again*, the copy of *request* for the new session, and return its response as that of *request*.

        Through the scheduler, other requests would overtake it at the end of each session. The middlewares between this
        one and the engine (retries, redirects, limits) see the response once, with *request*.
        """
        state = own_state(request)
        again.meta.update(dont_retry=True, dont_redirect=True)
        state.resent += 1
        try:
            response = await self.crawler.engine.download_async(again)
        except Failure:
            raise
        except Exception as error:
            # Scrapy passes no exception of a `process_response` to `process_exception`.
            retry = self.crawler.get_downloader_middleware(RetryMiddleware)
            later = retry.process_exception(request, error) if retry is not None else None
            if later is None:
                raise
            return later
        finally:
            state.resent -= 1
        response.request = request
        return response

    async def _objection(
        self, request: Request, response: Response, keeper: SessionKeeper, job: Job
    ) -> SignedOut | None:
        """Return SignedOut when the response may not be passed on: it is a signed-out user's, or its session is not proved."""
        state = own_state(request)
        if not state.in_browser and keeper.login.is_signed_out(response):
            return SignedOut()
        # The session may have ended after the response was sent; its earlier proof still holds.
        if (seen := state.session) not in keeper.proved_versions:
            if seen != keeper.version:
                return SignedOut()
            try:
                await keeper.prove(job, keeper.login.identity(response), seen)
            except SignedOut as failure:
                return failure
        return None

    async def _look(self, response: Response, failure: Failure) -> Request | None:
        """
        Return the request to send again when a response is unknown because its session has ended; None when it has not.

        Raises SignedOut when the request or the job has used up its replays.
        """
        assert response.request is not None
        found = self._keeper(response.request)
        if found is None or own_state(response.request).in_browser:
            return None
        keeper, job = found
        seen = own_state(response.request).session
        if seen == keeper.version and not await keeper.has_ended_by_http(job):
            return None
        ended = SignedOut(f"The portal shows its sign-in form. {failure.detail}".strip(), failure.step)
        ended.evidence, ended.__cause__ = failure.evidence, failure
        return await self._replay(response.request, keeper, job, ended)

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Replay a request that failed with SignedOut, CacheError or BrowserDied."""
        if not isinstance(exception, (SignedOut, CacheError, outcomes.BrowserDied)):
            return None
        found = self._keeper(request)
        if found is None or found[0].is_over(exception):
            return None
        return await self._replay(request, *found, exception)

    async def _replay(self, request: Request, keeper: SessionKeeper, job: Job, failure: Failure) -> Request:
        """Renew the session, unless another request has done so, and return the request to send again.

        Raises *failure* when the request or the job has used up its replays.
        """
        state = own_state(request)
        replays, seen = state.replays + (not isinstance(failure, SessionGone)), state.session
        of_second = failure.login if isinstance(failure, SignedOut) else ""
        if isinstance(failure, (CacheError, outcomes.BrowserDied)) or of_second:
            code = of_second or failure.outcome.code
            job.recoveries[code] = job.recoveries.get(code, 0) + 1
            if job.recoveries[code] > 1:
                raise failure
        elif replays > (FEW_REPLAYS if state.in_browser or keeper.login.renewable else REPLAYS):
            failure.detail = failure.detail or f"One request met the end of {replays} sessions."
            raise failure
        elif seen == keeper.version and keeper.gave_up():
            failure.detail = failure.detail or "Two sessions in a row answered no request."
            raise failure
        if isinstance(failure, outcomes.BrowserDied):
            keeper.storage.context = ""  # a new one is made from the session's state
        else:
            if (recovered := f"{failure.outcome.code}: recovered by a new sign-in.") not in job.warnings:
                job.warnings.append(recovered)
            if not of_second:
                await keeper.ensure(job, stale=seen)
        # dont_filter: the request was seen before. A higher priority sends it before new requests.
        state.replays = replays
        return request.replace(dont_filter=True, priority=request.priority + 50)

    def lose(self, keeper: SessionKeeper) -> None:
        """Fail every job of a session after its lease was lost; they store nothing more."""
        for job in self.crawler.spider.work.jobs.values():  # type: ignore[union-attr]
            if job.credential and job.credential.username == keeper.credential.username and not job.outcome:
                job.fail(outcomes.LeaseLost())
                job.brake.pull(outcomes.LeaseLost())

    async def _close(self) -> None:
        await asyncio.gather(*(keeper.close() for keeper in self._keepers.values()))
