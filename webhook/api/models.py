"""What the API takes and answers. Names and status codes are those of the price checker that it takes the place of."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, RootModel

from database.access.addresses import receivers, storable
from database.models.prices import AlertKind, AlertResult, CheckStatus, Rendering

HIGHEST_ID = 2**31 - 1  # of an INTEGER; PostgreSQL refuses a greater one
MOST = 1000  # rows of one answer


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


Email = Annotated[str, Field(max_length=320, examples=["ana@example.com"]), AfterValidator(_email)]
PhoneNumber = Annotated[
    str, Field(min_length=7, max_length=32, examples=["+12015550100"]), AfterValidator(_phone_number)
]
Code = Annotated[str, Field(min_length=6, max_length=6, examples=["012345"]), AfterValidator(storable)]
Instant = Annotated[datetime, AfterValidator(_in_utc)]
Threshold = Annotated[
    Decimal, BeforeValidator(_is_true_number), Field(gt=0, max_digits=13, decimal_places=3, examples=[19.99])
]
# JSON has one kind of number, and that of the price checker is what its clients read.
Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
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


class Stored(BaseModel):
    """What is made of a row."""

    model_config = ConfigDict(from_attributes=True)


class Problem(BaseModel):
    """An error, as RFC 9457 has it. detail: a sentence; for a request that is not as it should be a list, one entry a field."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | list[dict[str, Any]]


class InvalidFields(Problem):
    """Which fields are wrong, and how; their values are not repeated."""

    fields: dict[str, str]


# Users


class RegisterStart(BaseModel):
    """Who wants to register."""

    email: Email
    phone_number: PhoneNumber


class WithCode(BaseModel):
    """A code that was sent."""

    email: Email
    code: Code


class LoginStart(BaseModel):
    """Who wants to sign in."""

    email: Email


class NewEmail(BaseModel):
    """The address in the place of the one there is."""

    email: Email


class NewPhone(BaseModel):
    """The number in the place of the one there is."""

    phone_number: PhoneNumber


class CodeAlone(BaseModel):
    """A code that was sent to somebody who is signed in."""

    code: Code


class CodeSent(BaseModel):
    """What comes next. dev_code: the code itself, in development mode on loopback."""

    message: str
    dev_code: str | None = None


class UserAnswer(Stored):
    """A user."""

    id: int
    email: str
    phone_number: str | None
    email_verified_at: datetime | None
    phone_verified_at: datetime | None
    two_factor_enabled: bool
    created_at: datetime


class Token(BaseModel):
    """A sign-in. The token is shown once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    user: UserAnswer


class SessionAnswer(Stored):
    """A sign-in that is open, without its token. current: it is the one that asks."""

    id: int
    user_agent: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool = False


class SessionList(RootModel[list[SessionAnswer]]):
    """The open sign-ins, the newest first."""


class SessionPath(BaseModel):
    """Which sign-in."""

    session_id: Id


class KeepQuery(BaseModel):
    """Whether the sign-in that asks stays."""

    keep_current: bool = False


# Watchlist


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


class ProductAsked(BaseModel):
    """A product whose price is asked for before it is watched."""

    product_url: ProductUrl
    country: Country | None = None
    selector: Selector = None


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


class ItemAnswer(Stored):
    """An item and how it stood at its last checks; null: not known (yet)."""

    id: int
    user_id: int
    product_url: str
    threshold: Amount
    is_active: bool
    last_price: Amount | None
    last_currency: str | None
    last_checked_at: datetime | None
    created_at: datetime
    updated_at: datetime
    threshold_currency: str | None
    country: str | None
    label: str | None
    title: str | None
    selector: str | None
    rendering: Rendering
    alerts: list[str]
    drop_percent: int
    failing_after: int
    last_list_price: Amount | None
    lowest_price: Amount | None
    availability: str | None
    last_success_at: datetime | None
    last_status: CheckStatus | None
    last_outcome: str | None
    failures: int


class ItemList(RootModel[list[ItemAnswer]]):
    """Items of one page."""


class ItemPath(BaseModel):
    """Which item."""

    item_id: Id


class PageQuery(BaseModel):
    """Which rows of a list."""

    limit: int = Field(MOST, ge=1, le=MOST, description="Rows at most.")
    offset: int = Field(0, ge=0, le=HIGHEST_ID, description="Rows before the first one.")


ITEM_COLUMNS = ("id", "created_at", "updated_at", "last_checked_at", "last_price", "threshold", "title", "label")


class ItemQuery(PageQuery):
    """Which items, in which order; a leading minus reverses it."""

    sort: str = Field("id", pattern=rf"^-?({'|'.join(ITEM_COLUMNS)})$")
    is_active: bool | None = None
    status: Literal["success", "error", "never"] | None = Field(None, description="Of the last check.")
    country: Country | None = None
    below_threshold: bool | None = Field(None, description="Whether the last price is below, in the same currency.")
    q: Annotated[str, AfterValidator(storable)] = Field(
        "", max_length=200, description="Part of address, label or title."
    )


class RunQuery(PageQuery):
    """Which checks; the newest come first, with sort=created_at the oldest."""

    sort: Literal["-created_at", "created_at"] = "-created_at"
    status: CheckStatus | None = None
    since: Instant | None = Field(None, description="From then on; without a zone it is UTC.")
    until: Instant | None = Field(None, description="Before then.")


class RunAnswer(Stored):
    """A check of an item."""

    id: int
    watchlist_item_id: int
    status: CheckStatus
    message: str
    price_amount: Amount | None
    price_currency: str | None
    alert_sent: bool
    created_at: datetime
    outcome: str
    list_price: Amount | None
    availability: str | None
    source: str | None
    alerts: list[str]
    alert_result: AlertResult | None


class RunList(RootModel[list[RunAnswer]]):
    """Checks of one page."""


class CheckPath(ItemPath):
    """Which check, by its job."""

    job_id: Id


class Pending(BaseModel):
    """A check that has not ended yet. location: where it is asked for."""

    status: Literal["pending"] = "pending"
    message: str
    job_id: int
    location: str


# Without sign-in


class NewUser(BaseModel):
    """A user who is not verified."""

    email: Email


class UserList(RootModel[list[UserAnswer]]):
    """All users."""


class UserPath(BaseModel):
    """Which user."""

    user_id: Id


class Ready(BaseModel):
    """That the service and its database answer."""

    status: str
