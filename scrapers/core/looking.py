"""LookingPage: finds elements in a page, waits until they are shown or the page is at rest, and presses them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scrapers.core.choices import Choice
from scrapers.core.compat import PlaywrightError, PlaywrightTimeout, is_covered, navigated, was_hidden, was_left
from scrapers.core.locators import Guess, Selectors, any_of, candidates, is_ours, ranks
from scrapers.core.outcomes import Blocked, Failure, PortalChanged, PortalDown, RateLimited, SignedOut
from scrapers.core.overlays import DIALOGS, Interruption, close_overlay, is_free, says_session_over
from scrapers.core.pace import ERROR_TRIES, RATE_TRIES, backoff, retry_after
from scrapers.core.redaction import bare_url
from scrapers.core.settings import crawl_settings
from scrapers.core.trail import LONG_POLLS, POLLS, REST, SETTLED, WORK, Trail
from scrapers.core.walls import CLEARED, Wall

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Frame, FrameLocator, Locator, Page, Request, Response

    from scrapers.core.jobs import Job

logger = logging.getLogger(__name__)
T = TypeVar("T")

GRACE = 3.0  # seconds after which an overlay is closed, or a similar text taken, where the wanted element is not shown
LOOK_THOROUGHLY = 0.5  # seconds between two looks for an element by its accessible name, which costs a browser much
FRAME_FILLS = 2 / 3  # of LATCHKEY_PAGE_WAIT, in which a frame that lies over a page is filled
COVERED = 1.5  # seconds in which an element may come out from under something by itself


class LookingPage:
    """
    Finds elements in a page, a new tab or a frame, waits for them, and presses them.

    A portal uses PortalPage.
    """

    def __init__(
        self,
        page: Page,
        *,
        spool: Path,
        job: Job,
        signed_out: Selectors = (),
        interruptions: tuple[Interruption, ...] = (),
        wall: Wall | None = None,
        scope: Frame | FrameLocator | Locator | None = None,
        trail: Trail | None = None,
    ) -> None:
        self.raw = page
        self.job = job
        self.spool = spool
        self.signed_out = signed_out
        self.interruptions = interruptions
        self.wall = wall
        self.scope: Page | Frame | FrameLocator | Locator = scope or page
        self.trail = trail or Trail()
        self.tabs: list[LookingPage] = []
        self.answer: Response | None = None  # to the newest request for a whole page
        self._choices: list[Choice] = []  # since the last click
        self._own: set[Request] = set()  # requests of this tab without an answer
        # In a document of which it is not known whether it is the wall's; a tab may have come to one before it is known here.
        self._has_arrived = wall is not None and scope is None
        if scope is None:  # a frame's requests are its page's
            page.on("request", self._count)
            page.on("response", self._keep_answer)
            page.on("requestfinished", self._landed)
            page.on("requestfailed", self._failed)
            page.on("close", self._closed)
            if wall is not None:
                page.on("framenavigated", self._arrive)
                page.on("domcontentloaded", self._arrive)

    def _count(self, request: Request) -> None:
        self.trail.requests += 1
        now = asyncio.get_running_loop().time()
        self._own.add(request)
        self.trail.waiting.add(request)
        if self.trail.first_asked.setdefault(request.url, now) >= self.trail.acted:
            self.trail.news = now
        self.trail.asked[request.url] += 1
        is_news = self.trail.asked[request.url] > POLLS or self.trail.endless[bare_url(request.url)] >= LONG_POLLS
        if request.resource_type in WORK and not is_news:
            self.trail.sent = self.trail.in_flight[request] = now

    def _landed(self, request: Request) -> None:
        self._own.discard(request)
        self.trail.land(request, asyncio.get_running_loop().time(), left=False)

    def _failed(self, request: Request) -> None:
        self._own.discard(request)
        self.trail.land(request, asyncio.get_running_loop().time(), left=was_left(request))

    def _closed(self, _page: Page) -> None:
        """Forget what a closed tab waited for: no event tells the end of those requests."""
        for request in self._own:
            self.trail.land(request, asyncio.get_running_loop().time(), left=True)
        self._own.clear()

    def _keep_answer(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame.parent_frame is None:
            self.answer = response

    def _arrive(self, place: Page | Frame) -> None:
        self._has_arrived = self._has_arrived or place in (self.raw, self.raw.main_frame)

    async def pass_wall(self) -> bool:
        """
        Wait until the portal's bot wall has cleared, if the newest navigation led to it; return whether it had.

        Raises Blocked once its widget says that it will not clear, or after LATCHKEY_WALL_WAIT; with a visible browser a person
        has LATCHKEY_PERSON_WAIT.
        """
        if self.wall is None or not self._has_arrived:
            return False
        self._has_arrived = False
        await self._wait_for_document()
        if not (stands := await self.wall.stands(self.raw)):
            return False
        of_wall = self.answer if stands == "wall" else None
        logger.info("A bot wall stands in front of the portal")
        loop = asyncio.get_running_loop()
        began, since = loop.time(), 0.0  # since when it is gone
        wait = crawl_settings().person_wait if self.trail.by_person else crawl_settings().wall_wait
        while not since or loop.time() < since + CLEARED:
            if not (stands := await self.wall.stands(self.raw)):
                since = since or loop.time()
            else:
                since = 0.0
                of_wall = of_wall or (self.answer if stands == "wall" else None)
                if not self.trail.by_person and await self.wall.has_failed(self.raw):
                    raise Blocked("The wall's check has failed.", step=self.trail.step)
                if loop.time() >= began + wait:
                    raise Blocked(f"The wall did not clear within {wait:g} s.", step=self.trail.step)
            await asyncio.sleep(0.1)  # between two polls
        self._has_arrived = False
        if of_wall is not None and self.answer is of_wall:
            self.answer = None  # it cleared in its own document, and an error that it came with is not the page's
        logger.info("The bot wall has cleared after %.1f s", loop.time() - began)
        return True

    async def _wait_for_document(self) -> None:
        with suppress(PlaywrightTimeout):
            await self.raw.wait_for_load_state("domcontentloaded", timeout=crawl_settings().page_wait * 1000)

    def locate(self, selector: str) -> Locator:
        """Return the visible elements that one selector certainly names (see `scrapers.core.locators`)."""
        return any_of(ranks(self.scope, selector)[0]).filter(visible=True)

    async def retry_failed_page(self) -> bool:
        """
        Reload the page after 429 or 5xx, obeying Retry-After; return whether it was reloaded.

        The pause holds for the whole crawl, and a longer one of the crawl is waited for.

        Raises RateLimited after RATE_TRIES, PortalDown after ERROR_TRIES, and either of them at once when the pause would
        exceed LATCHKEY_RETRY_WAIT or the request was no GET: a submitted form (a password) is never sent again.
        """
        answer = self.answer
        if answer is None or (answer.status != 429 and answer.status < 500):
            return False
        limited = answer.status == 429
        self.trail.pauses += 1
        wanted = retry_after(await answer.header_value("retry-after"))
        pause = backoff(self.trail.pauses) if wanted is None else wanted
        tries = RATE_TRIES if limited else ERROR_TRIES
        if answer.request.method != "GET" or self.trail.pauses > tries or pause > crawl_settings().retry_wait:
            kind = RateLimited if limited else PortalDown
            raise kind(f"The portal answered {answer.status} in place of a page.", step=self.trail.step)
        logger.info("The portal answered %d: loading the page again in %.1f s", answer.status, pause)
        self.trail.pause.prolong(pause)
        await self.reload()
        return True

    async def reload(self) -> None:
        """Reload the page; what was opened or typed in it is lost."""
        await self._load(
            lambda: self.raw.reload(wait_until="domcontentloaded", timeout=crawl_settings().page_wait * 1000)
        )

    async def _load(self, load: Callable[[], Awaitable[object]]) -> None:
        await self.trail.pause.wait()
        self._choices = []  # of the page before
        try:
            await load()
        except PlaywrightTimeout:
            wait = crawl_settings().page_wait
            raise PortalDown(f"No page came within {wait:g} s.", step=self.trail.step) from None
        await self.pass_wall()

    async def shown(self, selectors: Selectors, within: float = 0) -> str | None:
        """
        Return the first selector that has a visible element, waiting up to *within* seconds; None when there is none.

        A page answered with 429 or 5xx is reloaded meanwhile. Raises SignedOut when the sign-in form is shown instead.
        """
        found = await self._look(selectors, within)
        return None if found is None else found[0]

    async def _look(self, selectors: Selectors, within: float = 0) -> tuple[str, Locator] | None:
        """Return the first selector that has a visible element, and that element; see `shown`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        thorough_at = 0.0  # when to look again for what takes a browser long to find
        while True:
            if await self.pass_wall():
                deadline = loop.time() + within
            is_last = loop.time() >= deadline
            is_thorough = is_last or loop.time() >= thorough_at
            if is_thorough:
                thorough_at = loop.time() + LOOK_THOROUGHLY
            if found := await self._matching(selectors, is_thorough=is_thorough):
                return found
            if not within:
                return None
            if await self.retry_failed_page():
                deadline = loop.time() + within
            elif is_last:
                if self.signed_out and await self.shown(self.signed_out):
                    raise SignedOut("The sign-in form turned up.", step=self.trail.step)
                return None
            await asyncio.sleep(min(0.1, max(0.0, deadline - loop.time())))  # between two polls

    async def _matching(self, selectors: Selectors, *, is_thorough: bool = True) -> tuple[str, Locator] | None:
        """
        Return the first selector that has a visible element now, and the best such element.

        is_thorough: also where a browser finds nothing at little cost (see `candidates`).
        """
        wanted = {selector: candidates(self.scope, selector) for selector in selectors}
        looked = [each for found in wanted.values() for each in (found if is_thorough else found[:1])]
        try:
            if (
                len(looked) > 1 and not await any_of(looked).filter(visible=True).count()
            ):  # one question in place of many
                return None
            for selector, found in wanted.items():
                for visible in (each.filter(visible=True) for each in found):
                    if not is_ours(selector):
                        if await visible.count():
                            return selector, visible.first
                    elif best := await _best(visible):
                        return selector, visible.nth(best[0])
        except PlaywrightError as error:
            if not navigated(error):
                raise
        return None

    async def find(self, selectors: Selectors, *, within: float | None = None) -> Locator:
        """Return the visible element that the first matching selector names best, waiting up to *within* seconds.

        An overlay that keeps it from being shown is closed. When the page is at rest without it, an element that only
        contains its text is taken, if there is one alone. Raises PortalChanged when there is none, SignedOut when the
        sign-in form is shown instead.
        """
        self.trail.selector = " | ".join(selectors)
        seconds = crawl_settings().page_wait if within is None else within
        watched = selectors + (self.signed_out if self.scope is self.raw else ())
        loop = asyncio.get_running_loop()
        began = loop.time()
        deadline, has_looked = began + seconds, False
        found = await self._look(watched, min(GRACE, seconds))
        while found is None:
            last = loop.time() >= deadline
            if last or await self._rests(deadline - loop.time()):
                if (similar := await self._similar(selectors)) is not None:
                    return similar
                if not last and await self._close_overlay(None):
                    found = await self._look(watched, 1)
                    continue
                is_late = loop.time() > began + crawl_settings().page_wait
                if not (last or has_looked) and (is_late or await self.shown((DIALOGS,))):
                    has_looked = True
                    await self._check_session()
            if last:
                detail = f"Nothing matched within {seconds:g} s."
                raise PortalChanged(detail, step=self.trail.step, selector=self.trail.selector)
            found = await self._look(watched, min(1.0, max(0.01, deadline - loop.time())))
        if isinstance(found[0], Guess):
            found = await self._known(selectors) or found
        matched, element = found
        if matched not in selectors:
            raise SignedOut("The sign-in form turned up.", step=self.trail.step)
        if matched != selectors[0]:
            logger.info("Fallback selector matched: %s", matched)
        return element

    async def _known(self, selectors: Selectors) -> tuple[str, Locator] | None:
        """Return what matches of the selectors that are no guesses, waiting for it until the page is at rest."""
        known = tuple(selector for selector in selectors if not isinstance(selector, Guess))
        found: list[tuple[str, Locator]] = []

        async def has_come() -> bool:
            found.extend(filter(None, [await self._matching(known)]))
            return bool(found)

        if known:
            await self._look_until(has_come, crawl_settings().page_wait, self.trail.acted, REST)
        return found[0] if found else None

    async def _check_session(self) -> None:
        """Raise SignedOut if the session has ended, which an unknown page or dialog may say in any words."""
        if self.trail.is_over is not None and await self.trail.is_over():
            raise SignedOut("The session has ended.", step=self.trail.step)

    async def _similar(self, selectors: Selectors) -> Locator | None:
        """Return the one element that contains the text of a selector among other words; None for none or several."""
        for selector in selectors:
            for rank in ranks(self.scope, selector)[1]:
                best = await _best(found := rank.filter(visible=True))
                if len(best) > 1:
                    break  # which one is meant is not certain
                if best:
                    logger.info("Similar text taken: %s", selector)
                    return found.nth(best[0])
        return None

    async def arrives(self, selectors: Selectors) -> str | None:
        """Return the first selector that has a visible element; None once the page is at rest without one."""
        matched: list[str | None] = []

        async def has_come() -> bool:
            matched[:] = [await self.shown(selectors)]
            return matched[0] is not None

        await self.rests(has_come)
        return matched[0]

    async def rests(self, is_enough: Callable[[], Awaitable[bool]]) -> bool:
        """
        Wait until the page is at rest: without a change and a request in flight for REST seconds.

        is_enough: a condition whose truth ends the wait. Returns False where LATCHKEY_PAGE_WAIT ends it.
        """
        return await self._look_until(is_enough, crawl_settings().page_wait)

    async def is_at_rest(self, within: float = 0) -> bool:
        """
        Return whether what the last action caused is there, waiting up to *within* seconds.

        The requests sent since then are answered, and the page has stayed the same for SETTLED seconds, or for REST
        seconds where the action caused no request. Requests that hang since before are no answer to it.
        """

        async def never() -> bool:
            return False

        acted = max([self.trail.acted, *(each.at for each in self._choices)])
        return await self._look_until(never, within, acted, REST if self.trail.sent < acted else SETTLED)

    async def _rests(self, within: float) -> bool:
        """Return whether the page stays the same for REST seconds, with no request in flight, waiting up to *within*."""

        async def never() -> bool:
            return False

        return await self._look_until(never, within)

    async def _look_until(
        self,
        is_true: Callable[[], Awaitable[bool]],
        within: float,
        since_action: float | None = None,
        quiet: float | None = None,
    ) -> bool:
        """
        Poll a condition until it is true, the page is at rest, or the time is over; return False for the last.

        since_action: time of the loop's clock; where it is given, only requests since then are waited for. quiet: seconds
        without a change (REST).
        """
        loop = asyncio.get_running_loop()
        deadline, since, before = loop.time() + max(within, 0), loop.time(), ""
        while not await is_true():
            now = await self._fingerprint()
            if now != before or self.trail.is_busy(since_action):
                since, before = loop.time(), now
            elif loop.time() - since >= (REST if quiet is None else quiet):
                return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(0.1)  # between two polls
        return True

    async def _fingerprint(self) -> str:
        """Return what changes with the page and, where this is one of its frames, with the frame."""
        said = str(await run_script(self.raw, FINGERPRINT))
        from playwright.async_api import Frame

        if isinstance(self.scope, Frame) and self.scope is not self.raw.main_frame:
            with suppress(PlaywrightError):  # it is being removed, or shows another page
                return f"{said} {await self.scope.evaluate(FINGERPRINT)}"
        return said

    async def _close_overlay(self, target: Locator | ElementHandle | None) -> bool:
        for interruption in self.interruptions:
            if interruption.frame and await self._close_frame(interruption):
                return True
        text = await close_overlay(self.raw, target)
        if says_session_over(text):
            raise SignedOut("The portal says that the session has ended.", step=self.trail.step)
        return bool(text)

    async def _close_frame(self, interruption: Interruption) -> bool:
        """Close an overlay that is a frame, once that is filled; return whether there was one."""
        if not await self.raw.locator(interruption.frame).filter(visible=True).count():
            return False
        inside = self.raw.frame_locator(interruption.frame)

        async def is_filled() -> bool:
            return await inside.locator(interruption.shown).filter(visible=True).count() > 0

        if not await until(is_filled, crawl_settings().page_wait * FRAME_FILLS):
            return False
        try:
            await inside.locator(interruption.dismiss).first.click(timeout=5000)
        except PlaywrightTimeout:  # it has left by itself
            return False
        logger.info("Dismissed an interruption by %s", interruption.dismiss)
        return True

    async def _press(self, element: Locator | ElementHandle) -> None:
        """
        Click an element once nothing lies over it; an overlay that comes meanwhile is closed, too.

        An element that the page hides meanwhile may have another one in its place, which the second try finds.
        """
        await self._uncover(element)
        self.trail.act()
        for last in (False, True):
            try:
                await element.click(timeout=crawl_settings().page_wait * 1000)
                return
            except PlaywrightTimeout as error:
                if last or not (was_hidden(error) or (is_covered(error) and await self._close_overlay(element))):
                    raise await self._not_done(error) from None

    async def _uncover(self, element: Locator | ElementHandle) -> None:
        """Close the overlays that lie over an element."""
        if await is_free(element):
            return
        for _ in range(5):
            try:
                await element.click(trial=True, timeout=COVERED * 1000)
            except PlaywrightTimeout as error:
                if is_covered(error) and await self._close_overlay(element):
                    continue
            return

    async def _act(self, action: Callable[[], Awaitable[T]], *, again: bool = True) -> T:
        """Act on an element that is there; *again*: once more where the page has hidden it, as in `_press`."""
        self.trail.act()
        try:
            return await action()
        except PlaywrightTimeout as error:
            if again and was_hidden(error):
                return await self._act(action, again=False)
            raise await self._not_done(error) from None

    async def _not_done(self, error: PlaywrightTimeout) -> Failure:
        """Return the failure of an action on an element that is there."""
        if await self.shown(self.signed_out):
            return SignedOut("The sign-in form turned up.", step=self.trail.step)
        reason = "something lies over it" if is_covered(error) else "it does not react"
        return PortalChanged(f"The element is there but {reason}.", step=self.trail.step, selector=self.trail.selector)

    async def type(self, selectors: Selectors, text: str, *, within: float | None = None, pause: float = 0) -> None:
        """
        Type *text* with key events and read it back; raise PortalChanged when it differs. The value is never logged.

        pause: seconds between two keys, for fields that look for suggestions meanwhile.
        """
        element = await self.find(selectors, within=within)
        await self._press(element)
        for _ in range(2):  # focus may be stolen while typing: clear and type once more
            await self._act(lambda: element.fill(""))
            await self._act(lambda: element.press_sequentially(text, delay=pause * 1000))
            if await self._act(element.input_value) == text:
                return
        raise PortalChanged(
            "What was typed did not stay in the field.", step=self.trail.step, selector=self.trail.selector
        )


