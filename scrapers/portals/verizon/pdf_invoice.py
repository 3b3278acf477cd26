"""Bills, from the list of recent ones."""

import re

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.page import PortalPage
from scrapers.core.periods import months_in, names_month
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import accounts_named, the_one, without_signs
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.portals.verizon.bills import open_recent_bills
from scrapers.portals.verizon.columns import LOCALE
from scrapers.portals.verizon.login import VerizonLogin

CARDS, MONTH, ICON = ".invoice-card", "span.fs-20", "span.Icon--download"
YEAR = re.compile(r"(19|20)\d\d")
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
        await open_recent_bills(page)
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
