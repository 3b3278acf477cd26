"""PortalPage: a browser page for flows and visits. It adds to Playwright's Page only what that lacks."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scrapers.core.choices import LISTS, Match, Offer, drawn, fitting, is_filled, is_ticked, offers
from scrapers.core.compat import PlaywrightError, PlaywrightTimeout, browser_gone, is_covered, is_detached, navigated
from scrapers.core.downloads import Arrivals, keep
from scrapers.core.locators import Guess, Selectors, any_of, candidates, guess, is_ours, ranks, same
from scrapers.core.naming import unexpected_error
from scrapers.core.outcomes import (
    BrowserDied,
    DownloadTimedOut,
    Failure,
    FlowTimedOut,
    NoLongerAvailable,
    NotYetPublished,
    PortalChanged,
    PortalDown,
    RateLimited,
    SignedOut,
)
from scrapers.core.overlays import DIALOGS, Interruption, close_overlay, is_free, says_session_over
from scrapers.core.pace import ERROR_TRIES, RATE_TRIES, Pause, backoff, retry_after
from scrapers.core.periods import month_missing, months_in, names_month
from scrapers.core.redaction import bare_url
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile

if TYPE_CHECKING:
    from datetime import date

    from playwright.async_api import (
        BrowserContext,
        ElementHandle,
        Frame,
        FrameLocator,
        Locator,
        Page,
        Request,
        Response,
    )

    from scrapers.core.jobs import Job

__all__ = ["Guess", "Interruption", "PortalPage", "Selectors", "guess", "run_script", "session_state", "until"]

logger = logging.getLogger(__name__)
T = TypeVar("T")

GRACE = 3.0  # seconds after which an overlay is closed, or a similar text taken, where the wanted element is not shown
REST = 2.0  # seconds without a change or a request, after which a list or page counts as complete
SETTLED = 1.0  # the same once the requests that an action caused are answered; lists fill in steps less apart than this
LOOK_THOROUGHLY = 0.5  # seconds between two looks for an element by its accessible name, which costs a browser much
POLLS = 3  # requests for one address since the last action, after which it is polled: that never ends
LONG_POLLS = 2  # requests for one address that took longer than IN_FLIGHT, after which it is one that always does
IN_FLIGHT = 10.0  # seconds; a request that takes longer (a long poll) does not keep a page from being at rest
COVERED = 1.5  # seconds in which an element may come out from under something by itself
SWALLOWED = 15.0  # seconds after which a click without any effect is repeated, where it should start a download
WORK = ("document", "xhr", "fetch", "script")  # requests that may change what a page offers

FailureKind = type[Failure]  # here, because PortalPage has a method of the name `type`


@dataclass
class Trail:
    """The progress of a flow, shared by all its tabs and recorded in the evidence."""

    steps: list[str] = field(default_factory=list)
    selector: str = ""
    requests: int = 0
    pauses: int = 0  # pages of this flow that were answered with 429 or 5xx, also before it was recovered
    pause: Pause = field(default_factory=Pause)  # the crawl's
    is_over: Callable[[], Awaitable[bool]] | None = None  # looks whether the session has ended; None outside of one
    in_flight: dict[Request, float] = field(default_factory=dict)  # requests without an answer, and when each was sent
    endless: Counter[str] = field(default_factory=Counter)  # what took longer than IN_FLIGHT in this crawl, by address
    asked: Counter[str] = field(default_factory=Counter)  # requests by address, since the last action
    acted: float = 0  # when that was, by the loop's clock
    sent: float = 0  # when the newest request was sent that may change a page

    def act(self) -> None:
        """Note an action in the page, such as a click."""
        self.asked.clear()
        self.acted = asyncio.get_running_loop().time()

    @property
    def step(self) -> str:
        """The step that was begun last."""
        return self.steps[-1] if self.steps else ""

    def is_busy(self, since: float | None = None) -> bool:
        """
        Return whether a request that may change a page waits for its answer.

        since: of the loop's clock, when it was sent at the earliest; by default a little before the last action, because a
        request that hangs since long before has nothing to do with that.
        """
        since = self.acted - REST if since is None else since
        now = asyncio.get_running_loop().time()
        for request in [each for each, sent in self.in_flight.items() if now - sent >= IN_FLIGHT]:
            del self.in_flight[request]
            self.endless[bare_url(request.url)] += 1
        return any(sent >= since for sent in self.in_flight.values())


@dataclass(frozen=True, slots=True)
class Choice:
    """What was picked in a list, to be picked again if the page loses it."""

    selectors: Selectors
    text: str
    match: Match
    at: float  # time of the loop's clock


class PortalPage:
    """
    A page, a new tab or a frame of one session.

    Every method takes ordered selectors and names the element it could not find in the PortalChanged it raises.
    A page on which the login's sign-in form turns up raises SignedOut instead.
    """

    def __init__(
        self,
        page: Page,
        *,
        spool: Path,
        job: Job,
        signed_out: Selectors = (),
        interruptions: tuple[Interruption, ...] = (),
        scope: Frame | FrameLocator | Locator | None = None,
        trail: Trail | None = None,
    ) -> None:
        self.raw = page
        self.job = job
        self.spool = spool
        self.signed_out = signed_out
        self.interruptions = interruptions
        self.scope: Page | Frame | FrameLocator | Locator = scope or page
        self.trail = trail or Trail()
        self.tabs: list[PortalPage] = []
        self.answer: Response | None = None  # to the newest request for a whole page
        self._choices: list[Choice] = []  # since the last click
        if scope is None:  # a frame's requests are its page's
            page.on("request", self._count)
            page.on("response", self._keep_answer)
            page.on("requestfinished", self._landed)
            page.on("requestfailed", self._landed)

    def _count(self, request: Request) -> None:
        self.trail.requests += 1
        self.trail.asked[request.url] += 1
        is_news = self.trail.asked[request.url] > POLLS or self.trail.endless[bare_url(request.url)] >= LONG_POLLS
        if request.resource_type in WORK and not is_news:
            self.trail.sent = self.trail.in_flight[request] = asyncio.get_running_loop().time()

    def _landed(self, request: Request) -> None:
        sent = self.trail.in_flight.pop(request, None)
        if sent is not None and asyncio.get_running_loop().time() - sent >= IN_FLIGHT:
            self.trail.endless[bare_url(request.url)] += 1

    def _keep_answer(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame.parent_frame is None:
            self.answer = response

    async def prepare(self) -> None:
        """Set the timeouts, and register handlers that close known overlays when they block an action."""
        self.raw.set_default_timeout(crawl_settings().page_wait * 1000)
        for interruption in self.interruptions:

            async def dismiss(_shown: Locator, click: str = interruption.dismiss) -> None:
                logger.info("Dismissed an interruption by %s", click)
                await self.raw.locator(click).first.click(timeout=5000)

            await self.raw.add_locator_handler(self.raw.locator(interruption.shown).first, dismiss, no_wait_after=True)

    def locate(self, selector: str) -> Locator:
        """Return the visible elements that one selector certainly names (see `scrapers.core.locators`)."""
        return any_of(ranks(self.scope, selector)[0]).filter(visible=True)

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
        # An unknown page may be what the portal shows once the session is over.
        if isinstance(failure, (PortalChanged, DownloadTimedOut)) and is_over is not None and await is_over():
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

    async def reload(self) -> None:
        """Reload the page; what was opened or typed in it is lost."""
        await self._load(
            lambda: self.raw.reload(wait_until="domcontentloaded", timeout=crawl_settings().page_wait * 1000)
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
        trail = Trail(pause=self.trail.pause, endless=self.trail.endless)
        try:
            yield PortalPage(tab, spool=self.spool, job=self.job, trail=trail)
        finally:
            self.trail.requests += trail.requests
            await tab.close()

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

    async def _load(self, load: Callable[[], Awaitable[object]]) -> None:
        await self.trail.pause.wait()
        self._choices = []  # of the page before
        try:
            await load()
        except PlaywrightTimeout:
            wait = crawl_settings().page_wait
            raise PortalDown(f"No page came within {wait:g} s.", step=self.trail.step) from None

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
        matched, element = found
        if matched not in selectors:
            raise SignedOut("The sign-in form turned up.", step=self.trail.step)
        if matched != selectors[0]:
            logger.info("Fallback selector matched: %s", matched)
        return element

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

        await self._look_until(has_come, crawl_settings().page_wait)
        return matched[0]

    async def is_at_rest(self, within: float = 0) -> bool:
        """
        Return whether what the last action caused is there, waiting up to *within* seconds.

        The requests sent since then are answered, and the page has stayed the same for SETTLED seconds, or for REST
        seconds where the action caused no request. Requests that hang since before are no answer to it.
        """

        async def never() -> bool:
            return False

        return await self._look_until(never, within, max([self.trail.acted, *(each.at for each in self._choices)]))

    async def _rests(self, within: float) -> bool:
        """Return whether the page stays the same for REST seconds, with no request in flight, waiting up to *within*."""

        async def never() -> bool:
            return False

        return await self._look_until(never, within)

    async def _look_until(
        self, is_true: Callable[[], Awaitable[bool]], within: float, since_action: float | None = None
    ) -> bool:
        """
        Poll a condition until it is true, the page is at rest, or the time is over; return False for the last.

        since_action: time of the loop's clock; where it is given, only what was caused since then is waited for.
        """
        loop = asyncio.get_running_loop()
        deadline, since, before = loop.time() + max(within, 0), loop.time(), ""
        while not await is_true():
            now = await run_script(self.raw, FINGERPRINT)
            if now != before or self.trail.is_busy(since_action):
                since, before = loop.time(), now
            elif loop.time() - since >= (REST if since_action is None or self.trail.sent < since_action else SETTLED):
                return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(0.1)  # between two polls
        return True

    async def _close_overlay(self, target: Locator | ElementHandle | None) -> bool:
        text = await close_overlay(self.raw, target)
        if says_session_over(text):
            raise SignedOut("The portal says that the session has ended.", step=self.trail.step)
        return bool(text)

    async def _press(self, element: Locator | ElementHandle) -> None:
        """Click an element once nothing lies over it; an overlay that comes meanwhile is closed, too."""
        await self._uncover(element)
        self.trail.act()
        for last in (False, True):
            try:
                await element.click(timeout=crawl_settings().page_wait * 1000)
                return
            except PlaywrightTimeout as error:
                if last or not (is_covered(error) and await self._close_overlay(element)):
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

    async def click(self, selectors: Selectors, *, within: float | None = None) -> None:
        """Click the element, waiting until it is enabled and closing what lies over it."""
        await self._hold_choices()
        await self._press(await self.find(selectors, within=within))

    async def double_click(self, selectors: Selectors, *, within: float | None = None) -> None:
        """Double-click the element."""
        element = await self._ready(selectors, within)
        await self._act(element.dblclick(timeout=crawl_settings().page_wait * 1000))

    async def _ready(self, selectors: Selectors, within: float | None = None) -> Locator:
        """Return an element to act upon: what was picked before still holds, and nothing lies over it."""
        await self._hold_choices()
        element = await self.find(selectors, within=within)
        await self._uncover(element)
        return element

    async def tick(self, selectors: Selectors, on: bool = True, *, within: float | None = None) -> None:
        """
        Tick or untick a check box or radio button, real or drawn, given by itself or by its label, and read it back.

        Does nothing when it is in that state already.
        """
        element = await self._box(selectors, within)
        if await is_ticked(element) == on:
            return
        await self._press(await drawn(element))

        async def stays() -> bool:
            return await is_ticked(element) == on

        if not await until(stays, GRACE):
            raise PortalChanged("The choice did not stay.", step=self.trail.step, selector=self.trail.selector)

    async def is_ticked(self, selectors: Selectors, *, within: float | None = None) -> bool:
        """Return the state of a check box or radio button, real or drawn, given by itself or by its label."""
        return bool(await is_ticked(await self._box(selectors, within)))

    async def _box(self, selectors: Selectors, within: float | None) -> Locator:
        """Return the first check box or radio button that a selector names, which may be hidden behind a drawn one."""
        self.trail.selector = " | ".join(selectors)
        boxes: list[Locator] = []

        async def is_there() -> bool:
            for selector in selectors:
                for rank in candidates(self.scope, selector):
                    if any(offer.kind == "box" for offer in await offers(rank)):
                        boxes.append(rank.first)
                        return True
            return False

        if not await until(is_there, crawl_settings().page_wait if within is None else within):
            await self.find(selectors, within=0.1)  # raises what is the matter
            raise PortalChanged("It is no check box.", step=self.trail.step, selector=self.trail.selector)
        return boxes[0]

    async def hover(self, selectors: Selectors) -> None:
        """Move the pointer over the element."""
        element = await self.find(selectors)
        await self._uncover(element)
        try:
            await element.hover(timeout=crawl_settings().page_wait * 500)
        except PlaywrightTimeout:  # an overlay may have come meanwhile
            await self._uncover(element)
            await self._act(element.hover(timeout=crawl_settings().page_wait * 500))

    async def reveal(self, menu: Selectors, entry: Selectors) -> None:
        """Open a menu, so that one of its entries is shown: by the pointer over it, or else by a click."""
        if await self.shown(entry):
            return
        await self.hover(menu)
        if await self.shown(entry, within=GRACE):
            return
        await self.raw.mouse.move(0, 0)  # a menu that came late has missed the pointer
        await self.hover(menu)
        if not await self.shown(entry, within=GRACE):
            await self.click(menu)

    async def type(self, selectors: Selectors, text: str, *, within: float | None = None) -> None:
        """Type *text* with key events and read it back; raise PortalChanged when it differs. The value is never logged."""
        element = await self.find(selectors, within=within)
        await self._press(element)
        for _ in range(2):  # focus may be stolen while typing: clear and type once more
            await self._act(element.fill(""))
            await self._act(element.press_sequentially(text))
            if await self._act(element.input_value()) == text:
                return
        raise PortalChanged(
            "What was typed did not stay in the field.", step=self.trail.step, selector=self.trail.selector
        )

    async def text(self, selectors: Selectors, *, within: float | None = None) -> str:
        """Return the element's text, white space collapsed."""
        element = await self.find(selectors, within=within)
        return " ".join((await self._act(element.inner_text())).split())

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

    async def options(self, selectors: Selectors) -> list[str]:
        """Return the texts that a list offers, once it has come to rest."""
        found: list[Offer] = []

        def keep_all(offered: list[Offer]) -> bool:
            found[:] = offered
            return False

        await self._offered(selectors, keep_all)
        return [offer.text for offer in found]

    async def pick(
        self,
        selectors: Selectors,
        wanted: str | Sequence[str],
        *,
        missing: Callable[[list[str]], Failure] | None = None,
        match: Match = same,
        within: float | None = None,
    ) -> str:
        """
        Choose a text, or the first of several that is offered, and return it.

        selectors: drop-downs (real or drawn), radio buttons, check boxes, their labels, or items of a list. The list is
        read until the text is offered or the list has come to rest, up to *within* seconds (LATCHKEY_PAGE_WAIT). missing:
        takes the texts that are offered and returns the failure to raise when none is wanted; PortalChanged by default.
        The choice is read back, and again before the next click.
        """
        texts = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        began = asyncio.get_running_loop().time()
        chosen = await self._pick(selectors, texts, missing, match, within)
        self._choices = [each for each in self._choices if each.selectors != selectors]
        self._choices.append(Choice(selectors, chosen, match, began))
        return chosen

    async def _pick(
        self,
        selectors: Selectors,
        texts: tuple[str, ...],
        missing: Callable[[list[str]], Failure] | None,
        match: Match,
        within: float | None,
    ) -> str:
        self.trail.selector = " | ".join(selectors)
        for _ in range(3):
            found: list[Offer] = []

            def is_first_offered(offered: list[Offer]) -> bool:
                found[:] = offered  # noqa: B023 - used before the next round
                return bool(fitting(offered, texts[0], match))

            await self._offered(selectors, is_first_offered, within)
            for text in texts:
                if not (fits := fitting(found, text, match)):
                    continue
                if len({(fit.kind, fit.place, fit.number) for fit in fits if not fit.is_off}) > 1:
                    detail = f"{text} is offered {len(fits)} times."
                    raise PortalChanged(detail, step=self.trail.step, selector=self.trail.selector)
                best = next((fit for fit in fits if not fit.is_off), fits[0])
                began = asyncio.get_running_loop().time()
                try:
                    if best.kind != "box" or not best.is_chosen:
                        if best.kind != "option":
                            await self._uncover(await drawn(best.found.nth(best.place)))
                        await best.take(crawl_settings().page_wait * 500)
                except PlaywrightError as error:  # the list was filled anew meanwhile
                    if not (isinstance(error, PlaywrightTimeout) or is_detached(error)):
                        raise
                if await self._has_stayed(selectors, text, match, began):
                    return text
                break
            else:
                if self.signed_out and await self.shown(self.signed_out):
                    raise SignedOut("The sign-in form turned up.", step=self.trail.step)
                offered = [offer.text for offer in found if not offer.is_blank]
                failure = (
                    PortalChanged(f"{' or '.join(texts)} is not offered.") if missing is None else missing(offered)
                )
                failure.step, failure.selector = self.trail.step, self.trail.selector
                raise failure
        raise PortalChanged("The choice did not stay.", step=self.trail.step, selector=self.trail.selector)

    async def _offered(
        self, selectors: Selectors, is_enough: Callable[[list[Offer]], Any], within: float | None = None
    ) -> None:
        """Read a list until *is_enough* says so, or it has come to rest, or the time is over. Drawn drop-downs are opened."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (crawl_settings().page_wait if within is None else within)
        since, before, opened = loop.time(), [""], False
        while True:
            found = await self._read_offers(selectors, opened)
            if is_enough(found):
                return
            if not opened and (
                opener := next((each for each in found if each.kind == "opener" and not each.is_off), None)
            ):
                await self._press(opener.found.nth(opener.place))
                opened, since = True, loop.time()
            now = [offer.text for offer in found]
            if now != before or self.trail.is_busy() or not is_filled(found):
                since, before = loop.time(), now
            elif loop.time() - since >= REST and not await self.shown(("[aria-busy=true]",)):
                return
            if loop.time() >= deadline:
                return
            if await self.retry_failed_page():
                deadline = loop.time() + (crawl_settings().page_wait if within is None else within)
            await asyncio.sleep(0.1)  # between two polls

    async def _read_offers(self, selectors: Selectors, opened: bool = False) -> list[Offer]:
        """Return what the elements of all selectors offer; of one element only what the first selector says."""
        found: list[Offer] = []
        for selector in selectors:
            for rank in candidates(self.scope, selector):
                if not found or all(offer.kind == "opener" for offer in found):
                    found += await offers(rank)
        if opened:
            found += await offers(self.raw.locator(LISTS).filter(visible=True))
        return found

    async def _has_stayed(self, selectors: Selectors, text: str, match: Match, since: float) -> bool:
        """Return whether *text* is chosen, also after the answers to what was asked since the choice (the loop's clock)."""

        async def is_chosen() -> bool:
            found = await self._read_offers(selectors)
            if openers := [each for each in found if each.kind == "opener"]:
                if any(match(text, opener.text) for opener in openers):
                    return True
                found = await self._read_offers(selectors, opened=True)
            if fits := fitting(found, text, match):
                return any(fit.is_chosen is not False for fit in fits)
            return await self.shown(selectors) is None  # the page has moved on

        async def is_quiet() -> bool:
            return not self.trail.is_busy(since)

        if not await until(is_chosen, 1.0):
            return False
        await until(is_quiet, IN_FLIGHT)
        return await until(is_chosen, 0.3)

    async def _hold_choices(self) -> None:
        """Pick again what the page has lost since it was picked: lists may be filled anew after each choice."""
        choices, self._choices = self._choices, []
        for _ in range(3):
            lost = [
                each for each in choices if not await self._has_stayed(each.selectors, each.text, each.match, each.at)
            ]
            if not lost:
                return
            for each in lost:
                await self._pick(each.selectors, (each.text,), None, each.match, None)
        raise PortalChanged("The choices do not stay together.", step=self.trail.step)

    async def month(self, selectors: Selectors, day: date, form: str, today: date, *, search: Selectors = ()) -> None:
        """
        Pick the billing month of *day*, written in the strftime format *form* or in another notation of the same month.

        search: a field that narrows the list, which may be shown in parts: the month is typed into it before it counts as
        missing. Raises NotYetPublished or NoLongerAvailable when it is not offered, depending on the months that are.
        """
        wanted = f"{day:{form}}"

        async def pick() -> None:
            await self.pick(
                selectors,
                wanted,
                match=lambda _wanted, offered: names_month(offered, day),
                missing=lambda offered: month_missing(day, offered, form, today),
            )

        try:
            await pick()
        except (NotYetPublished, NoLongerAvailable):
            if not search:
                raise
            await self.type(search, wanted)
            if (
                await self.arrives(tuple(f"{selector}:has-text({json.dumps(wanted)})" for selector in selectors))
                is None
            ):
                raise
            await pick()

        def others(found: list[Offer]) -> list[Offer]:
            boxes = [each for each in found if each.kind == "box" and each.is_chosen]
            return [each for each in boxes if months_in(each.text) and not names_month(each.text, day)]

        for other in others(await self._read_offers(selectors)):  # check boxes that are ticked when the page opens
            await self._act(other.take(crawl_settings().page_wait * 1000))
        if others(await self._read_offers(selectors)):
            raise PortalChanged("Another month stays chosen, too.", step=self.trail.step, selector=self.trail.selector)

    @asynccontextmanager
    async def new_tab(self, selectors: Selectors, *, within: float | None = None) -> AsyncIterator[PortalPage]:
        """
        Click an element that opens a new tab and yield that tab, waiting up to *within* seconds for it and for its document.

        It is closed at the end, on an exception by the handler.
        """
        seconds = crawl_settings().page_wait if within is None else within
        element = await self._ready(selectors)
        answers: list[Response] = []  # the tab's document may be answered before the tab is known here

        def keep(answer: Response) -> None:  # Playwright accepts no built-in method as handler
            answers.append(answer)

        self.raw.context.on("response", keep)
        try:
            async with self.raw.context.expect_page(timeout=seconds * 1000) as opened:
                await self._act(element.click(timeout=crawl_settings().page_wait * 1000))
            tab = await opened.value
        except PlaywrightTimeout:
            raise PortalChanged("No new tab opened.", step=self.trail.step, selector=self.trail.selector) from None
        finally:
            self.raw.context.remove_listener("response", keep)
        view = PortalPage(
            tab,
            spool=self.spool,
            job=self.job,
            signed_out=self.signed_out,
            interruptions=self.interruptions,
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

    def frame(self, selector: str) -> PortalPage:
        """Return a frame of this page as a PortalPage."""
        return self._view(self.scope.frame_locator(selector))

    async def frame_with(self, selectors: Selectors) -> PortalPage:
        """Return the frame of this page (the main one included) that shows one of the elements, as a PortalPage."""
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

        if not await until(is_held, crawl_settings().page_wait):
            raise PortalChanged("No frame holds it.", step=self.trail.step, selector=self.trail.selector)
        return holding[0]

    async def dialog(self, containing: str = "") -> PortalPage:
        """Return the open dialog that contains a text, as a PortalPage."""
        narrowed = f":has-text({json.dumps(containing)})" if containing else ""
        selectors = (f"[role=dialog]{narrowed}", f"dialog[open]{narrowed}", f"[aria-modal=true]{narrowed}")
        return self._view(await self.find(selectors))

    def _view(self, scope: Frame | FrameLocator | Locator) -> PortalPage:
        return PortalPage(self.raw, spool=self.spool, job=self.job, scope=scope, trail=self.trail)

    async def download(self, selectors: Selectors) -> PartFile:
        """
        Click an element that starts a download and return the part file, whichever tab or script it comes from.

        A click without any effect within SWALLOWED seconds is repeated once. A file that a new tab shows in place of
        downloading it is fetched in the same session.
        """
        wait = crawl_settings().download_wait
        async with Arrivals(self.raw) as arrivals:
            for last in (False, True):
                element = await self._ready(selectors)
                requests = self.trail.requests

                async def is_known() -> bool:
                    return arrivals.are_there or await self._shows_sign_in()

                await self._act(element.click(timeout=crawl_settings().page_wait * 1000))
                if not await until(is_known, min(wait, SWALLOWED)):
                    if not last and self.trail.requests == requests and not arrivals.tabs:
                        logger.info("No download started: clicking once more")
                        continue
                    await until(is_known, wait - min(wait, SWALLOWED))
                if not arrivals.are_there and await self._shows_sign_in():
                    raise SignedOut("The sign-in form turned up.", step=self.trail.step)
                if (part := await keep(arrivals, self.spool, self.trail.step)) is not None:
                    self.job.counts.downloads += 1
                    return part
                break
        raise DownloadTimedOut(step=self.trail.step, selector=self.trail.selector)

    async def _shows_sign_in(self) -> bool:
        return bool(self.signed_out) and await self.shown(self.signed_out) is not None

    async def _act(self, action: Awaitable[T]) -> T:
        self.trail.act()
        try:
            return await action
        except PlaywrightTimeout as error:
            raise await self._not_done(error) from None

    async def _not_done(self, error: PlaywrightTimeout) -> Failure:
        """Return the failure of an action on an element that is there."""
        if await self.shown(self.signed_out):
            return SignedOut("The sign-in form turned up.", step=self.trail.step)
        reason = "something lies over it" if is_covered(error) else "it does not react"
        return PortalChanged(f"The element is there but {reason}.", step=self.trail.step, selector=self.trail.selector)


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
