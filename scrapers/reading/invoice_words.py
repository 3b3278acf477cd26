"""The words of invoices, in English and Canadian French: labels by what they name, and the notations of values behind them."""

from __future__ import annotations

import re
from typing import NamedTuple

from scrapers.reading.values.numbers import BLANK

MONTH_NAME = r"[^\W\d_]{3,9}\.?"
DATE = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"
    rf"|{MONTH_NAME}[\s-]+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er)?[\s-]+(?:of\s+)?{MONTH_NAME},?[\s-]+\d{{4}})(?!\d)"
)
TO = r"(?:to|through|thru|until|and|au|à|et|jusqu['’]au|[-–—])(?:\s+le\b)?"
# "October 1 to October 31, 2026", "1er au 31 octobre 2026", "Sep 16 - Oct 15, 2026".
PERIOD = re.compile(
    rf"(?P<first>{DATE}|{MONTH_NAME}\s+\d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}}(?:er|st|nd|rd|th)?(?:\s+{MONTH_NAME})?)"
    rf"\s*(?<![^\W\d_]){TO}\s*(?P<last>{DATE}|\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}(?!\d))",
    re.I,
)
ONE_DAY = re.compile(DATE, re.I)
ONE_MONTH = re.compile(rf"(?:{MONTH_NAME}\s+\d{{4}}|\d{{4}}-\d{{2}}|\d{{2}}/\d{{4}})(?![\d/-])(?!\s*{TO}\s)", re.I)
NUMERIC_DAY = re.compile(r"(?<![\d/.-])(\d{1,2})([-/.])(\d{1,2})\2\d{4}(?!\d)")

CURRENCY = r"(?:CAD|USD|(?:CA|US|C)\$|\$\s?(?:CAD|USD|CA|US)\b|\$)"
CODES = {"C": "CAD", "CA": "CAD", "CAD": "CAD", "US": "USD", "USD": "USD"}
AMOUNT = re.compile(
    rf"(?P<before>(?:{CURRENCY}|[-−–(]|\s)*)"
    rf"(?P<body>(?:\d{{1,3}}(?:[{BLANK}]\d{{3}})+|\d{{1,3}}(?:,\d{{3}})+|\d+)(?:[.,]\d{{1,2}})?)"
    rf"(?![\d.,]*\d)(?P<behind>(?:\s*(?:{CURRENCY}(?!\w)|[-−–](?!\s*\w)|\)))*)"
    r"(?!\s?(?:%|(?:CR|CT|[KMGT]?B|[KMGT]o|min)\b)|\w)",
    re.I,
)
HAS_AMOUNT = re.compile(r"\$|\d[.,]\d\d(?!\d)")
INVOICE_NUMBER = re.compile(
    r"\d{2,}(?:[ -]\d{2,})+(?![\w/-])|(?=[\w/-]*\d\d)[A-Z\d](?:[A-Z\d/-]{2,28}[A-Z\d])(?![\w/-])"
)
CODE = re.compile(r"(CAD|USD)\b")
# "All amounts are in Canadian dollars."
IN_DOLLARS = re.compile(r"\b(?:in (canadian|u\.?s\.?) (?:dollars|funds)|en dollars (canadiens|américains|US))\b", re.I)
IN_CANADIAN = ("canadian", "canadiens")

# What may stand between a label and its value.
FILLING = re.compile(
    r"(?:[\s:#…=|*]+|\.(?=[\s.:]|\Z)|[-–—](?=\s|\Z)|n[°º]\.?"
    r"|(?:numbers?|num|no|nbr|is|are|was|of|from|for|on|est|sont|du|de|le|la|les|for the|pour la)\b\.?)+",
    re.I,
)
BY_DAY = re.compile(rf"(?:by|on|before|avant(?: le)?|d['’]ici(?: le)?|le)\s+{DATE}[\s:]*", re.I)
# Words before or behind a label with which it names something else.
BEFORE = re.compile(
    r"\b(?:previous|prior|last|parent|master|old|former|next|past|minimum|estimated|other|late|sub|sous|prochaine?|dernière|dernier|ancienne?)\W*\Z",
    re.I,
)
BEHIND = re.compile(
    r"\W*(?:précédent|antérieur|dernier|prochain|parent|principal|estimé|du mois dernier"
    r"|(?:from|on|of|de) (?:the |your |la |votre )?(?:last|previous|dernière)|last |before )",
    re.I,
)
# Labels of rows that are no lines of a sum, or of which that is not certain.
NO_LINE = re.compile(
    r"total|balance|solde|previous|précédent|payment|paiement|paid|payé|received|reçu|\bdue\b|\bdû|includ|inclu|compris"
    r"|saving|économi|average|moyenne|forward|report[ée]|deposit|dépôt|instal+ment \d|of which|dont\b",
    re.I,
)

