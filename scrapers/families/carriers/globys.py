"""The billing pages that AT&T's Premier Care and Telus's Bill Analyzer have from one vendor: scope, month, reports, bills."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from scrapers.core.locators import words_of
from scrapers.core.outcomes import NotListed, PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, Selectors, guess, until
from scrapers.core.periods import month_missing, months_in, names_month
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import not_listed, numbers_like, saying

REPORTS, BILLS = ("#navMenuGroupReports",), ("#navMenuItem14",)
MENU = "#scopeExpandedAccountMenu"
SCOPE = ("#LevelDataDropdownButton", "xpath=//*[@id='thisForm']/div/div[2]/div[1]/div[1]")
MULTIPLE = ("#LevelDataDropdownList_multipleaccounts",)
SEARCH = (
    f"{MENU} >> xpath=./div[1]/div/div[2]/input",
    guess(f"{MENU} input:not([type=checkbox], [type=radio])"),
)
TAKE = (f"{MENU} >> xpath=./div[4]/button", f"{MENU} >> says=OK")
PERIOD = ("#CIDPendingDataDropdownButton", "xpath=//*[@id='thisForm']/div/div[2]/div[1]/div[2]")
PERIODS, APPLY = ("select#bmtype_data",), ("#btnApply",)
MONTH, MONTH_LIST = ("#BilledMonthYearPendingDataDropdownButton",), "#BilledMonthYearPendingDataDropdownList"
MONTHS = (f"select{MONTH_LIST}", f"{MONTH_LIST} select", f"{MONTH_LIST} *:not(:has(*))")
VIEW_LIST, TABLE, DIALOG = ("#btnViewList",), ("#DataTable", "#DataTable_wrapper"), ("#bdfModal", "#acctContent")
EXPORT, CSV, GO = ("#export",), ("#radCsvLabel",), ("#hrefOK",)
KEPT = 15  # seconds in which a filter shows what was chosen
BUTTON = "button[name=ViewReport]"
OPTIONS = "select => [...select.options].map(option => [option.value, option.label.trim()])"
ROWS = """(table, button) => [...table.querySelectorAll("tr")].map((row, place) => [row, place])
  .filter(([row]) => row.querySelector(button)).map(([row, place]) => [place,
    [row.innerText, ...[...row.querySelectorAll("[aria-label]")].map(each => each.ariaLabel)].join(" | ")])"""


class Globys:
    """
    The product in one page, for the account and month of the page's job.

    Whatever is chosen is read back. The portal forgets choices: `choose_…` is called before each report or list, and
    does nothing where its filter shows what is wanted.
    """

    def __init__(self, page: PortalPage, today: date) -> None:
        self.page, self.today, self.target = page, today, page.job.target
        self.has_period = False  # a month was chosen, so its filter must show it

    async def open(self, entry: Selectors, done: Selectors, group: Selectors = ()) -> None:
        """Click an entry of the menu, in its *group* (such as REPORTS), and wait for what its page shows."""
        await self.page.find((*entry, *group))
        if group and not await self.page.shown(entry):
            await self.page.click(group)
        await self.page.click(entry)
        await self.page.find(done)

    async def choose_account(self) -> None:
        """Narrow the scope to the job's account; raise WrongAccount where it is not listed or does not stay."""
        page = self.page
        page.begin("choose the account")
        await page.find(SCOPE)
        if not await self.has_account():
            await self._take_account()
            if not await until(self.has_account, KEPT):  # a list that is drawn anew may have lost the choice
                await self._take_account()
        await self._confirm_account()

    async def _take_account(self) -> None:
        page, account = self.page, self.target.account
        if not await page.shown((*SEARCH, *MULTIPLE)):
            await page.click(SCOPE)
        if await page.arrives((*SEARCH, *MULTIPLE)) in MULTIPLE:
            await page.click(MULTIPLE)
        await page.type(SEARCH, account)
        own = lambda wanted, text: int(numbers_like(wanted, text) == {wanted})  # noqa: E731
        await page.pick((f"{MENU} {saying(account)}",), account, match=own, missing=lambda _offered: not_listed())
        await page.click(TAKE)

    async def has_account(self) -> bool:
        """Return whether the scope names the job's account and no other."""
        account = self.target.account
        return await self._named(SCOPE, lambda text: numbers_like(account, text)) == {account}

    async def choose_period(self, kind: str) -> None:
        """
        Choose the month of the cycle's end for reports, by values `<kind>YYYYMM…`, and read it back.

        Raises NotYetPublished or NoLongerAvailable where it is not offered, PortalChanged where it does not stay.
        """
        page = self.page
        page.begin("choose the month")
        await page.find(PERIOD)
        self.has_period = True
        if not await self.has_month(PERIOD):
            await self._take_period(kind)
            if not await until(lambda: self.has_month(PERIOD), KEPT):
                await self._take_period(kind)
        await self._confirm_month(PERIOD)

    async def _take_period(self, kind: str) -> None:
        page, month = self.page, self.target.end
        wanted = f"{kind}{month:%Y%m}"
        if not await page.shown(PERIODS):
            await page.click(PERIOD)
        select = await page.find(PERIODS)
        offered: list[list[str]] = []

        async def is_offered() -> bool:
            offered[:] = [each for each in await select.evaluate(OPTIONS) if each[0].startswith(kind)]
            return any(value.startswith(wanted) for value, _ in offered)

        if not await until(is_offered, 1) and not (await page.is_at_rest(KEPT) and await is_offered()):
            raise month_missing(month, [text for _, text in offered], "%B %Y", self.today)
        first, *more = [value for value, _ in offered if value.startswith(wanted)]
        if more:
            raise PortalChanged(f"{month:%B %Y} is offered {1 + len(more)} times.", step=page.trail.step)
        await select.select_option(value=first)
        await page.click(APPLY)

    async def has_month(self, shown: Selectors) -> bool:
        """Return whether a filter names the month of the cycle's end and no other."""
        month = (self.target.end.year, self.target.end.month)
        return await self._named(shown, lambda text: set(months_in(text))) == {month}

    async def _named(self, selectors: Selectors, read: Callable[[str], set[Any]]) -> set[Any]:
        """Return what is read in the first of the elements in which anything is."""
        for selector in selectors:
            if found := set().union(*map(read, await self.page.texts((selector,)))):
                return found
        return set()

    async def confirm(self) -> None:
        """Read the filters back, where the page shows them; raise WrongAccount or PortalChanged for other ones."""
        if await self.page.shown(SCOPE):
            await self._confirm_account()
        if self.has_period and await self.page.shown(PERIOD):
            await self._confirm_month(PERIOD)

    async def _confirm_account(self) -> None:
        if not await until(self.has_account, KEPT):
            raise WrongAccount("The portal shows another account than the chosen one.", step=self.page.trail.step)

    async def _confirm_month(self, shown: Selectors) -> None:
        if not await until(lambda: self.has_month(shown), KEPT):
            detail = f"The portal does not keep {self.target.end:%B %Y}."
            raise PortalChanged(detail, step=self.page.trail.step, selector=shown[0])

    async def view(self, section: str, names: tuple[str, ...], within: str = "", button: str = BUTTON) -> None:
        """
        Open the first existing report of a section; the filters are read back before and after.

        names: exact ones, in order of preference. within: selector of the section's body, where a fact knows it.
        """
        page, titled = self.page, exactly(section)
        page.begin(f"open {names[0]}")
        await self.confirm()
        bodies = (within,) if within else (f".panel-reports:has(.panel-title{titled})", f".panel-reports:has({titled})")
        ways = tuple(f"{body} {button}{exactly(name)}" for name in names for body in bodies)
        title = tuple(f"#accordion {head}{titled}" for head in (".panel-title span", ".panel-title", ""))
        await page.find((*ways, *title))
        if not await page.shown(ways):
            await page.click(title)
            if not await page.arrives(ways):
                raise NotListed(f"{section} has no {' or '.join(names)}.", step=page.trail.step)
        await page.is_at_rest(3)  # a name that is preferred may be drawn later
        await page.click(ways)
        await page.find(EXPORT)
        await self.confirm()

    async def export(self) -> PartFile:
        """Download the open report as CSV."""
        self.page.begin("export")
        await self.page.click(EXPORT)
        await self.page.click(CSV)
        return await self.page.download(GO)

    async def list_bills(self) -> None:
        """List the bills of the account and the month of the cycle's end; both are read back."""
        page, month = self.page, self.target.end
        await self.choose_account()
        page.begin("choose the month")
        await page.find(MONTH)
        if not await self.has_month(MONTH):
            await page.click(MONTH)
            await page.month(MONTHS, month, "%B %Y", self.today)
        await page.click(VIEW_LIST)
        await page.is_at_rest(KEPT)  # the list before may still be shown
        await page.find(TABLE)
        await self._confirm_account()
        await self._confirm_month(MONTH)

    async def bill(self, button: str, *clicks: Selectors) -> PartFile:
        """
        Open the documents of the listed bill, by the *button* in its row, and download what the last of *clicks* brings.

        Rows and dialogs that name another account or month are refused; what names none was filtered by both.
        """
        page, account, month = self.page, self.target.account, self.target.end
        page.begin("open the bill")
        table = await page.shown(TABLE) or TABLE[0]
        if not await page.arrives((f"{table} {button}",)):
            raise month_missing(month, [], "%B %Y", self.today)
        rows = await page.scope.locator(table).first.evaluate(ROWS, button)
        own = [(place, text) for place, text in rows if numbers_like(account, text) <= {account}]
        if not own:
            raise WrongAccount("The list holds bills of other accounts alone.", step=page.trail.step)
        of_month = [place for place, text in own if not months_in(text) or names_month(text, month)]
        if not of_month:
            raise month_missing(month, [text for _, text in own], "%B %Y", self.today)
        if len(of_month) > 1:
            raise PortalChanged(f"The list holds {len(of_month)} bills of the month.", step=page.trail.step)
        await page.click((f"{table} >> tr >> nth={of_month[0]} >> {button}",))
        await page.find(clicks[0])
        if not numbers_like(account, await page.text(DIALOG)) <= {account}:
            raise WrongAccount("The documents are of another account.", step=page.trail.step)
        for click in clicks[:-1]:
            await page.click(click)
        return await page.download(clicks[-1])


def exactly(text: str) -> str:
    """Return the end of a selector: of elements that say *text* and nothing else, in any spelling, nested or not."""
    says = f":text-matches({json.dumps(rf'^[^0-9A-Za-z]*{words_of(text)}[^0-9A-Za-z]*$')}, 'i')"
    return f":is({says}, :has({says}))"
