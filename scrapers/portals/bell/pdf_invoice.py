"""Invoices of Corporate Self Serve."""

from scrapers.core.page import PortalPage
from scrapers.core.spool import PartFile
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.portals.bell.columns import LOCALE
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import choose_account, entry_of

COMPLETE = "input[name=invoiceSelect][value=Y]"
# The input may be hidden, and drawn by something beside or around it.
FORM = (COMPLETE, f":has(> {COMPLETE})", f":has(> * > {COMPLETE})")
MONTHS = ("label, input[type=checkbox], input[type=radio], [role=checkbox], [role=radio]",)
CONTINUE = ("#continueButton",)
DOWNLOAD = ("#downloadPDFNOWBtn",)


class BellPdfInvoice(PdfInvoice):
    """
    Portal
      Bell, Corporate Self Serve (https://business.bell.ca/corporateselfserve)
    Caveats
      Months go back about 18; where the portal sends a ZIP, every PDF in it is kept.
    """

    name = "bell_pdf_invoice"
    logins = (BellSelfServe,)
    locale = LOCALE

    async def fetch(self, page: PortalPage) -> PartFile:
        target = page.job.target
        page.begin("open Billing")
        await page.choose_entry(*entry_of("Billing", "Download PDF", "/div[1]/ul[1]/li[1]/ul[1]/li[3]/a[1]"))
        await choose_account(page, target.account, FORM)
        page.begin("choose the month")
        await page.tick((COMPLETE,))
        await page.month(MONTHS, target.end, "%B %Y", self.today())
        await page.click(CONTINUE)
        page.begin("wait for the PDF")
        await page.find(DOWNLOAD, within=120)
        return await page.download(DOWNLOAD)
