"""The reports of Bizonline: choose a report, its account and its bill cycle in dialogs, and export what is shown as text."""

import json
import re
from collections.abc import Sequence
from datetime import date

from scrapers.core.locators import contains
from scrapers.core.outcomes import Failure, NotListed, PortalChanged
from scrapers.core.page import PortalPage, until
from scrapers.core.periods import month_missing
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import confirm_account, not_listed, saying
from scrapers.portals.rogers.columns import LOCALE
from scrapers.portals.rogers.dialogs import close_dialog, open_dialog
from scrapers.reading.values.days import day

MENU = "xpath=//*[@id='header_menu']/table/tbody/tr[2]/td/table/tbody/tr/td[3]"
REPORTS = ("#header_menu a[href*='prm-reports.do']", f"{MENU}//a")
CATEGORY, REPORT = ("#categIDSelect",), ("#reportIDSelect",)
ACCOUNTS, NUMBER, BY_NUMBER = (
    ("#accountNumbersLink",),
    ("#searchField1",),
    ("#searchBox1 input[type=radio]", "#searchBox1"),
)
FIND, RUN = ("#findButton1",), ("#submitbutton",)
CHANGE, CYCLES, TAKE, GO = ("#changeBillCycleDate",), "input[name=billCycleDate]", ("#submitNewBCD",), ("#goButton",)
EXPORT = ("a.buttontext[href*='exportText']", "a[href*='exportText']")
QUOTED, DOWNLOAD = ("input[name=qualifier][value=D]",), ("#downloadNow",)
KEY_PAUSE = 0.1  # seconds between two keys in the field of numbers, which looks at each
DRAWN = 30  # seconds in which a report is drawn
CHOSEN = "selects => selects.map(select => select.selectedOptions?.[0]?.label ?? '')"
KEPT = 15  # seconds in which a page shows what was chosen
DATE = r"\d\d/\d\d/\d{4}"
SAID = re.compile(rf"bill(?:ing)? cycle(?: end)?(?: date)?\W{{0,4}}({DATE}(?:(?: to |\W{{1,3}}){DATE})?)", re.I)
VALUES = "radios => radios.map(radio => radio.value)"


async def open_reports(page: PortalPage) -> None:
    """Open the form of reports, unless it is shown."""
    await close_dialog(page)
    if not await page.shown(CATEGORY):
        await page.click(REPORTS)
        await page.find(CATEGORY)


async def choose_report(page: PortalPage, category: str, name: str) -> None:
    """Choose a report and the job's account in the form of reports; the report is read back."""
    page.begin(f"choose {name}")
    await open_reports(page)
    await _pick(page, category, name)
    await choose_account(page)
    chosen = await page.scope.locator(f"{CATEGORY[0]}, {REPORT[0]}").evaluate_all(CHOSEN)
    if not all(contains(*each) for each in zip((category, name), chosen, strict=False)):
        await _pick(page, category, name)  # the dialog has had the form drawn anew


async def _pick(page: PortalPage, category: str, name: str) -> None:
    def missing(offered: list[str]) -> Failure:
        kind = NotListed if len(offered) > 1 else PortalChanged  # one alone may stand for a list that has not come
        return kind(f"{category} has no {name}.", step=page.trail.step, selector=REPORT[0])

    await page.pick(CATEGORY, category, match=contains)
    await page.pick(REPORT, name, match=contains, missing=missing)


async def choose_account(page: PortalPage) -> None:
    """Choose the job's account in the dialog of accounts; raise WrongAccount where it is not listed."""
    account = page.job.target.account
    page.begin("choose the account")
    dialog = await open_dialog(page, ACCOUNTS, (*BY_NUMBER, *NUMBER))
    await dialog.tick(BY_NUMBER)
    await dialog.type(NUMBER, account, pause=KEY_PAUSE)
    await (await dialog.find(NUMBER)).press("Tab")  # leaving the field enables the button
    await dialog.click(FIND)
    own = f"li:has(strong{saying(account)}, strong {saying(account)}) a.buttongray"
    if await dialog.arrives((own,)) is None:
        raise not_listed(page.trail.step)
    await dialog.click((own,))
    await close_dialog(page)


