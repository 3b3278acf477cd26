"""Bills of Bizonline, from the viewer in which it shows them."""

from scrapers.core.page import PortalPage
from scrapers.families.carriers.accounts import names_account, not_listed, the_one
from scrapers.families.carriers.invoices import READ_LIST, FetchedInvoice, listed_texts
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.portals.rogers.columns import LOCALE
from scrapers.portals.rogers.login import RogersLogin

MENU = "#landing_left_pan"
BILLS = (
    f"{MENU} a[href*='prm-bizInvoicePayment']",
    f"{MENU} >> says=View Bills",
    f"xpath=//*[@id='{MENU[1:]}']/div[2]//a",
)
DATES, VIEW, BY_ACCOUNT = ("select#invoice_dates",), ("select#invoiceShowTypeList",), "accountsView"
TABLE, OPEN = "#tableSorterListId", "#banDownloadBriteBill"
SAVE = ("#save_desktop",)
COMPLETE = ("#tippy-1 span.downloadPdfEbuLink-rogers:has-text('Complete bill')", "#tippy-1 >> says=Complete bill")
DRAWN, OPENS = 30, 60  # seconds in which the list is drawn, and the viewer opens


class RogersPdfInvoice(PdfInvoice):
    """
    Portal
      Rogers, Bizonline, bills (https://bss.rogers.com/bizonline/homePage.do)
    Caveats
      The complete bill is fetched; the viewer has other documents, too.
    """

    name = "rogers_pdf_invoice"
    logins = (RogersLogin,)
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> FetchedInvoice:
        """Download the bill of the job's account and month; return it with what the list shows of it."""
        target = page.job.target
        page.begin("open the bills")
        if await page.arrives(BILLS) is None:
            await page.open(RogersLogin.home_address())
        await page.click(BILLS)
        page.begin("choose the bill's date")
        await page.month(DATES, target.end, "%b-%Y", self.today(), by_value=True)
        await page.pick(VIEW, BY_ACCOUNT, by_value=True)
        await page.is_at_rest(DRAWN)  # the list of another date may be shown still
        page.begin("open the bill")
        await page.arrives((f"{TABLE} {OPEN}",))
        rows, said = await page.scope.locator(TABLE).first.evaluate(READ_LIST, OPEN)
        own = [(each, text) for each, text, _ in rows if names_account(target.account, text)]
        if rows and not own:
            raise not_listed(page.trail.step)
        place = the_one(own, target.account, target.end, self.today(), said, is_of_month=True)
        await page.click((f"{TABLE} >> tr >> nth={place} >> {OPEN}",))
        viewer = await page.frame_with(SAVE, within=OPENS)
        part = await viewer.download(COMPLETE, by=(SAVE,))
        return FetchedInvoice(part, listed_texts(next(cells for each, _, cells in rows if each == place)))
