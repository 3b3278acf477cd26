"""Bills, from the list of recent ones."""

import re

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage, until
from scrapers.core.periods import months_in, names_month
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import accounts_named, names_account, not_listed, the_one, without_signs
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.portals.verizon.columns import LOCALE
from scrapers.portals.verizon.filters import labelled
from scrapers.portals.verizon.login import VerizonLogin
from scrapers.portals.verizon.menus import BILL_DETAILS, BILLING, OPENS, open_entry

PREVIOUS = ("xpath=//*[@id='billing-view-bills-s']/div/ul/li[4]/a", "#billing-view-bills-s >> says=Previous bills")
RECENT = ("role=tab|Recent bills", "says=Recent bills")
ACCOUNT = labelled("Account number")
CARDS, MONTH, ICON = ".invoice-card", "span.fs-20", "span.Icon--download"
YEAR = re.compile(r"(19|20)\d\d")
ANSWERED = 30.0  # seconds in which the list of another account is drawn
KEPT = 3.0  # seconds in which the drop-down shows what was chosen
# Of each card its month and all that it says.
READ_CARDS = (
    """(cards, month) => cards.map(card => [card.querySelector(month)?.innerText.trim() ?? "", card.innerText])"""
)


class VerizonPdfInvoice(PdfInvoice):
    """
    Portal
      Verizon, My Business, previous bills (https://mb.verizonwireless.com)
    Caveats
      The tab of recent bills is the one that is looked into; choosing an account puts the tabs back.
    """

    name = "verizon_pdf_invoice"
    logins = (VerizonLogin,)
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> PartFile:
        """Download the bill of the job's account and month."""
        target = page.job.target
        page.begin("open the bills")
        await open_entry(page, BILLING, BILL_DETAILS, PREVIOUS)
        await page.click(PREVIOUS)
        await page.find(RECENT, within=OPENS)
        await choose_account(page)
        page.begin("open the bill")
        read: list[tuple[str, str]] = []

        async def is_listed() -> bool:
            read[:] = await page.scope.locator(CARDS).evaluate_all(READ_CARDS, MONTH)
            return any(names_month(month, target.end) for month, _ in read)

        await page.rests(is_listed)
        months = [(place, month) for place, (month, _) in enumerate(read) if months_in(month)]
        if read and not months:
            raise PortalChanged(f"None of the {len(read)} bills says its month.", step=page.trail.step, selector=CARDS)
        said = YEAR.sub("", await page.text(("main", "body")))  # which may name months that are no bills'
        place = the_one(months, target.account, target.end, self.today(), said)
        named = accounts_named(read[place][1], target.account)
        if named and named != {without_signs(target.account)}:
            raise WrongAccount("The bill is of another account.", step=page.trail.step)
        card = f"{CARDS} >> nth={place}"
        return await page.download((f"{card} >> {ICON}", f"{card} >> says=Download"))


async def choose_account(page: PortalPage) -> None:
    """List the recent bills of the job's account: the tab is opened again once another account was chosen, and both are read back."""
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