FINGERPRINT = """() => [document.getElementsByTagName("*").length, document.body?.innerText.length ?? 0,
  document.querySelectorAll("[aria-busy=true]").length, location.href].join()"""

# The innermost of the elements, without disabled ones and those outside the main part where there are others.
BEST = """nodes => {
  let best = nodes.map((node, place) => [node, place]).filter(([node]) => !nodes.some(other => other !== node && node.contains(other)));
  for (const is of [node => !node.matches(":disabled, [aria-disabled=true]"), node => node.closest("main, [role=main]")])
    if (best.some(([node]) => is(node))) best = best.filter(([node]) => is(node));
  return best.map(([, place]) => place);
}"""


async def _best(found: Locator) -> list[int]:
    """Return the places of the elements that are equally good."""
    places: list[int] = await found.evaluate_all(BEST)
    return places


async def until(is_true: Callable[[], Awaitable[bool]], within: float) -> bool:
    """Poll a condition for up to *within* seconds; return whether it became true."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        if await is_true():
            return True
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(0.1)  # between two polls


async def run_script(page: Page, script: str, argument: Any = None) -> Any:
    """Run a script that only reads; when the page navigates meanwhile, run it again in the new document."""
    for attempt in range(10):
        try:
            return await page.evaluate(script, argument)
        except PlaywrightError as error:
            if not navigated(error) or attempt == 9:
                raise
            await page.wait_for_load_state("domcontentloaded")
    raise AssertionError("unreachable")
