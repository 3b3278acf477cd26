"""Daily usage of Bizonline's data notifications, with the pool's figures; there is no file of it."""

import asyncio

from scrapers.core.page import PortalPage
from scrapers.families.carriers.pools import read_pool
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.families.carriers.shown_usage import usage_workbook
from scrapers.portals.rogers.columns import LOCALE
from scrapers.portals.rogers.login import RogersLogin
from scrapers.portals.rogers.usage_table import choose_account, read_usage

NOTIFICATIONS = ("#header_menu a[href='/bizonline/prm-duns.do']", "#header_menu >> says=Manage Data Notifications")
POOL = ("#spanUsage_pooled",)
USED = ("xpath=//*[@id='spanUsage_pooled']/div/div/div/div[2]",)
SIZE = ("xpath=//*[@id='BanUsage']/div/table[2]/tbody/tr[1]/td/span[2]",)


class RogersDailyUsage(DailyUsage):
    """
    Portal
      Rogers, Bizonline, data usage tracking (https://bss.rogers.com/bizonline/prm-duns.do)
    Caveats
      The portal offers no file: the workbook is made of its table, with what each line of the shared group has used up to today.
      Whose lines they are is told by the page alone: where it names no account, the one that was chosen before is taken to be open.
    """

    name = "rogers_daily_usage"
    logins = (RogersLogin,)
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> Usage:
        page.begin("open the data notifications")
        await page.click(NOTIFICATIONS)
        await choose_account(page)
        page.begin("read the pool")
        size, used = await read_pool(page, POOL, SIZE, USED, LOCALE)
        lines = tuple(await read_usage(page))
        part = await asyncio.to_thread(usage_workbook, page.spool, f"{self.name}.xlsx", lines)
        return Usage(part, size, used, lines)
