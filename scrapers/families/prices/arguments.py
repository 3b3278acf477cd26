"""What the price spiders are asked for: their arguments, and the target of a job."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from scrapers.core.spider import SpiderArguments


class PriceArguments(SpiderArguments):
    """Arguments of the price spiders. Without an address they check everything that is watched at their shop."""

    aims: ClassVar[frozenset[str]] = SpiderArguments.aims | {"url", "country", "rendering"}
    url: tuple[str, ...] = Field(
        (), description="Check these addresses alone, for nobody; several are parted by blanks."
    )
    country: str | None = Field(None, description="Country of the buyer (US, GB …), with -a url=.")
    selector: str | None = Field(None, max_length=500, description="CSS of the price's element, with -a url=.")
    rendering: Literal["http", "browser", "splash"] | None = Field(
        None, description="How pages are fetched, in the place of what items and settings say."
    )

    @field_validator("url", mode="before")
    @classmethod
    def split_addresses(cls, value: Any) -> Any:
        """Accept several addresses with blanks between them: a comma may stand in one."""
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("country")
    @classmethod
    def real_country(cls, value: str | None) -> str | None:
        """Accept the code of a country, in any case."""
        from babel.core import get_global

        code = value.strip().upper() if value else ""
        if code and code not in get_global("territory_currencies"):
            raise ValueError("give the code of a country, as GB")
        return code or None

    @model_validator(mode="after")
    def with_address(self) -> PriceArguments:
        """Refuse a country or selector where each item has its own."""
        if not (self.url or self.job) and (self.country or self.selector):
            raise ValueError("country and selector belong to -a url=; items have their own")
        return self


class PriceTarget(BaseModel):
    """The target of a job: a product's address, for a buyer's country. Empty items: a check for nobody."""

    url: str
    product: str  # its key
    country: str | None = None
    rendering: str = ""  # how its items want the page fetched; "": as the settings of the shop say
    selectors: dict[str, tuple[int, ...]] = {"": ()}  # items by their selector; "": none
    refused: str = ""  # why the address is not asked