CREDIT = re.compile(r"credit|crédit|discount|rebate|rabais|remise|refund|rembours", re.I)  # their amounts are negative


class Label(NamedTuple):
    """A label: the language of its words, its rank among those of the same value (the first that names one decides)."""

    language: str
    rank: int
    words: re.Pattern[str]


def _labels(*ranks: tuple[str, str]) -> tuple[Label, ...]:
    """Return labels by rank: the words in English and in French, each as a regular expression."""
    return tuple(
        Label(language, rank, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.I))
        for rank, both in enumerate(ranks)
        for language, words in zip(("en", "fr"), both, strict=True)
        if words
    )


_BILL = r"(?:invoice|bill|billing|statement)"
_OF_BILL = r"(?:de\s+)?(?:la\s+|cette\s+|votre\s+)?factur(?:e|ation)"
LABELS = {
    "account": _labels(
        (r"billing\s+account|BAN", r"compte\s+de\s+facturation"),
        (r"account|acct", r"compte(?!\s+de\s+facturation)"),
    ),
    "number": _labels(
        (
            rf"{_BILL}\s+(?:number|num|no|nbr|id)|{_BILL}(?=\s*#)",
            rf"(?:num[ée]ro|no\.?|n[°º]\.?)\s*{_OF_BILL}|facture\s+(?:num[ée]ro|no)|facture(?=\s*(?:n[°º]|#))",
        ),
        (r"invoice(?=\s+\d{5})", r"facture(?=\s+\d{5})"),
    ),
    "issued": _labels(
        (
            rf"{_BILL}\s+date|date\s+of\s+(?:this\s+|the\s+)?(?:invoice|bill|statement|issue)|issue\s+date|date\s+issued|issued\s+on",
            rf"date\s+(?:{_OF_BILL}|d['’]émission|du\s+relevé)|émise?\s+le",
        ),
        (r"dated", r"datée?\s+du|en\s+date\s+du"),
    ),
    "period": _labels(
        (rf"{_BILL}\s+(?:period|cycle)", rf"(?:période|cycle)\s+{_OF_BILL}"),
        (r"period", r"période"),
    ),
    "month": _labels((rf"{_BILL}\s+(?:month|period)", rf"(?:mois|période)\s+{_OF_BILL}")),
    "due_date": _labels(
        (
            r"(?:payment\s+)?due\s+(?:date|by|on)|date\s+due|payment\s+due"
            r"|pay(?:able|ment)?\s+(?:by|on\s+or\s+before|before|no\s+later\s+than)",
            r"(?:date\s+d['’ ]?)?échéance|date\s+limite(?:\s+de\s+paiement)?|(?:payable|exigible|dû)\s+(?:au\s+plus\s+tard\s+)?le"
            r"|(?:payable|payer|exigible)\s+(?:avant|d['’]ici)(?:\s+le)?",
        )
    ),
    "due": _labels(
        (
            r"total\s+(?:amount\s+)?(?:now\s+)?due|amount\s+(?:now\s+)?(?:due|owing|payable)|balance\s+due"
            r"|total\s+(?:payable|owing|to\s+pay)|please\s+pay|pay\s+this\s+amount",
            r"total\s+(?:d[ûu]|à\s+payer|exigible)|montant\s+(?:d[ûu]|à\s+payer|exigible)|solde\s+(?:d[ûu]|à\s+payer)"
            r"|somme\s+à\s+payer|veuillez\s+payer",
        )
    ),
    "charged": _labels(
        (
            r"(?:invoice|bill)\s+(?:total|amount)|total\s+(?:of\s+)?(?:this\s+|the\s+)?(?:invoice|bill)(?:\s+amount)?"
            r"|total\s+(?:current\s+|new\s+)?charges",
            r"(?:montant\s+)?total\s+de\s+(?:la\s+|cette\s+|votre\s+)?facture|montant\s+de\s+(?:la\s+|cette\s+|votre\s+)?facture"
            r"|total\s+des\s+(?:nouveaux\s+)?frais(?:\s+courants)?",
        ),
        (r"total", r""),
    ),
    "currency": _labels((r"currency", r"devise|monnaie")),
}
