"""What a carrier's PDF says, beside its job, the portal's list, and its own lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.spool import PartFile
from scrapers.families.carriers.items import DifferenceRecord, InvoiceRecord
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.reading.invoices import Invoice, read_invoice
from scrapers.reading.pdf import texts_of
from scrapers.reading.values.days import day
from scrapers.reading.values.locale import Locale
from scrapers.reading.values.numbers import money
from scrapers.reading.values.texts import digits

STEP = "read the invoice"
# Up to so long after the beginning of its period an invoice is issued that bills in advance.
IN_ADVANCE = timedelta(days=5)

# Headings of a portal's list, by argument of `ListedInvoice.of`.
HEADINGS = {
    "total": r"(bill |invoice |statement )?(total|amount)( amount)?( due)?( ?\((\$|\w+)\))?",
    "number": r"(bill|invoice|statement) ?(number|no\.?|#)",
    "issued": r"(bill|invoice|statement|issue) date|date issued",
}
# Function for the page: of each row of a table that has a button, its place, all that it says, and pairs of heading and cell;
# and the text of the table.
READ_LIST = """(table, button) => {
  const said = cell => cell.textContent.replace(/\\s+/g, " ").trim();
  const rows = [...table.querySelectorAll("tr")];
  const heads = rows.map(row => [...row.cells]).find(cells => cells.length && cells.every(cell => cell.tagName === "TH")) ?? [];
  return [rows.map((row, place) => [row, place]).filter(([row]) => row.querySelector(button)).map(([row, place]) => [
    place,
    [row.innerText, ...[...row.querySelectorAll("[aria-label]")].map(each => each.ariaLabel)].join(" | "),
    row.cells.length === heads.length ? heads.map((head, column) => [said(head), said(row.cells[column])]) : []]), table.innerText];
}"""

SOURCES = {"portal": "the portal's list says", "job": "the job is about", "lines": "its lines sum to"}


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """What the portal's list shows of an invoice. None: not shown, or not understood."""

    total: Decimal | None = None
    number: str | None = None
    issued: date | None = None

    @classmethod
    def of(cls, locale: Locale, total: str = "", number: str = "", issued: str = "") -> Self:
        """Read the texts of the list's cells; one that is not understood is left out: it costs the comparison alone."""
        amount, issued_on = None, None
        with suppress(ValueError):
            amount = money(total, locale)
        with suppress(ValueError):
            issued_on = day(issued, locale)
        return cls(
            None if amount is None else Decimal(amount),
            number.strip() or None,
            None if issued_on is None else date.fromisoformat(issued_on),
        )


@dataclass(frozen=True, slots=True)
class FetchedInvoice:
    """A downloaded invoice, with what the list showed of it: values, or the texts of its cells by argument of `ListedInvoice.of`."""

    part: PartFile
    listed: ListedInvoice | Mapping[str, str]

    def shown(self, locale: Locale) -> ListedInvoice:
        """Return what the list showed; texts are read by the locale."""
        return self.listed if isinstance(self.listed, ListedInvoice) else ListedInvoice.of(locale, **self.listed)


def listed_texts(cells: Iterable[Sequence[str]]) -> dict[str, str]:
    """
    Return what a row of a portal's list shows, by argument of `ListedInvoice.of`; a heading that stands there twice is left out.

    >>> listed_texts([("Account", "533122906"), ("Bill date", "2026-11-01"), ("Total ($)", "$15.20")])
    {'total': '$15.20', 'issued': '2026-11-01'}
    """
    headed = {name: [said for head, said in cells if re.fullmatch(HEADINGS[name], head, re.I)] for name in HEADINGS}
    return {name: said[0] for name, said in headed.items() if len(said) == 1}


