"""Dialogs of the portal: those that tell something and are closed, and the one after which the reports are loaded again."""

from collections.abc import Awaitable, Callable

from scrapers.core.outcomes import PortalChanged, PortalDown
from scrapers.core.page import PortalPage, guess, until
from scrapers.core.panels import close_panel

DIALOG = (guess("[role=dialog]"), guess("[role=alertdialog]"), guess("dialog[open]"), guess("mat-dialog-container"))
WINDOW = guess(":is([role=dialog], [role=alertdialog], dialog[open], mat-dialog-container)")
CLOSE = (
    guess(f"{WINDOW} >> says=Close"),
    guess(f"{WINDOW} :is([aria-label*=close i], [title*=close i], [mat-dialog-close])"),
    guess(f"{WINDOW} >> says=Done"),
    guess(f"{WINDOW} >> says=OK"),
    guess(f"{WINDOW} >> says=Got it"),
)
# A button of a dialog that does not close it: an icon says its word in an element of its own.
CLOSING = ":text-matches('^\\\\W*(close|clear|cancel|dismiss|no|x|fermer|annuler)\\\\W*$', 'i')"
LABELLED = (
    "[aria-label*=close i], [aria-label*=cancel i], [aria-label*=dismiss i], [aria-label*=fermer i], [mat-dialog-close]"
)
SAVES = guess(f"{WINDOW} :is(button, a):not({CLOSING}, :has({CLOSING}), {LABELLED})")
RELOAD = ("says=Reload reports",)
CLOSES = 3.0  # seconds in which a dialog leaves
RELOADED = 30.0  # seconds in which the reports are there again
AT_MOST = 5  # dialogs over one another, or keys until one closes


async def close_dialogs(page: PortalPage) -> None:
    """Close the dialogs that are shown by their control or the Escape key; load the page again where one stays."""

    async def is_gone() -> bool:
        return await page.shown(DIALOG) is None

    for _ in range(AT_MOST):
        if await is_gone():
            return
        if await page.shown(CLOSE):
            await page.click(CLOSE)
        else:
            await page.raw.keyboard.press("Escape")
        await until(is_gone, CLOSES)
    if not await is_gone():
        await page.reload()


async def reload_reports(page: PortalPage) -> bool:
    """Load the reports again where the portal offers that after an error; return whether it did. Raises PortalDown if it stays."""
    if not await page.shown(RELOAD):
        return False

    async def is_gone() -> bool:
        return await page.shown((*RELOAD, *DIALOG)) is None

    page.job.warn("The portal said that something went wrong: the reports were loaded again.")
    try:
        await page.click(RELOAD)
    except PortalChanged as error:  # one error lies over the other
        if len(await page.texts(RELOAD)) < 2:
            raise
        raise _again(page) from error
    if not await until(is_gone, RELOADED):
        if await page.shown(RELOAD):
            raise _again(page)
        await close_dialogs(page)
    return True


def _again(page: PortalPage) -> PortalDown:
    return PortalDown("The portal says again that something went wrong.", step=page.trail.step)


async def with_reload(page: PortalPage, act: Callable[[], Awaitable[None]]) -> None:
    """
    Run steps of the reports, and once more where something of the portal's comes in between.

    After its error the reports are loaded again; another dialog that the steps have failed below is closed. Raises PortalDown
    where the error is there once more.
    """
    try:
        await act()
        if not await page.shown(RELOAD):
            return
    except PortalChanged:
        if not await page.shown((*RELOAD, *DIALOG)):
            raise
    if not await reload_reports(page):
        await close_dialogs(page)
    await close_panel(page)  # that of a filter, which may be open still
    try:
        await act()
    except PortalChanged as error:
        if not await page.shown(RELOAD):
            raise
        raise _again(page) from error
