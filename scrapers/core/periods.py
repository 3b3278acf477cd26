"""Billing months as portals write them, and the failure for a month that is not offered."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cache

from scrapers.core.outcomes import Failure, NoLongerAvailable, NotYetPublished, PortalChanged

LANGUAGES = ("en", "fr")
# Days, which are no billing months: a bill of October may be issued and due in November.
DAYS = re.compile(
    r"(?<!\d)(\d{4}[-/]\d\d?[-/]\d\d?|\d\d?[-/]\d\d?[-/]\d{4}|[^\W\d]{3,9}\.? \d\d?,? \d{4}|\d\d? [^\W\d]{3,9}\.?,? \d{4})(?!\d)"
)

# What a list without entries says of itself: no fact states a portal's own words. "No report selected" is none of them.
KINDS = r"bills?|invoices?|statements?|documents?|reports?|results?|records?|entries|data"
KINDS_FRENCH = r"factures?|releves?|documents?|rapports?|resultats?|donnees?"
EMPTY = re.compile(
    rf"\b(no (\w+ ){{0,3}}({KINDS})|aucune? (\w+ ){{0,3}}({KINDS_FRENCH}))\b(?! (is |est )?(selected|chosen|choisie?)\b)|\bnothing\b"
)


def months_in(text: str) -> list[tuple[int, int]]:
    """
    Return the months, as (year, month), that a text names, each once, in its order: by name in English or French, or by numbers.

    >>> months_in("October 2026, billed Nov 3, 2026"), months_in("Sep 15 - Oct 14, 2026"), months_in("d'août\u00a02026")
    ([(2026, 10), (2026, 11)], [(2026, 10)], [(2026, 8)])
    >>> months_in("2026-10"), months_in("10/2026"), months_in("Account 533122906"), months_in("2026-10-31")
    ([(2026, 10)], [(2026, 10)], [], [(2026, 10)])
    >>> months_in("Account 2-1959-7022"), months_in("10/2026 - 11/2026")
    ([], [(2026, 10), (2026, 11)])
    """
    said = _plain(text)
    names = "|".join(sorted(_numbers(), key=len, reverse=True))
    by_name = re.finditer(
        rf"(?<![a-z])({names})(?![a-z])[^a-z0-9]*(?:\d{{1,2}}(?!\d)[^a-z0-9]+)?((?:19|20)\d\d)(?!\d)", said
    )
    found = [(match.start(), int(match[2]), _numbers()[match[1]]) for match in by_name]
    # What goes on with the same sign and three or more digits is another number, such as that of an account.
    year_first = re.finditer(r"(?<!\d)((?:19|20)\d\d)([-/. ])(0?[1-9]|1[0-2])(?!\d|\2\d{3})", said)
    found += [(match.start(), int(match[1]), int(match[3])) for match in year_first]
    month_first = re.finditer(r"(?<![\d/.-])(0?[1-9]|1[0-2])([-/. ])((?:19|20)\d\d)(?!\d|\2\d{3})", said)
    found += [(match.start(), int(match[3]), int(match[1])) for match in month_first]
    return list(dict.fromkeys((year, month) for _, year, month in sorted(found)))


def names_month(text: str, month: date) -> int:
    """Return 2 if a text names the month of *month* and no other, 1 if it names that one first, 0 if not."""
    named = months_in(text)
    return 0 if named[:1] != [(month.year, month.month)] else 2 if len(named) == 1 else 1


def month_missing(month: date, offered: list[str], today: date) -> Failure:
    """
    Return NotYetPublished or NoLongerAvailable for a billing month that the portal does not offer.

    month: a day of it. offered: the portal's texts; those that name none are passed over. Where all name none, the list was
    not understood, and PortalChanged is returned, unless one says that the list is empty.

    >>> month_missing(date(2026, 10, 31), ["Aucun relev\u00e9 disponible"], date(2026, 11, 20)).outcome.code
    'not_yet_published'
    >>> month_missing(date(2026, 10, 31), ["Loading"], date(2026, 11, 20)).outcome.code
    'portal_changed'
    """
    wanted = (month.year, month.month)
    known = [months[0] for text in offered if (months := months_in(text))]
    detail = f"{month:%B %Y} is not among the {len(known)} months offered."
    if known:
        return NoLongerAvailable(detail) if wanted < min(known) else NotYetPublished(detail)
    if not any(EMPTY.search(_plain(text)) for text in offered):
        return PortalChanged(f"No month was read from the {len(offered)} texts that are offered.")
    return NotYetPublished(detail) if (today - month).days < 62 else NoLongerAvailable(detail)


@cache
def _numbers() -> dict[str, int]:
    """Return the number of each month by its names, long and short."""
    from babel.dates import get_month_names

    names = {}
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    names[_plain(name).strip(". ")] = number
    return {**names, "sept": 9}


def _plain(text: str) -> str:
    """Return a text in small letters without accents and dots after short names."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
