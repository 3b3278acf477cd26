"""Daily usage: the pool's figures of My Telus, and the report that TELUS IQ makes on request."""

from functools import partial

from scrapers.core.page import PortalPage
from scrapers.families.carriers.pools import read_pool
from scrapers.families.carriers.reports import DailyUsage, Usage
from scrapers.portals.telus.columns import LOCALE, LOCALES, USAGE
from scrapers.portals.telus.iq import Iq, entrance
from scrapers.portals.telus.login import MyTelus, TelusIq
from scrapers.portals.telus.my_telus import choose_account, go_home, tab

TO_USAGE = ("#navOpen >> says=Usage", "xpath=//*[@id='navOpen']/li[3]/a")
POOL = "[data-testid=total-usage]"  # below it each subscriber has figures with the same marks
USED, ALLOWANCE = (f"{POOL} [data-testid=usage-used]",), (f"{POOL} [data-testid=usage-allowance]",)


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
            iq = Iq(there, self.today())
            await iq.choose_account()
            return Usage(await iq.report(), size, used)

    async def pools(self, page: PortalPage) -> tuple[int | None, int | None]:
        """Return allowance and used bytes of the account; None when unknown."""
        page.begin("read the pool")
        await go_home(page)
        shown = ("[data-testid=accountNumber]", POOL)
        async with tab(page, TO_USAGE, shown) as there:
            await choose_account(there, shown)
            locale = LOCALES.get((await there.raw.evaluate("document.documentElement.lang"))[:2], LOCALE)
            return await read_pool(there, (POOL,), ALLOWANCE, USED, locale)
