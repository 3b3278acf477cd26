"""Texts, identifiers and yes/no marks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from scrapers.reading.values.locale import Locale
from scrapers.reading.values.marks import without_marks

UNKNOWN = ("", "-", "–", "—", "n/a", "null", "unknown")  # texts that mean "unknown"
EXACT = 1e15  # from here on a workbook's number may have lost digits
# Labels before the digits of an account number, and separators between them. A day does not match.
ACCOUNT = re.compile(
    r"(?:(?:billing|account|acct|ban|client|customer|compte|facturation|de|number|numéro|no|n°|nº|num)\b[\s.:°#]*|[#:\s])*"
    r"(?!\d{4}-\d\d-\d\d$)(\d+(?:[\s-]+\d+)*)\s*",
    re.I,
)
AS_TEXT = re.compile(r"^=\"(.*)\"$|^'")  # marks that stop a spreadsheet from turning a text into a number
NO_PHONE = re.compile(r"\s*\d{4}-\d\d-\d\d\b|.*\.\d{1,2}\D*$")  # a day, an amount
PHONE_MARKS = str.maketrans("", "", "+ -().")  # what stands between the digits of telephone numbers

Cell = Any  # of a workbook: text, float, bool, date, datetime, time, timedelta; "" for an empty one
Convert = Callable[[Cell, Locale], Any]  # None: the cell is empty or unknown; ValueError: it cannot be read


def known(text: str) -> str:
    """
    Return a text, stripped; "" for one that means "unknown".

    >>> known("—"), known(" T-1001 ")
    ('', 'T-1001')
    """
    return "" if text.strip().casefold() in UNKNOWN else text.strip()


def words(value: Any) -> str | None:
    """
    Return a text, stripped; None for an empty one. A number becomes a text.

    >>> words(" a "), words(503), words(""), words(None)
    ('a', '503', None, None)
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | float):
        raise ValueError("is no text")
    return str(value).strip() or None


def filled(value: Any) -> str:
    """Return a text; raise ValueError for an empty one."""
    text = words(value)
    if text is None:
        raise ValueError("is empty")
    return text


def marked(value: Any) -> bool | None:
    """
    Return a bool; X is True, an empty text is False.

    >>> marked("X"), marked(""), marked(True), marked(None)
    (True, False, True, None)
    """
    if value is None or isinstance(value, bool):
        return value
    if value in ("X", "x", "true", "True", 1):
        return True
    if value in ("", "false", "False", 0):
        return False
    raise ValueError("is neither yes nor no")


# Identifiers


def digits(text: str) -> str:
    """
    Return the digits of a text, by which account numbers are compared.

    >>> digits("Account #123-456 789")
    '123456789'
    """
    return re.sub(r"\D", "", text)


def bare_number(value: Any) -> str:
    """
    Return an identifier of digits without leading zeros; raise ValueError when empty.

    >>> bare_number("000300000007"), bare_number(300000007), bare_number("000")
    ('300000007', '300000007', '0')
    """
    text = filled(value)
    if not text.isascii() or not text.isdigit():
        raise ValueError("is no number")
    return text.lstrip("0") or "0"


def bare_number_or_none(value: Any) -> str | None:
    """Return an identifier like `bare_number`; None when there is none."""
    return None if words(value) is None else bare_number(value)


def account_number(cell: Cell, locale: Locale) -> str | None:
    """
    Return the digits of an account number, stored as text or as a number; None for a cell without any.

    Raises ValueError for digits that are not an account number: a day, a total, a number that lost some of its digits.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> account_number(512345678.0, canada), account_number("512 345 678", canada), account_number("Total", canada)
    ('512345678', '512345678', None)
    """
    if not isinstance(cell, str):
        return _whole_digits(cell)
    found = ACCOUNT.fullmatch(AS_TEXT.sub(r"\1", without_marks(cell)))
    if found is None and re.search(r"\d", cell):
        raise ValueError("is no account number")
    return digits(found[1]) if found else None


def phone_number(cell: Cell, locale: Locale) -> str | None:
    """
    Return the digits of a telephone number, of a North American one without the 1 of its country.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> phone_number("+1 (555) 010-0199", canada), phone_number(5550100199.0, canada), phone_number("555-0199", canada)
    ('5550100199', '5550100199', '5550199')
    """
    if isinstance(cell, str):
        if cell[:1] != "+" and NO_PHONE.match(cell):
            raise ValueError("is no telephone number")
        found = cell.translate(PHONE_MARKS)
        if not (found.isascii() and found.isdecimal()):
            if not (found := re.sub(r"[\s\u2010-\u2013]", "", without_marks(known(found)))):
                return None
            if not (found.isascii() and found.isdecimal()):
                raise ValueError("is no telephone number")
    else:
        found = _whole_digits(cell)
    if len(found) > 20:
        raise ValueError("too long for a telephone number")
    return (found[1:] if len(found) == 11 and found[0] == "1" else found) or None


def _whole_digits(cell: Cell) -> str:
    """Return the digits of an identifier that is stored as a number."""
    if not isinstance(cell, float) or not cell.is_integer() or not 0 <= cell < EXACT:
        raise ValueError("is no identifier")
    return str(int(cell))


# Cells of workbooks


def text(cell: Cell, locale: Locale) -> str | None:
    """
    Return a text; integral numbers without a fraction, None for texts that mean "unknown".

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> text(" Share 20 ", canada), text(4.0, canada), text("n/a", canada)
    ('Share 20', '4', None)
    """
    said = (cell if isinstance(cell, str) else str(plain(cell))).strip()
    return None if said.casefold() in UNKNOWN else clean(said)


def text_up_to(length: int) -> Convert:
    """Return a converter of texts for a column of *length* characters; a longer text raises ValueError."""

    def read(cell: Cell, locale: Locale) -> str | None:
        found = text(cell, locale)
        if found is not None and len(found) > length:
            raise ValueError(f"longer than {length} characters")
        return found

    return read


def plain(cell: Cell) -> Any:
    """
    Return a cell as a JSON value; integral floats, as workbooks store integers, become int.

    >>> plain(4.0), plain(4.5), plain(date(2026, 10, 1))
    (4, 4.5, '2026-10-01')
    """
    if isinstance(cell, str):
        return clean(cell)
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else cell
    return cell if isinstance(cell, int) else cell.isoformat() if isinstance(cell, date) else str(cell)


def clean(text: str) -> str:
    """Return a text without NUL characters, which databases refuse."""
    return text.replace("\x00", "") if "\x00" in text else text
