"""Invoices of Corporate Self Serve."""

from scrapers.core.page import PortalPage
from scrapers.core.spool import PartFile
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import choose_account, open_menu

COMPLETE = ("label:has(input[name=invoiceSelect][value=Y])",)
MONTHS = ("label:has(input[name=month])", "fieldset label:has(input[type=checkbox])")
CONTINUE = ("#continueButton", "button:text-is('Continue')")
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

    async def fetch(self, page: PortalPage) -> PartFile:
        target = page.job.target
        await open_menu(page, "Billing", ("nav >> a:text-is('Download PDF')",))
        await choose_account(page, target.account, COMPLETE)
        page.begin("choose the month")
        await page.click(COMPLETE)
        await page.month(MONTHS, target.end, "%B %Y", self.today())
        await page.click(CONTINUE)
        page.begin("wait for the PDF")
        await page.find(DOWNLOAD, within=120)
        await page.find((f"main :text-is('{target.end:%B %Y}')",))
        return await page.download(DOWNLOAD)
