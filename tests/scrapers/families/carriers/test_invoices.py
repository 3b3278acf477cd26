"""Invoices are compared with their job, with the portal's list, and with their own lines."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pypdf
import pytest

from scrapers.core.items import Listing
from scrapers.core.outcomes import PortalChanged, WrongAccount
from scrapers.core.spool import describe
from scrapers.families.carriers.invoices import FetchedInvoice, ListedInvoice, compare
from scrapers.families.carriers.items import DifferenceRecord, InvoiceRecord
from scrapers.families.carriers.reports import PdfInvoice
from scrapers.families.carriers.spiders import CarrierTarget
from scrapers.reading.invoices import Invoice
from scrapers.reading.values.locale import Locale
from tests.scrapers.reading.invoice_pdfs import FORTY, Made, replace

OWN, OTHER = "533122906", "533122907"


def target_of(invoice: Made) -> CarrierTarget:
    return CarrierTarget(
        account_id=1, account=invoice.account, billing_cycle_id=2, start=invoice.start, end=invoice.end
    )


def listed_of(invoice: Made) -> ListedInvoice:
    return ListedInvoice(invoice.due, invoice.number, invoice.issued)


def plant(place: int, invoice: Made) -> tuple[Made, ListedInvoice, str]:
    """Return an invoice with a difference, what the list shows, and what the difference is called."""
    shown = listed_of(invoice)
    if place % 5 == 0:
        return invoice, replace(shown, total=invoice.due + Decimal("0.01")), "total"
    if place % 5 == 1:
        return invoice, replace(shown, number=f"{int(invoice.number) + 1}"), "invoice_number"
    if place % 5 == 2:
        return invoice, replace(shown, issued=invoice.issued + timedelta(days=1)), "invoice_date"
    if place % 5 == 3:
        return invoice, replace(shown, total=-invoice.due), "total"
    off = replace(invoice, off=Decimal("-0.05"))
    return off, listed_of(off), "sum_of_lines"


def test_ten_planted_differences_of_forty_are_named_and_no_other(tmp_path):
    # Of all layouts and both languages; letters have no lines that could be summed.
    planted = {4 * place + place % 4: place for place in range(10)}
    expected, found = {}, {}
    for each in FORTY:
        invoice, listed, name = plant(planted[each.seed], each) if each.seed in planted else (each, listed_of(each), "")
        if each.seed in planted:
            expected[each.seed] = [name]
        compared = compare(target_of(each), invoice.read(tmp_path), listed)
        assert compared.notes == []
        if compared.differences:
            found[each.seed] = [difference[0] for difference in compared.differences]
    assert len(expected) == 10
    assert found == expected


SEP = {"start": date(2026, 9, 1), "end": date(2026, 9, 30)}
OCT = {"start": date(2026, 10, 1), "end": date(2026, 10, 31)}
NOV = {"start": date(2026, 11, 1), "end": date(2026, 11, 30)}
MIDDLE = {"start": date(2026, 9, 16), "end": date(2026, 10, 15)}


@pytest.mark.parametrize(
    ("cycle", "said", "result"),
    [
        (OCT, {**OCT, "issued": date(2026, 11, 1)}, "same"),
        (OCT, SEP, "refused"),
        (OCT, {**SEP, "issued": date(2026, 10, 1)}, "refused"),  # issued in the month that was asked for
        (OCT, NOV, "refused"),
        (OCT, {**NOV, "issued": date(2026, 11, 1)}, "same"),  # billed in advance
        (MIDDLE, OCT, "same"),  # the account's billing day is not known: the month is the same
        (MIDDLE, {"start": date(2026, 10, 5), "end": date(2026, 11, 4)}, "differs"),
        (MIDDLE, {"start": date(2026, 10, 16), "end": date(2026, 11, 15)}, "refused"),
        (MIDDLE, {"start": date(2026, 8, 16), "end": date(2026, 9, 15)}, "refused"),
        (OCT, {"month": "2026-10"}, "same"),
        (OCT, {"month": "2026-09"}, "refused"),
        (MIDDLE, {"month": "2026-09"}, "differs"),
        (OCT, {"issued": date(2026, 10, 31)}, "same"),
        (OCT, {"issued": date(2026, 11, 30)}, "same"),
        (OCT, {"issued": date(2026, 12, 1)}, "refused"),
        (OCT, {"issued": date(2026, 9, 30)}, "refused"),
        (OCT, {}, "noted"),
    ],
)
def test_only_a_certain_contradiction_of_the_month_refuses(cycle, said, result):
    target = CarrierTarget(account_id=1, account=OWN, billing_cycle_id=2, **cycle)
    invoice = Invoice(accounts=(frozenset({OWN}),), is_named=True, **said)
    if result == "refused":
        with pytest.raises(PortalChanged, match="another month"):
            compare(target, invoice)
        return
    compared = compare(target, invoice)
    assert [each[0] for each in compared.differences] == (["period"] if result == "differs" else [])
    assert len(compared.notes) == (result == "noted")


@pytest.mark.parametrize(
    ("accounts", "is_named", "result"),
    [
        ([{OWN}], True, "same"),
        ([{f"0{OWN}"}], True, "same"),
        ([{OWN, OTHER}], True, "same"),
        ([{OTHER}], False, "refused"),
        ([{OTHER}, {"533122908"}], False, "refused"),
        ([{OTHER}], True, "differs"),
        ([{OTHER}, {OWN}], True, "differs"),
        ([{"12345"}], False, "noted"),  # a number of another kind
        ([], False, "noted"),
        ([], True, "same"),
    ],
)
def test_only_an_invoice_that_names_others_alone_is_another_account_s(accounts, is_named, result):
    target = CarrierTarget(account_id=1, account=OWN, billing_cycle_id=2, **OCT)
    invoice = Invoice(accounts=tuple(map(frozenset, accounts)), is_named=is_named, **OCT)
    if result == "refused":
        with pytest.raises(WrongAccount):
            compare(target, invoice)
        return
    compared = compare(target, invoice)
    assert [each[0] for each in compared.differences] == (["account"] if result == "differs" else [])
    assert len(compared.notes) == (result == "noted")
    assert not any(OTHER in warning for warning in compared.warnings())


def test_the_list_is_read_as_far_as_it_is_understood():
    canada = Locale("en_CA", day_first=False)
    assert ListedInvoice.of(canada, "$1,234.50", " T-1 ", "10/31/2026") == ListedInvoice(
        Decimal("1234.50"), "T-1", date(2026, 10, 31)
    )
    assert ListedInvoice.of(canada, "see bill", "", "soon") == ListedInvoice()


def test_what_the_list_shows_and_the_invoice_does_not_say_is_noted():
    target = CarrierTarget(account_id=1, account=OWN, billing_cycle_id=2, **OCT)
    invoice = Invoice(
        accounts=(frozenset({OWN}),), is_named=True, charged=Decimal(9), unclear={"due": "2 different ones"}, **OCT
    )
    compared = compare(target, invoice, ListedInvoice(Decimal(10), "T-1", date(2026, 11, 1)))
    assert (compared.differences, len(compared.notes)) == ([], 3)
    same = Invoice(accounts=(frozenset({OWN}),), number="00t1", charged=Decimal(10), due=Decimal(15), **OCT)
    assert compare(target, same, ListedInvoice(Decimal("10.00"), "T-1")).differences == []  # the list may show either


def visit(
    path, content: bytes, invoice: Made, listed: ListedInvoice | Mapping[str, str] | None = None
) -> tuple[list[Any], list[str]]:
    """Return the items and warnings of a visit that fetches this."""
    path.write_bytes(content)
    part = describe(path, "invoice")

    class Fetched(PdfInvoice):
        name, portal, locale = "bell_pdf_invoice", "bell", Locale("en_CA")

        async def fetch(self, page: Any) -> Any:
            return part if listed is None else FetchedInvoice(part, listed)

    warnings: list[str] = []
    job = SimpleNamespace(id=7, target=target_of(invoice), warn=warnings.append)
    items: list[Any] = []

    async def collect() -> None:
        async for item in Fetched().visit(SimpleNamespace(job=job)):
            items.append(item)

    try:
        asyncio.run(collect())
    except (WrongAccount, PortalChanged):
        assert items == []
        raise
    return items, warnings


def test_a_fetched_invoice_comes_with_what_it_says(tmp_path):
    invoice = FORTY[2]
    items, warnings = visit(tmp_path / "p", invoice.pdf(), invoice)
    assert warnings == []
    assert isinstance(items[0], Listing)
    (record,) = items[1].records
    assert record == InvoiceRecord(
        job=7, billing_cycle_id=2, pdf_type="invoice", account_number=invoice.account, invoice_number=invoice.number,
        invoice_date=invoice.issued, period_start=invoice.start, period_end=invoice.end, total=invoice.due,
        currency=invoice.currency, due_date=invoice.due_date,
    )  # fmt: skip


def test_another_total_than_the_list_s_is_a_warning_and_a_record(tmp_path):
    invoice = FORTY[2]
    items, warnings = visit(tmp_path / "p", invoice.pdf(), invoice, ListedInvoice(total=Decimal("1.00")))
    _, difference = items[1].records
    assert isinstance(difference, DifferenceRecord)
    assert (difference.compared, difference.stated_by, difference.stated) == ("total", "portal", "1.00")
    assert difference.said == f"{invoice.due:.2f}"
    assert warnings == [f"The PDF says {invoice.due:.2f} as its total, where the portal's list says 1.00."]


@pytest.mark.parametrize(
    ("shown", "compared"),
    [
        ({"total": "${:,.2f}", "number": "00{}", "issued": "{:%Y-%m-%d}"}, set()),
        ({"total": "$1.00", "number": "7", "issued": "2001-02-03"}, {"total", "invoice_number", "invoice_date"}),
        ({"total": "paid", "number": " ", "issued": "soon"}, set()),
    ],
)
def test_texts_of_the_list_are_read_by_the_spider_s_locale(tmp_path, shown, compared):
    invoice = FORTY[2]
    of = {"total": invoice.due, "number": invoice.number, "issued": invoice.issued}
    texts = {name: said.format(of[name]) for name, said in shown.items()}
    items, _ = visit(tmp_path / "p", invoice.pdf(), invoice, texts)
    assert {each.compared for each in items[1].records if isinstance(each, DifferenceRecord)} == compared


def test_a_spider_outside_of_a_portal_states_its_locale():
    class Stray(PdfInvoice):
        name, portal = "bell_pdf_invoice", "bell"

        async def fetch(self, page: Any) -> Any:
            return page

    with pytest.raises(AttributeError, match="locale"):
        Stray._locale()


def test_nothing_is_yielded_of_another_account_s_or_month_s_invoice_alone_or_in_a_zip(tmp_path):
    invoice = FORTY[2]
    stranger = replace(invoice, account=str(int(invoice.account) + 1))
    later = replace(invoice, start=invoice.start + timedelta(days=61), end=invoice.end + timedelta(days=61))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.pdf", invoice.pdf())
        archive.writestr("another.pdf", stranger.pdf())
    for content, failure in (
        (stranger.pdf(), WrongAccount),
        (later.pdf(), PortalChanged),
        (out.getvalue(), WrongAccount),
    ):
        with pytest.raises(failure):
            visit(tmp_path / "p", content, invoice)


def test_what_is_not_understood_costs_the_comparison_and_never_the_file(tmp_path):
    writer, out = pypdf.PdfWriter(io.BytesIO(FORTY[2].pdf())), io.BytesIO()
    writer.encrypt("invented")
    writer.write(out)
    items, warnings = visit(tmp_path / "p", out.getvalue(), FORTY[2])
    assert warnings == ["The PDF is encrypted: it was not compared."]
    assert items[1].records[0].unclear == {"text": "is encrypted"}
    items, warnings = visit(tmp_path / "p", b"<!doctype html><html>", FORTY[2])
    assert (items[1].records, warnings) == ((), [])  # the pipeline refuses it
