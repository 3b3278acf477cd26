"""The customers of the plain portal and their documents, all derived from the user name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

FIRST_DAY = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of an account; `number` counts from 1, a day apart, and the highest is the newest."""

    id: str
    number: int
    day: date
    title: str
    amount: str
    currency: str = "CAD"


@lru_cache(maxsize=4096)
def accounts(username: str) -> tuple[str, str]:
    """Return the two account numbers of a user."""
    digest = hashlib.sha256(f"accounts {username}".encode()).digest()
    first, second = (f"7{int.from_bytes(digest[start : start + 6], 'big') % 10**8:08d}" for start in (0, 6))
    return first, second


@lru_cache(maxsize=4096)
def document(account: str, number: int) -> Document:
    """Return a document of an account."""
    cents = int.from_bytes(hashlib.sha256(f"{account} {number}".encode()).digest()[:4], "big") % 50_000
    day = FIRST_DAY + timedelta(days=number - 1)
    return Document(f"{account}-{number:05d}", number, day, f"Invoice {number}", f"{cents // 100}.{cents % 100:02d}")


def find(account_numbers: Sequence[str], document_id: str, count: int) -> Document | None:
    """Return the document with this id if it is one of these accounts' first `count`; else None."""
    account, _, number = document_id.partition("-")
    if account not in account_numbers or not number.isdecimal() or not 1 <= int(number) <= count:
        return None
    found = document(account, int(number))
    return found if found.id == document_id else None
