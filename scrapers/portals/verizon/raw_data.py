"""The raw data: a modal over the page, in which a month is chosen, and the ZIP of that month."""

from datetime import date

from scrapers.core.page import PortalPage, Selectors, guess
from scrapers.core.periods import month_missing, names_month
from scrapers.core.spool import PartFile
from scrapers.portals.verizon.menus import MODAL, RAW_DATA, REPORTS, close_modal, open_entry

DOWNLOAD: Selectors = (f"{MODAL} >> says=Download",)
MONTH_BUTTON = (guess(f"{MODAL} button:text-matches('20[0-9][0-9]|select|choose', 'i')"),)


async def fetch_raw_data(page: PortalPage, end: date, today: date) -> PartFile:
    """
    Download the ZIP of the month of a day, and close the modal.

    Raises NotYetPublished or NoLongerAvailable where the month is not offered.
    """
    page.begin("open the raw data")
    await open_entry(page, REPORTS, RAW_DATA, DOWNLOAD)
    page.begin("choose the month")
    await page.pick_in(
        (MODAL,),
        f"{end:%b %Y}",
        buttons=MONTH_BUTTON,
        match=lambda _wanted, offered: names_month(offered, end),
        missing=lambda offered: month_missing(end, offered, today),
    )
    page.begin("download the raw data")
    part = await page.download(DOWNLOAD)
    await close_modal(page)
    return part
