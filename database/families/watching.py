"""What a user says of what is watched, validated: for the API, the pages and the commands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from database.access.addresses import receivers, storable
from database.models.prices import AlertKind, Rendering

HIGHEST_ID = 2**31 - 1  # of an INTEGER; PostgreSQL refuses a greater one


def _email(value: str) -> str:
    text = value.strip()
    if not re.fullmatch(r"[^@\s,;<>\"\x00-\x20]+@[^@\s,;<>\".]+(\.[^@\s,;<>\".]+)+", text) or not text.isprintable():
        raise ValueError("that is no mail address; it looks like ana@example.com")
    return text.lower()


def _phone_number(value: str) -> str:
    number = receivers(value).get("sms")
    if number is None:
        raise ValueError("that is no phone number; it looks like +12015550100")
    return number


def _web_address(value: str) -> str:
    if not value.isprintable():  # a lone surrogate can be neither stored nor sent
        raise ValueError("it is no address")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value).astimezone(UTC)
    except OverflowError:
        raise ValueError("that time is out of range") from None


def _no_number(value: Any) -> Any:
    """Refuse seconds since 1970, which no one who reads an address can tell from a slip."""
    if not isinstance(value, str) or re.fullmatch(r"\s*[-+]?[0-9_.]+(?:[eE][-+]?[0-9]+)?\s*", value):
        raise ValueError("it must be a time such as 2026-11-01T00:00:00Z")
    return value


def _plain(value: str | None) -> str | None:
    """Refuse control characters, and take what is blank for nothing."""
    if value is None or not (text := value.strip()):
        return None
    if not text.isprintable():
        raise ValueError("it must be one line of plain text")
    return text


def _is_true_number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("it must be a number")
    return value


# The patterns are for readers of the document: they name the usual form, and more is taken (blanks, brackets, capitals).
Email = Annotated[
    str,
    Field(
        max_length=320,
        examples=["ana@example.com"],
        json_schema_extra={"pattern": r"^[a-z0-9._+-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$"},
    ),
    AfterValidator(_email),
]
PhoneNumber = Annotated[
    str,
    Field(
        min_length=7,
        max_length=32,
        examples=["+12015550100"],
        json_schema_extra={"pattern": r"^\+[1-9][0-9]{6,14}$"},
    ),
    AfterValidator(_phone_number),
]
Code = Annotated[str, Field(min_length=6, max_length=6, examples=["012345"]), AfterValidator(storable)]
Instant = Annotated[datetime, BeforeValidator(_no_number), AfterValidator(_in_utc)]
Threshold = Annotated[
    Decimal, BeforeValidator(_is_true_number), Field(gt=0, max_digits=13, decimal_places=3, examples=[19.99])
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["GBP"])]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["GB"])]
Id = Annotated[int, Field(ge=1, le=HIGHEST_ID)]
ProductUrl = Annotated[
    str,
    AfterValidator(_web_address),
    Field(min_length=1, max_length=2000, examples=["https://www.example.com/products/1001-Echo"]),
]
Label = Annotated[str | None, Field(max_length=200), AfterValidator(_plain)]
Selector = Annotated[str | None, Field(max_length=500), AfterValidator(_plain)]


class ItemOptions(BaseModel):
    """What a user can say of an item, besides its address."""

    threshold_currency: Currency | None = Field(None, description="Of the threshold; null: that of the first price.")
    country: Country | None = Field(None, description="For which the shop is asked; null: the one that it chooses.")
    label: Label = Field(None, description="The user's own name for it.")
    selector: Selector = Field(None, description="CSS selector of the price, where it is not found.")
    rendering: Rendering = Rendering.AUTOMATIC
    alerts: list[AlertKind] = Field([AlertKind.BELOW_THRESHOLD], max_length=len(AlertKind))
    drop_percent: int = Field(10, ge=1, le=100, description="From which on a drop is told.")
    failing_after: int = Field(3, ge=1, le=100, description="Failed checks in a row after which that is told.")


class NewItem(ItemOptions):
    """A product to watch."""

    product_url: ProductUrl
    threshold: Threshold
    is_active: bool = True


class ItemChange(BaseModel):
    """What is to change; what is left out stays, and so does a threshold or state that is null."""

    threshold: Threshold | None = None
    is_active: bool | None = None
    threshold_currency: Currency | None = None
    country: Country | None = None
    label: Label = None
    selector: Selector = None
    rendering: Rendering | None = None
    alerts: list[AlertKind] | None = Field(None, max_length=len(AlertKind))
    drop_percent: int | None = Field(None, ge=1, le=100)
    failing_after: int | None = Field(None, ge=1, le=100)
