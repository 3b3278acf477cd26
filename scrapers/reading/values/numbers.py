"""Numbers and amounts of money: in machine format, and in the format of the portal's locale."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from scrapers.reading.values.locale import Locale
from scrapers.reading.values.marks import without_marks
from scrapers.reading.values.texts import EXACT, Cell, known

CENT = Decimal("0.01")
MACHINE = re.compile(r"-?\d+(\.\d+)?")  # as JSON writes numbers, without an exponent
LONGEST = 25  # characters of a number; Decimal computes with 28 digits
BLANK = " \u00a0\u2007\u2009\u202f"  # in no locale a decimal sign
BLANK_GROUPS = re.compile(rf"\d{{1,3}}(?:([{BLANK}])\d{{3}})(?:\1\d{{3}})*(?:[.,]\d+)?")
BODY = re.compile(r"[.,]?\d(?:.*\d)?", re.S)  # from the first digit to the last
MINUS = ("-", "\u2212", "\u2013")  # hyphen, minus sign, en dash
CURRENCY = re.compile(r"(?:CA|US|C)?\$(?:\s?(?:CA|US))?|\bCAD\b|\bUSD\b|\bILS\b|\bNIS\b|₪|ש[\"״]ח", re.I)
SIGNS = {"C": "CAD", "CA": "CAD", "US": "USD", "₪": "ILS", "NIS": "ILS", 'ש"ח': "ILS", "ש״ח": "ILS"}
# The number at the beginning of a text; not the first part of a day, a time, a pair or an identifier.
LEADING = re.compile(rf"(\d(?:[\d.,{BLANK}]*\d)?)(?!\d|_|[a-z]+\d|[^\s\w]\d|\s*[-−–]\s*$)", re.I)


# Machine format


def exactly(value: Any) -> Decimal | None:
    """
    Return a number with exactly the digits that are written; None for an empty text.

    >>> exactly(0.1), exactly("-12.50"), exactly(None)
    (Decimal('0.1'), Decimal('-12.50'), None)
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("is no number")
    text = value.strip() if isinstance(value, str) else str(value)
    if not isinstance(value, str):
        exact = Decimal(text)
        if not exact.is_finite():
            raise ValueError("is no number")
        return exact
    if not (text.isascii() and MACHINE.fullmatch(text)):
        raise ValueError("is no number")
    return Decimal(text)


def whole(value: Any) -> int | None:
    """
    Return an integer, also from 3.0 or a text; None for an empty text.

    >>> whole(Decimal("107274.0")), whole("6"), whole("")
    (107274, 6, None)
    """
    exact = exactly(value)
    if exact is None:
        return None
    if exact != exact.to_integral_value():
        raise ValueError("is no whole number")
    return int(exact)


# The locale's format


def decimal(text: str, locale: Locale, beside: re.Pattern[str] | None = None) -> Decimal:
    r"""
    Parse a whole text as a number, by the decimal and group signs of the locale; raise ValueError for any other text.

    Groups must be whole; blanks of any kind group digits in every locale. A sign may stand before or behind; brackets
    mean a negative number. beside: pattern of a unit or currency that may occur once.

    >>> decimal("1,234.50", Locale("en_CA")), decimal("1\u202f234,5", Locale("fr_CA")), decimal("(12.50)", Locale("en_US"))
    (Decimal('1234.50'), Decimal('1234.5'), Decimal('-12.50'))
    >>> decimal("1,5", Locale("en_CA"))
    Traceback (most recent call last):
    ValueError: is no number in en_CA
    """
    said = without_marks(text).strip()
    body = BODY.search(said) if len(said) <= 2 * LONGEST else None
    if body is None:
        raise ValueError(f"is no number in {locale.tag}")
    around = [said[: body.start()], said[body.end() :]]
    if beside is not None:
        bare = [beside.sub("", part, count=1) for part in around]
        around = bare if sum(one != two for one, two in zip(around, bare, strict=True)) < 2 else around
    before, behind = (part.strip() for part in around)
    number = _unsigned(body[0], locale)
    if (before, behind) in (("", ""), ("+", "")):
        return number
    if (before in MINUS and not behind) or (behind in MINUS and not before) or (before, behind) == ("(", ")"):
        return -number
    raise ValueError(f"is no number in {locale.tag}")


def _unsigned(body: str, locale: Locale) -> Decimal:
    point, group = locale.decimal, locale.group
    whole_part, sign, fraction = body.partition(point)
    if body.isascii() and len(body) <= LONGEST:
        if whole_part.isdecimal() and not sign:
            return Decimal(whole_part)
        if fraction.isdecimal() and (whole_part.isdecimal() or not whole_part):
            return Decimal(f"{whole_part or 0}.{fraction}")
    if BLANK_GROUPS.fullmatch(body):
        body = re.sub(rf"[{BLANK}]", group, body)
    # Babel would take a point for the decimal sign where it is neither that nor the group sign.
    if len(body) > LONGEST or not re.fullmatch(f"[0-9{re.escape(point + group)}]+", body):
        raise ValueError(f"is no number in {locale.tag}")
    from babel.numbers import NumberFormatError, parse_decimal

    try:
        return parse_decimal(body, locale=locale.tag, strict=True)
    except NumberFormatError:  # its text repeats the value
        raise ValueError(f"is no number in {locale.tag}") from None


