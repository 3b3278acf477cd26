"""PortalPage: a browser page for flows and visits. It adds to Playwright's Page only what that lacks."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from scrapers.core.choosing import ChoosingPage
from scrapers.core.compat import PlaywrightError, PlaywrightTimeout, browser_gone, is_covered
from scrapers.core.downloads import Arrivals, keep
from scrapers.core.locators import Guess, Selectors, guess, same
from scrapers.core.looking import GRACE, run_script, until
from scrapers.core.naming import unexpected_error
from scrapers.core.outcomes import (
    BrowserDied,
    DownloadTimedOut,
    Failure,
    FlowTimedOut,
    NotListed,
    PortalChanged,
    PortalDown,
    SignedOut,
    WrongAccount,
)
from scrapers.core.overlays import Interruption
from scrapers.core.redaction import bare_url
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.core.trail import Trail

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Frame, FrameLocator, Locator, Page, Response


__all__ = ["Guess", "Interruption", "PortalPage", "Selectors", "guess", "run_script", "session_state", "until"]

logger = logging.getLogger(__name__)

SWALLOWED = 15.0  # seconds after which a click without any effect is repeated, where it should start a download

ENTRY = 2.0  # seconds in which an entry of a menu that leaves by itself is clicked, or the menu is opened again

Opening = Callable[[Selectors, Selectors], Awaitable[None]]  # opens a menu, so that one of its entries is shown
FailureKind = type[Failure]  # here, because PortalPage has a method of the name `type`


class PortalPage(ChoosingPage):
    """
    A page, a new tab or a frame of one session.

    Every method takes ordered selectors and names the element it could not find in the PortalChanged it raises.
    A page on which the login's sign-in form turns up raises SignedOut instead.
    """

    async def prepare(self) -> None:
        """Set the timeouts, and register handlers that close known overlays when they block an action."""
        self.raw.set_default_timeout(crawl_settings().page_wait * 1000)
        for interruption in [each for each in self.interruptions if not each.frame]:

            async def dismiss(_shown: Locator, click: str = interruption.dismiss) -> None:
                logger.info("Dismissed an interruption by %s", click)
                await self.raw.locator(click).first.click(timeout=5000)

            await self.raw.add_locator_handler(self.raw.locator(interruption.shown).first, dismiss, no_wait_after=True)

    def begin(self, step: str) -> None:
        """Name the step that begins, for the log and the evidence."""
        self.trail.steps.append(step)
        self.job.step = step
        logger.debug("Step: %s", step)

    @asynccontextmanager
    async def part(self, slug: str) -> AsyncIterator[None]:
        """
        Run one part of a visit: an error in it is recorded as a failure of the job, and the other parts still run.

        Failures with `ends_visit` (session or browser ended, lease lost, file store away) are raised.
        """
        self.begin(slug)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - recorded as a failure of the job
            failure = await self.failure_of(error)
            if failure.ends_visit:
                raise failure from failure.__cause__
            self.job.fail(failure)

    async def failure_of(self, error: Exception) -> Failure:
        """Return the failure that an error in this page maps to, with step, selector, HTML and masked screenshot."""
        if isinstance(error, Failure):
            failure = error
        elif isinstance(error, TimeoutError) and not isinstance(error, PlaywrightError):
            failure = FlowTimedOut(f"Step: {self.trail.step}.")
        elif isinstance(error, PlaywrightError) and browser_gone(error):
            failure = BrowserDied()
        elif isinstance(error, PlaywrightError) and "net::ERR" in str(error):
            failure = PortalDown(str(error).split(" at ")[0].split("\n")[0])
        elif isinstance(error, PlaywrightError):
            failure = PortalChanged(str(error).split("\n")[0][:200])
        else:
            failure = unexpected_error(error)
        if failure is not error:
            failure.__cause__ = error
        failure.step = failure.step or self.trail.step
        failure.selector = failure.selector or self.trail.selector
        failure.evidence.setdefault("steps", list(self.trail.steps))
        if "page" not in failure.evidence:
            await self._keep_page(failure)
        is_over = self.trail.is_over
        # An unknown page, or a search that finds nothing, may be what the portal shows once the session is over.
        may_be_over = isinstance(failure, (PortalChanged, DownloadTimedOut, WrongAccount, NotListed))
        if may_be_over and is_over is not None and await is_over():
            ended = SignedOut(f"The portal shows its sign-in form. {failure.detail}".strip(), failure.step)
            ended.selector, ended.evidence, ended.__cause__ = failure.selector, failure.evidence, failure
            return ended
        return failure

    async def _keep_page(self, failure: Failure) -> None:
        tab = self.tabs[-1].raw if self.tabs else self.raw
        try:
            failure.evidence["url"] = bare_url(tab.url)
            failure.evidence["page"] = await asyncio.wait_for(tab.content(), 5)
            masked = [tab.locator("input"), tab.locator("textarea")]
            failure.evidence["screenshot"] = await tab.screenshot(mask=masked, timeout=5000, type="jpeg", quality=60)
        except (PlaywrightError, TimeoutError) as gone:
            failure.evidence["no_page"] = type(gone).__name__

    async def open(self, url: str) -> None:
        """Go to *url*; return when the document is parsed, because these pages may never stop loading."""
        await self._load(
            lambda: self.raw.goto(url, wait_until="domcontentloaded", timeout=crawl_settings().page_wait * 1000)
        )

    async def visit(self, url: str) -> int:
        """Open *url* in a new tab, close the tab, and return the HTTP status; 0 when there was no response."""
        tab = await self.raw.context.new_page()
        try:
            answer = await tab.goto(url, wait_until="domcontentloaded", timeout=crawl_settings().page_wait * 1000)
        except PlaywrightTimeout:
            raise PortalDown(f"No page came within {crawl_settings().page_wait:g} s.", step=self.trail.step) from None
        finally:
            await tab.close()
        return 0 if answer is None else answer.status

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[PortalPage]:
        """Yield a new tab of the same session, whose steps are not this page's, and close it at the end."""
        tab = await self.raw.context.new_page()
        trail = Trail(
            pause=self.trail.pause,
            endless=self.trail.endless,
            answered=self.trail.answered,
            by_person=self.trail.by_person,
        )
        try:
            yield PortalPage(tab, spool=self.spool, job=self.job, wall=self.wall, trail=trail)
        finally:
            self.trail.requests += trail.requests
            await tab.close()

    async def click(self, selectors: Selectors, *, within: float | None = None) -> None:
        """Click the element, waiting until it is enabled and closing what lies over it."""
        await self._hold_choices()
        await self._press(await self.find(selectors, within=within))

    async def double_click(self, selectors: Selectors, *, within: float | None = None) -> None:
        """Double-click the element."""
        element = await self._ready(selectors, within)
        await self._act(lambda: element.dblclick(timeout=crawl_settings().page_wait * 1000))

    async def _ready(self, selectors: Selectors, within: float | None = None) -> Locator:
        """Return an element to act upon: what was picked before still holds, and nothing lies over it."""
        await self._hold_choices()
        element = await self.find(selectors, within=within)
        await self._uncover(element)
        return element

    async def hover(self, selectors: Selectors) -> None:
        """Move the pointer over the element."""
        element = await self.find(selectors)
        await self._uncover(element)
        try:
            await element.hover(timeout=crawl_settings().page_wait * 500)
        except PlaywrightTimeout:  # an overlay may have come meanwhile
            await self._uncover(element)
            await self._act(lambda: element.hover(timeout=crawl_settings().page_wait * 500))

    async def reveal(self, menu: Selectors, entry: Selectors, *, within: float = GRACE) -> None:
        """
        Open a menu, so that one of its entries is shown: by the pointer over it, or else by a click.

        within: seconds in which the pointer opens it, if it does.
        """
        if await self.shown(entry):
            return
        await self.hover(menu)
        if await self.shown(entry, within=within):
            return
        await self.raw.mouse.move(0, 0)  # a menu that came late has missed the pointer
        await self.hover(menu)
        if not await self.shown(entry, within=within):
            await self.click(menu)

    async def choose_entry(self, menu: Selectors, entry: Selectors, *, within: float = GRACE) -> None:
        """Open a menu as `reveal` does and click one of its entries; open it again where it has left before the click."""
        await self._hold_choices()
        await self._press_entry(menu, entry, partial(self.reveal, within=within))

    async def text(self, selectors: Selectors, *, within: float | None = None) -> str:
        """Return the element's text, white space collapsed."""
        element = await self.find(selectors, within=within)
        return " ".join((await self._act(element.inner_text)).split())

    async def texts(self, selectors: Selectors) -> list[str]:
        """Return the texts of all elements of the first selector that matches; an empty list when none does."""
        matched = await self.shown(selectors)
        if matched is None:
            return []
        return [" ".join(text.split()) for text in await self.locate(matched).all_inner_texts()]

    async def confirm(self, selectors: Selectors, text: str, wrong: FailureKind = PortalChanged) -> None:
        """Read an element's text; raise *wrong* unless it is *text*. A number is compared by its digits alone."""
        shown = await self.text(selectors)
        if not (re.sub(r"\D", "", shown) == text if text.isdigit() else same(shown, text)):
            raise wrong("The portal shows another one.", step=self.trail.step, selector=self.trail.selector)

    @asynccontextmanager
    async def new_tab(
        self, selectors: Selectors, *, menu: Selectors = (), within: float | None = None
    ) -> AsyncIterator[PortalPage]:
        """
        Click an element that opens a new tab and yield that tab, waiting up to *within* seconds for it and for its document.

        menu: opens the menu of which the element is an entry, as in `choose_entry`. The tab is closed at the end, on an
        exception by the handler.
        """
        async with self.follow(selectors, (), menu=menu, opens=self.reveal, within=within) as tab:
            yield tab

    @asynccontextmanager
    async def follow(
        self,
        selectors: Selectors,
        done: Selectors,
        *,
        menu: Selectors = (),
        opens: Opening | None = None,
        within: float | None = None,
    ) -> AsyncIterator[PortalPage]:
        """
        Click an element that leads to another page, and yield that: a new tab as `new_tab` does, or this page.

        done: elements that the other page has and this one has not; the sign-in form may be one of them. menu: opens the menu
        of which the element is an entry; it may leave by itself, and is opened again then. opens: how, by a click if not given.
        """
        seconds = crawl_settings().page_wait if within is None else within
        element = None if menu else await self._ready(selectors)
        clicked = " | ".join(selectors)
        answers: list[Response] = []  # the tab's document may be answered before the tab is known here
        opened: list[Page] = []

        def keep(answer: Response) -> None:  # Playwright accepts no built-in method as handler
            answers.append(answer)

        def note(tab: Page) -> None:
            opened.append(tab)

        async def has_come() -> bool:
            return bool(opened) or (bool(watched) and await self.shown(watched) is not None)

        watched = (*done, *self.signed_out) if done else ()
        self.raw.context.on("response", keep)
        self.raw.context.on("page", note)
        try:
            if element is None:
                await self._press_entry(menu, selectors, opens)
            else:
                await self._press(element)
            has_followed = await until(has_come, seconds)
        finally:
            self.raw.context.remove_listener("response", keep)
            self.raw.context.remove_listener("page", note)
        if not opened:
            shown = await self.shown(watched)
            if shown is not None and shown not in done:
                raise SignedOut("The sign-in form turned up.", step=self.trail.step)
            if not has_followed:
                what = "No page followed the click." if done else "No new tab opened."
                raise PortalChanged(what, step=self.trail.step, selector=clicked)
            yield self
            return
        tab = opened[0]
        view = PortalPage(
            tab,
            spool=self.spool,
            job=self.job,
            signed_out=self.signed_out,
            interruptions=self.interruptions,
            wall=self.wall,
            trail=self.trail,
        )
        self.tabs.append(view)
        await view.prepare()
        await tab.wait_for_load_state("domcontentloaded", timeout=seconds * 1000)
        of_tab = (each for each in reversed(answers) if each.request.is_navigation_request() and each.url == tab.url)
        view.answer = view.answer or next(of_tab, None)
        yield view
        # Left open on an exception: the handler saves the tab's page as evidence before it closes it.
        await tab.close()
        self.tabs.remove(view)

    async def _press_entry(self, menu: Selectors, entry: Selectors, opens: Opening | None) -> None:
        """Click an entry of a menu at once, before the menu leaves; open it again where that was too late or an overlay came."""
        for last in (False, False, False, True):
            await (opens(menu, entry) if opens else self.click(menu))
            found = await self._look(entry, GRACE)
            self.trail.selector = " | ".join(entry)
            if found is None:
                continue
            self.trail.act()
            try:
                await found[1].click(timeout=ENTRY * 1000)
                return
            except PlaywrightTimeout as error:
                if last:
                    raise await self._not_done(error) from None
                if is_covered(error):
                    await self._close_overlay(found[1])
        raise PortalChanged("The menu does not show it.", step=self.trail.step, selector=self.trail.selector)

    def session_of(
        self, login: type[Any], entrance: Callable[[], AbstractAsyncContextManager[PortalPage]]
    ) -> AbstractAsyncContextManager[PortalPage]:
        """
        Enter a part of the portal that has a login of its own: sign in if it asks for it, and sign out at the end.

        entrance: leads there from any page of the portal; its page shows a page of a signed-in user or the sign-in form.
        A session that is there already is used only once its page has shown that it is the credential's.
        """
        assert self.trail.enter is not None, "only a visit has a session"
        return self.trail.enter(self, login, entrance)

    def frame(self, selector: str) -> PortalPage:
        """Return a frame of this page as a PortalPage."""
        return self._view(self.scope.frame_locator(selector))

    async def frame_with(self, selectors: Selectors, *, within: float | None = None) -> PortalPage:
        """
        Return the frame of this page (the main one included) that shows one of the elements, as a PortalPage.

        Waits up to *within* seconds: a frame is there before its content is. Raises PortalChanged where none shows any.
        """
        self.trail.selector = " | ".join(selectors)
        holding: list[PortalPage] = []

        async def is_held() -> bool:
            for frame in self.raw.frames:
                view = self._view(frame)
                with suppress(PlaywrightError):  # a frame that is being removed or is navigating
                    if await view.shown(selectors):
                        holding.append(view)
                        return True
            return False

        if not await until(is_held, crawl_settings().page_wait if within is None else within):
            raise PortalChanged("No frame holds it.", step=self.trail.step, selector=self.trail.selector)
        return holding[0]

    async def dialog(self, containing: str = "") -> PortalPage:
        """Return the open dialog that contains a text, as a PortalPage."""
        narrowed = f":has-text({json.dumps(containing)})" if containing else ""
        selectors = (f"[role=dialog]{narrowed}", f"dialog[open]{narrowed}", f"[aria-modal=true]{narrowed}")
        return self._view(await self.find(selectors))

    def _view(self, scope: Frame | FrameLocator | Locator) -> PortalPage:
        return PortalPage(self.raw, spool=self.spool, job=self.job, scope=scope, trail=self.trail)

    async def download(
        self,
        selectors: Selectors,
        by: tuple[Selectors, ...] = (),
        *,
        unless: Selectors = (),
        within: float | None = None,
    ) -> PartFile:
        """
        Click an element that starts a download and return the part file, whichever tab or script it comes from.

        A click without any effect within SWALLOWED seconds is repeated once. A file that a new tab shows in place of
        downloading it is fetched in the same session. by: elements that are clicked first where it is not shown, such as those
        of a dialog, which a click without effect may have closed. unless: elements that come in the place of a file: they are
        waited for no longer, and the click is not repeated. within: seconds, LATCHKEY_DOWNLOAD_WAIT at most.
        """
        wait = min(crawl_settings().download_wait, within or crawl_settings().download_wait)

        async def has_come() -> bool:
            return bool(unless) and await self.shown(unless) is not None

        async def is_there() -> bool:
            return arrivals.are_there

        async with Arrivals(self.raw) as arrivals:
            for last in (False, True):
                if by and not await self.shown(selectors):
                    for each in by:
                        await self.click(each)
                element = await self._ready(selectors)

                async def is_known() -> bool:
                    return arrivals.are_there or await self._shows_sign_in() or await has_come()

                await self._press(element)
                if not await until(is_known, min(wait, SWALLOWED)):
                    if not last and not self.trail.has_effect and not arrivals.tabs:
                        logger.info("No download started: clicking once more")
                        continue
                    await until(is_known, wait - min(wait, SWALLOWED))
                if await has_come():
                    await until(is_there, GRACE)  # the file may come all the same
                if not arrivals.are_there and await self._shows_sign_in():
                    raise SignedOut("The sign-in form turned up.", step=self.trail.step)
                if (part := await keep(arrivals, self.spool, self.trail.step)) is not None:
                    self.job.counts.downloads += 1
                    return part
                break
        raise DownloadTimedOut(step=self.trail.step, selector=self.trail.selector)

    async def _shows_sign_in(self) -> bool:
        return bool(self.signed_out) and await self.shown(self.signed_out) is not None


READ_STORAGE = "() => [location.origin, Object.entries(sessionStorage)]"


async def session_state(context: BrowserContext) -> dict[str, Any]:
    """
    Return the session state of a browser: cookies, local storage, and the sessionStorage of the open tabs by origin.

    Playwright's storage_state leaves sessionStorage out, and some portals keep their token there.
    """
    state: dict[str, Any] = dict(await context.storage_state())
    storage: dict[str, list[list[str]]] = {}
    for tab in context.pages:
        origin, entries = await run_script(tab, READ_STORAGE)
        if entries:
            storage[origin] = entries
    if storage:
        state["session_storage"] = storage
    return state
