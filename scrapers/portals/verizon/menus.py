"""The header's menus of My Business, by which every page is reached, and what may stand in front of them."""

from scrapers.core.page import PortalPage, Selectors, until
from scrapers.portals.verizon.login import HEADER, HUB

NAVIGATION = f"{HEADER}/div[2]/nav/ul"
IN_HEADER = "#gNavHeader"
REPORTS = (f"{IN_HEADER} >> says=Reports", f"{NAVIGATION}/li[4]/a")
BILLING = (f"{IN_HEADER} >> says=Billing", f"{NAVIGATION}/li[3]/a")
REPORTS_HOME = (f"{IN_HEADER} >> says=Reports Home", f"{NAVIGATION}/li[4]/div/div/div[1]/div/ul/li[1]/a")
RAW_DATA = (f"{IN_HEADER} >> says=Raw Data Download", f"{NAVIGATION}/li[4]/div/div/div[1]/div/ul/li[4]/a")
BILL_DETAILS = (f"{IN_HEADER} >> says=View bill details", f"{NAVIGATION}/li[3]/div/div/div[1]/div/ul/li[2]/a")
PROMOTION = ("xpath=//*[@aria-label='close icon']",)
OPENS = 60.0  # seconds in which a page is drawn: the reports' took up to 45
UNFOLDS = 0.7  # seconds in which a menu opens under the pointer, if it does
CLOSES = 3.0  # seconds in which a promotion is gone


async def open_entry(page: PortalPage, menu: Selectors, entry: Selectors, done: Selectors) -> None:
    """Open a page by an entry of the header's menus, and wait for one of the elements that it shows."""
    await enter(page)
    await page.find(menu, within=OPENS)
    await page.choose_entry(menu, entry, within=UNFOLDS)
    await page.find(done, within=OPENS)


async def enter(page: PortalPage) -> None:
    """Click away what may stand before the pages: the Welcome Hub, and a promotion, whose backdrop swallows every click."""

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
