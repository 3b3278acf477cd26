"""The dialogs of Bizonline: pages in a frame that lies over the one below."""

from scrapers.core.page import PortalPage, Selectors, until

FRAME, CLOSE = "#TB_iframeContent", "#TB_closeWindowButton"
CLOSES = 3.0  # seconds in which a dialog closes by itself once something was chosen in it


async def open_dialog(page: PortalPage, opener: Selectors, shown: Selectors) -> PortalPage:
    """Click what opens a dialog, and return its frame once that shows one of the elements."""
    await page.click(opener)
    return await page.frame_with(shown)


async def close_dialog(page: PortalPage, *, within: float = CLOSES) -> None:
    """Close the dialog that is open, if any; *within*: seconds in which it may close by itself."""

    async def is_closed() -> bool:
        return await page.shown((FRAME, CLOSE)) is None

    if await until(is_closed, within):
        return
    if await page.shown((CLOSE,)):
        await page.click((CLOSE,))
    else:
        await page.raw.keyboard.press("Escape")
    await until(is_closed, CLOSES)
