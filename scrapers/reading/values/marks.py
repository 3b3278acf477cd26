"""Invisible characters."""

import re

# Soft hyphens, zero-width characters, direction marks, byte order marks.
INVISIBLE = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


def without_marks(text: str) -> str:
    r"""
    Return a text without invisible characters.

    >>> without_marks("\ufeffAcco\u200bunt")
    'Account'
    """
    return text if text.isascii() else INVISIBLE.sub("", text)
