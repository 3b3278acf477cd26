"""What the address of a page asks for: numbers and texts, of which what no database takes counts as not given."""

from __future__ import annotations

from flask import request

from database.access.addresses import storable
from database.families.watching import HIGHEST_ID

LARGEST = 1_000_000  # place in a list at which a page may begin
LONGEST = 200  # characters


def text(name: str) -> str:
    """Return a text parameter without blanks at its ends; empty where it is none that a database takes."""
    given = request.args.get(name, "").strip()[:LONGEST]
    try:
        return storable(given)
    except ValueError:
        return ""


def number(name: str, most: int = HIGHEST_ID) -> int:
    """Return a number from 0 on; 0 where none is given."""
    given = request.args.get(name, "")
    return min(int(given), most) if given.isascii() and given.isdigit() and len(given) < 11 else 0
