"""Numbers and amounts of money."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from scrapers.reading.values.locale import Locale
from scrapers.reading.values.texts import Cell, known

CENT = Decimal("0.01")
MACHINE = re.compile(r"-?\d+(\.\d+)?")  # as JSON writes numbers, without an exponent


# As machines write them


def exactly(value: Any) -> Decimal | None:
    """
    Return a number as it is written; None for an empty text.

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
    if not MACHINE.fullmatch(text):
        raise ValueError("is no number")
    return Decimal(text)


def whole(value: Any) -> int | None:
    """
    Return a whole number, also one that is written as 3.0 or as text; None for an empty text.

    >>> whole(Decimal("107274.0")), whole("6"), whole("")
    (107274, 6, None)
    """
    exact = exactly(value)
    if exact is None:
        return None
    if exact != exact.to_integral_value():
        raise ValueError("is no whole number")
    return int(exact)


# As people read them


def number(text: str, locale: Locale) -> int | None:
    """
    Return the number that a text begins with; None for an unknown one.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> number("11 (Brakes)", canada), number("1,204", canada), number("—", canada)
    (11, 1204, None)
    """
    if not known(text):
        return None
    if (found := re.match(r"\d[\d,]*", known(text))) is None:
        raise ValueError(f"no number: {text}")
    return int(found[0].replace(",", ""))


def integer(cell: Cell, locale: Locale) -> int | None:
    """
    Return a whole number.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> integer(12.0, canada), integer("1,204", canada)
    (12, 1204)
    """
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return int(known(cell.replace(",", ""))) if known(cell) else None


def money(cell: Cell, locale: Locale) -> str | None:
    """
    Return an amount in full cents, as text: JSON has no exact numbers.

    >>> canada = Locale("en_CA", "America/Toronto")
    >>> money(45.0, canada), money("$1,234.50", canada), money("(3.10)", canada), money(0.125, canada)
    ('45.00', '1234.50', '-3.10', '0.13')
    """
    if isinstance(cell, float):
        # Full cents print as they are; the sum makes -0.0 a zero.
        return f"{cell + 0.0:.2f}" if round(cell, 2) == cell else str(exact(cell))
    said = re.sub(r"[,$\s]|CAD|USD", "", known(cell))
    if said.startswith("(") and said.endswith(")"):
        said = f"-{said[1:-1]}"
    return str(exact(said)) if said else None


def exact(number: float | str) -> Decimal:
    """
    Return an amount rounded to full cents, from the digits that are written.

    >>> exact(1.005)
    Decimal('1.01')
    """
    return Decimal(str(number)).quantize(CENT, "ROUND_HALF_UP")
