"""Sessions of further logins that a visit meets: signed in to where they are asked for, and signed out of at the end."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from database.access.leases import holder
from middlewares.access.attempts import SignIn
from middlewares.access.leases import HeldLeases
from middlewares.access.proof import IdentityRecord
from scrapers.core import outcomes
from scrapers.core.compat import PlaywrightError, browser_gone
from scrapers.core.outcomes import Failure, SignedOut
from scrapers.logins.base import ShownIdentity
from scrapers.logins.credentials import credential_beside

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from database.access.credentials import Credential
    from middlewares.access.sessions import SessionKeeper
    from scrapers.core.jobs import Job
    from scrapers.core.page import PortalPage
    from scrapers.logins.base import Login

    Entrance = Callable[[], AbstractAsyncContextManager[PortalPage]]

logger = logging.getLogger(__name__)

LEAVE = 60.0  # seconds that a sign-out may take, also of a visit that was stopped


class SecondSessions:
    """
    Enters parts of a portal that have a login of their own, in the browser page of a visit.

    Such a session has its own credential, lease, proof and rows in the ledger. It is not stored: it ends with its part of the
    visit.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def enter(
        self, job: Job, first: SessionKeeper, page: PortalPage, kind: type[Login], entrance: Entrance
    ) -> AsyncIterator[PortalPage]:
        """Yield the page to which *entrance* leads, in a session of the login *kind*; see PortalPage.session_of."""
        work, login = self.crawler.spider.work, kind()  # type: ignore[union-attr]
        credential = await work.db.run(lambda session: credential_beside(session, kind.name, first.credential))
        beside = first.identities if credential.username == first.credential.username else None
        record = IdentityRecord(login, credential, beside)
        name = f"{kind.name}:{credential.username}"
        lease = f"run:{name}"
        leases = HeldLeases(work.db, holder(work.crawl), partial(_lose, job))
        async with self._one_at_a_time[name]:
            await leases.wait_for(lease, job)
            job.fences[lease] = leases.holder
            try:
                async with AsyncExitStack() as inside:
                    left: list[bool] = []
                    there = await inside.enter_async_context(self._inside(page, first, login, entrance, left))
                    if not await self._is_ours(there, login, credential, record, job):
                        logger.info("A session of %s that proved nothing is left", kind.name)
                        await inside.aclose()
                        there = await inside.enter_async_context(self._inside(page, first, login, entrance, []))
                        # After a sign-out the portal begins the next one from the first session, which is proved.
                        if not await self._is_ours(there, login, credential, record, job, is_fresh=all(left)):
                            raise outcomes.IdentityUnproved(
                                f"{kind.name} has a session that does not show its user.",
                                step="prove the session's identity",
                            )
                    yield there
            except SignedOut as ended:
                ended.login = ended.login or kind.name
                raise
            finally:
                job.fences.pop(lease, None)
                await leases.close()

    @asynccontextmanager
    async def _inside(
        self, page: PortalPage, first: SessionKeeper, login: Login, entrance: Entrance, left: list[bool]
    ) -> AsyncIterator[PortalPage]:
        """
        Yield the page to which the entrance leads, which knows this login's sign-in form; sign out at the end.

        left: gets whether the sign-out has succeeded.
        """
        there = page
        try:
            async with entrance() as there:
                before = there.signed_out, there.interruptions
                there.signed_out, there.interruptions = (), login.interruptions
                await there.prepare()
                try:
                    yield there
                finally:
                    there.signed_out, there.interruptions = before
        except Exception as error:
            named = await there.failure_of(error)  # with its page, which is left before the sign-out
            if named is error:
                raise
            raise named from error
        finally:
            left.append(await self._leave(page, there, first, login))

    async def _is_ours(
        self,
        page: PortalPage,
        login: Login,
        credential: Credential,
        record: IdentityRecord,
        job: Job,
        *,
        is_fresh: bool = False,
    ) -> bool:
        """
        Sign in unless the page is a signed-in user's; return whether it is proved to be the credential's.

        is_fresh: a session that is there was begun in this visit. False: there was a session that shows nothing of its user,
        or what was never proved. Raises IdentityMismatch for another user's, and the failures of a sign-in.
        """
        work, shown, sign_in = self.crawler.spider.work, ShownIdentity(), None  # type: ignore[union-attr]
        if await login.is_signed_in_at(page):
            shown = await login.page_identity(page)
        else:
            sign_in = SignIn(self.crawler, login, credential)
            signed_in = await sign_in.run(job, page)
            shown, is_fresh = signed_in.shown, signed_in.fresh
        try:
            await work.db.run(lambda session: record.judge(session, job, shown, {}, fresh=is_fresh))
        except outcomes.IdentityUnproved:
            return False
        finally:
            if sign_in is not None:
                await sign_in.finished()
        page.signed_out = login.credential_screens()
        return True

    async def _leave(self, page: PortalPage, there: PortalPage, first: SessionKeeper, login: Login) -> bool:
        """
        Go back to the first login's page, sign out in a tab beside it, and return whether that succeeded.

        A page that is left open may begin a session anew. Where it fails, the job gets a warning, and the cookies of the host
        are forgotten.
        """
        try:
            async with asyncio.timeout(LEAVE):
                if there is not page:
                    await there.raw.close()
                await page.open(first.login.address())
                async with page.beside() as tab:
                    try:
                        await login.sign_out(tab, "")
                    except SignedOut:
                        logger.info("The session of %s was over already", login.name)
        except (Failure, PlaywrightError, TimeoutError) as error:
            if isinstance(error, PlaywrightError) and browser_gone(error):
                return False  # its cookies are gone with it
            page.job.warn(f"Signing out of {login.name} failed: {error}".partition("\n")[0])
            with suppress(PlaywrightError):
                await page.raw.context.clear_cookies(domain=urlsplit(login.address()).hostname)
            return False
        return True


def _lose(job: Job) -> None:
    job.fail(outcomes.LeaseLost())
    job.brake.pull(outcomes.LeaseLost())
