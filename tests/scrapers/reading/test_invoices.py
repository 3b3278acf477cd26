"""Invoices are read as they are written, or not at all."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from sandbox.globys import invoices as globys
from sandbox.invented import Month
from sandbox.scripted.files import sheet
from scrapers.reading.invoices import Invoice, read_invoice
from scrapers.reading.pdf import texts_of
from scrapers.reading.values.locale import Locale
from tests.scrapers.reading.invoice_pdfs import FORTY, LAYOUTS, joined, made, replace

CANADA = Locale("en_CA", "America/Toronto")
OWN, OTHER = "533122906", "533122907"


def read(folder, *lines, locale=CANADA, **more) -> Invoice:
    """Return what is read of a page with these lines, each a text or several with their places."""
    placed = []
    for row, line in enumerate(lines):
        for text, x in [(line, 56)] if isinstance(line, str) else line:
            placed.append((text, x, 780 - 16 * row, 10))
    (folder / "p").write_bytes(sheet(placed))
    texts, is_all = texts_of(folder / "p", **more)
    return read_invoice(texts, locale, OWN, is_all)


def test_forty_invoices_of_four_layouts_in_two_languages(tmp_path):
    assert Counter((each.layout, each.language) for each in FORTY) == {
        (layout, language): 5 for layout in LAYOUTS for language in ("en", "fr")
    }
    wrong = {(each.seed, each.layout, each.language): each.wrong(each.read(tmp_path)) for each in FORTY}
    assert {which: values for which, values in wrong.items() if values} == {}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("layout", range(1, globys.LAYOUTS + 1))
def test_the_sandbox_s_own_invoices(tmp_path, layout, language):
    """Drawn by another hand: labels with colons, columns, boxes, the total on top."""
    shown = globys.Invoice(OWN, Month(2026, 10), "CAD", layout, language, off=Decimal(10))
    (tmp_path / "p").write_bytes(globys.invoice_pdf(shown))
    texts, is_all = texts_of(tmp_path / "p")
    found = read_invoice(texts, CANADA, OWN, is_all)
    assert (found.account, found.number, found.issued) == (OWN, shown.number, shown.issued)
    assert (found.start, found.end, found.due_date) == (shown.start, shown.month.last_day, shown.due)
    assert (found.total, found.currency) == (shown.total + 10, "CAD")
    assert found.summed == (shown.total, shown.total + 10)
    assert found.unclear == {}


@settings(max_examples=25, deadline=None)
@given(
    layout=some.sampled_from(LAYOUTS),
    language=some.sampled_from(["en", "fr"]),
    seed=some.integers(0, 10**6),
    cents=some.lists(some.integers(1, 10**9), min_size=2, max_size=3),
    issued=some.dates(date(2020, 3, 1), date(2035, 12, 1)),
)
def test_any_amounts_and_days_are_read_or_refused(tmp_path_factory, layout, language, seed, cents, issued):
    """Days in numbers alone may be of either order: they are None. Nothing is ever read as another value."""
    end = issued - timedelta(days=1)
    month = date(end.year, end.month, 1)
    lines = tuple(Decimal(each) / 100 for each in cents)
    shown = replace(
        made(seed, layout, language),
        lines=lines,
        issued=issued,
        start=month,
        end=end,
        due_date=issued + timedelta(days=20),
    )
    wrong = shown.wrong(shown.read(tmp_path_factory.getbasetemp()))
    assert set(wrong) <= {"issued", "start", "end", "due_date", "unclear"}
    assert all(value is None for name, value in wrong.items() if name != "unclear")
    assert not wrong or "cannot be read" in str(wrong["unclear"])


def test_two_different_values_are_none_with_the_reason(tmp_path):
    found = read(tmp_path, f"Account number: {OWN}", "Invoice number: 4850545975", "Invoice number: 4850545976",
                 "Total due: $10.00", "Total due: $11.00", "Total amount due: $10.00 USD", "Amount due: CA$10.00")  # fmt: skip
    assert (found.account, found.number, found.total, found.currency) == (OWN, None, None, None)
    assert found.unclear == {"number": "2 different ones", "due": "2 different ones", "currency": "2 different ones"}


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["Invoice date: 05/04/2026"], "issued"),  # April or May
        (["Invoice date: 05/14/2026", "Due date: 14/05/2026"], "issued"),  # of two orders
        (["Total due: 1,478 CAD"], "due"),  # a group in English, a fraction in French
        (["Total due: $1,478.5.0"], "due"),
        (["Total due: 5.00 CR"], "due"),
        (["Account number: *****2906"], "account"),
        (["Billing period: 2026-10-31 to 2026-10-01"], "period"),
    ],
)
def test_what_cannot_be_read_with_certainty_is_named(tmp_path, lines, name):
    found = read(tmp_path, *lines)
    assert found.unclear[name] in ("cannot be read", "2 different ones")
    assert (found.account, found.issued, found.start, found.total) == (None, None, None, None)


def test_days_in_numbers_are_read_by_the_locale_or_by_one_another(tmp_path):
    both = ("Invoice date: 05/04/2026", "Due date: 05/24/2026")
    assert read(tmp_path, *both).issued == date(2026, 5, 4)
    assert read(tmp_path, both[0], locale=Locale("en_US")).issued == date(2026, 5, 4)
    assert read(tmp_path, *both, locale=Locale("en_CA", day_first=True)).issued is None  # the locale says another order


def test_what_is_another_s_is_not_taken_for_its_own(tmp_path):
    found = read(tmp_path, f"Parent account number: {OWN}", f"Account number: {OTHER}", "Previous invoice number: 9000000001",
                 "Next bill date: December 1, 2026", "Amount due from last bill: $70.00", "Minimum amount due: $5.00",
                 "Facture précédente : 15,00 $", "See your account summary on page 2.", "Total due: $10.00")  # fmt: skip
    assert (found.accounts, found.is_named) == ((frozenset({OTHER}),), False)
    assert (found.number, found.issued, found.total, found.unclear) == (None, None, Decimal("10.00"), {})
    assert read(tmp_path, f"Account number: {OTHER}", f"Transferred to {OWN}").is_named


def test_a_total_of_this_invoice_stands_beside_what_is_to_be_paid(tmp_path):
    found = read(
        tmp_path, "Balance forward: $5.00", "Total new charges: $10.00", "Amount due by November 21, 2026: $15.00"
    )
    assert (found.charged, found.due, found.total, found.summed) == (
        Decimal("10.00"),
        Decimal("15.00"),
        Decimal("15.00"),
        None,
    )


@pytest.mark.parametrize(
    "row", ["Subtotal: $5.00", "Payment received: -$5.00", "Plan 2 of 3: $5.00", "Credit: $5.00", "Fee: $5.00 CR"]
)
def test_lines_of_which_one_is_not_certain_are_not_summed(tmp_path, row):
    sure = ("Statement", "Plans: $5.00", "Devices: $6.00", "Usage: $1.00")
    assert read(tmp_path, *sure, "Total due: $99.00").summed == (Decimal("12.00"), Decimal("99.00"))
    for place in range(1, 5):
        assert read(tmp_path, *sure[:place], row, *sure[place:], "Total due: $99.00").summed is None, place


def test_lines_with_further_columns_or_indented_ones_are_not_summed(tmp_path):
    head, foot = "Charges", [("Total due", 56), ("$99.00", 400)]
    plain = [[("Plans", 56), ("$5.00", 400)], [("Devices", 56), ("$6.00", 400)]]
    assert read(tmp_path, head, *plain, foot).summed == (Decimal("11.00"), Decimal("99.00"))
    assert read(tmp_path, head, *plain, [("of it: taxes", 70), ("$1.00", 400)], foot).summed is None
    assert read(tmp_path, head, *plain, [("Usage", 56), ("$1.00", 300), ("$2.00", 400)], foot).summed is None


def test_only_the_first_pages_and_characters_are_read(tmp_path):
    page = sheet([(f"Account number: {OWN}", 56, 780, 10)])
    (tmp_path / "p").write_bytes(joined(*[sheet([("Nothing", 56, 780, 10)])] * 3, page))
    assert [len(texts_of(tmp_path / "p", pages=pages)[0]) for pages in (3, 4)] == [3, 4]
    assert [texts_of(tmp_path / "p", pages=pages)[1] for pages in (3, 4)] == [False, True]
    texts, is_all = texts_of(tmp_path / "p", characters=10)
    assert ([text.text for text in texts], is_all) == (["Nothing", "Not"], False)


def test_encrypted_broken_and_scanned_documents_say_so(tmp_path):
    blank = pypdf.PdfWriter()
    blank.add_blank_page(200, 200)
    out = io.BytesIO()
    blank.write(out)
    blank.encrypt("invented")
    locked = io.BytesIO()
    blank.write(locked)
    for content, reason in (
        (out.getvalue(), "no text"),
        (locked.getvalue(), "encrypted"),
        (b"%PDF-1.4\n%%EOF", "opened"),
    ):
        (tmp_path / "p").write_bytes(content)
        with pytest.raises(ValueError, match=reason):
            texts_of(tmp_path / "p")
