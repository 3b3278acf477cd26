"""The monthly reports of the Enterprise Centre: each asked for once, collected from the notifications, then dismissed."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.outcomes import Failure, PortalChanged, ReportFailed, ReportNotReady, WrongAccount
from scrapers.core.page import PortalPage, until
from scrapers.core.settings import crawl_settings
from scrapers.core.spool import PartFile
from scrapers.families.carriers.items import ReportFile, report_lines
from scrapers.families.carriers.spiders import MonthlyReportsSpider, month_missing
from scrapers.portals.bell.columns import REPORTS
from scrapers.portals.bell.enterprise_login import BellEnterpriseCentre
from scrapers.reading.workbooks import Sheet, check

LINK = (
    "xpath=//*[@id='ec-goa-reports-app']/div[1]/section/main/div/div/div/ul/li[1]/a",
    "a:text-is('Enhanced Mobility Reports')",
)
MY_REPORTS = ("#ec-sidebar button:text-is('My Reports')", "nav button:text-is('My Reports')")
SERVICE = ("#ec-sidebar a:text-is('Service')", "nav a:text-is('Service')", "#ec-sidebar :text-is('Service')")
WORKSPACE = ("app-aside-left ul > li:nth-child(3)",)
SHARED = ("p-treenode:nth-of-type(2) :text-is('Shared with me')", "p-treenode :text-is('Shared with me')")
FOLDER = ("#ws-grid__appfolder_0",)
PANEL = ("xpath=//*[@id='wb-sheet-container']/div/div/div[2]", "[aria-label=Filters]")
MONTH, ACCOUNT = (
    f"div:has(> .filter-title-ellipsis:text-is('{title}'))" for title in ("Invoice month", "Account number")
)
MONTH_ITEM = f"{MONTH} .singleselect-dropdown-item"
AUTO_APPLY, APPLY = ("#autoApplyButton",), ("#filter_apply_btn", "button:text-is('Apply')")
COLUMN_MENU = ("th.Accountnumber .menu-toggle-btn", "th:has-text('Account number') .menu-toggle-btn")
MENU = "table-column-menu .ui-tieredmenu"
EXPORT, XLSX = ("#export-btn", "button[aria-label=Export]"), ("li:has(.line-XLSX)",)
CONFIRM = ("#btn-bc-export", "[role=dialog] button:text-is('Export to Excel')")
PREPARING = (":text-matches('being prepared|will be notified', 'i')",)
EXPORT_FAILED = (":text-matches('export failed', 'i')",)
BELL = ("li.kt-notification-content [aria-label=Notification]", "[aria-label=Notification]")
LIST = "#m_quick_sidebar_notification-wrap"
ENTRIES = f"{LIST} li.kt-notifi-li"

OLDEST = 45 * 60  # seconds: an entry that is older is of another run; half an hour was too strict
STANDS = 45 * 60  # seconds after which a request whose report never came is made again
AGES = {"a few seconds": 0, "a minute": 45, "an hour": 45 * 60}  # seconds from which on the portal says so
READ_ENTRIES = """entries => entries.map(entry => [
  [...entry.querySelectorAll("b")].map(name => name.textContent.trim()),
  entry.innerText,
  entry.querySelector(".kt-notifi-time")?.textContent.trim() ?? "",
  entry.querySelector("em.line-download") !== null,
])"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the notification list that is about one report, account and month."""

    selector: str
    age: float  # seconds, at least
    is_ready: bool