def cycle_of(values: Sequence[str], end: date) -> str | None:
    """
    Return the bill cycle date (MM/DD/YYYY) in the month in which a cycle ends; None where there is none.

    Of several in that month, the one of the cycle's last day is meant; raises PortalChanged where none is of that day.

    >>> cycle_of(["11/23/2026", "10/23/2026"], date(2026, 10, 31)), cycle_of(["10/23/2025"], date(2026, 10, 31))
    ('10/23/2026', None)
    """
    fitting = [value for value in values if month_of(value) == f"{end:%Y-%m}"]
    if len(set(fitting)) > 1:
        fitting = [value for value in fitting if value == f"{end:%m/%d/%Y}"]
        if not fitting:
            raise PortalChanged(f"Several bill cycles are of {end:%B %Y}.")
    return fitting[0] if fitting else None


def month_of(value: str) -> str:
    """
    Return the month (YYYY-MM) of a bill cycle date; "" for any other text.

    >>> month_of("02/29/2028"), month_of("02/29/2027"), month_of("on")
    ('2028-02', '', '')
    """
    try:
        return (day(value, LOCALE) or "")[:7]
    except ValueError:
        return ""


async def run(page: PortalPage) -> None:
    """Have the chosen report made, and wait until it is drawn: another one may be shown still."""
    page.begin("run the report")
    await page.click(RUN)
    await page.is_at_rest(DRAWN)
    await close_dialog(page)


async def choose_bill_cycle(page: PortalPage, today: date) -> None:
    """
    Have the report shown made of the bill cycle of the job; the choice is read back.

    Raises NotYetPublished or NoLongerAvailable where it is not offered.
    """
    end, values = page.job.target.end, list[str]()
    page.begin("choose the bill cycle")
    dialog = await open_dialog(page, CHANGE, (CYCLES, *TAKE))

    async def is_offered() -> bool:
        values[:] = await dialog.scope.locator(CYCLES).evaluate_all(VALUES)
        return cycle_of(values, end) is not None

    await dialog.rests(is_offered)
    if (wanted := cycle_of(values, end)) is None:
        said = [month for value in values if (month := month_of(value))]
        raise month_missing(end, said or [await dialog.text(("body",))], today)
    await dialog.tick((f"{CYCLES}[value={json.dumps(wanted)}]",))
    await dialog.click(TAKE)
    await page.is_at_rest(DRAWN)
    holder = await page.frame_with(GO)
    if holder.scope is page.raw.main_frame:
        await close_dialog(page)
    await holder.click(GO)
    await close_dialog(page)
    await page.is_at_rest(DRAWN)  # the report of another cycle may be shown still
    await confirm(page, wanted)


async def confirm(page: PortalPage, cycle: str = "") -> None:
    """Read account and bill cycle back where the page says them; raise WrongAccount or PortalChanged for other ones."""

    async def is_held() -> bool:
        said = " ".join(SAID.findall(await page.text(("body",))))
        return not said or cycle in said

    page.begin("read the choices back")
    if cycle and not await until(is_held, KEPT):
        raise PortalChanged("The portal shows another bill cycle than the chosen one.", step=page.trail.step)
    await confirm_account(page, page.job.target.account, is_chosen=True)


async def export(page: PortalPage) -> PartFile:
    """Download the report that is shown as a text whose values are in double quotes."""
    page.begin("export")
    dialog = await open_dialog(page, EXPORT, (*QUOTED, *DOWNLOAD))
    await dialog.tick(QUOTED)
    part = await dialog.download(DOWNLOAD)
    await close_dialog(page, within=0)
    return part
