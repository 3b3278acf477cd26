"""
Prices as pages write them: an amount, and the ISO code of its currency where that is known for certain.

Read by the page's locale, else by what the notation itself says; what may be two amounts (1,234), or more than one price, is
refused. The text of a ValueError does not repeat the price.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from scrapers.reading.values.locale import Locale
from scrapers.reading.values.marks import without_marks
from scrapers.reading.values.numbers import LONGEST, decimal, exactly, price

# Signs of one currency; longer ones are looked for first.
SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₪": "ILS", "₽": "RUB", "₺": "TRY", "₴": "UAH", "฿": "THB", "₫": "VND",
    "₱": "PHP", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "R$": "BRL", "US$": "USD", "$US": "USD", "U$S": "USD", "CA$": "CAD",
    "C$": "CAD", "$CA": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "SG$": "SGD", "NT$": "TWD",
    "MX$": "MXN", "JP¥": "JPY", "CN¥": "CNY", "円": "JPY", "元": "CNY", "SFr.": "CHF", "£GB": "GBP", "BR$": "BRL", "Fr.": "CHF",
}  # fmt: skip
# Signs of several: known only where the shop has been told the buyer's country.
SHARED = {
    "$": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP BRL",
    "¥": "JPY CNY",
    "￥": "JPY CNY",
    "kr": "SEK NOK DKK ISK",
    "kr.": "SEK NOK DKK ISK",
}
BLANKS = " \u00a0\u2007\u2009\u202f"
NUMBER = re.compile(rf"\d(?:[\d.,'’{BLANKS}]*\d)?")
WHOLE = re.compile(r"(?<=\d)[.,][-–—]{1,2}(?!\d)")  # 49,- and 49.–
VAT = r"(?:vat|tax(?:es)?|gst|mwst|ust|tva|iva|btw|moms)\b\.?"
INCLUDED = re.compile(
    rf"\b(?:inc(?:l|luding|ludes?)?\.?|inkl\.?|with|incluye|ttc)\s+(?:of\s+)?(?:all\s+)?{VAT}|\bttc\b|税込み?", re.I
)
EXCLUDED = re.compile(
    rf"\b(?:ex(?:cl|cluding|cludes?)?\.?|exkl\.?|zzgl\.?|plus|without|hors)\s+(?:of\s+)?{VAT}|\+\s?vat\b|\bht\b(?!\w)|税[抜別]き?",
    re.I,
)
LABEL = re.compile(
    r"^(?:(?:our|your|sale|regular|current|special|list)\s+)?(?:price|now|only|total|preis|prix|precio)\b\s*:?\s*", re.I
)
FREE = re.compile(r"(?:for\s+)?free|gratis|kostenlos|gratuit", re.I)
MOST = 3  # decimals of any coin
USUAL = 2  # decimals of a currency that is not known


class NotOnePrice(ValueError):
    """A text that says several amounts, or words beside one: "From £49.00" is the lowest of several prices."""


class Amount(NamedTuple):
    """What a text says: the amount, and its currency where it names one for certain."""

    amount: Decimal
    currency: str | None


def read(text: str, locale: Locale | None = None, country: str | None = None, currency: str | None = None) -> Amount:
    """
    Return the one price in a text; raise ValueError for any other text.

    locale: of the page. country: the buyer's, where the shop was told: it makes shared signs known. currency: of the page,
    for a text that names none or a shared sign.

    >>> read("£1,234.50"), read("49,99 €"), read("US$ 12", Locale("en"))
    (Amount(amount=Decimal('1234.50'), currency='GBP'), Amount(amount=Decimal('49.99'), currency='EUR'), Amount(amount=Decimal('12.00'), currency='USD'))
    >>> read("$12.00"), read("$12.00", country="US"), read("Free", currency="EUR")
    (Amount(amount=Decimal('12.00'), currency=None), Amount(amount=Decimal('12.00'), currency='USD'), Amount(amount=Decimal('0.00'), currency='EUR'))
    """
    said = " ".join(without_marks(text).split())
    said = LABEL.sub("", EXCLUDED.sub("", INCLUDED.sub("", said)).strip(" ()*")).strip()
    if FREE.fullmatch(said):
        return Amount(Decimal("0.00"), currency)
    said = WHOLE.sub("", said)
    found = list(NUMBER.finditer(said))
    if len(said) > 2 * LONGEST or len(found) != 1:
        raise (NotOnePrice if len(found) > 1 else ValueError)("is not one price")
    body, around = found[0][0], (said[: found[0].start()].strip(), said[found[0].end() :].strip())
    signs = [sign for part in around for sign in part.split()]
    named = {code for sign in signs if (code := _of_sign(sign, country, currency)) is not None}
    if len(named) > 1:
        raise ValueError("names two currencies")
    code = next(iter(named), None)
    return Amount(_number(body, locale, code), code if signs else currency)


def machine(value: Any, currency: str | None) -> Decimal:
    """
    Return an amount as programs write it; raise ValueError for another text, and for fractions of the smallest coin.

    >>> machine("49.990000", "EUR"), machine(0, "USD"), machine(4999, "JPY")
    (Decimal('49.99'), Decimal('0.00'), Decimal('4999'))
    """
    exact = exactly(value)
    if exact is None or len(str(exact)) > LONGEST:
        raise ValueError("is no price")
    return _in_coins(exact, currency)


def currency_of(code: Any) -> str | None:
    """
    Return the ISO code of a currency that is in use; None for another text.

    >>> currency_of("eur "), currency_of("QQQ"), currency_of("$")
    ('EUR', None, None)
    """
    given = code.strip().upper() if isinstance(code, str) else ""
    return given if given in _currencies() else None


def vat_in(text: str) -> bool | None:
    """
    Return whether a text says that prices include VAT; None where it says nothing, or both.

    >>> vat_in("All prices incl. VAT"), vat_in("zzgl. MwSt."), vat_in("incl. VAT (ex VAT: 10)"), vat_in("")
    (True, False, None, None)
    """
    inside, outside = INCLUDED.search(text) is not None, EXCLUDED.search(text) is not None
    return None if inside == outside else inside


def _number(body: str, locale: Locale | None, currency: str | None) -> Decimal:
    if locale is not None:
        try:
            return _in_coins(decimal(body, locale), currency)
        except ValueError:
            pass  # shops mix notations: the number may still say by itself how it is written
    return _in_coins(price(body.replace("’", "'"))[0], currency)


def _in_coins(amount: Decimal, currency: str | None) -> Decimal:
    """Return an amount with the decimals of its currency; raise ValueError for more of them, or a negative one."""
    if not amount.is_finite() or amount < 0 or amount.adjusted() >= 11:
        raise ValueError("is no price")
    coins = amount.quantize(Decimal(1).scaleb(-_decimals(currency)))
    if coins != amount:
        raise ValueError("has more decimals than its currency")
    return coins


def _of_sign(sign: str, country: str | None, currency: str | None) -> str | None:
    """Return the currency of a sign or code; None for one that several share; raise ValueError for no sign."""
    if (code := SIGNS.get(sign) or (currency_of(sign) if sign.isupper() else None)) is not None:
        return code
    if (shared := SHARED.get(sign)) is None:
        raise NotOnePrice("has words beside the price")
    sharing = set(shared.split())
    if currency in sharing:
        return currency
    if country is None:
        return None
    official = _official(country.upper()) & sharing
    # A shop shows dollars of the United States in countries whose own dollar it does not have.
    return next(iter(official)) if len(official | ({"USD"} & sharing)) == 1 and official else None


@cache
def _currencies() -> frozenset[str]:
    """Return the codes of the currencies that are legal tender somewhere today, as CLDR has them."""
    from babel.core import get_global

    return frozenset(code for territory in get_global("territory_currencies") for code in _official(territory))


@cache
def _official(territory: str) -> frozenset[str]:
    from babel.numbers import get_territory_currencies

    return frozenset(get_territory_currencies(territory))


def _decimals(currency: str | None) -> int:
    from babel.numbers import get_currency_precision

    return min(get_currency_precision(currency), MOST) if currency else USUAL
