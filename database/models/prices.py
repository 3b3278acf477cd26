"""Tables of the price watch: users with their sign-ins, what they watch, and every check of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Numeric, String, Text, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from database.access.encryption import Encrypted
from database.models.base import Base, JsonColumn, UtcDateTime, text_enum, utc_now

# Three decimals, because some currencies have them; no amount is rounded when it is stored.
MONEY = Numeric(14, 3)


class Rendering(StrEnum):
    """How the page of a product is fetched."""

    AUTOMATIC = "automatic"  # as the settings of its shop say
    HTTP = "http"
    BROWSER = "browser"
    SPLASH = "splash"


class CheckStatus(StrEnum):
    """Whether a check has read a price."""

    SUCCESS = "success"
    ERROR = "error"


class AlertKind(StrEnum):
    """What a user can be told of an item."""

    BELOW_THRESHOLD = "below_threshold"  # strictly
    NEW_LOWEST = "new_lowest"  # below every price before
    DROP = "drop"  # by `drop_percent` or more since the last price
    BACK_IN_STOCK = "back_in_stock"
    GONE = "gone"  # the shop no longer has it
    USUAL_PRICE = "usual_price"  # back to the list price after a lower one
    ANY_CHANGE = "any_change"
    FAILING = "failing"  # `failing_after` checks in a row read no price
    RECOVERED = "recovered"  # follows FAILING


class AlertResult(StrEnum):
    """What has been done about the alerts of a check."""

    PENDING = "pending"
    SENT = "sent"
    SKIPPED = "skipped"  # there is no way to send: mail is not set up
    FAILED = "failed"  # every attempt did


class Purpose(StrEnum):
    """What a code that we have sent is for."""

    EMAIL_VERIFY = "email_verify"
    PHONE_VERIFY = "phone_verify"
    LOGIN = "login_2fa"
    EMAIL_CHANGE = "email_change"
    PHONE_CHANGE = "phone_change"
    ROOM = "room_login"  # of the control room, by mail
    ROOM_LINK = "room_link"  # the same, as a link that a command prints


class User(Base):
    """Somebody who watches prices. Signing in needs both addresses verified."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320))  # in lower case
    phone_number: Mapped[str | None] = mapped_column(String(32))  # E.164
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phone_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    two_factor_enabled: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    # What shall take the place of an address once it is verified; None: no change was begun.
    new_email: Mapped[str | None] = mapped_column(String(320))
    new_phone_number: Mapped[str | None] = mapped_column(String(32))

    @property
    def is_registered(self) -> bool:
        """Whether both addresses are verified and signing in asks for a code."""
        return self.email_verified_at is not None and self.phone_verified_at is not None and self.two_factor_enabled

    def __repr__(self) -> str:
        """Show which row it is, and no address of it."""
        return f"<User {self.id}>"


