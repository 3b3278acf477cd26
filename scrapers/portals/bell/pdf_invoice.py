"""Invoices of Corporate Self Serve."""

from collections.abc import AsyncIterator
from typing import Any

from scrapers.core.items import Listing
from scrapers.core.jobs import Job
from scrapers.core.page import PortalPage
from scrapers.core.spool import ZIP, PartFile
from scrapers.families.carriers.items import InvoiceFile
from scrapers.families.carriers.spiders import InvoiceSpider, month_missing
from scrapers.portals.bell.login import BellSelfServe
from scrapers.portals.bell.self_serve import choose_account, open_menu
from scrapers.reading.archive import unpack

COMPLETE = "label:has(input[name=invoiceSelect][value=Y])"
MONTHS = ("label:has(input[name=month])", "fieldset label:has(input[type=checkbox])")


class BellPdfInvoice(InvoiceSpider):
    """
    Portal
      Bell, Corporate Self Serve (https://business.bell.ca/corporateselfserve)
    Caveats
      Months go back about 18; where the portal sends a ZIP, every PDF in it is kept.
    """

    name = "bell_pdf_invoice"
    portal = "bell"
    logins = (BellSelfServe,)
    rendering = "browser"

    async def requests(self, job: Job) -> AsyncIterator[Any]:
        yield self.flow(job, self.fetch, self.stored)

    async def fetch(self, page: PortalPage) -> PartFile:
        """Bring the complete invoice of the cycle's month."""
        target = page.job.target
        await open_menu(page, "Billing", ("nav >> a:text-is('Download PDF')",))
        await choose_account(page, target.account, (COMPLETE,))
        page.begin("choose the month")
        await page.click((COMPLETE,))
        month = f"{target.end:%B %Y}"
        await page.shown(MONTHS, within=5)
        if month not in (offered := await page.texts(MONTHS)):
            raise month_missing(target.end, offered, "%B %Y", self.today())
        await page.click((f"label:has(input[type=checkbox]):text-is('{month}')",))
        await page.click(("#continueButton", "button:text-is('Continue')"))
        page.begin("wait for the PDF")
        await page.find(("#downloadPDFNOWBtn",), within=120)
        await page.find((f"main :text-is('{month}')",))
        return await page.download(("#downloadPDFNOWBtn",))

    def stored(self, job: Job, part: PartFile) -> Any:
        """Yield the invoice, or each PDF of a ZIP; the complete one is the invoice."""
        files = [part] if part.media_type != ZIP else sorted(unpack(part), key=lambda file: (len(file.name), file.name))
        keys = ["invoice", *(f"invoice_{number}" for number in range(2, len(files) + 1))]
        yield Listing(job=job.id, keys=tuple(keys))
        for key, file in zip(keys, files, strict=True):
            yield InvoiceFile(
                job=job.id,
                part=file,
                key=key,
                name=f"bell_{key}_{job.target.month}.pdf",
                period=job.target.month,
                billing_cycle_id=job.target.billing_cycle_id,
                pdf_type=key,
            )
