"""The tab of the Enhanced Mobility Reports, which a link in the Enterprise Centre opens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scrapers.core.page import PortalPage
from scrapers.portals.bell.notifications import BELL
from scrapers.portals.bell.workbooks import WORKSPACE

LINK = (
    "says=Enhanced Mobility Reports",
    "xpath=//*[@id='ec-goa-reports-app']/div[1]/section/main/div/div/div/ul/li[1]/a",
)
PLACES = "#ec-sidebar ul:nth-child(1) > li:nth-child({})"  # of My Reports, in three layouts
MY_REPORTS = (
    "#ec-sidebar >> says=My Reports",
    *(f"{PLACES.format(place)} > button:has-text('My Reports')" for place in (3, 2, 4)),
)
SERVICE = ("#ec-sidebar >> says=Service",)
TAB = 90  # seconds in which the tab opens


@asynccontextmanager
async def enhanced_reports(page: PortalPage) -> AsyncIterator[PortalPage]:
    """Open the tab, and yield it; it is closed afterwards."""
    page.begin("open the reports")
    await page.find((*LINK, *MY_REPORTS))
    if not await page.shown(LINK):
        if not await page.shown(SERVICE):
            await page.click(MY_REPORTS)
        await page.click(SERVICE)
    async with page.new_tab(LINK, within=TAB) as tab:
        await tab.find((*BELL, *WORKSPACE), within=TAB)
        yield tab