class WatchlistItem(Base):
    """A product that a user watches, and how it stood at its last checks. None: not known (yet)."""

    __tablename__ = "watchlist_items"
    __table_args__ = (Index(None, "user_id"), Index(None, "portal", "product_key", "country"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    product_url: Mapped[str] = mapped_column(Text)  # as the user gave it
    portal: Mapped[str] = mapped_column(String(50))  # whose spider checks it
    product_key: Mapped[str] = mapped_column(String(500))  # the same for every spelling of the product's address
    country: Mapped[str | None] = mapped_column(String(2))  # ISO 3166; None: the one that the shop chooses
    label: Mapped[str | None] = mapped_column(String(200))  # the user's own name for it
    title: Mapped[str | None] = mapped_column(String(300))  # the shop's name for it, at the last success
    threshold: Mapped[Decimal] = mapped_column(MONEY)
    threshold_currency: Mapped[str | None] = mapped_column(String(3))  # ISO 4217; None: the one of the first price
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    selector: Mapped[str | None] = mapped_column(String(500))  # CSS of the price's element, where the user names it
    rendering: Mapped[Rendering] = mapped_column(text_enum(Rendering), default=Rendering.AUTOMATIC)

    # Of the last success.
    last_price: Mapped[Decimal | None] = mapped_column(MONEY)
    last_list_price: Mapped[Decimal | None] = mapped_column(MONEY)
    last_currency: Mapped[str | None] = mapped_column(String(3))
    availability: Mapped[str | None] = mapped_column(String(30))
    lowest_price: Mapped[Decimal | None] = mapped_column(MONEY)  # ever, in last_currency, while one could buy it
    last_success_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Of the last check, whether it was a success or not.
    last_checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_status: Mapped[CheckStatus | None] = mapped_column(text_enum(CheckStatus))
    last_outcome: Mapped[str | None] = mapped_column(String(50))
    failures: Mapped[int] = mapped_column(default=0, server_default="0")  # in a row

    alerts: Mapped[list[str]] = mapped_column(JsonColumn, default=list)  # kinds that the user wants
    drop_percent: Mapped[int] = mapped_column(default=10, server_default="10")
    failing_after: Mapped[int] = mapped_column(default=3, server_default="3")
    # By kind, whether it is told when its condition begins to hold; a kind that is not there is.
    armed: Mapped[dict[str, bool]] = mapped_column(JsonColumn, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)  # when the user changed it last


class PriceCheckRun(Base):
    """One check of one item, also one that failed. None: the shop does not say."""

    __tablename__ = "price_check_runs"
    __table_args__ = (
        Index(None, "watchlist_item_id", "created_at"),
        Index(None, "run_id"),
        Index(None, "alert_due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    watchlist_item_id: Mapped[int] = mapped_column(ForeignKey("watchlist_items.id", ondelete="CASCADE"))
    status: Mapped[CheckStatus] = mapped_column(text_enum(CheckStatus))
    outcome: Mapped[str] = mapped_column(String(50))  # code of `scrapers.core.outcomes`
    message: Mapped[str] = mapped_column(Text)  # one sentence
    price_amount: Mapped[Decimal | None] = mapped_column(MONEY)
    price_currency: Mapped[str | None] = mapped_column(String(3))
    list_price: Mapped[Decimal | None] = mapped_column(MONEY)
    availability: Mapped[str | None] = mapped_column(String(30))
    source: Mapped[str | None] = mapped_column(String(50))  # where on the page the price stood
    alerts: Mapped[list[str]] = mapped_column(JsonColumn, default=list)  # kinds that this check gave rise to
    alert_result: Mapped[AlertResult | None] = mapped_column(text_enum(AlertResult))  # None: there is no alert
    alert_sent: Mapped[bool] = mapped_column(default=False, server_default=false())
    alert_due_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # since when it waits for its deliveries to be made
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))  # None: of no crawl
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class AlertChannel(Base):
    """A service that a user is told by besides mail: an address of Apprise's, with the secrets in it."""

    __tablename__ = "alert_channels"
    __table_args__ = (UniqueConstraint("user_id", "fingerprint"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    service: Mapped[str] = mapped_column(String(50))  # the scheme of its address
    label: Mapped[str | None] = mapped_column(String(200))  # the user's own name for it
    address: Mapped[str] = mapped_column(Encrypted)
    fingerprint: Mapped[str] = mapped_column(String(64))  # of the address, by which it is known again
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    def __repr__(self) -> str:
        """Show which row it is, and nothing of its address."""
        return f"<AlertChannel {self.id}>"


class AlertDelivery(Base):
    """The alert of one check by one channel: each is tried, and ends, for itself."""

    __tablename__ = "alert_deliveries"
    __table_args__ = (UniqueConstraint("check_id", "channel"), Index(None, "due_at"), Index(None, "channel_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("price_check_runs.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(80))  # `database.families.sending` says which there are
    channel_id: Mapped[int | None] = mapped_column(
        ForeignKey("alert_channels.id", ondelete="CASCADE")
    )  # the user's own
    result: Mapped[AlertResult] = mapped_column(text_enum(AlertResult), default=AlertResult.PENDING)
    # When it is to be sent; while a process sends it, when another may take it over. None: it has ended.
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str | None] = mapped_column(String(300))  # of the last attempt that failed, or why it was skipped
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class AuthCode(Base):
    """A one-time code that we have sent. The newest of a user and purpose counts, once, until it expires."""

    __tablename__ = "auth_codes"
    __table_args__ = (Index(None, "user_id", "purpose"), Index(None, "expires_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[Purpose] = mapped_column(text_enum(Purpose))
    channel: Mapped[str] = mapped_column(String(16))  # email, sms
    code_hash: Mapped[str] = mapped_column(String(64))  # HMAC-SHA256 of purpose, user, address and code
    failures: Mapped[int] = mapped_column(default=0, server_default="0")  # wrong guesses, from any address
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    consumed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # used, or used up by wrong guesses
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class AuthSession(Base):
    """A sign-in of a user: the bearer of its token, which is not stored."""

    __tablename__ = "auth_sessions"
    __table_args__ = (UniqueConstraint("token_hash"), Index(None, "user_id"), Index(None, "expires_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64))  # SHA-256: a token has 256 random bits
    user_agent: Mapped[str] = mapped_column(String(200), default="")  # by which the user tells it from others
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)  # to the minute


class OtpAttempt(Base):
    """What was counted of one subject within a window: wrong codes, or codes that were asked for."""

    __tablename__ = "otp_attempts"
    __table_args__ = (UniqueConstraint("subject_key"), Index(None, "updated_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_key: Mapped[str] = mapped_column(String(512))  # HMAC: it is made of addresses
    fail_count: Mapped[int] = mapped_column(default=0)
    window_started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
