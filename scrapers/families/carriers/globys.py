"""The billing pages that AT&T's Premier Care and Telus's Bill Analyzer have from one vendor: scope, month, reports, bills."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from functools import partial
from typing import Any

from scrapers.core.locators import saying_only
from scrapers.core.outcomes import Failure, NotListed, PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, Selectors, guess, until
from scrapers.core.periods import month_missing, months_in
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import names_account, not_listed, numbers_like, saying, the_one
from scrapers.families.carriers.invoices import READ_LIST, FetchedInvoice, listed_texts

REPORTS, BILLS, MULTIPLE = ("#navMenuGroupReports",), ("#navMenuItem14",), ("#LevelDataDropdownList_multipleaccounts",)
MENU, FILTERS = "#scopeExpandedAccountMenu", "xpath=//*[@id='thisForm']/div/div[2]/div[1]"
MONTH_LIST = "BilledMonthYearPendingDataDropdownList"
OPENER = "*[self::button or @role='button' or @role='combobox'][1]"
LIST = "*[self::ul or @role='listbox' or @role='menu'][1]"
SCOPE = ("#LevelDataDropdownButton", f"{FILTERS}/div[1]")
SEARCH = (f"{MENU} >> xpath=./div[1]/div/div[2]/input", guess(f"{MENU} >> role=textbox"))
TAKE = (f"{MENU} >> xpath=./div[4]/button", f"{MENU} >> says=OK")
PERIOD = ("#CIDPendingDataDropdownButton", f"{FILTERS}/div[2]//{OPENER}", f"{FILTERS}/div[2]")
PERIODS, APPLY = ("select#bmtype_data",), ("#btnApply",)
MONTH = ("#BilledMonthYearPendingDataDropdownButton", guess(f"xpath=//*[@id='{MONTH_LIST}']/preceding::{OPENER}"))
LISTED = guess(f"xpath=//*[@id='{MONTH[0][1:]}']/following::{LIST}//*[not(*)]")
MONTHS = (f"select#{MONTH_LIST}", f"#{MONTH_LIST} select", f"#{MONTH_LIST} *:not(:has(*))", LISTED)
VIEW_LIST, TABLE, DIALOG = ("#btnViewList",), "#DataTable", ("#bdfModal", "#acctContent")
EXPORT, CSV, GO = ("#export",), ("#radCsvLabel",), ("#hrefOK",)
Action = Callable[[], Awaitable[None]]
OTHER_ACCOUNT = (WrongAccount, "The portal shows another account than the chosen one.")
OTHER_MONTH = (PortalChanged, "The portal shows another month than the chosen one.")
BUTTON, KEPT = "button[name=ViewReport]", 15  # KEPT: seconds in which a filter shows what was chosen


class Globys:
    """
    The product in one page, for the account and month of the page's job.

    Whatever is chosen is read back. The portal forgets choices: `choose_…` is called before each report or list, and
    does nothing where its filter shows what is wanted.
    """

    def __init__(self, page: PortalPage, today: date) -> None:
        self.page, self.today, self.target = page, today, page.job.target
        self.month: Selectors = ()  # filter of months in which one was chosen, so that it must show it

    async def open(self, entry: Selectors, done: Selectors, group: Selectors = ()) -> None:
        """Click an entry of the menu, in its *group* (such as REPORTS), and wait for what its page shows."""
        await self.page.find((*entry, *group))
        if group and not await self.page.shown(entry):
            await self.page.click(group)
        await self.page.click(entry)
        await self.page.find(done)

    async def choose_account(self) -> None:
        """Narrow the scope to the job's account; raise WrongAccount where it is not listed or does not stay."""
        self.page.begin("choose the account")
        await self.page.find(SCOPE)
        await self._hold(self.has_account, OTHER_ACCOUNT, self._take_account)

    async def _take_account(self) -> None:
        page, account = self.page, self.target.account
        if not await page.shown((*SEARCH, *MULTIPLE)):
            await page.click(SCOPE)
        if await page.arrives((*SEARCH, *MULTIPLE)) in MULTIPLE:
            await page.click(MULTIPLE)
        await page.type(SEARCH, account)
        await page.pick((f"{MENU} {saying(account)}",), account, match=names_account, missing=lambda _: not_listed())
        await page.click(TAKE)

    async def choose_month(self, kind: str) -> None:
        """
        Choose the month of the cycle's end for reports, by values `<kind>YYYYMM…`, and read it back.

        Raises NotYetPublished or NoLongerAvailable where it is not offered, PortalChanged where it does not stay.
        """
        await self._choose_month(PERIOD, partial(self._take_period, kind))

    async def choose_bill_month(self) -> None:
        """Choose the month of the cycle's end for bills; see `choose_month`."""
        await self._choose_month(MONTH, partial(self.page.month, MONTHS, self.target.end, "%B %Y", self.today))

    async def _choose_month(self, shown: Selectors, take: Action) -> None:
        self.page.begin("choose the month")
        await self.page.find(shown)

        async def opened() -> None:
            if not await self.page.shown((*PERIODS, *MONTHS)):
                await self.page.click(shown)
            await take()

        self.month = shown
        await self._hold(self.has_month, OTHER_MONTH, opened)

    async def _take_period(self, kind: str) -> None:
        page, month = self.page, self.target.end
        select = await page.find(PERIODS)
        wanted = select.locator(f"option[value^={kind}{month:%Y%m}]")  # Playwright refuses it where there are several

        async def is_offered() -> bool:
            return await wanted.count() > 0

        if not await until(is_offered, 1) and not (await page.is_at_rest(KEPT) and await is_offered()):
            offered = await select.locator(f"option[value^={kind}]").all_text_contents()
            raise month_missing(month, offered, self.today)
        await select.select_option(value=await wanted.get_attribute("value"))
        await page.click(APPLY)

    async def has_account(self) -> bool:
        """Return whether the scope names the job's account and no other."""
        account = self.target.account
        return await self._named(SCOPE, partial(numbers_like, account)) == {account}

    async def has_month(self) -> bool:
        """Return whether the filter names the month of the cycle's end and no other."""
        return await self._named(self.month, months_in) == {(self.target.end.year, self.target.end.month)}

    async def _named(self, selectors: Selectors, read: Callable[[str], Iterable[Any]]) -> set[Any]:
        """Return what is read in the first of the elements in which anything is."""
        for selector in selectors:
            if found := {each for text in await self.page.texts((selector,)) for each in read(text)}:
                return found
        return set()

    async def confirm(self) -> None:
        """Read the filters back, where the page shows them; raise WrongAccount or PortalChanged for other ones."""
        if await self.page.shown(SCOPE):
            await self._hold(self.has_account, OTHER_ACCOUNT)
        if await self.page.shown(self.month):
            await self._hold(self.has_month, OTHER_MONTH)

    async def _hold(
        self, is_held: Callable[[], Awaitable[bool]], failure: tuple[type[Failure], str], take: Action | None = None
    ) -> None:
        """Take what is not held, once more where a list that is drawn anew has lost it; raise the failure if it is not kept."""
        for _ in range(2 if take else 1):
            if take is not None and not await is_held():
                await take()
            if await until(is_held, KEPT):
                return
        raise failure[0](failure[1], step=self.page.trail.step, selector=self.page.trail.selector)

    async def show(self, tab: Selectors, section: str) -> None:
        """Open the tab of a section, unless it is open."""
        if not await self.page.shown(_titles(section)):
            await self.page.click(tab)
            await self.page.find(_titles(section))

    async def view(self, section: str, names: tuple[str, ...], within: str = "", button: str = BUTTON) -> None:
        """
        Open the first existing report of a section; the filters are read back before and after.

        names: exact ones, in order of preference. within: selector of the section's body, where a fact knows it.
        """
        page, titled = self.page, saying_only(section)
        page.begin(f"open {names[0]}")
        bodies = (within,) if within else (f".panel-reports:has(.panel-title{titled})", f".panel-reports:has({titled})")
        ways = tuple(f"{body} {button}{saying_only(name)}" for name in names for body in bodies)
        await page.find((*ways, *_titles(section)))
        if not await page.shown(ways):
            await page.click(_titles(section))
            if not await page.arrives(ways):
                raise NotListed(f"{section} has no {' or '.join(names)}.", step=page.trail.step)
        if await page.shown(ways) not in ways[: len(bodies)]:
            await page.is_at_rest(3)  # the name that is preferred may be drawn later
        await self.confirm()
        await page.click(ways)
        await page.find(EXPORT)
        await self.confirm()

    async def export(self) -> PartFile:
        """Download the open report as CSV."""
        self.page.begin("export")
        return await self.page.download(GO, by=(EXPORT, CSV))

    async def list_bills(self) -> None:
        """List the bills of the account and the month of the cycle's end; both are read back."""
        await self.choose_account()
        await self.choose_bill_month()
        await self.page.click(VIEW_LIST)
        await self.page.is_at_rest(KEPT)  # the list before may still be shown
        await self.page.find((TABLE,))
        await self.confirm()

    async def bill(self, button: str, document: Selectors) -> FetchedInvoice:
        """Open the documents of the listed bill (see `documents`), and download the one that a click brings."""
        listed = await self.documents(button, document)
        return FetchedInvoice(await self.page.download(document), listed)

    async def documents(self, button: str, shown: Selectors) -> dict[str, str]:
        """
        Open the documents of the listed bill, by the *button* in its row; return what the row shows, as FetchedInvoice takes it.

        Rows and dialogs that name another account or month are refused; what names none was filtered by both. shown: is in
        the dialog.
        """
        page, account = self.page, self.target.account
        page.begin("open the bill")
        await page.arrives((f"{TABLE} {button}",))
        rows, said = await page.scope.locator(TABLE).first.evaluate(READ_LIST, button)
        place = the_one([(each, text) for each, text, _ in rows], account, self.target.end, self.today, said)
        await page.click((f"{TABLE} >> tr >> nth={place} >> {button}",))
        came = await page.arrives(shown)
        if came or await page.shown(DIALOG):
            named = numbers_like(account, await page.text(DIALOG))
            if named and account not in named:
                raise WrongAccount("The documents are of another account.", step=page.trail.step)
        if came is None:
            await page.find(shown)
        return listed_texts(next(cells for each, _, cells in rows if each == place))


def _titles(section: str) -> Selectors:
    return tuple(f"#accordion {head}{saying_only(section)}" for head in (".panel-title span", ".panel-title", ""))