def number(text: str, locale: Locale) -> int | None:
    """
    Return the integer part of the number at the beginning of a text; None for an unknown one.

    Raises ValueError for an ambiguous number: 1.234 may have a group sign or a decimal sign.

    >>> usa = Locale("en_US")
    >>> number("11 (Brakes)", usa), number("1,204", usa), number("123 456 km", usa), number("—", usa)
    (11, 1204, 123456, None)
    """
    said = known(without_marks(text))
    if not said:
        return None
    if (found := LEADING.match(said)) is None:
        raise ValueError("is no number")
    exact = decimal(found[1], locale)
    if exact != int(exact) and len(found[1].rpartition(locale.decimal)[2]) == 3:
        raise ValueError("is a fraction or a group")
    return int(exact)


def integer(cell: Cell, locale: Locale) -> int | None:
    """
    Return a whole number.

    >>> integer(12.0, Locale("en_CA")), integer("1,204", Locale("en_CA"))
    (12, 1204)
    """
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        return int(cell)
    if not isinstance(cell, str):
        raise ValueError("is no whole number")
    if not known(cell):
        return None
    exact = decimal(cell, locale)
    if exact != int(exact):
        raise ValueError("is no whole number")
    return int(exact)


def money(cell: Cell, locale: Locale) -> str | None:
    """
    Return an amount as text, because JSON has no exact numbers: with two decimals, or more if it has them.

    >>> canada = Locale("en_CA")
    >>> money(45.0, canada), money("$1,234.50", canada), money("(3.10)", canada), money(0.125, canada)
    ('45.00', '1234.50', '-3.10', '0.125')
    >>> money("1 234,50 $", Locale("fr_CA"))
    '1234.50'
    """
    if isinstance(cell, float):
        if not -EXACT < cell < EXACT:
            raise ValueError("is no amount")
        if round(cell, 2) == cell:
            return f"{cell + 0.0:.2f}"  # adding 0.0 turns -0.0 into 0.0
        return _amount(Decimal(f"{cell:.15g}"))  # rounded to a workbook's 15 digits, without binary noise
    if not isinstance(cell, str):
        raise ValueError("is no amount")
    return _amount(decimal(cell, locale, beside=CURRENCY)) if known(cell) else None


def currency_of(cell: Cell) -> str | None:
    """
    Return the ISO code of the currency that a cell names; None where it names none, or "$" alone.

    >>> currency_of("US$ 12"), currency_of("12,50 $ CA"), currency_of("$12"), currency_of(12.0)
    ('USD', 'CAD', None, None)
    """
    found = CURRENCY.search(cell) if isinstance(cell, str) else None
    sign = re.sub(r"[\s$]", "", found[0]).upper() if found else ""
    return SIGNS.get(sign, sign) or None


def _amount(number: Decimal) -> str:
    cents = number.quantize(CENT)
    return f"{(cents if cents == number else number.normalize()) + 0:f}"


def price(text: str) -> tuple[Decimal, str | None]:
    """
    Return an amount and its currency sign for an unknown locale; raise ValueError for an ambiguous text.

    >>> price("1.234,50 €"), price("$ 12.99"), price("12,5")
    ((Decimal('1234.50'), '€'), (Decimal('12.99'), '$'), (Decimal('12.5'), None))
    >>> price("1,234")
    Traceback (most recent call last):
    ValueError: is a fraction or a group
    """
    from price_parser import Price

    said = without_marks(text).strip()
    runs = re.findall(rf"[\d.,'’{BLANK}]*\d[\d.,'’{BLANK}]*", said)
    if len(runs) != 1 or re.search(r"[-−–%]", said):
        raise ValueError("is no price")
    body = runs[0].strip(f".,'’{BLANK}")
    marks = re.findall(r"[.,]", body)
    if len(marks) == 1 and re.search(r"^\d{1,3}[.,]\d{3}$", body):
        raise ValueError("is a fraction or a group")
    sign = marks[-1] if marks and (marks.count(marks[-1]) == 1) else None
    tag = {".": "en", ",": "de", None: "en"}[sign]
    if sign is None and marks:
        tag = {",": "en", ".": "de"}[marks[0]]
    found = Price.fromstring(said, decimal_separator=sign)
    if found.amount is None or found.amount != decimal(re.sub(r"['’]", " ", body), Locale(tag)):
        raise ValueError("is no price")
    return found.amount, found.currency or None
