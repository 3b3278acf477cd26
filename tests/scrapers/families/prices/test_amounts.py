"""Amounts of money as pages write them: exactly, or not at all."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from babel.numbers import format_currency, format_decimal
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scrapers.families.prices.amounts import currency_of, machine, read, vat_in
from scrapers.reading.values.locale import Locale

MANY = settings(max_examples=400, deadline=None, derandomize=True, database=None)
TAGS = (
    "en_GB",
    "en_US",
    "de_DE",
    "fr_FR",
    "de_CH",
    "sv_SE",
    "pt_BR",
    "es_ES",
    "pl_PL",
    "en_IN",
    "it_IT",
    "nl_NL",
    "he_IL",
)
CODES = ("EUR", "GBP", "PLN", "CHF", "INR", "BRL")
amounts = st.decimals(min_value=0, max_value=9_999_999, places=2, allow_nan=False, allow_infinity=False)
en, de = Locale("en_GB"), Locale("de_DE")


@MANY
@given(amounts, st.sampled_from(TAGS), st.sampled_from(CODES))
@example(Decimal("1234.00"), "de_DE", "EUR")
@example(Decimal("0.00"), "en_GB", "GBP")
@example(Decimal("1234567.89"), "en_IN", "INR")
def test_an_amount_is_read_as_its_locale_writes_it(amount, tag, code):
    said = format_currency(amount, code, "¤ #,##0.00", locale=tag)
    assert read(said, Locale(tag)) == (amount, code)
    assert read(f"{format_decimal(amount, '#,##0.00', locale=tag)} {code}", Locale(tag)) == (amount, code)


@MANY
@given(amounts, st.sampled_from(TAGS))
def test_without_a_locale_an_amount_is_the_same_or_refused(amount, tag):
    said = f"€ {format_decimal(amount, '#,##0.00', locale=tag)}"
    try:
        assert read(said) == (amount, "EUR")
    except ValueError:
        assert tag == "en_IN"  # whose groups of two digits no other has


@MANY
@given(amounts, st.sampled_from(TAGS), st.sampled_from(TAGS))
def test_in_another_locale_an_amount_is_the_same_or_refused(amount, written, read_as):
    said = f"{format_decimal(amount, '#,##0.00', locale=written)} €"
    with suppress(ValueError):
        assert read(said, Locale(read_as)).amount == amount


@MANY
@given(st.integers(0, 99_999_999), st.sampled_from(("ja_JP", "en_US")))
def test_currencies_without_decimals(amount, tag):
    assert read(f"JPY {format_decimal(amount, locale=tag)}", Locale(tag)) == (amount, "JPY")


@MANY
@given(st.text(alphabet="0123456789.,' -–€£$%abAB\u00a0\n", max_size=20), st.sampled_from((None, en, de)))
def test_garbage_is_refused_or_a_sound_amount(text, locale):
    try:
        found = read(text, locale)
    except ValueError:
        return
    assert found.amount.is_finite()
    assert found.amount >= 0
    # Every digit that was written is in the amount, and no other but noughts.
    digits = "".join(sign for sign in text if sign.isdigit()).strip("0")
    assert digits == str(found.amount).replace(".", "").strip("0")


@pytest.mark.parametrize(
    ("text", "locale", "amount", "currency"),
    [
        # The notations that the first rule of such checkers read wrongly
        ("€49,99", None, "49.99", "EUR"),
        ("€49,99", en, "49.99", "EUR"),
        ("49,99 €", None, "49.99", "EUR"),
        ("49,99\u00a0€", de, "49.99", "EUR"),
        ("12,12 €", None, "12.12", "EUR"),
        ("1.234,50 €", en, "1234.50", "EUR"),
        ("1 234,50 €", None, "1234.50", "EUR"),
        ("1\u202f234,50 €", Locale("fr_FR"), "1234.50", "EUR"),
        ("CHF 1'234.50", None, "1234.50", "CHF"),
        ("CHF 1’234.50", Locale("de_CH"), "1234.50", "CHF"),
        ("£1,234", en, "1234.00", "GBP"),
        ("1.234 €", de, "1234.00", "EUR"),
        ("A$49.00", en, "49.00", "AUD"),
        ("C$49.00", en, "49.00", "CAD"),
        ("US$49.00", en, "49.00", "USD"),
        ("$49.00 USD", en, "49.00", "USD"),
        ("USD 49", en, "49.00", "USD"),
        ("49,- €", None, "49.00", "EUR"),
        ("49.– CHF", None, "49.00", "CHF"),
        ("499 zł", None, "499.00", "PLN"),
        ("1 299 Kč", None, "1299.00", "CZK"),
        ("£49.00 inc. VAT", en, "49.00", "GBP"),
        ("59,50 € inkl. MwSt.", de, "59.50", "EUR"),
        ("Price: £49.00", en, "49.00", "GBP"),
        ("Now £49.00", en, "49.00", "GBP"),
        ("Free", en, "0.00", None),
        ("FREE", None, "0.00", None),
        ("£0.00", en, "0.00", "GBP"),
        ("0 €", None, "0.00", "EUR"),
        ("\u200e£49.00\u200f", en, "49.00", "GBP"),
        ("1.234 KWD", en, "1.234", "KWD"),
        # Signs of several currencies say none
        ("$49.00", en, "49.00", None),
        ("49 kr", None, "49.00", None),
        ("¥49", en, "49.00", None),
        ("49.00", en, "49.00", None),
    ],
)
def test_notations(text, locale, amount, currency):
    found = read(text, locale)
    assert (str(found.amount), found.currency) == (amount, currency)


@pytest.mark.parametrize(
    "text",
    ["", "£", "€€", "From £49.00", "ab 49 €", "£49.00 - £59.00", "£49.00 £59.00", "49%", "(84% off)", "Save £10.00", "-£5.00",
     "£-5", "1,234 €", "1.234 €", "£49.999", "49 99 €", "£ 4 9", "£49.00/month", "£49.00 per seat", "x2 £49",
     "€49 £40", "12.345.67", "1,2,3", "Free trial", "Free £5", "49 QQQ", "£" + "9" * 30, "٤٩ €", "12:30", "3 for £10"],
)  # fmt: skip
def test_what_is_not_one_price_is_refused(text):
    with pytest.raises(ValueError):
        read(text, None if text in ("1,234 €", "1.234 €") else en)


@pytest.mark.parametrize(
    ("text", "country", "page", "currency"),
    [
        ("$49", "US", None, "USD"),
        ("$49", "CA", None, None),  # its own dollars, or those of the United States
        ("$49", "AU", None, None),
        ("$49", "GB", None, None),
        ("$49", "CA", "CAD", "CAD"),
        ("$49", None, "AUD", "AUD"),
        ("€49", "US", "USD", "EUR"),  # what is written counts
        ("49 kr", "SE", None, "SEK"),
        ("49 kr", "DK", None, "DKK"),
        ("49 kr", "DE", None, None),
        ("¥4900", "JP", None, "JPY"),
        ("4900", None, "JPY", "JPY"),
        ("Free", None, "USD", "USD"),
    ],
)
def test_a_shared_sign_is_known_where_the_country_or_the_page_says_it(text, country, page, currency):
    assert read(text, en, country, page).currency == currency


def test_two_spellings_of_an_amount_are_one():
    assert machine("2879.2", "EUR") == machine(2879.20, "EUR") == read("2.879,20 €").amount


@pytest.mark.parametrize("value", [None, "", "49,99", "1e3", "NaN", "Infinity", True, [], {}, "-1", -0.01, "49.999", "0x10", 39.989999999999995, "9" * 26])  # fmt: skip
def test_what_programs_write_is_exact_or_refused(value):
    with pytest.raises(ValueError):
        machine(value, "EUR")


@pytest.mark.parametrize(
    ("code", "expected"), [("gbp", "GBP"), ("US$", None), ("", None), (None, None), ("ABC", None), ("DEM", None)]
)
def test_codes_of_currencies(code, expected):
    assert currency_of(code) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("inc VAT", True), ("including taxes", True), ("inkl. MwSt.", True), ("TTC", True), ("ex. VAT", False), ("excl. BTW", False),
     ("zzgl. USt.", False), ("plus VAT", False), ("HT", False), ("incl. VAT, 40.00 ex VAT", None), ("VAT number 12", None),
     ("excited to include vats", None), ("税込", True), ("税抜き", False)],
)  # fmt: skip
def test_what_is_said_of_vat(text, expected):
    assert vat_in(text) is expected
