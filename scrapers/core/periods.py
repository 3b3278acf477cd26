"""Billing months as portals offer them, and the failure for a month that is not offered."""

from __future__ import annotations

from datetime import date, datetime

from scrapers.core.outcomes import Failure, NoLongerAvailable, NotYetPublished


def month_missing(month: date, offered: list[str], form: str, today: date) -> Failure:
    """
    Return NotYetPublished or NoLongerAvailable for a billing month that the portal does not offer.

    month: a day of it. offered: the portal's texts, each a month in the strptime format *form*.
    """
    wanted = (month.year, month.month)
    known = []
    for text in offered:
        try:
            day = datetime.strptime(text, form)  # noqa: DTZ007 - a month has no time zone
        except ValueError:
            continue
        known.append((day.year, day.month))
    detail = f"{month:%B %Y} is not among the {len(known)} months offered."
    if known:
        return NoLongerAvailable(detail) if wanted < min(known) else NotYetPublished(detail)
    return NotYetPublished(detail) if (today - month).days < 62 else NoLongerAvailable(detail)
