"""Which account a page says is open."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from scrapers.core.outcomes import WrongAccount
from scrapers.families.carriers.accounts import confirm_account

OURS = "533122906"


def confirm(text: str, *, is_chosen: bool = True) -> list[str]:
    """Return the warnings of a page with this text."""
    warnings: list[str] = []

    async def read(_selectors: Any) -> str:
        return text

    async def is_at_rest(_within: float) -> bool:
        return True

    page: Any = SimpleNamespace(
        text=read, is_at_rest=is_at_rest, trail=SimpleNamespace(step=""), job=SimpleNamespace(warn=warnings.append)
    )
    asyncio.run(confirm_account(page, OURS, is_chosen=is_chosen))
    return warnings


@pytest.mark.parametrize(
    "text",
    [
        "Billing account number: 533122906",
        "Account 533-122 906",
        "Usage of 533122906",
        "Billing account 533122906, parent account 533122901",
    ],
)
def test_a_page_that_names_the_account_is_right(text):
    assert confirm(text) == []


@pytest.mark.parametrize(
    "text",
    ["Billing account number: 533122907", "Compte 533122907", "Billing account 533122907, parent account 533122906"],
)
def test_a_page_that_names_another_account_is_wrong(text):
    with pytest.raises(WrongAccount):
        confirm(text)


def test_a_page_that_names_none_is_no_proof():
    assert confirm("Usage") == []  # the account was chosen by its number
    assert confirm("Usage", is_chosen=False) != []
