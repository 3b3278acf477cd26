"""Invoices, from the statements of Bill Analyzer."""

from scrapers.core.outcomes import PortalChanged
from scrapers.core.page import PortalPage
from scrapers.core.periods import month_missing, names_month
from scrapers.core.spool import PartFile
from scrapers.families.carriers.accounts import saying
from scrapers.families.carriers.globys import BILLS, MONTH, Globys
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.portals.telus.login import MyTelus
from scrapers.portals.telus.my_telus import ANALYZER, bill_option

VIEW_BILL = ("says=View bill",)
BUTTON = "[aria-label*='PDF Bill' i]"
PRINT_BILL = ".bdfDocType:has-text('PDF copy of your print bill')"
ENTRIES = "button.bdf-doc-item"


class TelusPdfInvoice(PdfInvoice):
    """
    Portal
      TELUS, Bill Analyzer (https://www.telus.com/my-telus)
    Caveats
      Statements go back about 13 months.
    """

    name = "telus_pdf_invoice"
    logins = (MyTelus,)

    async def fetch(self, page: PortalPage) -> PartFile:
        account, month = page.job.target.account, page.job.target.end
        page.begin("open Bill Analyzer")
        async with bill_option(page, VIEW_BILL, ANALYZER) as there:
            analyzer = Globys(there, self.today())
            await analyzer.open(BILLS, MONTH)
            await analyzer.list_bills()
            document = (f"body:has(#bdfModalHeaderText{saying(account)}) {PRINT_BILL}",)
            entry = (f"{ENTRIES}:has-text('{month:%Y/%m}')",)
            try:
                return await analyzer.bill(BUTTON, document, entry)
            except PortalChanged:
                offered = await there.texts((ENTRIES,))
                if not offered or any(names_month(text, month) for text in offered):
                    raise
                raise month_missing(month, offered, "%B %Y", self.today()) from None
