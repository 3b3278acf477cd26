"""Waits of browser pages, made short for pages that do all at once."""

import pytest

from scrapers.core import choosing, looking, page, trail


def patch(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    """Replace a name in all modules that a page is made of."""
    for module in (trail, looking, choosing, page):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, value)


def make_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of pages."""
    for name, seconds in (("GRACE", 0.3), ("REST", 0.5), ("COVERED", 0.3)):
        patch(monkeypatch, name, seconds)
