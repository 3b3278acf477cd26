"""The amount due, the invoices, and their PDFs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from scrapers.core.items import FileItem, Listing
from scrapers.core.jobs import Job
from scrapers.core.spool import PDF, PartFile
from scrapers.families.electricity.clock import JERUSALEM
from scrapers.families.electricity.items import Bill, Contract, CounterState, Invoice
from scrapers.portals.iec import api
from scrapers.portals.iec.customer import ContractsSpider, object_of, objects


class IecInvoices(ContractsSpider):
    """
    Portal
      Israel Electric Company, bills and invoices (https://iecapi.iec.co.il/api/BillingCollection).
    Caveats
      The company corrects invoices: the newest version is current, older ones are kept. A PDF is fetched once, unless
      -a again=yes; an open period has none yet. With a private supplier the amounts are 0.
    """

    name = "iec_invoices"
    report_type = "invoices"

    def contract(self, job: Job, contract: Contract) -> Iterator[Any]:
        """Request the bill, and then the invoices: the bill may have some that are not in their list."""
        go_on = partial(self._ask_invoices, job, contract, [])
        of: dict[str, Any] = {"contract": contract.contract, "bp": contract.bp}
        yield self.ask(job, api.ELECTRIC_BILL, partial(self._bill, contract), otherwise=go_on, **of)

    def _bill(self, contract: Contract, job: Job, data: Any) -> Iterator[Any]:
        data = {} if data is None else object_of("bill", data)
        shown = objects("bill.invoices", data.get("invoices"))
        if data:
            yield from self.stored(job, Bill, [Bill.read(job.id, "bill", data, contract=contract.contract)])
        yield from self._ask_invoices(job, contract, shown)

    def _ask_invoices(self, job: Job, contract: Contract, shown: list[dict[str, Any]]) -> Iterator[Any]:
        of: dict[str, Any] = {"contract": contract.contract, "bp": contract.bp}
        yield self.ask(job, api.INVOICES, partial(self._invoices, contract, shown), **of)

    def _invoices(self, contract: Contract, shown: list[dict[str, Any]], job: Job, data: Any) -> Iterator[Any]:
        data = {} if data is None else object_of("invoices", data)
        rows = objects("invoices.invoices", data.get("invoices"))
        listed = {str(each.get("invoiceId")) for each in rows}
        rows += [each for each in shown if str(each.get("invoiceId")) not in listed]
        invoices = Invoice.read_all(job.id, "invoices", rows, contract=contract.contract)
        states = [
            state
            for invoice, row in zip(invoices, rows, strict=True)
            for state in self._states(job, invoice, row.get("meterReadings"))
        ]
        yield from self.stored(job, Invoice, invoices)
        yield from self.stored(job, CounterState, states)
        newest_first = sorted(invoices, key=lambda each: each.invoice, reverse=True)
        files = {pdf_key(invoice): invoice for invoice in newest_first if invoice.has_pdf}
        yield Listing(job=job.id, keys=tuple(files))
        for key, invoice in files.items():
            if key not in job.stored:
                body = {"invoiceNumber": invoice.invoice, "contractId": invoice.contract, "bpNumber": contract.bp}
                yield self.ask(job, api.INVOICE_PDF, partial(self._pdf, invoice), body=body, stream=(PDF,))

    @staticmethod
    def _states(job: Job, invoice: Invoice, rows: Any) -> list[CounterState]:
        known = {"contract": invoice.contract, "invoice": invoice.invoice}
        return [
            CounterState.read(job.id, f"invoices.meterReadings[{at}]", row, position=at, **known)
            for at, row in enumerate(objects("invoices.meterReadings", rows))
        ]

    def _pdf(self, invoice: Invoice, job: Job, part: PartFile) -> Iterator[FileItem]:
        ends = invoice.period_ends_at
        yield FileItem(
            job=job.id,
            part=part,
            key=pdf_key(invoice),
            name=f"iec_{invoice.contract}_{invoice.invoice}.pdf",
            declared=(PDF,),
            period=f"{ends.astimezone(JERUSALEM):%Y-%m}" if ends else "",
        )


def pdf_key(invoice: Invoice) -> str:
    """Return the name under which an invoice's PDF is listed and stored."""
    return f"{invoice.contract}/{invoice.invoice}.pdf"
