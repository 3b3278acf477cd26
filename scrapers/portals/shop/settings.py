"""Settings of the shops that have no portal of their own."""

from __future__ import annotations

from typing import Annotated, ClassVar, get_args

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from scrapers.core.settings import PortalSettings
from scrapers.families.prices.settings import Rendering


class ShopSettings(PortalSettings):
    """`SHOP_…` variables."""

    portal: ClassVar[str] = "shop"

    rendering: Annotated[dict[str, Rendering], NoDecode] = Field(
        {"": "http"},
        description="How pages are fetched: http, browser or splash; for single shops HOST=browser, separated by commas.",
    )

    @field_validator("rendering", mode="before")
    @classmethod
    def by_host(cls, value: object) -> object:
        """Read `http,shop.example=browser`; a word without a host is for all others."""
        if not isinstance(value, str):
            return value
        found: dict[str, str] = {"": "http"}
        for part in filter(None, (each.strip() for each in value.split(","))):
            host, _, rendering = part.rpartition("=")
            if rendering.strip() not in get_args(Rendering):
                raise ValueError("it is http, browser or splash, or HOST=browser, separated by commas")
            found[host.strip().lower().removeprefix("www.")] = rendering.strip()
        return found

    def at(self, host: str) -> Rendering:
        """Return how the pages of a host are fetched."""
        return self.rendering.get(host.lower().removeprefix("www.")) or self.rendering[""]
