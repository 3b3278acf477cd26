"""Periods of bills, which the portal writes without a year: `Dec 16 - Jan 15`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from scrapers.core.outcomes import NoLongerAvailable, NotYetPublished, PortalChanged
from scrapers.portals.tmobile.columns import LOCALE

DAY = r"([^\W\d]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?"
PERIOD = re.compile(rf"(?<!\w){DAY}\s*[-\u2010-\u2015]\s*{DAY}(?!\w)", re.I)
NONE = re.compile(r"\b(current|historical)\b", re.I)  # the days that are not billed yet, and what leads to older bills
TOLERANCE = timedelta(days=3)  # a short month moves a billing day by up to three days
A_MONTH = range(20, 71)  # days between the ends of bills that follow each other, of which one may be missing
TWO_BILLS = 45  # days, above which one is missing between two
MONTHS = 12  # bills of a year
LOOKED_BACK = 9  # years; February 29 comes every four or eight years

Days = tuple[int, int, int, int]  # month and day of a period's begin, month and day of its end
Period = tuple[date, date]


def days_of(text: str) -> Days | None:
    """
    Return the months and days of an option; None for one that is no period.

    >>> days_of("Dec 16 - Jan 15"), days_of("Current"), days_of("View historical"), days_of("Feb 30 - Mar 2")
    ((12, 16, 1, 15), None, None, None)
    """
    said = [] if NONE.search(text) else list(PERIOD.finditer(" ".join(text.split())))
    if len(said) != 1:
        return None
    found = said[0]
    begins, ends = LOCALE.month_number(found[1]), LOCALE.month_number(found[3])
    if begins is None or ends is None:
        return None
    days = begins, int(found[2]), ends, int(found[4])
    return days if _is_day(*days[:2]) and _is_day(*days[2:]) else None


def _is_day(month: int, day: int) -> bool:
    try:
        date(2028, month, day)  # a leap year
    except ValueError:
        return False
    return True


def latest(month: int, day: int, until: date) -> date:
    """
    Return the latest day of a month and day that is not after another.

    >>> latest(12, 16, date(2027, 1, 15)), latest(2, 29, date(2027, 3, 1))
    (datetime.date(2026, 12, 16), datetime.date(2024, 2, 29))
    """
    for year in range(until.year, until.year - LOOKED_BACK, -1):
        if (month, day) != (2, 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
            found = date(year, month, day)
            if found <= until:
                return found
    raise ValueError("is no day")


def period(days: Days, until: date) -> Period:
    """
    Return the latest period of these days that has ended by a day.

    >>> period((12, 16, 1, 15), date(2027, 1, 20))
    (datetime.date(2026, 12, 16), datetime.date(2027, 1, 15))
    """
    end = latest(*days[2:], until)
    return latest(*days[:2], end), end


def periods(found: Sequence[Days], today: date) -> list[Period]:
    """
    Return the periods of options with their years.

    Bills have ended by today. The order tells the year: each one follows or precedes the next by a month or two. Where it does
    not, they are of one year, if they are fewer than a year has: of twelve, the oldest may pass for one that is not there yet.
    Raises PortalChanged where neither is certain.
    """
    ordered = [each for each in (_from(found, today), _from(found[::-1], today)[::-1]) if each]
    if ordered and ordered[0] == ordered[-1]:
        return ordered[0]
    within_a_year = [period(days, today) for days in found]
    ends = [end for _, end in within_a_year]
    is_in_order = ends in (sorted(ends), sorted(ends, reverse=True))
    gaps = [(later - earlier).days for earlier, later in pairwise(sorted(ends))]
    is_certain = not ordered and len(found) < MONTHS and all(gap >= A_MONTH[0] for gap in gaps)
    if not is_certain or not (is_in_order or all(gap in A_MONTH for gap in gaps)):
        raise PortalChanged("The years of the bills' periods are not certain.", step="choose the bill's period")
    return within_a_year


def _from(found: Sequence[Days], today: date) -> list[Period]:
    """Return the periods of options from the newest to the oldest; an empty list where they are not in that order."""
    read: list[Period] = []
    for days in found:
        read.append(period(days, read[-1][1] - timedelta(days=1) if read else today))
    gaps = [(later - earlier).days for (_, later), (_, earlier) in pairwise(read)]
    is_in_order = all(gap in A_MONTH for gap in gaps) and sum(gap > TWO_BILLS for gap in gaps) <= 1
    return read if is_in_order else []


def place_of(options: Sequence[str], start: date, end: date, today: date) -> int:
    """
    Return the place of the option that is a billing cycle's: its begin and end are the cycle's, but for TOLERANCE.

    Raises NotYetPublished or NoLongerAvailable for a cycle outside of the periods that are offered, PortalChanged where none
    or several fit.

    >>> place_of(["Current", "Dec 16 - Jan 15", "Nov 16 - Dec 15"], date(2026, 12, 16), date(2027, 1, 15), date(2027, 1, 20))
    1
    """
    dated = [(place, days) for place, text in enumerate(options) if (days := days_of(text)) is not None]
    if not dated:
        raise PortalChanged(f"No period was read from the {len(options)} texts that are offered.")
    read = periods([days for _, days in dated], today)
    fits = [
        place
        for (place, _), (begins, ends) in zip(dated, read, strict=True)
        if abs(ends - end) <= TOLERANCE and abs(begins - start) <= TOLERANCE
    ]
    if len(fits) == 1:
        return fits[0]
    detail = f"{start} to {end} is not among the {len(read)} periods offered."
    if fits:
        raise PortalChanged(f"{start} to {end} is offered {len(fits)} times.")
    if end > max(ends for _, ends in read) + TOLERANCE:
        raise NotYetPublished(detail)
    if end < min(ends for _, ends in read) - TOLERANCE:
        raise NoLongerAvailable(detail)
    raise PortalChanged(detail)
