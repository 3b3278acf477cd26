"""BrowserLogin: a sign-in that needs a browser page."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from scrapers.core.compat import navigated
from scrapers.core.outcomes import (
    MfaFailed,
    MfaRequired,
    PortalChanged,
    SignInTimedOut,
)
from scrapers.core.page import PortalPage, Selectors, session_state
from scrapers.core.settings import crawl_settings
from scrapers.logins.base import Attempt, Login, PortalAccess, ShownIdentity, SignedIn
from scrapers.logins.screens import (
    Act,
    ChooseFactor,
    Dismiss,
    Done,
    EnterCode,
    EnterCredentials,
    OpenLink,
    Screen,
    Stop,
)

if TYPE_CHECKING:
    from scrapers.core.page import PortalPage

logger = logging.getLogger(__name__)


class BrowserLogin(Login):
    """
    A sign-in that needs a browser page. Selectors are Playwright's.

    Where pages are collected over plain HTTP, the selectors of the sign-in form and of the user must hold CSS or
    XPath: selectors that only a browser understands match nothing in an HTTP response.
    """

    keeps_context = True
    sign_out_clicks: ClassVar[tuple[Selectors, ...]] = ()  # elements to click, in this order, to sign out

    async def establish(self, portal: PortalAccess, attempt: Attempt) -> SignedIn:
        """Sign in, in a browser context of its own."""

        async def flow(page: PortalPage) -> SignedIn:
            await self.sign_in(page, attempt)
            shown = await self.page_identity(page)
            user_agent = await page.raw.evaluate("navigator.userAgent")
            return SignedIn(await session_state(page.raw.context), shown, user_agent, portal.key)

        return await portal.run(flow, self.address())

    async def leave(self, portal: PortalAccess) -> None:
        """Sign out by clicking `sign_out_clicks`."""
        await portal.run(self.sign_out, self.home_address())

    async def sign_in(self, page: PortalPage, attempt: Attempt) -> None:
        """Act on one screen after the other until the user is signed in. The password is submitted at most once."""
        page.begin("sign in: open")
        await page.open(self.address())
        visits: Counter[str] = Counter()
        acted: str | None = None
        while True:
            screen = await self._next_screen(page, acted, attempt)
            again = isinstance(screen.act, OpenLink) and attempt.link_opened  # the waiting page has reloaded itself
            visits[screen.name] += not again
            if not again:
                attempt.screens.append(screen.name)
                page.begin(f"sign in: {screen.name}")
            if visits[screen.name] > screen.visits:
                kind = SignInTimedOut if attempt.submitted else PortalChanged
                raise kind(f"The screen {screen.name} came back without a word.", step=page.trail.step)
            if isinstance(screen.act, Done):
                return
            # A new document lacks the mark: then the same screen counts as shown again.
            if not await self._on_this_document(page, "name => { document.latchkey = name; return true }", screen.name):
                visits[screen.name] -= 1  # the page is navigating: look again
                continue
            acted = screen.name
            if not again:
                await self._act(page, screen.act, attempt)

    async def _on_this_document(self, page: PortalPage, script: str, name: str) -> bool:
        """Run a script and return its result as bool; False when the page is navigating."""
        from playwright.async_api import Error as PlaywrightError

        try:
            return bool(await page.raw.evaluate(script, name))
        except PlaywrightError as error:
            if navigated(error):
                return False
            raise

    async def _next_screen(self, page: PortalPage, acted: str | None, attempt: Attempt) -> Screen:
        """Wait for a known screen other than *acted*, the previous one; raise PortalChanged when none is shown in time."""
        wait = crawl_settings().person_wait if attempt.visible else crawl_settings().page_wait
        deadline = asyncio.get_running_loop().time() + wait
        while asyncio.get_running_loop().time() < deadline:
            for screen in self.screens:
                if attempt.visible and isinstance(screen.act, Stop) and screen.act.failure.for_a_person:
                    continue
                if not await page.shown(screen.shown):
                    continue
                unmarked = "name => document.latchkey !== name"
                if screen.name == acted and not (
                    await self._on_this_document(page, unmarked, acted) and await page.shown(screen.shown)
                ):
                    continue  # the previous screen, or a new document since the check
                return screen
            if await page.retry_failed_page():
                deadline = asyncio.get_running_loop().time() + wait
            await asyncio.sleep(0.1)  # between two polls
        for screen in self.screens:
            if isinstance(screen.act, Stop) and screen.act.failure.for_a_person and await page.shown(screen.shown):
                raise screen.act.failure(f"It was not completed by hand within {wait:g} s.", step=page.trail.step)
        if attempt.submitted and acted is not None and await page.shown(self.credential_screens()):
            raise SignInTimedOut(f"No answer within {wait:g} s.", step=page.trail.step)
        raise PortalChanged(f"No known screen within {wait:g} s.", step=page.trail.step)

    async def _act(self, page: PortalPage, act: Act, attempt: Attempt) -> None:
        if isinstance(act, Stop):
            reason = "; ".join(await page.texts(act.reason)) if act.reason else ""
            raise act.failure(reason, step=page.trail.step)
        if isinstance(act, EnterCredentials):
            await attempt.second_factor.expect(self.code_kind())
            await page.type(act.username, attempt.credential.username)
            await page.type(act.password, attempt.credential.password)
            attempt.submitted = True
            await page.click(act.submit)
        elif isinstance(act, ChooseFactor):
            await attempt.second_factor.expect()
            await page.click(act.option)
            attempt.second_factor.sent()
            await page.click(act.send)
        elif isinstance(act, EnterCode):
            attempt.second_factor.sent()
            try:
                code = await attempt.second_factor.code(act.kind)
            except MfaRequired:
                if attempt.visible:
                    return  # the person types it
                raise
            await page.type(act.field, code)
            await page.click(act.submit)
        elif isinstance(act, OpenLink):
            attempt.second_factor.sent()
            try:
                link = self.trusted(await attempt.second_factor.code(act.kind))
            except MfaRequired:
                if attempt.visible:
                    return  # the person opens it
                raise
            attempt.link_opened = True
            status = await page.visit(link)
            if status >= 400:
                raise MfaFailed(f"The link was answered with {status}.", step=page.trail.step)
        elif isinstance(act, Dismiss):
            await page.click(act.click)

    def code_kind(self) -> str:
        """Return the only kind of code that the login asks for; empty when there may be several."""
        kinds = {screen.act.kind for screen in self.screens if isinstance(screen.act, (EnterCode, OpenLink))}
        return kinds.pop() if len(kinds) == 1 else ""

    async def guard(self, page: PortalPage) -> ShownIdentity:
        """Open the landing page of a session and return what it shows of its user; raise SignedOut when it has ended."""
        page.begin("check the session")
        await page.open(self.home_address())
        done = tuple(s for screen in self.screens if isinstance(screen.act, Done) for s in screen.shown)
        await page.find(done)
        return await self.page_identity(page)

    async def sign_out(self, page: PortalPage) -> None:
        """Sign out from the landing page, and wait until the sign-in form is back."""
        page.begin("sign out")
        await page.open(self.home_address())
        for selectors in self.sign_out_clicks:
            await page.click(selectors)
        await page.find(self.credential_screens())

    async def page_identity(self, page: PortalPage) -> ShownIdentity:
        """Return what the page shows of the session's user."""
        username = next(iter(await page.texts(self.shows_username)), "")
        name = next(iter(await page.texts(self.shows_name)), "")
        user = next(iter(await page.texts(self.shows_user)), "")
        return ShownIdentity(
            username=username or (user if "@" in user else ""),
            name=name or ("" if "@" in user else user),
            accounts=frozenset(await page.texts(self.shows_accounts)),
        )
