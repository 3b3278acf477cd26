"""Mail addresses as portals show them beside a second factor: with most of their letters masked."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"[^\s<>()\[\],;:]+@[^\s<>()\[\],;:]+")
MASKED = re.compile(r"[*\u2022\u00b7\u2219\u22c5\u25cf\u2026#]+|x{2,}|\.{2,}", re.I)
END = re.compile(r"(?<!\.)\.$")  # of a sentence; two dots and more are a mask


def may_be_address(address: str, shown: str) -> bool:
    """
    Return whether a text shows a mail address, as a whole or with letters masked; of a mask any length fits.

    >>> may_be_address("ann.birch@example.com", "Email a***h@ex\u2022\u2022\u2022.com")
    True
    >>> may_be_address("ann.birch@example.com", "b***h@example.com"), may_be_address("ann@example.com", "Email")
    (False, False)
    """
    found = ADDRESS.findall(shown)
    patterns = ("[^@]*".join(re.escape(each) for each in MASKED.split(END.sub("", text))) for text in found)
    return any(re.fullmatch(pattern, address, re.I) for pattern in patterns)
