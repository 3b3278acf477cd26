"""Money as shops write it: countries with their currencies, and amounts written like an example."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

NARROW = "\N{NARROW NO-BREAK SPACE}"
SPACE = "\N{NO-BREAK SPACE}"
EXAMPLE = re.compile(r"1(?P<group>\D?)299(?:(?P<point>\D)00)?")


@dataclass(frozen=True, slots=True)
class Country:
    """
    A country with its currency.

    rate: units of the currency for one pound. notations: how 1299 is written, the usual way first. tax: words beside a
    price that holds tax.
    """

    code: str
    currency: str
    rate: str
    notations: tuple[str, ...]
    tax: str = ""

    def price(self, pounds: Decimal) -> Decimal:
        """Return an amount in this currency, with as many decimals as the country writes."""
        unit = Decimal("0.01") if "00" in self.notations[0] else Decimal(1)
        return (pounds * Decimal(self.rate)).quantize(unit)


def written(amount: Decimal, like: str) -> str:
    """
    Write an amount as an example writes 1299.

    >>> written(Decimal("2879.2"), "1.299,00 €")
    '2.879,20 €'
    """
    matched = EXAMPLE.search(like)
    if matched is None:
        raise ValueError(f"{like!r} does not say 1299.")
    whole, _, cents = f"{amount:,.2f}".partition(".")
    point = matched["point"] or ""
    return like.replace(matched[0], whole.replace(",", matched["group"]) + (point + cents if point else ""))


COUNTRIES = {
    country.code: country
    for country in (
        Country("GB", "GBP", "1", ("£1,299.00", "£ 1,299.00", "GBP 1,299.00"), "inc. VAT"),
        Country("US", "USD", "1.27", ("$1,299.00", "US$1,299.00", "$1,299.00 USD", "USD 1,299.00")),
        Country("DE", "EUR", "1.17", ("1.299,00 €", "€ 1.299,00", "1.299,00 EUR", f"1.299,00{SPACE}€"), "inkl. MwSt."),
        Country("IE", "EUR", "1.19", ("€1,299.00", "EUR 1,299.00"), "inc. VAT"),
        Country("FR", "EUR", "1.18", (f"1{NARROW}299,00{SPACE}€", f"1{SPACE}299,00 €", "1 299,00 EUR"), "TTC"),
        Country("JP", "JPY", "191", ("¥1,299", "1,299円", "JP¥1,299", "JPY 1,299"), "税込"),
        Country("SE", "SEK", "13.3", (f"1{SPACE}299,00{SPACE}kr", "1.299,00 kr", "1 299,00 SEK"), "inkl. moms"),
        Country("CA", "CAD", "1.73", ("CA$1,299.00", "C$1,299.00", "CAD 1,299.00")),
        Country("AU", "AUD", "1.94", ("A$1,299.00", "AU$1,299.00", "AUD 1,299.00"), "inc. GST"),
        Country("CH", "CHF", "1.12", ("CHF 1'299.00", "CHF 1’299.00", "1'299.00 CHF"), "inkl. MWST"),
    )
}
