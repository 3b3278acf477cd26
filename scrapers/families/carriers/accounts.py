"""Account numbers as pages write them, and which account a page says is open."""

from __future__ import annotations

import re

from scrapers.core.outcomes import WrongAccount
from scrapers.core.page import PortalPage, until
from scrapers.core.spool import CSV, TEXT, XLSX, PartFile
from scrapers.reading.values.texts import plain
from scrapers.reading.workbooks import lines_of

SIGNS = r"[\s\u00a0\u2010-\u2015.-]?"  # between the digits of a number
TELEPHONE = (10, 11)  # digits
LABEL = r"(?:billing |customer )?account|ban\b|compte"


def names_account(wanted: str, text: str) -> int:
    """
    Return 1 if a text names an account number, with or without signs between its digits; 0 if not.

    >>> names_account("533122906", "Account 533-122 906"), names_account("533122906", "5331229061")
    (1, 0)
    """
    return int(re.search(rf"(?<!\d){SIGNS.join(wanted)}(?!\d)", text) is not None)


def accounts_named(text: str, like: str) -> set[str]:
    """
    Return the numbers of as many digits as *like* that follow the word account; of billing accounts alone if there are any.

    >>> accounts_named("Billing account number: 533122907. Parent account 533122906", "533122906")
    {'533122907'}
    """
    number = rf"(?<!\d)\d(?:{SIGNS}\d){{{len(like) - 1}}}(?!\d)"
    found = re.findall(rf"(billing )?({LABEL})[^\d]{{0,30}}?({number})", text, re.I)
    billing = [each for each in found if (each[0] + each[1]).casefold().startswith("billing")]
    return {re.sub(r"\D", "", each[2]) for each in billing or found}


def not_listed(step: str = "") -> WrongAccount:
    """Return the failure for an account that the portal does not offer."""
    return WrongAccount("The portal does not list the account.", step=step)


async def confirm_account(page: PortalPage, account: str, *, is_chosen: bool) -> None:
    """
    Raise WrongAccount if the page says that another account is open; wait until what it says has come to rest.

    is_chosen: it was chosen in this visit, by its number. Where it was not and the page names no account at all, the job
    gets a warning: what it fetches must prove it.
    """
    named: set[str] = set()

    async def is_open() -> bool:
        text = await page.text(("main", "body"))
        named.clear()
        named.update(accounts_named(text, account) or ({account} if names_account(account, text) else ()))
        return named == {account}

    if await until(is_open, 1) or (await page.is_at_rest(10) and await is_open()):
        return
    if named:
        raise WrongAccount("The portal has opened another account.", step=page.trail.step)
    if not is_chosen:
        page.job.warn("The page does not say which account is open.")


def check_file(part: PartFile, account: str) -> str:
    """
    Check by its cells whose a file is of which no columns are known; return a warning where they name no account.

    Raises WrongAccount for a workbook or CSV that names other accounts and not this one: numbers of as many digits, below
    a heading that says account where telephone numbers have as many. Files of other types are not looked into.
    """
    if part.media_type not in (XLSX, CSV, TEXT):
        return ""
    others = False
    headed: set[int] = set()
    for line in lines_of(part):
        for place, cell in enumerate(line):
            text = str(plain(cell))
            number = text.zfill(len(account)) if isinstance(cell, float) else text
            if names_account(account, number):
                return ""
            if re.search(rf"\b(?:{LABEL})", text, re.I):
                headed.add(place)
            is_alike = re.fullmatch(rf"\d(?:{SIGNS}\d){{{len(account) - 1}}}", number) is not None
            others = others or (is_alike and (place in headed or len(account) not in TELEPHONE))
    if others:
        raise WrongAccount("The file holds other accounts and not this one.", step="read the file")
    return "The file names no account: whose it is was not checked."
