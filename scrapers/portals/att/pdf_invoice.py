"""The bills of Premier Care."""

from scrapers.core.page import PortalPage
from scrapers.families.carriers.globys import BILLS, VIEW_LIST, Globys
from scrapers.families.carriers.invoices import FetchedInvoice
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.portals.att.billing import BILLING
from scrapers.portals.att.login import AttLogin

FORM = ("xpath=//*[@id='_globysForm_']/div/div/div[1]/div", *VIEW_LIST)
OPEN, STANDARD_BILL = "button.stmtListTableLinkDocument", ("#billDocType_1",)


class AttPdfInvoice(PdfInvoice):
    """
    Portal
      AT&T, Premier Care, bills (https://www.wireless.att.com/premiercare/)
    Caveats
      The standard bill alone is fetched, where the portal has other documents of a month, too.
    """

    name = "att_pdf_invoice"
    logins = (AttLogin,)

    async def fetch(self, page: PortalPage) -> FetchedInvoice:
        """Download the standard bill of the job's account and month; return it with what the list shows of it."""
        globys = Globys(page, self.today())
        page.begin("open the bills")
        await globys.open(BILLING, BILLS)
        await globys.open(BILLS, FORM)
        await globys.list_bills()
        return await globys.bill(OPEN, STANDARD_BILL)
