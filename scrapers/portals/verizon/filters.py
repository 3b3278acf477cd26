"""A report of My Business: its page, its filters, which are read back, and its download."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

from scrapers.core.locators import contains
from scrapers.core.outcomes import DownloadTimedOut, NotYetPublished, PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, Selectors, until
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import names_account, not_listed
from scrapers.portals.verizon.dates import NoDates
from scrapers.portals.verizon.menus import OPENS, REPORTS, REPORTS_HOME, open_entry

NOTICE = ("app-form-modal >> says=I understand",)  # of a dialog: monthly reports are not available yet
UNAVAILABLE = (":text-matches('Monthly reports are not available yet', 'i')",)
HOLDER = "xpath=ancestor::*[.//select or .//button or .//*[@role='combobox' or @role='button']][1]"
APPLY = ("#apply-changes",)
DOWNLOAD = ("body >> says=Download full report",)
ACCOUNT_NUMBER = "Account number"
ANSWERED = 30.0  # seconds in which a filter is answered
KEPT = 3.0  # seconds in which a filter shows what was chosen
STARTS = 60.0  # seconds in which a download starts
CLOSES = 2.0  # seconds in which the notice is gone


def labelled(label: str) -> Selectors:
    """Return selectors of the drop-down with a label, or of what holds both."""
    return (
        f"label={label}",
        f"xpath=//app-dropdown[.//label[contains(normalize-space(.), '{label}')]]",
        f":text-matches('^[^A-Za-z]*{label}[^A-Za-z]*$', 'i') >> {HOLDER}",
    )


VIEW_BY, NUMBER = labelled("View by"), labelled("Select number")


async def fetch_report(page: PortalPage, tab: str, name: str, dates: NoDates, today: date) -> PartFile:
    """
    Download a report of the job's account.

    tab, name: what its tab and its entry say in `data-track`. Raises NotYetPublished where the portal says so and no file is to
    be had, WrongAccount where the account is not offered or not kept.
    """
    page.begin("open the report")
    tabs = (f"li[data-track='{tab}']",)
    await open_entry(page, REPORTS, REPORTS_HOME, tabs)
    await page.click(tabs)
    await page.click((f"[data-track='{name}']",), within=OPENS)
    async with noticed(page):
        await page.find((*VIEW_BY, *NOTICE), within=OPENS)
        await choose(page, dates, today)
        await apply(page, dates)
        return await download(page)


@asynccontextmanager
async def noticed(page: PortalPage) -> AsyncIterator[None]:
    """Raise NotYetPublished for a report that cannot be had while the portal says that it is not available yet."""
    try:
        yield
    except (DownloadTimedOut, PortalChanged) as failure:
        if await page.shown((*NOTICE, *UNAVAILABLE)):
            raise NotYetPublished("The portal says that monthly reports are not available yet.") from failure
        raise


async def close_notice(page: PortalPage) -> None:
    """Close the notice, if it is shown. It comes again once an account was chosen."""

    async def is_gone() -> bool:
        return await page.shown(NOTICE) is None

    if not await is_gone():
        await page.click(NOTICE)
        await until(is_gone, CLOSES)


async def choose(page: PortalPage, dates: NoDates, today: date) -> None:
    """Choose account and dates and read them back; once more where one choice has undone another."""
    account = page.job.target.account
    for _ in range(2):
        page.begin("choose the account")
        await close_notice(page)
        await page.pick_in(VIEW_BY, ACCOUNT_NUMBER, match=contains)
        await close_notice(page)
        await page.pick_in(NUMBER, account, match=names_account, missing=lambda _offered: not_listed())
        await page.is_at_rest(ANSWERED)
        await close_notice(page)
        await dates.choose(page, today)
        await page.is_at_rest(ANSWERED)
        await close_notice(page)
        if (is_own := await has_account(page)) and await dates.are_chosen(page):
            return
    if not is_own:
        raise WrongAccount("The portal does not keep the account that was chosen.", step=page.trail.step)
    raise PortalChanged("The portal does not keep the dates that were chosen.", step=page.trail.step)


async def has_account(page: PortalPage) -> bool:
    """Return whether the filters say the job's account."""
    said, by = await page.chosen_in(NUMBER), await page.chosen_in(VIEW_BY)
    own = any(names_account(page.job.target.account, text) for text in said)
    return own and any(contains(ACCOUNT_NUMBER, text) for text in by)


async def apply(page: PortalPage, dates: NoDates) -> None:
    """
    Apply the filters, unless the portal has nothing to apply.

    Raises WrongAccount or PortalChanged where they are shown then, and show another account or other dates.
    """

    async def is_kept() -> bool:
        return await page.shown(NUMBER) is None or await has_account(page)

    async def are_kept() -> bool:
        return await page.shown(dates.fields) is None or await dates.are_chosen(page)

    page.begin("apply the filters")
    button = await page.find(APPLY)
    if "disabled" not in (await button.get_attribute("class") or "") and await button.is_enabled():
        await page.click(APPLY)
    await page.is_at_rest(ANSWERED)
    await close_notice(page)
    if not await until(is_kept, KEPT):
        raise WrongAccount("The portal shows another account than the chosen one.", step=page.trail.step)
    if not await until(are_kept, KEPT):
        raise PortalChanged("The portal shows other dates than the chosen ones.", step=page.trail.step)


async def download(page: PortalPage) -> PartFile:
    """Download what is shown; once more where the notice came in the place of the file, or none has come."""
    page.begin("download")
    for last in (False, True):
        await close_notice(page)
        is_shown = await page.shown(NOTICE)  # it stays, and says nothing about the file
        try:
            return await page.download(DOWNLOAD, unless=() if is_shown else NOTICE, within=STARTS)
        except DownloadTimedOut:
            if last:
                raise
    raise AssertionError("unreachable")
