"""Settings of the webhook."""

from __future__ import annotations

import ipaddress
from functools import cache
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator

from database.settings import RoomSettings, SettingsError

RATE = r"^[1-9][0-9]* ?(/|per) ?([1-9][0-9]* ?)?(second|minute|hour|day)s?$"
SHORTEST_TOKEN = 16
HOW_TO_MAKE_ONE = 'make one with `python3 -c "import secrets; print(secrets.token_urlsafe(32))"`'


class WebhookSettings(RoomSettings):
    """Where the webhook listens, who may call it, and how often."""

    webhook_host: str = Field("127.0.0.1", description="Address to listen on; the default is this machine alone.")
    webhook_port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    server: Literal["waitress", "gunicorn"] = Field(
        "waitress", description="What serves: waitress in one process, or gunicorn in several (docs/deployment.md)."
    )
    server_processes: int = Field(0, ge=0, le=64, description="Processes of gunicorn; 0: two.")
    server_threads: int = Field(
        8, ge=1, le=32, description="Requests that a process answers side by side; each may take a database connection."
    )
    webhook_public_url: str = Field(
        "",
        pattern=r"^(https?://[^?#]+)?$",
        description="Address by which gateways call us (their signatures cover it) and the pages are opened: "
        "sign-in links begin with it, and passkeys are good for its host name alone.",
    )
    webhook_proxies: int = Field(0, ge=0, le=5, description="Reverse proxies in front of us whose headers we believe.")
    webhook_token: SecretStr = Field(SecretStr(""), description="Token that message gateways show.")
    code_reader_token: SecretStr = Field(
        SecretStr(""), description="Token for reading codes; another than the gateways'. Empty: nobody may."
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Token that Prometheus shows at /metrics. Empty: nobody may read it."
    )
    twilio_auth_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("LATCHKEY_TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN"),
        description="Twilio's auth token, with which it signs its requests, and we those to it.",
    )
    webhook_mail_key: SecretStr = Field(
        SecretStr(""),
        description="Key with which a mail-routing service signs what it posts. Empty: it shows the token.",
    )
    sms_receiver: str = Field("", description="Receiver of messages whose gateway does not name one.")
    webhook_rate: str = Field("1200 per minute", pattern=RATE, description="Requests from one address.")
    webhook_sender_rate: str = Field(
        "60 per minute", pattern=RATE, description="Messages from one sender to one receiver."
    )
    code_life: float = Field(300.0, gt=0, description="Seconds that a message is kept.")

    @property
    def address(self) -> str:
        """Address by which the pages are opened: the public one, else the one on which the webhook listens."""
        return self.webhook_public_url.rstrip("/") or url_of(self.webhook_host, self.webhook_port)

    def check_tokens(self) -> None:
        """Raise SettingsError, with the cure, unless the tokens are there, long enough and different."""
        given = {
            "LATCHKEY_WEBHOOK_TOKEN": self.webhook_token.get_secret_value(),
            "LATCHKEY_CODE_READER_TOKEN": self.code_reader_token.get_secret_value(),
            "LATCHKEY_WEBHOOK_MAIL_KEY": self.webhook_mail_key.get_secret_value(),
            "LATCHKEY_METRICS_TOKEN": self.metrics_token.get_secret_value(),
        }
        if not given["LATCHKEY_WEBHOOK_TOKEN"]:
            raise SettingsError(f"LATCHKEY_WEBHOOK_TOKEN is not set: {HOW_TO_MAKE_ONE} and give it to your gateway.")
        of: dict[str, str] = {}
        for name, token in given.items():
            if token and len(token) < SHORTEST_TOKEN:
                raise SettingsError(f"{name} is shorter than {SHORTEST_TOKEN} characters: {HOW_TO_MAKE_ONE}.")
            if token and (other := of.setdefault(token, name)) != name:
                raise SettingsError(f"{name} is the same as {other}: {HOW_TO_MAKE_ONE}.")

    def check_server(self) -> None:
        """Raise SettingsError, with the cure, unless what serves is there and can do what is set."""
        if self.server == "waitress" and self.server_processes > 1:
            raise SettingsError(
                "LATCHKEY_SERVER_PROCESSES is more than one, and waitress is one process: "
                "set LATCHKEY_SERVER=gunicorn, or leave it out."
            )
        if self.server == "gunicorn" and find_spec("gunicorn") is None:
            raise SettingsError(
                "LATCHKEY_SERVER is gunicorn, and gunicorn is not installed: pip install 'gunicorn>=27,<28', "
                "or set LATCHKEY_SERVER=waitress."
            )


def url_of(host: str, port: int) -> str:
    """
    Return the address of a server.

    >>> url_of("::1", 8000)
    'http://[::1]:8000'
    """
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@cache
def webhook_settings() -> WebhookSettings:
    """Return the settings of this process, read once."""
    settings = WebhookSettings.load()
    assert isinstance(settings, WebhookSettings)
    return settings


def _either(name: str) -> AliasChoices:
    """Return our name of a setting, then the one that it has in the price checker whose API this is."""
    return AliasChoices(f"LATCHKEY_{name}", name)


