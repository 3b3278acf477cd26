"""BrowserLogin: a sign-in that needs a browser page."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urljoin, urlsplit

from database.access.addresses import receivers
from scrapers.core.choices import is_ticked
from scrapers.core.compat import PlaywrightError, navigated
from scrapers.core.keys import type_in_boxes
from scrapers.core.looking import FRAME_FILLS, GRACE
from scrapers.core.outcomes import (
    Blocked,
    Failure,
    MfaFailed,
    MfaRequired,
    PortalChanged,
    SignedOut,
    SignInTimedOut,
)
from scrapers.core.page import PortalPage, Selectors, session_state, until
from scrapers.core.settings import crawl_settings
from scrapers.logins.base import LANDING, Attempt, Login, PortalAccess, ShownIdentity, SignedIn, identity_of, landing
from scrapers.logins.contacts import may_be_address
from scrapers.logins.screens import (
    Act,
    ChooseFactor,
    Dismiss,
    Done,
    EnterCode,
    EnterCredentials,
    LinkPage,
    OpenLink,
    Screen,
    Stop,
)

if TYPE_CHECKING:
    from scrapers.core.page import PortalPage

logger = logging.getLogger(__name__)


# A mark in the document: an id of its own, and the screens that were acted upon in it. A new document has none.
READ_MARKS = "() => { const here = document.latchkey ??= {id: Math.random(), acted: []}; return [here.id, here.acted] }"
MARK = """([id, name]) => {
  const here = document.latchkey;
  if (!here || here.id !== id) return false;
  here.acted.push(name);
  return true;
}"""
FORBIDDEN = 403
GONE = (404, 410)  # statuses of an address that is not served any more
SETTLED = 5.0  # seconds for which a weak mark must stay: the choice of factors may be drawn so late
STEADY = 1.0  # seconds for which an address, or a sign-in form in a session, must stay before it is believed


def _greets(screen: Screen) -> bool:
    """Return whether a screen stands before the pages of signed-in users alone."""
    return isinstance(screen.act, Dismiss) and screen.act.signed_in


def _is_weak(screen: Screen) -> bool:
    return isinstance(screen.act, Done) and screen.act.weak


class BrowserLogin(Login):
    """
    A sign-in that needs a browser page. Selectors are Playwright's.

    Where pages are collected over plain HTTP, the selectors of the sign-in form and of the user must hold CSS or
    XPath: selectors that only a browser understands match nothing in an HTTP response.
    """

    keeps_context = True
    opens_first: ClassVar[str] = ""  # path of the page that comes before the sign-in's own address
    sign_out_clicks: ClassVar[tuple[Selectors, ...]] = ()  # elements to click, in this order, to sign out
    # Screens before the password after which a browser that has loaded nothing of the portal yet may wait in vain for the
    # next one: the sign-in begins anew then, once.
    slow_after: ClassVar[tuple[str, ...]] = ()
    sign_out_at: ClassVar[str] = ""  # path that signs out when it is opened; the clicks are the way where it does not

    async def establish(self, portal: PortalAccess, attempt: Attempt) -> SignedIn:
        """Sign in, in a browser context of its own."""

        async def flow(page: PortalPage) -> SignedIn:
            acted_at = await self.sign_in(page, attempt)
            shown = await self.page_identity(page)
            user_agent = await page.raw.evaluate("navigator.userAgent")
            # A page that was drawn at the address of a form has none of its own.
            ended_at = "" if page.raw.url in acted_at else page.raw.url
            state = {**await session_state(page.raw.context), LANDING: ended_at}
            return SignedIn(state, shown, user_agent, portal.key)

        return await portal.run(flow, self.address())

    @classmethod
    def can_leave(cls) -> bool:
        """Return whether the login states how to sign out."""
        return bool(cls.sign_out_clicks or cls.sign_out_at)

    async def leave(self, portal: PortalAccess, state: dict[str, Any]) -> None:
        """Sign out by clicking `sign_out_clicks`."""

        async def flow(page: PortalPage) -> None:
            await self.sign_out(page, landing(state))

        await portal.run(flow, self.address())

    async def sign_in(self, page: PortalPage, attempt: Attempt) -> set[str]:
        """
        Act on one screen after the other until the user is signed in; return the addresses at which it acted.

        The password is submitted at most once.
        """
        try:
            return await self._sign_in(page, attempt)
        except PortalChanged:
            reached = attempt.screens[-1] if attempt.screens else ""
            if attempt.submitted or reached not in self.slow_after:
                raise
            logger.info("No screen came after %s: the sign-in begins anew", reached)
        return await self._sign_in(page, attempt)

    async def _sign_in(self, page: PortalPage, attempt: Attempt) -> set[str]:
        page.begin("sign in: open")
        if self.opens_first:
            await page.open(urljoin(self.address(), self.opens_first))
        await page.open(self.address())
        return await self.pass_screens(page, attempt)

    async def join(self, page: PortalPage, attempt: Attempt) -> SignedIn:
        """Sign in where a visit's page shows the sign-in."""
        await self.pass_screens(page, attempt)
        return SignedIn({}, await self.page_identity(page))

    async def pass_screens(self, page: PortalPage, attempt: Attempt) -> set[str]:
        """Act on the screens of a page that is open already; return the addresses at which it acted."""
        visits: Counter[str] = Counter()
        acted: Screen | None = None
        acted_at: set[str] = set()
        while True:
            acted = await self._next_screen(page, acted, attempt, visits)
            if isinstance(acted.act, OpenLink) and attempt.link_opened:
                continue  # the waiting page has reloaded itself
            attempt.screens.append(acted.name)
            page.begin(f"sign in: {acted.name}")
            visits[acted.key] += 1
            if isinstance(acted.act, Done):
                return acted_at
            acted_at.add(page.raw.url)
            await self._act(self._view_of(page, acted), acted.act, attempt)
            if acted.frame:  # what was chosen in it may load the page anew
                await until(partial(self._has_left, page, acted.frame), GRACE)

    @staticmethod
    async def _has_left(page: PortalPage, selector: str) -> bool:
        return await page.shown((selector,)) is None

    @staticmethod
    def _view_of(page: PortalPage, screen: Screen) -> PortalPage:
        """Return the page, or its frame that holds a screen."""
        return page.frame(screen.frame) if screen.frame else page

    async def _marks(self, page: PortalPage) -> tuple[float, list[str]] | None:
        """Return the id of the document and the screens that were acted upon in it; None while the page navigates."""
        try:
            document, acted = await page.raw.evaluate(READ_MARKS)
        except PlaywrightError as error:
            if navigated(error):
                return None
            raise
        return document, acted

    async def _mark(self, page: PortalPage, document: float, screen: Screen) -> bool:
        """Mark a screen as acted upon; False when the document is another one by now."""
        try:
            return bool(await page.raw.evaluate(MARK, [document, screen.key]))
        except PlaywrightError as error:
            if navigated(error):
                return False
            raise

    async def _next_screen(
        self, page: PortalPage, acted: Screen | None, attempt: Attempt, visits: Counter[str]
    ) -> Screen:
        """
        Wait for a screen that was not acted upon in this document, mark it and return it.

        acted: the previous one. Raises the failure that fits when none comes in time.
        """
        loop = asyncio.get_running_loop()
        wait = crawl_settings().person_wait if attempt.visible else crawl_settings().page_wait
        began, by_address = loop.time(), 0.0
        came_back: Screen | None = None
        # Screens that another one may come before, and when they were first seen, by the loop's clock.
        second_ways: dict[str, float] = {}
        frames: dict[str, float] = {}  # the same of frames that wait for their content
        may_probe = bool(self.probe) and attempt.submitted
        is_probed = not may_probe or attempt.has_person  # another address may end what a person is at
        operator = attempt.operator
        while loop.time() < (operator.until if operator is not None and operator.until else began + wait):
            marks = await self._marks(page)
            address_alone = has_way_out = False
            for screen in self.screens if marks else ():
                assert marks is not None
                if screen.key in marks[1] or not self._may_count(screen, attempt):
                    continue
                shown = None if _is_weak(screen) else await self._view_of(page, screen).shown(screen.shown)
                by_element = shown is not None
                # The frame of a screen comes before its content, and lies over the form.
                if (
                    not by_element
                    and screen.frame
                    and await page.shown((screen.frame,))
                    and loop.time() < frames.setdefault(screen.key, loop.time()) + wait * FRAME_FILLS
                ):
                    break
                if not by_element and not await self._is_at(page, screen, marks[1]):
                    continue
                again = isinstance(screen.act, OpenLink) and attempt.link_opened
                if visits[screen.key] >= screen.visits and not again:
                    came_back = screen  # an earlier screen's elements may stay in a page whose own come later
                    continue
                # The way of codes that is preferred may be drawn a moment later than this one.
                if self._may_be_bettered(screen, attempt) and (
                    loop.time() < second_ways.setdefault(screen.key, loop.time()) + STEADY
                ):
                    continue
                # A way out beside a form, such as "Not now" beside the code's field, which may be drawn a moment later.
                if isinstance(screen.act, Dismiss) and not screen.frame:
                    if loop.time() < second_ways.setdefault(screen.key, loop.time()) + STEADY:
                        has_way_out = True
                        continue
                    if await self._asks(page, marks[1], attempt, visits):
                        continue
                if has_way_out and isinstance(screen.act, (Stop, Done)):
                    continue
                if isinstance(screen.act, Stop) and screen.act.late and loop.time() < began + wait / 3:
                    continue
                if isinstance(screen.act, Done) and not by_element:
                    # The page at that address may still turn into another one.
                    address_alone, by_address = True, by_address or loop.time()
                    if loop.time() < by_address + (STEADY if screen.is_at(page.raw.url) else min(SETTLED, wait / 3)):
                        continue
                if await self._mark(page, marks[0], screen):
                    return screen
                break
            by_address = by_address if address_alone else 0.0
            if not is_probed and loop.time() > began + wait / 3:
                is_probed = True
                if (done := await self._probed(page)) is not None:
                    return done
            if await page.retry_failed_page():
                began = loop.time()
            waited = (loop.time() - began) / wait
            if operator is not None and not operator.until and await self._needs_person(page, attempt, waited):
                await operator.show(page.raw)
            await asyncio.sleep(0.1)  # between two polls
        if may_probe and attempt.has_person and (done := await self._probed(page)) is not None:
            return done
        raise await self._no_screen(page, acted, attempt, came_back, wait)

    async def _needs_person(self, page: PortalPage, attempt: Attempt, waited: float) -> bool:
        """
        Return whether a page that no screen fits is one that only a person can pass, as a captcha is.

        waited: the part of LATCHKEY_PAGE_WAIT that is over. After half of it every page is taken for one.
        """
        if waited > 1 / 2:
            return True
        for screen in self.screens:
            act = screen.act
            if isinstance(act, Stop) and act.failure.for_a_person and (not act.late or waited > 1 / 3):
                is_due = act.is_due(submitted=attempt.submitted, code_entered=attempt.code_entered)
                if is_due and await self._view_of(page, screen).shown(screen.shown):
                    return True
        # A choice of ways that may have come since the screens were looked at: one of them may be answered here.
        choices = [screen for screen in self.screens if isinstance(screen.act, ChooseFactor)]
        answered = tuple(each for screen in choices if self._may_count(screen, attempt) for each in screen.shown)
        others = tuple(each for screen in choices if not self._may_count(screen, attempt) for each in screen.shown)
        return bool(attempt.submitted and await page.shown(others) and not await page.shown(answered))

    async def _probed(self, page: PortalPage) -> Screen | None:
        """Open `probe` in a tab beside a page that no screen fits; return the screen "signed in" when it stays there."""
        async with page.beside() as tab:
            await tab.open(urljoin(self.address(), self.probe))
            stays = urlsplit(tab.raw.url).path.rstrip("/") == self.probe  # a pending second factor leads elsewhere
            if (
                not stays
                or tab.answer is None
                or tab.answer.status != 200
                or await tab.shown(self.credential_screens())
            ):
                return None
        return next((screen for screen in self.screens if isinstance(screen.act, Done)), None)

    def _may_be_bettered(self, screen: Screen, attempt: Attempt) -> bool:
        """Return whether a screen chooses a way of codes, and the login prefers another that the credential can answer."""
        ways = [each for each in self.screens if isinstance(each.act, ChooseFactor) and self._may_count(each, attempt)]
        return screen in ways[1:]

    async def _asks(self, page: PortalPage, acted: list[str], attempt: Attempt, visits: Counter[str]) -> bool:
        """Return whether a form is shown that can be filled in now: of credentials, of a code, or a choice of factors."""
        forms = [each for each in self.screens if isinstance(each.act, (EnterCredentials, ChooseFactor, EnterCode))]
        due = [each for each in forms if each.key not in acted and visits[each.key] < each.visits]
        shown = tuple(s for each in due if self._may_count(each, attempt) for s in each.shown)
        return bool(shown) and await page.shown(shown) is not None

    def _may_count(self, screen: Screen, attempt: Attempt) -> bool:
        """Return whether a screen can mean anything at this point of the sign-in."""
        act = screen.act
        if isinstance(act, Stop):
            if attempt.has_person and act.failure.for_a_person:
                return False
            return act.is_due(submitted=attempt.submitted, code_entered=attempt.code_entered)
        if isinstance(act, ChooseFactor) and attempt.left_to_person:
            return False  # another code would end the one that they are typing
        if isinstance(act, ChooseFactor) and act.kind:
            return attempt.second_factor.can_answer(act.kind)
        return not (isinstance(act, EnterCredentials) and attempt.submitted)

    async def _is_at(self, page: PortalPage, screen: Screen, acted: list[str]) -> bool:
        """Return whether the page's address, or a weak mark, means this screen; not "signed in" beside the sign-in form or what may be put off."""
        if not await self._is_meant(page, screen, acted):
            return False
        before = [each for each in self.screens if isinstance(each.act, (EnterCredentials, Dismiss))]
        forms = tuple(s for form in before if form.key not in acted for s in form.shown)
        return not (isinstance(screen.act, Done) and forms and await page.shown(forms))

    async def _is_meant(self, page: PortalPage, screen: Screen, acted: Sequence[str] = ()) -> bool:
        """Return whether a page's address or weak mark means a screen; that of a document with a form is the form's."""
        if screen.is_at(page.raw.url):
            return True
        forms = (EnterCredentials, ChooseFactor, EnterCode)
        is_of_form = any(each.key in acted for each in self.screens if isinstance(each.act, forms))
        return _is_weak(screen) and not is_of_form and await page.shown(screen.shown) is not None

    async def _no_screen(
        self, page: PortalPage, acted: Screen | None, attempt: Attempt, came_back: Screen | None, wait: float
    ) -> Failure:
        """Return the failure of a sign-in in which no further screen came."""
        step = page.trail.step
        form = await page.shown(self.credential_screens())
        asks: Selectors = ()
        if acted is not None and isinstance(acted.act, (EnterCode, ChooseFactor)):
            asks = acted.act.field if isinstance(acted.act, EnterCode) else acted.shown
        if attempt.code_entered and (form or await page.shown(asks)):
            return MfaFailed(f"The portal still asks, {wait:g} s after the code.", step=step)
        for screen in self.screens:
            act = screen.act
            if isinstance(act, Stop) and act.failure.for_a_person and await page.shown(screen.shown):
                patience = crawl_settings().person_wait
                by_hand = f"It was not completed by hand within {patience:g} s." if attempt.has_person else ""
                return act.failure(by_hand, step=step)
            if isinstance(act, ChooseFactor) and not self._may_count(screen, attempt):
                if not await page.shown(act.option or act.send):
                    continue
                return MfaRequired(f"The code would go by {act.kind}, so none was asked for.", step=step)
        if page.answer is not None and page.answer.status == FORBIDDEN and not form:
            return Blocked("The portal refused the page with 403.", step=step)
        if attempt.submitted and (form or came_back is not None):
            return SignInTimedOut(f"No answer within {wait:g} s.", step=step)
        if came_back is not None:
            return PortalChanged(f"The screen {came_back.name} came back.", step=step)
        return PortalChanged(f"No known screen within {wait:g} s.", step=step)

    async def _act(self, page: PortalPage, act: Act, attempt: Attempt) -> None:
        if isinstance(act, Stop):
            reason = "; ".join(await page.texts(act.reason)) if act.reason else ""
            raise act.failure(reason, step=page.trail.step)
        if isinstance(act, EnterCredentials):
            await self._submit(page, act, attempt)
        elif isinstance(act, ChooseFactor):
            await attempt.second_factor.expect(act.kind)
            if act.option:  # a page may have a button that sends, and no choice
                await self._take(page, act.option)
            await self._tick(page, act.tick)
            try:
                send = await self._own_contact(page, act, attempt) if act.contact else act.send
            except MfaRequired:
                if await self._is_left_to_person(page, attempt):
                    return  # who chooses, and answers the message
                raise
            await attempt.second_factor.may_send()
            attempt.second_factor.sent()
            await page.click(send)
            if act.link is not None:
                await self._open_link(page, act.link, attempt)
        elif isinstance(act, EnterCode):
            attempt.second_factor.sent()
            try:
                code = await attempt.second_factor.code(act.kind)
            except MfaRequired:
                if await self._is_left_to_person(page, attempt):
                    return  # who types it
                raise
            if act.boxes:
                await type_in_boxes(page, act.field, code)
            else:
                await page.type(act.field, code)
            await self._tick(page, act.tick)
            attempt.code_entered = True
            if act.boxes and not await page.shown(act.field):
                return  # the last character has submitted it
            if act.unlock:
                await self._unlock(page, act.submit)
            await page.click(act.submit)
        elif isinstance(act, OpenLink):
            await self._open_link(page, act, attempt)
        elif isinstance(act, Dismiss):
            await page.click(act.click)

    async def _is_left_to_person(self, page: PortalPage, attempt: Attempt) -> bool:
        """Return whether a person is there to do what cannot be done here; show the page to one in the control room."""
        if attempt.operator is not None:
            await attempt.operator.show(page.raw)
        attempt.left_to_person = attempt.has_person
        return attempt.has_person

    async def _own_contact(self, page: PortalPage, act: ChooseFactor, attempt: Attempt) -> Selectors:
        """
        Return what sends: of several, that whose masked address is the credential's.

        Raises MfaRequired, before anything is sent, where that is not certain.
        """
        await page.find(act.send)
        await page.is_at_rest(crawl_settings().page_wait)  # others may be drawn a moment later
        matched = await page.shown(act.send)
        if matched is None:
            return act.send
        ways = page.locate(matched)
        shown = [" ".join(await way.locator(act.contact).all_inner_texts()) for way in await ways.all()]
        if len(shown) < 2:
            return act.send
        own = receivers(attempt.credential.receiver or "").get(act.kind, "")
        fitting = [place for place, text in enumerate(shown) if may_be_address(own, text)]
        if len(fitting) != 1:
            detail = f"{len(shown)} addresses are offered, and {len(fitting)} of them may be the credential's receiver."
            raise MfaRequired(detail, step=page.trail.step)
        return (f"{matched} >> visible=true >> nth={fitting[0]}",)

    async def _open_link(self, page: PortalPage, act: OpenLink, attempt: Attempt) -> None:
        """Open the link from the message in another tab, and answer what its page asks; the tab is closed then."""
        attempt.second_factor.sent()
        try:
            link = self.trusted(await attempt.second_factor.code(act.kind))
        except MfaRequired:
            if await self._is_left_to_person(page, attempt):
                return  # who opens it
            raise
        attempt.link_opened = True
        if act.page is None:
            status = await page.visit(link)
            if status >= 400:
                raise MfaFailed(f"The link was answered with {status}.", step=page.trail.step)
            return
        page.begin("sign in: the link's page")
        async with page.beside() as tab:
            await tab.open(link)
            await self._allow(tab, act.page, page.trail.step)
        attempt.code_entered = True

    async def _allow(self, tab: PortalPage, asked: LinkPage, step: str) -> None:
        """Allow the sign-in on the page of a link; raise MfaFailed where the page does not offer that, or refuses it."""
        came = await tab.arrives(asked.allow)
        self.trusted(tab.raw.url)  # the link may have led elsewhere
        if tab.answer is not None and tab.answer.status >= 400:
            raise MfaFailed(f"The link was answered with {tab.answer.status}.", step=step)
        if came is None:
            detail = "The link's page does not offer to allow the sign-in: it may have expired, or been used before."
            raise MfaFailed(detail, step=step)
        option = await tab.find(asked.allow)
        if await is_ticked(option) is not True:
            await tab.click(asked.allow)
        if await tab.shown(asked.allow) and await is_ticked(option) is False:
            raise MfaFailed("The link's page does not keep the choice that allows the sign-in.", step=step)
        await tab.click(asked.submit)
        await tab.is_at_rest(crawl_settings().page_wait)  # a tab that is closed too early takes its answer back
        if tab.answer is not None and tab.answer.status >= 400:
            raise MfaFailed(f"The link's page was answered with {tab.answer.status}.", step=step)

    async def _take(self, page: PortalPage, option: Selectors) -> None:
        """Choose a factor; its radio button may be hidden behind a drawn one."""
        if await page.shown(option):
            await page.click(option)
        else:
            await page.tick(option)

    async def _tick(self, page: PortalPage, box: Selectors) -> None:
        """Tick a check box that a sign-in does without."""
        if box:
            try:
                await page.tick(box, within=1)
            except PortalChanged as failure:
                logger.info("Not ticked: %s (%s)", box[0], failure.detail)

    async def _unlock(self, page: PortalPage, button: Selectors) -> None:
        """Enable a button that the portal has left disabled for a while."""
        element = await page.find(button)
        if not await until(element.is_enabled, crawl_settings().page_wait / 10):
            await element.evaluate("button => button.removeAttribute('disabled')")

    async def _submit(self, page: PortalPage, act: EnterCredentials, attempt: Attempt) -> None:
        if attempt.submitted:
            raise AssertionError("The password was submitted before.")
        if act.password:
            await attempt.second_factor.expect(self.code_kind())
        if act.username:
            await page.type(act.username, attempt.credential.username)
        if act.password:
            await page.type(act.password, attempt.credential.password)
            await attempt.second_factor.may_send()
            attempt.submitted = True
        await page.click(act.submit)

    def code_kind(self) -> str:
        """Return the only kind of code that the login asks for; empty when there may be several."""
        kinds = {screen.act.kind for screen in self.screens if isinstance(screen.act, (EnterCode, OpenLink))}
        return kinds.pop() if len(kinds) == 1 else ""

    # In a session

    async def guard(self, page: PortalPage, address: str) -> None:
        """
        Open the page on which the sign-in ended, or else the sign-in's address, in a session.

        Raises SignedOut where the sign-in form is shown, PortalChanged where neither address shows a known page.
        """
        page.begin("check the session")
        for url in dict.fromkeys((address or self.address(), self.address())):
            await page.open(url)
            if page.answer is not None and page.answer.status in GONE:
                continue
            signed_in = await self.is_signed_in_at(page)
            if signed_in:
                await self._pass_greetings(page)
                return
            if signed_in is False:
                raise SignedOut("The sign-in form turned up.", step=page.trail.step)
        raise PortalChanged("Neither a signed-in page nor the sign-in form was shown.", step=page.trail.step)

    async def _pass_greetings(self, page: PortalPage) -> None:
        """Dismiss what stands before the pages of a signed-in user, as after a sign-in."""
        for screen in self.screens:
            if _greets(screen) and await page.shown(screen.shown):
                assert isinstance(screen.act, Dismiss)
                await page.click(screen.act.click)
                await page.is_at_rest(crawl_settings().page_wait)

    async def has_ended(self, page: PortalPage, address: str) -> bool:
        """
        Look in a tab beside the page whether the session has ended: the sign-in's address shows the form.

        Some portals show it to signed-in users, too: then the page on which the sign-in ended decides.
        """
        async with page.beside() as tab:
            await tab.open(self.address())
            if await self.is_signed_in_at(tab) is not False:
                return False
            if not address:
                return True
            await tab.open(address)
            return not await self.is_signed_in_at(tab)

    async def is_signed_in_at(self, page: PortalPage) -> bool | None:
        """Wait for a page of a signed-in user (True) or the sign-in form (False); None when neither comes in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + crawl_settings().page_wait
        done = [each for each in self.screens if isinstance(each.act, Done) or _greets(each)]
        seen: tuple[bool | None, float] = (None, 0.0)  # what is shown now, and since when
        while loop.time() < deadline:
            for screen in done:
                if not _is_weak(screen) and await page.shown(screen.shown):
                    return True
            form = await page.shown(self.credential_screens()) is not None
            now = False if form else (True if any([await self._is_meant(page, each) for each in done]) else None)
            if now is not seen[0]:
                seen = (now, loop.time())
            if now is not None and loop.time() >= seen[1] + STEADY:
                return now
            if await page.retry_failed_page():
                deadline = loop.time() + crawl_settings().page_wait
            await asyncio.sleep(0.1)  # between two polls
        return seen[0]

    async def sign_out(self, page: PortalPage, address: str) -> None:
        """Sign out from the page on which the sign-in ended; raise PortalChanged when the user stays signed in."""
        page.begin("sign out")
        done = tuple(s for screen in self.screens if isinstance(screen.act, Done) for s in screen.shown)
        if self.sign_out_at:
            await page.open(urljoin(self.address(), self.sign_out_at))
            came = await page.arrives((*done, *self.credential_screens()))
            if came not in done and (page.answer is None or page.answer.status < 400):
                return
        await self.guard(page, address)
        for selectors in self.sign_out_clicks:
            await page.click(selectors)

        async def has_left() -> bool:
            return await page.shown(self.credential_screens()) is not None or await page.shown(done) is None

        # What a signed-out user sees is not known everywhere: the sign-in's address says whether the session goes on.
        if await until(has_left, crawl_settings().page_wait) and not await page.shown(self.credential_screens()):
            await page.open(self.address())
        if await self.is_signed_in_at(page):
            raise PortalChanged("The user is still signed in.", step=page.trail.step)

    async def page_identity(self, page: PortalPage) -> ShownIdentity:
        """Return what the page shows of the session's user, waiting for it a little: it may be filled in late."""
        loop = asyncio.get_running_loop()
        stated = self.shows_username or self.shows_name or self.shows_user or self.shows_mail or self.shows_accounts
        deadline = loop.time() + (min(3.0, crawl_settings().page_wait / 3) if stated else 0)
        while True:
            shown = await self._read_identity(page)
            if shown or loop.time() >= deadline:
                return shown
            await asyncio.sleep(0.1)  # between two polls

    async def _read_identity(self, page: PortalPage) -> ShownIdentity:
        shown = (self.shows_username, self.shows_name, self.shows_user, self.shows_mail, self.shows_accounts)
        return identity_of(*[await page.texts(selectors) for selectors in shown])