class BellMonthlyReports(MonthlyReportsSpider):
    """
    Portal
      Bell, Enterprise Centre, Enhanced Mobility Reports (https://enterprisecentre.bell.ca)
    Caveats
      Four workbooks, independent of each other. The portal takes a while to make one; a run that cannot wait leaves the
      rest to the next run, which collects without asking again. Notifications that may be another run's are left alone.
    """

    name = "bell_monthly_reports"
    portal = "bell"
    logins = (BellEnterpriseCentre,)
    rendering = "browser"
    reports = {
        "cost_overview": "Cost Overview Report",
        "usage_overview": "Usage Overview Report",
        "enhanced_user_profile": "Enhanced User Profile Report",
        "invoice_charge_report": "Invoice Charge Report",
    }
    not_fetched = {"dtl": "Detail"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._brought: defaultdict[int, set[str]] = defaultdict(set)  # by job: reports whose file we hold
        self._tidying: set[int] = set()  # jobs that have a flow under way which dismisses

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        for slug in self.reports:
            if slug not in job.stored:
                asked = await job.recall(f"asked {slug}")
                if asked and asked["heard"] and time.time() - asked["at"] < STANDS:
                    yield self.flow(job, self.collector(slug), self.collected)
                else:
                    yield self.flow(job, self.asker(slug), self.asked)

    # Asking

    def asker(self, slug: str) -> Any:
        """Return the flow that asks for one report."""

        async def ask(page: PortalPage) -> str:
            async with self.opened(page) as tab:
                job = tab.job
                tab.begin(f"look for {slug}")
                there = await self.entries(tab, slug)
                asked = await job.recall(f"asked {slug}")
                if asked and self.ours(there, asked) is not None:
                    return slug
                if not asked or time.time() - asked["at"] > STANDS:
                    asked = {"at": time.time(), "before": len(there), "asks": 0, "heard": False}
                await tab.open(tab.raw.url)  # without the list, which may lie over the page
                await self.open_workbook(tab, slug)
                await self.choose_month(tab)
                await self.choose_account(tab)
                tab.begin(f"export {slug}")
                await tab.click(EXPORT)
                await tab.click(XLSX)
                await tab.find(CONFIRM)
                # Before the click: a run that is killed in it asks once more, and knows that both are its own.
                asked = {**asked, "asks": asked["asks"] + 1}
                await job.remember(f"asked {slug}", asked)
                await tab.click(CONFIRM)
                said = await tab.shown((*PREPARING, *EXPORT_FAILED), within=15)
                if said in EXPORT_FAILED:
                    await job.forget(f"asked {slug}")
                    raise ReportFailed(f"The export of {self.reports[slug]} failed.", step=tab.trail.step)
                await job.remember(f"asked {slug}", {**asked, "heard": said is not None})
            return slug

        return ask

    def asked(self, job: Job, slug: str) -> Any:
        """Yield what must come, and the flow that collects this report."""
        yield Listing(job=job.id, keys=tuple(self.reports))
        yield self.flow(job, self.collector(slug), self.collected)

    async def open_workbook(self, tab: PortalPage, slug: str) -> None:
        """Go to the folder and open one workbook with its filters."""
        tab.begin(f"open {slug}")
        await tab.click(WORKSPACE)
        await tab.click(SHARED)
        await tab.double_click(FOLDER)
        label = self.reports[slug]
        await tab.double_click(
            (f"div.ws-grid__item__description:has-text('{label}')", f".ws-grid__item[aria-label*='{label}' i]")
        )
        await tab.find(PANEL)
        if not await tab.shown((MONTH,)):
            await tab.click(PANEL)
        await tab.find((MONTH,))

    async def choose_month(self, tab: PortalPage) -> None:
        """Set the invoice month to that of the cycle's end, and read back what counts."""
        tab.begin("choose the month")
        target = tab.job.target
        wanted = f"{target.end:%b %Y}"
        if await self.reads(tab, MONTH, "td.Invoicemonth", wanted):
            return
        await tab.click((f"{MONTH} .c-btn",))
        await tab.shown((MONTH_ITEM,), within=10)
        offered = await tab.texts((MONTH_ITEM,))
        await tab.type((f"{MONTH} [placeholder=Search]", f"{MONTH} [aria-label=searchbox]"), wanted)
        item = (f"{MONTH_ITEM}:text-is('{wanted}')", f"{MONTH_ITEM}:has-text('{wanted}')")
        if not await tab.shown(item, within=10):
            raise month_missing(target.end, offered, "%b %Y", self.today())
        await tab.click(item)
        if not await (await tab.find(AUTO_APPLY)).is_checked():
            await tab.click(APPLY)
        if not await self.reads(tab, MONTH, "td.Invoicemonth", wanted, within=15):
            raise PortalChanged(f"The portal does not keep {wanted}.", step=tab.trail.step, selector=MONTH)

    async def choose_account(self, tab: PortalPage) -> None:
        """Narrow the workbook to the account, and read back what counts."""
        tab.begin("choose the account")
        account = tab.job.target.account
        if await self.reads(tab, ACCOUNT, "td.Accountnumber", account):
            return
        await tab.click(COLUMN_MENU)
        every = (f"{MENU} label:text-is('Select all')", f"{MENU} :text-is('Select all')")
        await tab.tick(every, True)  # also where some are ticked: only then unticking reaches them all
        await tab.tick(every, False)
        await tab.type((f"{MENU} [placeholder='Search...']",), account)
        item = (f"{MENU} label[for*='{account}']", f"{MENU} .filter-item-label:text-is('{account}')")
        if not await tab.shown(item, within=10):
            raise WrongAccount("The portal does not list the account.", step=tab.trail.step)
        await tab.tick(item, True)
        await tab.click((f"{MENU} button:text-is('Ok')",))
        if not await self.reads(tab, ACCOUNT, "td.Accountnumber", account, within=15):
            raise WrongAccount("The portal has chosen another account.", step=tab.trail.step)

    async def reads(self, tab: PortalPage, section: str, cells: str, wanted: str, within: float = 0) -> bool:
        """Tell whether filter and table both say *wanted*, waiting so long until they do; a table without it says nothing."""

        async def both() -> bool:
            chosen = await tab.text((f"{section} .c-btn",))
            return chosen == wanted and set(await tab.texts((cells,))) <= {wanted}

        return await until(both, within)

    # Collecting

    def collector(self, slug: str) -> Any:
        """Return the flow that waits for one report and brings it."""

        async def collect(page: PortalPage) -> tuple[str, PartFile]:
            job = page.job
            asked = await job.recall(f"asked {slug}")
            async with self.opened(page) as tab:
                tab.begin(f"wait for {slug}")
                wait = max(1.0, asked["at"] + crawl_settings().report_wait - time.time())
                entry = await self.await_entry(tab, slug, asked, wait)
                if not entry.is_ready:
                    await job.forget(f"asked {slug}")
                    raise ReportFailed(f"The portal could not make {self.reports[slug]}.", step=tab.trail.step)
                tab.begin(f"download {slug}")
                return slug, await tab.download((f"{entry.selector} >> em.line-download",))

        return collect

    async def await_entry(self, tab: PortalPage, slug: str, asked: dict[str, Any], wait: float) -> Entry:
        """Return the notification of our report; raise ReportNotReady when none comes, or none that must be ours."""
        loop = asyncio.get_running_loop()
        deadline, reload = loop.time() + wait, loop.time() + 30
        while True:
            found = self.ours(await self.entries(tab, slug), asked)
            if found is not None:
                return found
            if loop.time() > deadline:
                raise ReportNotReady(f"{slug} is still being made.", step=tab.trail.step)
            if loop.time() > reload:  # a list that does not renew itself
                await tab.open(tab.raw.url)
                reload = loop.time() + 30
            await asyncio.sleep(0.3)  # between two looks at the list

    async def entries(self, tab: PortalPage, slug: str) -> list[Entry]:
        """Return the entries about a report, the job's account and its month, in the order of the list: newest first."""
        if not await tab.shown((f"{LIST} li", LIST)):
            await tab.click(BELL)
            await tab.find((f"{LIST} li", LIST))
        target, label = tab.job.target, self.reports[slug]
        month = f"{target.end:%b %Y}"
        like = (
            f"{ENTRIES}:has(b:text-matches('^\\s*{label}\\s*$', 'i')):has-text('{target.account}'):has-text('{month}')"
        )
        found = []
        for place, (names, text, age, is_ready) in enumerate(await tab.raw.locator(like).evaluate_all(READ_ENTRIES)):
            # The selector takes what contains these; what counts is that the entry says these and nothing else.
            says = (set(re.findall(r"\d{6,}", text)), set(re.findall(r"\b[A-Z][a-z]{2} 20\d\d\b", text)))
            if names[1:2] and names[1].casefold() == label.casefold() and says == ({target.account}, {month}):
                found.append(Entry(f"{like} >> nth={place}", least_age(age), is_ready))
        return found

    def ours(self, found: list[Entry], asked: dict[str, Any]) -> Entry | None:
        """
        Return the newest entry that our request has brought; None when there is none yet, or it may be another's.

        What came since we asked is what there is more than before; it is ours when it is no more than we asked for,
        young enough, and not older than the request.
        """
        since = time.time() - asked["at"]
        came = len(found) - asked["before"]
        if not 0 < came <= asked["asks"] or found != sorted(found, key=lambda entry: entry.age):
            return None
        newest = found[0]
        return newest if newest.age < OLDEST and newest.age <= since else None

    async def collected(self, job: Job, found: tuple[str, PartFile]) -> AsyncIterator[Any]:
        """Yield the workbook with its rows, once they are seen to be of the account and month."""
        slug, part = found
        yield Listing(job=job.id, keys=tuple(self.reports))
        target = job.target
        sheet = await asyncio.to_thread(self.read, part, slug, job)
        yield ReportFile(
            job=job.id,
            part=part,
            key=slug,
            name=f"bell_{slug}_{target.month}.xlsx",
            period=target.month,
            billing_cycle_id=target.billing_cycle_id,
            carrier_report_id=target.reports[slug],
            records=(report_lines(job.id, sheet, target.billing_cycle_id, target.reports[slug]),),
        )
        self._brought[job.id].add(slug)
        if job.id not in self._tidying:  # one for all that wait for their turn by now
            self._tidying.add(job.id)
            yield self.flow(job, self.tidy, self.tidied)

    def read(self, part: PartFile, slug: str, job: Job) -> Sheet:
        """Return the workbook's rows; raise when one of them is of another account or month."""
        sheet = Sheet.of(part, REPORTS[slug])
        check(sheet, job.target.account, job.target.month)
        return sheet

    # Dismissing

    async def tidy(self, page: PortalPage) -> None:
        """Dismiss the notifications of what is stored. A file that is not stored yet keeps its own: a kill loses nothing."""
        job = page.job
        self._tidying.discard(job.id)
        brought = set(self._brought[job.id])

        async def all_stored() -> bool:
            return brought <= job.stored

        try:
            async with self.opened(page) as tab:
                tab.begin("dismiss the notifications")
                await until(all_stored, crawl_settings().page_wait)  # their rows are being written
                for slug in sorted(brought & job.stored):
                    await self.dismiss(tab, slug)
        except Failure as failure:  # what had to come has come
            job.warn(f"The notifications were not dismissed: {failure}")

    async def dismiss(self, tab: PortalPage, slug: str) -> None:
        """Dismiss the notification of one report."""
        asked = await tab.job.recall(f"asked {slug}")
        there = await self.entries(tab, slug)
        if asked is None or (entry := self.ours(there, asked)) is None:
            return

        async def gone() -> bool:
            return len(await self.entries(tab, slug)) < len(there)

        await tab.job.forget(f"asked {slug}")
        await tab.click((f"{entry.selector} >> em.line-close",))
        await until(gone, 5)

    def tidied(self, job: Job, nothing: None) -> None:
        """Nothing is left to do."""

    @asynccontextmanager
    async def opened(self, page: PortalPage) -> AsyncIterator[PortalPage]:
        """Open the reports in their tab."""
        page.begin("open the reports")
        if await page.shown((*LINK, *MY_REPORTS), within=crawl_settings().page_wait) not in LINK:
            await page.click(MY_REPORTS)
            await page.click(SERVICE)
        async with page.new_tab(LINK) as tab:
            await tab.find(BELL)
            yield tab


def least_age(text: str) -> float:
    """
    Return how many seconds ago something was at least, by a relative age; what is days old, or not understood, is infinitely old.

    >>> least_age("a few seconds ago"), least_age("a minute ago"), least_age("12 minutes ago"), least_age("2 days ago")
    (0, 45, 690.0, inf)
    """
    said = " ".join(text.split()).removesuffix(" ago")
    if (minutes := re.fullmatch(r"(\d+) minutes", said)) is not None:
        return (int(minutes[1]) - 0.5) * 60
    return AGES.get(said, float("inf"))
