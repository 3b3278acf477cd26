"""One sign-in attempt: its row in the ledger, its second factor, and the session that it returns."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from database.access import ledger as ledger_results
from database.access.ledger import Ledger, Refusal
from database.access.sessions import Sessions
from database.engine import Within
from database.settings import database_settings
from middlewares.access.codes import CodeSource
from middlewares.access.portal import PortalClient
from middlewares.access.storage import put_cookies
from scrapers.core import outcomes
from scrapers.core.outcomes import Failure, LoginFailed
from scrapers.core.settings import crawl_settings
from scrapers.logins.base import Attempt, Login, Operator, SignedIn
from scrapers.logins.credentials import check_second_factor

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from database.access.credentials import Credential
    from scrapers.core.jobs import Job
    from scrapers.core.page import PortalPage

progress = logging.getLogger("latchkey.progress")

REFUSALS: dict[str, type[LoginFailed]] = {
    "blocked": outcomes.CredentialBlocked,
    "cooling_down": outcomes.CredentialCoolingDown,
    "budget": outcomes.SignInBudgetSpent,
}


PATIENCE = 1.0  # seconds for which the end of a sign-in waits to be written with its session


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


def _finish(session: Session, attempt_id: int, end: Ended) -> None:
    Ledger(Within(session)).finish(attempt_id, end.result, proved=end.proved)


class SignIn:
    """A sign-in of one credential at one login."""

    def __init__(self, crawler: Crawler, login: Login, credential: Credential) -> None:
        self.crawler = crawler
        self.work = crawler.spider.work  # type: ignore[union-attr]
        self.login = login
        self.credential = credential
        self._finishing: asyncio.Future[None] | None = None

    async def run(self, job: Job, page: PortalPage | None = None) -> SignedIn:
        """
        Make one attempt: one ledger row, at most one submission of the password.

        page: of a visit, which shows the sign-in; None signs in in a browser context, or with a cookie jar, of its own.
        """
        name = self.login.name
        self.login.check(self.credential)
        check_second_factor(self.credential)
        has_source = self.credential.receiver or self.login.fetches_codes() or self.work.prompt is not None
        if self.login.always_asks and not has_source:
            raise outcomes.ReauthenticationRequired(
                "No one-time code can be received or typed in this run, so none was asked for."
            )
        begun, device = await self.work.db.run(lambda session: self._begin(session, job))
        if isinstance(begun, Refusal):
            until = f"It is free again at {begun.until:%Y-%m-%d %H:%M} UTC." if begun.until else ""
            raise REFUSALS[begun.kind](until, until=begun.until)
        progress.info("%s: signing in to %s", self.work.spider, name)
        job.counts.sign_ins += 1
        end: Ended | None = None
        attempt: Attempt | None = None
        try:
            # Bounds the steps that have no deadline of their own; flows and requests have one.
            async with (
                asyncio.timeout(self._deadline() + 30) as limit,
                self._assistance() as operator,
                CodeSource(self.work, type(self.login), self.credential, job.id) as codes,
            ):
                codes.deadlines.append(limit)
                attempt = Attempt(self.credential, codes, visible=self.work.visible, operator=operator)
                try:
                    portal = self._portal(job, attempt, device)
                    if self.login.fetches_codes():
                        codes.fetch = partial(self.login.fetch_code, portal, self.credential)
                    if page is None:
                        signed_in = await self.login.establish(portal, attempt)
                    else:
                        signed_in = await self.login.join(page, attempt)
                except Failure as failure:
                    if not (attempt.submitted and failure.hides_answer):
                        raise
                    # Raised inside `async with`, so that the code source sees it: a code may have been sent.
                    raise outcomes.SignInTimedOut(
                        failure.detail, failure.step, failure.selector, failure.evidence
                    ) from failure
            end = Ended(ledger_results.SIGNED_IN, proved=True)
        except TimeoutError:
            raise outcomes.SignInTimedOut("It did not end within LATCHKEY_SIGN_IN_WAIT.") from None
        except Failure as failure:
            self._place(failure, attempt.screens if attempt else [])
            if attempt is not None:
                asked = any(map(self.login.asks_for_code, attempt.screens))
                end = ended(failure, submitted=attempt.submitted, asked=asked)
            raise
        finally:
            end = end or ended(None, submitted=attempt is not None and attempt.submitted)
            self._finishing = self.work.db.queue(partial(_finish, attempt_id=begun, end=end), patience=PATIENCE)
            if end.result != ledger_results.SIGNED_IN:
                await self.finished()
        # Cookies of a device, or of a visit, may be a session's: such a session does not prove its user.
        is_empty = page is None and not device and not (self.login.may_be_signed_in and not self.work.visible)
        return replace(signed_in, fresh=attempt.submitted or is_empty)

    async def finished(self) -> None:
        """Wait until the ledger has the end of the attempt; after a sign-in it is written with its session."""
        if self._finishing is not None:
            self.work.db.hurry()
            await self._finishing

    def _begin(self, session: Session, job: Job) -> tuple[int | Refusal, dict[str, Any]]:
        """Write down the attempt, unless it is refused; return its number and what is kept of a trusted device."""
        within, name, username = Within(session), self.login.name, self.credential.username
        ledger = Ledger(within, database_settings().sign_in_budget)
        try:
            by_person = bool(self.work.assisted)
            number = ledger.begin(
                name, username, self.credential.secret, job.id, self.login.code_pause, by_person=by_person
            )
        except Refusal as refusal:
            return refusal, {}  # not raised: what the ledger has learnt of dead attempts stays
        return number, Sessions(within).device(name, username)

    def _place(self, failure: Failure, screens: list[str]) -> None:
        """Add to a failure the screens that were passed and the selectors of the last one."""
        failure.evidence.setdefault("screens", list(screens))
        last = screens[-1] if screens else "open"
        failure.step = failure.step or f"sign in: {last}"
        shown = next((screen.shown for screen in self.login.screens if screen.name == last), ())
        failure.selector = failure.selector or " | ".join(shown)

    def _deadline(self) -> float:
        settings = crawl_settings()
        return settings.sign_in_wait + (settings.person_wait if self.work.visible or self.work.assisted else 0)

    def _assistance(self) -> AbstractAsyncContextManager[Operator | None]:
        """Return the operator's part of the sign-in; None where there is none."""
        if not self.work.assisted:
            return nullcontext()
        from middlewares.access.assisting import assistance

        return assistance(self.work)

    def _portal(self, job: Job, attempt: Attempt, device: dict[str, Any]) -> PortalClient:
        """Return a PortalClient with a cookie jar and browser context of its own; only the trusted device's cookies are in it."""
        key = f"{self.login.name}:{self.credential.username}:{id(attempt)}"
        deadlines = attempt.second_factor.deadlines
        put_cookies(self.crawler, key, device)
        return PortalClient(
            self.crawler, self.login, job, key, storage=device, time_limit=self._deadline(), deadlines=deadlines
        )
