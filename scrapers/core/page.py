"""PortalPage: a browser page for flows and visits. It adds to Playwright's Page only what that lacks."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scrapers.core.compat import PlaywrightError, PlaywrightTimeout, browser_gone, is_covered, navigated
from scrapers.core.naming import unexpected_error
from scrapers.core.outcomes import (
    BadFile,
    BrowserDied,
    DownloadTimedOut,
    Failure,
    FlowTimedOut,
    PortalChanged,
    PortalDown,
    RateLimited,
    SignedOut,
)
from scrapers.core.pace import ERROR_TRIES, RATE_TRIES, backoff, retry_after
from scrapers.core.periods import month_missing
from scrapers.core.redaction import bare_url
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile, describe

if TYPE_CHECKING:
    from datetime import date

    from playwright.async_api import BrowserContext, Download, Frame, FrameLocator, Locator, Page, Response

    from scrapers.core.jobs import Job

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Ordered fallbacks, most stable first: Playwright's selector syntax, plus "label=…" for the text of a form label.
Selectors = tuple[str, ...]


class Guess(str):
    """A selector, word or address that no fact sheet knows: it may help, and may never be the only way of a step."""

    __slots__ = ()


def guess(text: str) -> Guess:
    """Mark a selector, word or address as one that no fact sheet knows."""
    return Guess(text)


FailureKind = type[Failure]  # here, because PortalPage has a method of the name `type`


@dataclass(frozen=True, slots=True)
class Interruption:
    """An overlay that may cover any page, and the element to click to close it."""

    shown: str
    dismiss: str


@dataclass
class Trail:
    """The progress of a flow, shared by all its tabs and recorded in the evidence."""

    steps: list[str] = field(default_factory=list)
    selector: str = ""
    requests: int = 0
    pauses: int = 0  # pages of this flow that were answered with 429 or 5xx
    is_over: Callable[[], Awaitable[bool]] | None = (
        None  # looks whether the session has ended; None outside of a session
    )

    @property
    def step(self) -> str:
        """The step that was begun last."""
        return self.steps[-1] if self.steps else ""


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
        if scope is None:  # a frame's requests are its page's
            page.on("request", self._count)
            page.on("response", self._keep_answer)

    def _count(self, _request: object) -> None:
        self.trail.requests += 1

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
        """Return the visible elements that one selector names."""
        if selector.startswith("label="):
            found = self.scope.get_by_label(selector.removeprefix("label="))
        else:
            found = self.scope.locator(selector)
        return found.filter(visible=True)

    def begin(self, step: str) -> None:
        """Name the step that begins, for the log and the evidence."""
        self.trail.steps.append(step)
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
        await self._load(self.raw.goto(url, wait_until="domcontentloaded", timeout=crawl_settings().page_wait * 1000))

    async def reload(self) -> None:
        """Reload the page; what was opened or typed in it is lost."""
        await self._load(self.raw.reload(wait_until="domcontentloaded", timeout=crawl_settings().page_wait * 1000))

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
        trail = Trail()
        try:
            yield PortalPage(tab, spool=self.spool, job=self.job, trail=trail)
        finally:
            self.trail.requests += trail.requests
            await tab.close()

    async def retry_failed_page(self) -> bool:
        """
        Reload the page after 429 or 5xx, obeying Retry-After; return whether it was reloaded.

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
        await asyncio.sleep(pause)
        await self.reload()
        return True

    async def _load(self, loading: Awaitable[object]) -> None:
        try:
            await loading
        except PlaywrightTimeout:
            wait = crawl_settings().page_wait
            raise PortalDown(f"No page came within {wait:g} s.", step=self.trail.step) from None

    async def shown(self, selectors: Selectors, within: float = 0) -> str | None:
        """
        Return the first selector that has a visible element, waiting up to *within* seconds; None when there is none.

        A page answered with 429 or 5xx is reloaded meanwhile. Raises SignedOut when the sign-in form is shown instead.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while True:
            if within:
                with suppress(PlaywrightTimeout):
                    look = min(1.0, max(0.01, deadline - loop.time()))  # short, to notice a page that failed
                    await self._any(selectors).wait_for(state="visible", timeout=look * 1000)
            for selector in selectors:
                if await self.locate(selector).count():
                    return selector
            if not within:
                return None
            if await self.retry_failed_page():
                deadline = loop.time() + within
            elif loop.time() >= deadline:
                if self.signed_out and await self.shown(self.signed_out):
                    raise SignedOut("The sign-in form turned up.", step=self.trail.step)
                return None

    async def find(self, selectors: Selectors, *, within: float | None = None) -> Locator:
        """Return the first visible element of the first selector that has one, waiting up to *within* seconds.

        Raises PortalChanged when there is none, SignedOut when the sign-in form is shown instead.
        """
        self.trail.selector = " | ".join(selectors)
        seconds = crawl_settings().page_wait if within is None else within
        watched = selectors + (self.signed_out if self.scope is self.raw else ())
        matched = await self.shown(watched, within=seconds)
        if matched is None:
            detail = f"Nothing matched within {seconds:g} s."
            raise PortalChanged(detail, step=self.trail.step, selector=self.trail.selector)
        if matched not in selectors:
            raise SignedOut("The sign-in form turned up.", step=self.trail.step)
        if matched != selectors[0]:
            logger.info("Fallback selector matched: %s", matched)
        return self.locate(matched).first

    def _any(self, selectors: Selectors) -> Locator:
        first, *rest = (self.locate(selector) for selector in selectors)
        for other in rest:
            first = first.or_(other)
        return first.first

    async def click(self, selectors: Selectors, *, within: float | None = None) -> None:
        """Click the element, waiting until it can be clicked."""
        element = await self.find(selectors, within=within)
        await self._act(element.click(timeout=crawl_settings().page_wait * 1000))

    async def double_click(self, selectors: Selectors, *, within: float | None = None) -> None:
        """Double-click the element."""
        element = await self.find(selectors, within=within)
        await self._act(element.dblclick(timeout=crawl_settings().page_wait * 1000))

    async def tick(self, selectors: Selectors, on: bool, *, within: float | None = None) -> None:
        """Tick or untick a check box, given by itself or by its label; does nothing when it is in that state already."""
        element = await self.find(selectors, within=within)
        await self._act(element.set_checked(on, timeout=crawl_settings().page_wait * 1000))

    async def hover(self, selectors: Selectors) -> None:
        """Move the pointer over the element, for menus that open on hover."""
        element = await self.find(selectors)
        await self._act(element.hover(timeout=crawl_settings().page_wait * 1000))

    async def type(self, selectors: Selectors, text: str, *, within: float | None = None) -> None:
        """Type *text* with key events and read it back; raise PortalChanged when it differs. The value is never logged."""
        element = await self.find(selectors, within=within)
        await self._act(element.click(timeout=crawl_settings().page_wait * 1000))
        for _ in range(2):  # focus may be stolen while typing: clear and type once more
            await self._act(element.fill(""))
            await self._act(element.press_sequentially(text))
            if await self._act(element.input_value()) == text:
                return
        raise PortalChanged(
            "What was typed did not stay in the field.", step=self.trail.step, selector=self.trail.selector
        )

    async def options(self, selectors: Selectors) -> list[str]:
        """Return the texts that a drop-down offers."""
        element = await self.find(selectors)
        return [" ".join(text.split()) for text in await element.locator("option").all_inner_texts()]

    async def choose(self, selectors: Selectors, label: str) -> bool:
        """Choose a drop-down's option by its text and read it back; return False when there is no such option."""
        if label not in await self.options(selectors):
            return False
        element = await self.find(selectors)
        await self._act(element.select_option(label=label))
        chosen: str = await self._act(element.evaluate("select => select.options[select.selectedIndex].text"))
        if " ".join(chosen.split()) != label:
            raise PortalChanged("The choice did not stay.", step=self.trail.step, selector=self.trail.selector)
        return True

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
        said = re.sub(r"\D", "", shown) if text.isdigit() else shown
        if said.casefold() != text.casefold():
            raise wrong("The portal shows another one.", step=self.trail.step, selector=self.trail.selector)

    async def pick(
        self,
        selectors: Selectors,
        text: str,
        *,
        missing: Callable[[list[str]], Failure] | None = None,
        within: float = 5,
    ) -> None:
        """
        Choose *text* in a drop-down, or click the list item or the label of a radio button or check box with that text.

        A choice in a drop-down is read back. missing: takes the texts that are offered and returns the failure to raise
        when *text* is not among them after *within* seconds; PortalChanged by default.
        """
        self.trail.selector = " | ".join(selectors)
        offered: list[str] = []

        async def is_offered() -> bool:
            nonlocal offered
            offered = await self._offered(selectors)
            return text in offered

        if not await until(is_offered, within):
            if self.signed_out and await self.shown(self.signed_out):
                raise SignedOut("The sign-in form turned up.", step=self.trail.step)
            failure = PortalChanged(f"{text} is not offered.") if missing is None else missing(offered)
            failure.step, failure.selector = self.trail.step, self.trail.selector
            raise failure
        matched = await self.shown(selectors)
        assert matched is not None
        found = self.locate(matched)
        if await self._is_drop_down(found):
            await self.choose((matched,), text)
        else:
            await self._act(found.nth(offered.index(text)).click(timeout=crawl_settings().page_wait * 1000))

    async def _offered(self, selectors: Selectors) -> list[str]:
        matched = await self.shown(selectors)
        if matched is None:
            return []
        return (
            await self.options((matched,))
            if await self._is_drop_down(self.locate(matched))
            else await self.texts((matched,))
        )

    async def _is_drop_down(self, found: Locator) -> bool:
        return bool(await self._act(found.first.evaluate("element => element.tagName === 'SELECT'")))

    async def month(self, selectors: Selectors, day: date, form: str, today: date) -> None:
        """
        Pick the billing month of *day*, written in the strftime format *form*.

        Raises NotYetPublished or NoLongerAvailable when it is not offered, depending on the months that are.
        """
        await self.pick(selectors, f"{day:{form}}", missing=lambda offered: month_missing(day, offered, form, today))

    @asynccontextmanager
    async def new_tab(self, selectors: Selectors) -> AsyncIterator[PortalPage]:
        """Click an element that opens a new tab and yield that tab. It is closed at the end, on an exception by the handler."""
        element = await self.find(selectors)
        answers: list[Response] = []  # the tab's document may be answered before the tab is known here

        def keep(answer: Response) -> None:  # Playwright accepts no built-in method as handler
            answers.append(answer)

        self.raw.context.on("response", keep)
        try:
            async with self.raw.context.expect_page(timeout=crawl_settings().page_wait * 1000) as opened:
                await self._act(element.click())
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
        await tab.wait_for_load_state("domcontentloaded")
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
        """Click an element that starts a download and return the part file; click once more when none starts within 15 s."""
        wait = crawl_settings().download_wait
        element = await self.find(selectors)
        for last in (False, True):
            try:
                # The first try is short: a portal that received the click starts the download soon.
                async with self.raw.expect_download(timeout=(wait if last else min(wait, 15)) * 1000) as started:
                    await self._act(element.click())
                return await self._keep(await started.value)
            except PlaywrightTimeout:
                if last:
                    raise DownloadTimedOut(step=self.trail.step, selector=self.trail.selector) from None
                logger.info("No download started: clicking once more")
        raise AssertionError("unreachable")

    async def _keep(self, download: Download) -> PartFile:
        if failure := await download.failure():
            raise BadFile(f"The download broke off ({failure}).", step=self.trail.step)
        self.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.spool / f"{uuid.uuid4().hex}.part"
        await download.save_as(path)
        await download.delete()
        self.job.counts.downloads += 1
        return await asyncio.to_thread(describe, path, download.suggested_filename)

    async def _act(self, action: Awaitable[T]) -> T:
        try:
            return await action
        except PlaywrightTimeout as error:
            if await self.shown(self.signed_out):
                raise SignedOut("The sign-in form turned up.", step=self.trail.step) from None
            reason = "something lies over it" if is_covered(error) else "it does not react"
            raise PortalChanged(
                f"The element is there but {reason}.", step=self.trail.step, selector=self.trail.selector
            ) from None


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
