"""Billing: the search for an account in its list, of which the account's row alone is opened."""

from __future__ import annotations

from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage, guess
from scrapers.families.carriers.accounts import confirm_account, names_account, not_listed, numbers_like, saying

BILLING = ("#billingApp", guess("says=Billing"))
SEARCH = ("xpath=//input[contains(@id,'mat-input')]",)
ROWS = "div.billinglist-data"
LISTED = 15.0  # seconds in which the list of what was searched for is drawn


async def find_account(page: PortalPage) -> str:
    """
    Search for the job's account in the list of accounts, and return the selector of its row.

    Raises WrongAccount where no row is the account's, PortalChanged where several are.
    """
    account: str = page.job.target.account
    page.begin("open the list of accounts")
    if await page.arrives((*BILLING, *SEARCH)) is None:
        raise PortalChanged("The menu has no entry for bills.", step=page.trail.step, selector=BILLING[0])
    if await page.shown(BILLING):
        await page.click(BILLING)
    await page.find(SEARCH)
    page.begin("search for the account")
    await page.type(SEARCH, account)
    page.trail.act()
    await (await page.find(SEARCH)).press("Enter")
    places: list[int] = []

    async def is_listed() -> bool:
        texts = await page.scope.locator(ROWS).all_inner_texts()
        places[:] = [at for at, text in enumerate(texts) if is_row_of(account, text)]
        return bool(places)

    await page.is_at_rest(LISTED)  # the list of before may be shown still
    await page.rests(is_listed)
    if not places:
        raise not_listed(page.trail.step)
    if len(places) > 1:
        raise PortalChanged(f"The account is listed {len(places)} times.", step=page.trail.step, selector=ROWS)
    return f"{ROWS} >> nth={places[0]}"


def is_row_of(account: str, text: str) -> bool:
    """
    Return whether a row names an account and no other one.

    >>> is_row_of("123456782", "Head office 123-456-782 $9.10"), is_row_of("123456782", "123456782 123456790")
    (True, False)
    """
    return names_account(account, text) == 1 and numbers_like(account, text) <= {account}


async def open_account(page: PortalPage, row: str) -> None:
    """Open the page of the job's account by its row, and read the account back there."""
    account: str = page.job.target.account
    page.begin("open the account")
    await page.click((f"{row} >> {saying(account)}", row))
    await page.is_at_rest(LISTED)
    await confirm_account(page, account, is_chosen=True)
