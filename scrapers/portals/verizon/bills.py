"""The recent bills: their tab, and the account of which they are listed."""

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, until
from scrapers.families.carriers.accounts import names_account, not_listed
from scrapers.portals.verizon.filters import labelled
from scrapers.portals.verizon.menus import BILL_DETAILS, BILLING, OPENS, open_entry

PREVIOUS = ("xpath=//*[@id='billing-view-bills-s']/div/ul/li[4]/a", "#billing-view-bills-s >> says=Previous bills")
RECENT = ("role=tab|Recent bills", "says=Recent bills")
ACCOUNT = labelled("Account number")
ANSWERED = 30.0  # seconds in which the list of another account is drawn
KEPT = 3.0  # seconds in which the drop-down shows what was chosen


async def open_recent_bills(page: PortalPage) -> None:
    """List the recent bills of the job's account. Raises WrongAccount where it is not offered or not kept."""
    page.begin("open the bills")
    await open_entry(page, BILLING, BILL_DETAILS, PREVIOUS)
    await page.click(PREVIOUS)
    await page.find(RECENT, within=OPENS)
    await choose_account(page)


async def choose_account(page: PortalPage) -> None:
    """Open the tab for the job's account: again once another account was chosen, which puts the tabs back. Both are read back."""
    account = page.job.target.account

    async def is_chosen() -> bool:
        return any(names_account(account, text) for text in await page.chosen_in(ACCOUNT))

    page.begin("choose the account")
    await page.click(RECENT)
    for _ in range(2):
        if not await until(is_chosen, KEPT):
            await page.pick_in(ACCOUNT, account, match=names_account, missing=lambda _offered: not_listed())
            await page.is_at_rest(ANSWERED)
            await page.click(RECENT)
        await page.is_at_rest(ANSWERED)  # the bills of another account may be shown still
        if await is_chosen():
            return
    if not await page.chosen_in(ACCOUNT):
        raise PortalChanged("The list of bills does not say which account is chosen.", step=page.trail.step)
    raise WrongAccount("The portal shows another account than the chosen one.", step=page.trail.step)
