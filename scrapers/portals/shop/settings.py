"""Settings of the shops that have no portal of their own."""

from __future__ import annotations

from typing import ClassVar, get_args

from pydantic import Field, field_validator

from scrapers.core.settings import PortalSettings
from scrapers.families.prices.settings import Rendering


class ShopSettings(PortalSettings):
    """`SHOP_…` variables."""

    portal: ClassVar[str] = "shop"

    rendering: str = Field(
        "http",
        description="How pages are fetched: http, browser or splash; for single shops HOST=browser, separated by commas.",
    )

    @field_validator("rendering")
    @classmethod
    def is_known(cls, value: str) -> str:
        """Refuse what is no way to fetch a page."""
        if not set(by_host(value).values()) <= set(get_args(Rendering)):
            raise ValueError("it is http, browser or splash, or HOST=browser, separated by commas")
        return value

    def at(self, host: str) -> str:
        """Return how the pages of a host are fetched."""
        known = {"": "http", **by_host(self.rendering)}
        return known.get(_bare(host)) or known[""]


def by_host(said: str) -> dict[str, str]:
    """
    Return the words of a setting by the host before them; "" for all others.

    >>> by_host("http, www.shop.example=browser")
    {'': 'http', 'shop.example': 'browser'}
    """
    parts = (part.rpartition("=") for part in said.split(",") if part.strip())
    return {_bare(host): word.strip() for host, _, word in parts}


def _bare(host: str) -> str:
    return host.strip().lower().removeprefix("www.")
