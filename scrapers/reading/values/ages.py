"""How long ago something was, as portals say it: "12 minutes ago"."""

from __future__ import annotations

import re

WORDS = {"a few seconds": 0, "a minute": 45, "an hour": 45 * 60}  # seconds from which portals use each word
UNITS = {"s": 1, "m": 60, "h": 3600}


def least_age(text: str) -> float:
    """
    Return the minimum age in seconds of a relative time; infinity for days, and for texts that are not understood.

    >>> least_age("a few seconds ago"), least_age("a minute ago"), least_age("12 minutes ago"), least_age("2 days ago")
    (0, 45, 690.0, inf)
    >>> least_age("12 min ago"), least_age("2 hours ago"), least_age("2 months ago")
    (690.0, 5400.0, inf)
    """
    said = " ".join(text.casefold().split()).removesuffix(" ago")
    if (found := re.fullmatch(r"(\d+) ?(s|m|h)[a-z]*\.?", said)) is not None and not said.endswith(("month", "months")):
        return (int(found[1]) - 0.5) * UNITS[found[2]]
    return 0 if said in ("just now", "now") else WORDS.get(said, float("inf"))
