"""Invoices, from the statements of Bill Analyzer."""

from scrapers.core.page import PortalPage
from scrapers.core.periods import months_in
from scrapers.families.carriers.accounts import saying, the_one
from scrapers.families.carriers.globys import BILLS, MONTH, Globys
from scrapers.families.carriers.invoices import FetchedInvoice
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

    async def fetch(self, page: PortalPage) -> FetchedInvoice:
        target = page.job.target
        page.begin("open Bill Analyzer")
        async with bill_option(page, VIEW_BILL, ANALYZER) as there:
            analyzer = Globys(there, self.today())
            await analyzer.open(BILLS, MONTH)
            await analyzer.list_bills()
            document = (f"body:has(#bdfModalHeaderText{saying(target.account)}) {PRINT_BILL}",)
            listed = await analyzer.documents(BUTTON, document)
            await there.click(document)
            await there.arrives((ENTRIES,))
            offered = await there.scope.locator(ENTRIES).all_inner_texts()
            months = [(place, text) for place, text in enumerate(offered) if months_in(text)]
            place = the_one(months, target.account, target.end, self.today())
            return FetchedInvoice(await there.download((f"{ENTRIES} >> nth={place}",)), listed)
