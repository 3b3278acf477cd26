"""Billing: the search for an account in its list, of which the account's row alone is opened."""

from __future__ import annotations

from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage, guess
from scrapers.families.carriers.accounts import confirm_account, names_account, not_listed, numbers_like, saying

BILLING = ("#billingApp", guess("says=Billing"))
SEARCH = (
    "xpath=//main//input[contains(@id,'mat-input')]",
    "xpath=//input[contains(@id,'mat-input')]",
)
LIST = "div.billinglist-data"
ROWS = (f"{LIST}:not(:has({LIST}))", f"{LIST} :is(tr, [role=row], li)")  # what is known of may be rows, or hold them
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
    found: list[str] = []

    async def is_listed() -> bool:
        for rows in ROWS:
            texts = await page.scope.locator(rows).all_inner_texts()
            found[:] = [f"{rows} >> nth={at}" for at, text in enumerate(texts) if is_row_of(account, text)]
            if found:
                return True
        return False

    await page.is_at_rest(LISTED)  # the list of before may be shown still
    await page.rests(is_listed)
    if not found:
        raise not_listed(page.trail.step)
    if len(found) > 1:
        raise PortalChanged(f"The account is listed {len(found)} times.", step=page.trail.step, selector=LIST)
    return found[0]


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
