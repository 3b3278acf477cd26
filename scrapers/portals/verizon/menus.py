"""The header's menus of My Business, by which every page is reached, and what may stand in front of them."""

from scrapers.core.page import PortalPage, Selectors, guess, until
from scrapers.portals.verizon.login import HEADER, HUB

NAVIGATION = f"{HEADER}/div[2]/nav/ul"
IN_HEADER = "#gNavHeader"
REPORTS = (f"{IN_HEADER} >> says=Reports", f"{NAVIGATION}/li[4]/a")
BILLING = (f"{IN_HEADER} >> says=Billing", f"{NAVIGATION}/li[3]/a")
REPORTS_HOME = (f"{IN_HEADER} >> says=Reports Home", f"{NAVIGATION}/li[4]/div/div/div[1]/div/ul/li[1]/a")
RAW_DATA = (f"{IN_HEADER} >> says=Raw Data Download", f"{NAVIGATION}/li[4]/div/div/div[1]/div/ul/li[4]/a")
BILL_DETAILS = (f"{IN_HEADER} >> says=View bill details", f"{NAVIGATION}/li[3]/div/div/div[1]/div/ul/li[2]/a")
PROMOTION = ("xpath=//*[@aria-label='close icon']",)
MODAL = "div.Modal.is-active"  # of the raw data
CLOSE_MODAL = (
    guess(f"{MODAL} >> says=Close"),
    guess(f"{MODAL} >> :is([aria-label*=close i], [title*=close i])"),
    guess(f"{MODAL} >> says=Cancel"),
)
OPENS = 60.0  # seconds in which a page is drawn: the reports' took up to 45
UNFOLDS = 0.7  # seconds in which a menu opens under the pointer, if it does
CLOSES = 3.0  # seconds in which a promotion or the modal is gone


async def open_entry(page: PortalPage, menu: Selectors, entry: Selectors, done: Selectors) -> None:
    """Open a page by an entry of the header's menus, and wait for one of the elements that it shows."""
    await enter(page)
    await page.find(menu, within=OPENS)
    await page.choose_entry(menu, entry, within=UNFOLDS)
    await page.find(done, within=OPENS)


async def enter(page: PortalPage) -> None:
    """Click away what may stand before the pages: the Welcome Hub, a promotion, whose backdrop swallows every click, and the modal."""

    async def is_gone() -> bool:
        return await page.shown(PROMOTION) is None

    if await page.arrives((*REPORTS, *BILLING, *HUB, *PROMOTION)) in HUB:
        await page.click(HUB)
        await page.arrives((*REPORTS, *BILLING, *PROMOTION))
    if await page.shown(PROMOTION):
        await page.click(PROMOTION)
        if not await until(is_gone, CLOSES):
            await page.raw.keyboard.press("Escape")
            await until(is_gone, CLOSES)
    await close_modal(page)


async def close_modal(page: PortalPage) -> None:
    """Close the modal of the raw data by its control, or by the Escape key, if it is shown: it lies over the menus."""

    async def is_gone() -> bool:
        return await page.shown((MODAL,)) is None

    if await is_gone():
        return
    if await page.shown(CLOSE_MODAL):
        await page.click(CLOSE_MODAL)
        if await until(is_gone, CLOSES):
            return
    await page.raw.keyboard.press("Escape")
    await until(is_gone, CLOSES)
