"""What the API takes and answers. Names and status codes are those of the price checker that it takes the place of."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, PlainSerializer, RootModel

from database.access.addresses import storable
from database.families.watching import (
    HIGHEST_ID,
    Code,
    Country,
    Email,
    Id,
    Instant,
    ItemChange,
    Label,
    NewItem,
    PhoneNumber,
    ProductUrl,
    Selector,
)
from database.models.prices import AlertResult, CheckStatus, Rendering
from webhook.documentation import Model

MOST = 1000  # rows of one answer
# JSON has one kind of number, and that of the price checker is what its clients read.
Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class Stored(Model):
    """What is made of a row."""

    model_config = ConfigDict(from_attributes=True)


class Problem(Model):
    """An error, as RFC 9457 has it. detail: a sentence; for a request that is not as it should be a list, one entry a field."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | list[dict[str, Any]]


class InvalidFields(Problem):
    """Which fields are wrong, and how; their values are not repeated."""

    fields: dict[str, str]


# Users


class RegisterStart(Model):
    """Who wants to register."""

    email: Email
    phone_number: PhoneNumber


class WithCode(Model):
    """A code that was sent."""

    email: Email
    code: Code


class LoginStart(Model):
    """Who wants to sign in."""

    email: Email


class NewEmail(Model):
    """The address in the place of the one there is."""

    email: Email


class NewPhone(Model):
    """The number in the place of the one there is."""

    phone_number: PhoneNumber


class CodeAlone(Model):
    """A code that was sent to somebody who is signed in."""

    code: Code


class CodeSent(Model):
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


class Token(Model):
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


class SessionPath(Model):
    """Which sign-in."""

    session_id: Id


class KeepQuery(Model):
    """Whether the sign-in that asks stays."""

    keep_current: bool = False


# Watchlist


Percent = Annotated[int, Field(ge=1, le=100, strict=True)]


class ProductAsked(Model):
    """A product whose price is asked for before it is watched."""

    product_url: ProductUrl
    country: Country | None = None
    selector: Selector = None


class ItemBody(Model, NewItem):
    """A product to watch. JSON says itself what is a number and what is true: a text is neither."""

    is_active: bool = Field(True, strict=True)
    drop_percent: Percent = Field(10, description="From which on a drop is told.")
    failing_after: Percent = Field(3, description="Failed checks in a row after which that is told.")


class ChangeBody(Model, ItemChange):
    """What is to change; what is left out stays, and so does a threshold or state that is null."""

    is_active: bool | None = Field(None, strict=True)
    drop_percent: Percent | None = None
    failing_after: Percent | None = None


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

    @classmethod
    def fields(cls) -> list[str]:
        """Return the columns that an answer has."""
        return list(ItemAnswer.model_fields)


class ItemPath(Model):
    """Which item."""

    item_id: Id


class PageQuery(Model):
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

    @classmethod
    def fields(cls) -> list[str]:
        """Return the columns that an answer has."""
        return list(RunAnswer.model_fields)


class CheckPath(ItemPath):
    """Which check, by its job."""

    job_id: Id


class Pending(Model):
    """A check that has not ended yet. location: where it is asked for."""

    status: Literal["pending"] = "pending"
    message: str
    job_id: int
    location: str


# Channels


class NewChannel(Model):
    """A service by which a user is told besides mail."""

    address: str = Field(
        min_length=1, max_length=500, description="As Apprise has it, without parameters.", examples=["ntfy://my-topic"]
    )
    label: Label = Field(None, description="The user's own name for it.")


class ChannelAnswer(Stored):
    """A channel; its address is not shown again. last_result, last_error: of the newest alert by it."""

    id: int
    service: str
    label: str | None
    created_at: datetime
    last_result: AlertResult | None = None
    last_error: str | None = None


class ChannelList(RootModel[list[ChannelAnswer]]):
    """The channels of a user, the oldest first."""


class ChannelPath(Model):
    """Which channel."""

    channel_id: Id


# Without sign-in


class NewUser(Model):
    """A user who is not verified."""

    email: Email


class UserList(RootModel[list[UserAnswer]]):
    """All users."""


class UserPath(Model):
    """Which user."""

    user_id: Id


class Ready(Model):
    """That the service and its database answer."""

    status: str