class PriceWatchSettings(RoomSettings):
    """How users of the price watch and the control room sign in, and what is served to them."""

    price_watch: bool = Field(True, description="Whether the routes of the price watch are served.")
    control_room: bool = Field(True, description="Whether the control room is served, to users who have a role.")
    auth_dev_mode: bool = Field(
        False,
        validation_alias=_either("AUTH_DEV_MODE"),
        description="Whether codes are in the answers in the place of being sent; on loopback only.",
    )
    auth_code_ttl_minutes: float = Field(
        10.0,
        gt=0,
        le=1440,
        validation_alias=_either("AUTH_CODE_TTL_MINUTES"),
        description="Minutes that a code which we have sent is good for.",
    )
    auth_session_ttl_hours: float = Field(
        168.0,
        gt=0,
        le=87_600,
        validation_alias=_either("AUTH_SESSION_TTL_HOURS"),
        description="Hours that a sign-in of a user lasts.",
    )
    auth_otp_max_attempts: int = Field(
        5,
        ge=1,
        le=20,
        validation_alias=_either("AUTH_OTP_MAX_ATTEMPTS"),
        description="Wrong codes of one client for one user within the window, after which it is blocked.",
    )
    auth_otp_window_minutes: float = Field(
        15.0,
        gt=0,
        le=1440,
        validation_alias=_either("AUTH_OTP_WINDOW_MINUTES"),
        description="Minutes in which wrong codes are counted together.",
    )
    auth_otp_block_minutes: float = Field(
        30.0,
        gt=0,
        le=1440,
        validation_alias=_either("AUTH_OTP_BLOCK_MINUTES"),
        description="Minutes that a client is blocked after too many wrong codes.",
    )
    auth_code_guesses: int = Field(
        10, ge=1, le=100, description="Wrong codes of all clients together, after which a code is void."
    )
    auth_resend_seconds: float = Field(60.0, ge=0, le=3600, description="Seconds between two codes to one address.")
    auth_resend_cap: int = Field(5, ge=1, le=100, description="Codes to one address within an hour.")
    auth_recent_minutes: float = Field(
        15.0, gt=0, description="Minutes after a sign-in in which an address may be changed or the account deleted."
    )
    auth_rate: str = Field("30 per minute", pattern=RATE, description="Registrations and sign-ins from one address.")
    user_rate: str = Field("300 per minute", pattern=RATE, description="Requests of one user.")
    assist_rate: str = Field(
        "900 per minute",
        pattern=RATE,
        description="Pictures and acts of one operator who finishes a sign-in from the control room.",
    )
    telegram_rate: str = Field(
        "30 per minute", pattern=RATE, description="Requests of one user for which Telegram is asked."
    )
    check_rate: str = Field("20 per minute", pattern=RATE, description="Checks that one user asks for.")
    check_wait: float = Field(25.0, ge=0, le=60, description="Seconds that a request waits for the check it asks for.")
    auth_cookie_name: str = Field(
        "pb_session",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        validation_alias=_either("AUTH_COOKIE_NAME"),
        description="Name of the cookie with a user's token.",
    )
    auth_cookie_secure: bool = Field(
        False,
        validation_alias=_either("AUTH_COOKIE_SECURE"),
        description="Whether that cookie is for HTTPS only.",
    )
    cors_allowed_origins: str = Field(
        "http://localhost:8000,http://127.0.0.1:8000",
        validation_alias=_either("CORS_ALLOWED_ORIGINS"),
        description="Origins, separated by commas, whose pages may use the API with a user's cookie.",
    )
    legacy_routes: bool = Field(
        False, description="Whether the routes that ask for no sign-in are served; on loopback only."
    )

    twilio_account_sid: str = Field(
        "",
        pattern=r"^[A-Za-z0-9]{0,64}$",
        validation_alias=_either("TWILIO_ACCOUNT_SID"),
        description="Twilio's account by which text messages are sent; empty: none are.",
    )
    twilio_from_number: str = Field(
        "", validation_alias=_either("TWILIO_FROM_NUMBER"), description="Number from which they are sent."
    )
    twilio_messaging_service_sid: str = Field(
        "",
        validation_alias=_either("TWILIO_MESSAGING_SERVICE_SID"),
        description="Twilio's messaging service, in the place of a number.",
    )
    twilio_url: str = Field(
        "https://api.twilio.com", pattern=r"^https?://[^?#]+$", description="Address of Twilio's API."
    )

    @field_validator("cors_allowed_origins")
    @classmethod
    def check_origins(cls, value: str) -> str:
        """Refuse what is no origin."""
        for origin in _parts(value):
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or origin != f"{parts.scheme}://{parts.netloc}"
                or not parts.netloc
            ):
                raise ValueError("each is an origin, such as https://prices.example.com; `*` is none")
        return value

    @property
    def origins(self) -> frozenset[str]:
        """The origins of `cors_allowed_origins`."""
        return frozenset(_parts(self.cors_allowed_origins))

    def check_host(self, host: str) -> None:
        """Raise SettingsError when what is safe on this machine alone would be served to others."""
        for name in ("auth_dev_mode", "legacy_routes"):
            if (self.price_watch or self.control_room) and getattr(self, name) and not is_loopback(host):
                raise SettingsError(
                    f"{self.given(name).variable} is on, and LATCHKEY_WEBHOOK_HOST is not this machine alone: "
                    "turn it off, or listen on 127.0.0.1."
                )


def _parts(value: str) -> list[str]:
    return [part.strip().rstrip("/") for part in value.split(",") if part.strip()]


def is_loopback(host: str) -> bool:
    """Tell whether an address or host name means this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