@dataclass
class Compared:
    """What came of comparing a PDF: differences (compared, stated by, stated, said), and what could not be compared."""

    differences: list[tuple[str, str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each difference and each note."""
        for compared, by, stated, said in self.differences:
            if compared == "account":  # account numbers are not logged
                yield "The PDF names another account first than the job's."
            else:
                name = "total" if compared == "sum_of_lines" else compared.replace("_", " ")
                yield f"The PDF says {said} as its {name}, where {SOURCES[by]} {stated}."
        yield from self.notes


def read_pdf(part: PartFile, locale: Locale, account: str) -> Invoice:
    """Read an invoice; of a PDF without readable texts everything is None. Blocks: call it from a worker thread."""
    try:
        texts, is_all = texts_of(part.path)
    except ValueError as error:
        return Invoice(unclear={"text": str(error)})
    return read_invoice(texts, locale, digits(account), is_all)


def compare(target: CarrierTarget, invoice: Invoice, listed: ListedInvoice | None = None) -> Compared:
    """
    Compare what an invoice says with its job, with the portal's list if there is one, and with its own lines.

    Raises WrongAccount for an invoice that certainly names other accounts alone, PortalChanged for one of another period.
    """
    found = Compared()
    if "text" in invoice.unclear:
        found.notes.append(f"The PDF {invoice.unclear['text']}: it was not compared.")
        return found
    _compare_account(found, digits(target.account), invoice)
    _compare_period(found, target, invoice)
    if listed is not None:
        _compare_list(found, invoice, listed)
    if invoice.summed is not None and invoice.summed[0] != invoice.summed[1]:
        found.differences.append(("sum_of_lines", "lines", f"{invoice.summed[0]:.2f}", f"{invoice.summed[1]:.2f}"))
    return found


def _compare_account(found: Compared, account: str, invoice: Invoice) -> None:
    own = account.lstrip("0")
    labelled = [{number for number in kind if len(number) == len(account)} for kind in invoice.accounts]
    is_own = [any(number.lstrip("0") == own for number in kind) for kind in invoice.accounts]
    others = next((kind for kind in labelled if kind), set())
    if is_own[:1] == [True]:
        return
    if others and not any(is_own) and not invoice.is_named:
        raise WrongAccount("The invoice names other accounts and not this one.", step=STEP)
    if others:
        found.differences.append(("account", "job", account, ", ".join(sorted(others))[:100]))
    elif not any(is_own) and not invoice.is_named:
        found.notes.append("The invoice names no account that is understood: its account was not checked.")


def _compare_period(found: Compared, target: CarrierTarget, invoice: Invoice) -> None:
    """
    Compare by the month in which the invoice's period ends, which is how billing months are called.

    A period that ends in another month and shares days with the job's cycle is a difference, because the cycle's days may
    be assumed ones; one without a day in common is of another month. Where only a date is known, an invoice is issued
    in the month in which its cycle ends or in the next.
    """
    start, end, issued = invoice.start, invoice.end, invoice.issued
    wanted, following = target.month, f"{target.end.replace(day=1) + timedelta(days=31):%Y-%m}"
    stated, refused = f"{target.start}/{target.end}", False
    if start is not None and end is not None:
        is_ahead = issued is not None and issued <= start + IN_ADVANCE
        closed, said = (start - timedelta(days=1) if is_ahead else end), f"{start}/{end}"
        if f"{closed:%Y-%m}" == wanted:
            return
        refused = not (start <= target.end and end >= target.start)
    elif invoice.month is not None:
        said = invoice.month
        if said == wanted:
            return
        refused = said != f"{target.start:%Y-%m}"
    elif issued is not None:
        if f"{issued:%Y-%m}" in (wanted, following) and issued >= target.start:
            return
        said, refused = f"{issued}", True
    else:
        found.notes.append("The invoice names no billing period that is understood: its month was not checked.")
        return
    if refused:
        raise PortalChanged("The invoice is of another month.", step=STEP)
    found.differences.append(("period", "job", stated, said))


def _compare_list(found: Compared, invoice: Invoice, listed: ListedInvoice) -> None:
    shown: list[tuple[str, Any, list[Any], Callable[[Any], str]]] = [
        ("total", listed.total, [invoice.total, invoice.charged], "{:.2f}".format),
        ("invoice_number", listed.number, [invoice.number], str),
        ("invoice_date", listed.issued, [invoice.issued], str),
    ]
    for name, stated, said, written in shown:
        if stated is None:
            continue
        if said[0] is None:
            found.notes.append(
                f"The PDF's {name.replace('_', ' ')} is not understood: it was not compared with the list."
            )
        elif not any(_plain(each) == _plain(stated) for each in said if each is not None):
            found.differences.append((name, "portal", written(stated)[:100], written(said[0])))


def _plain(value: Any) -> Any:
    """Return a value as it is compared: a number without signs and leading zeros."""
    return re.sub(r"[\W_]", "", value).lstrip("0").casefold() if isinstance(value, str) else value


def records_of(
    job: int, billing_cycle_id: int, pdf_type: str, invoice: Invoice, compared: Compared
) -> tuple[InvoiceRecord | DifferenceRecord, ...]:
    """Return the record of a PDF, and one for each difference."""
    ids: dict[str, Any] = {"job": job, "billing_cycle_id": billing_cycle_id, "pdf_type": pdf_type}
    said = InvoiceRecord(
        **ids,
        account_number=invoice.account,
        invoice_number=invoice.number,
        invoice_date=invoice.issued,
        period_start=invoice.start,
        period_end=invoice.end,
        total=invoice.total,
        currency=invoice.currency,
        due_date=invoice.due_date,
        unclear=invoice.unclear or None,
    )
    rows = (
        DifferenceRecord(**ids, compared=name, stated_by=by, stated=stated, said=value)
        for name, by, stated, value in compared.differences
    )
    return (said, *rows)
