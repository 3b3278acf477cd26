"""Daily usage: the pool's figures of My Telus, and the report that TELUS IQ makes on request."""

import asyncio
import secrets
import time
from functools import partial
from typing import Any

from scrapers.core.outcomes import ReportFailed, ReportNotReady, WrongAccount
from scrapers.core.page import PortalPage, until
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.families.carriers.ordered import LOOK_EVERY, REFRESH_EVERY, Entry
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.portals.telus.columns import LOCALE, LOCALES, USAGE
from scrapers.portals.telus.iq import Iq, entrance
from scrapers.portals.telus.login import MyTelus, TelusIq
from scrapers.portals.telus.my_telus import choose_account, go_home, tab
from scrapers.reading.values.sizes import total_size

TO_USAGE = ("#navOpen >> says=Usage", "xpath=//*[@id='navOpen']/li[3]/a")
POOL = "[data-testid=total-usage]"  # below it each subscriber has figures with the same marks
USED, ALLOWANCE = f"{POOL} [data-testid=usage-used]", f"{POOL} [data-testid=usage-allowance]"
ASKED = "asked usage"  # note of the order


class TelusDailyUsage(DailyUsage):
    """
    Portal
      TELUS, My Telus (https://www.telus.com/my-telus) and TELUS IQ (https://mobilitymanager.telus.com)
    Caveats
      TELUS IQ takes minutes to make the report; what is not ready in time is collected by the next run of the day, which does
      not order it again. The session of TELUS IQ is ended each time.
    """

    name = "telus_daily_usage"
    logins = (MyTelus, TelusIq)
    columns = USAGE
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> Usage:
        size, used = await self.pools(page)
        page.begin("open TELUS IQ")
        async with page.session_of(TelusIq, partial(entrance, page)) as there:
            return Usage(await self.report(Iq(there)), size, used)

    async def pools(self, page: PortalPage) -> tuple[int | None, int | None]:
        """Return allowance and used bytes of the account; None when unknown."""
        page.begin("read the pool")
        await go_home(page)
        found: tuple[int | None, int | None] = (None, None)
        shown = ("[data-testid=accountNumber]", POOL)
        async with tab(page, TO_USAGE, shown) as there:
            await choose_account(there, shown)
            locale = LOCALES.get((await there.raw.evaluate("document.documentElement.lang"))[:2], LOCALE)

            async def are_read() -> bool:  # the figures may come after the pool
                nonlocal found
                found = (
                    total_size(await there.texts((ALLOWANCE,)), locale),
                    total_size(await there.texts((USED,)), locale),
                )
                return None not in found

            if await there.arrives((POOL,)) is None:
                there.job.warn("The page shows no pool: its figures are unknown.")
            elif not await until(are_read, 10):
                there.job.warn("The sizes of the pool are not understood: unknown figures are left out.")
        return found

    async def report(self, iq: Iq) -> PartFile:
        """Order the report unless it is in the queue, and download it once it is ready; raise ReportNotReady if it is not."""
        job = iq.page.job
        await iq.choose_account()
        try:
            asked: dict[str, Any] | None = await job.recall(ASKED)
            if asked is None or not (await iq.open_queue(asked["queue"]) and await iq.entry(asked["name"])):
                asked = await self.order(iq)
            return await iq.collect(await self.made(iq, asked))
        except (ReportFailed, WrongAccount):  # the next run orders another one
            await job.forget(ASKED)
            raise

    async def order(self, iq: Iq) -> dict[str, Any]:
        """Order the report under a name that no other order has; it is noted before the click that places it."""
        name = f"Daily Usage Report {self.today():%m-%d-%Y} {secrets.token_hex(3)}"
        await iq.fill_in(name)
        asked = {"name": name, "at": time.time(), "queue": ""}
        await iq.page.job.remember(ASKED, asked)
        await iq.place()
        asked["queue"] = iq.address
        await iq.page.job.remember(ASKED, asked)
        return asked

    async def made(self, iq: Iq, asked: dict[str, Any]) -> Entry:
        """Wait for the report until LATCHKEY_REPORT_WAIT after it was ordered."""
        iq.page.begin("wait for the report")
        wait, refreshed = crawl_settings().report_wait, time.monotonic()
        deadline = time.time() + max(1.0, asked["at"] + wait - time.time())
        while (entry := await iq.entry(asked["name"])) is None or not entry.is_ready:
            if entry is not None and entry.failed:
                raise ReportFailed("The portal could not make the usage report.", step=iq.page.trail.step)
            if time.time() > deadline:
                raise ReportNotReady("Still being made: the usage report.", step=iq.page.trail.step)
            if time.monotonic() > refreshed + min(REFRESH_EVERY, max(1.0, wait / 3)):
                await iq.refresh()
                refreshed = time.monotonic()
            await asyncio.sleep(LOOK_EVERY)
        return entry
