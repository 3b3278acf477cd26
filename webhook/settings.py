"""Settings of the webhook."""

from __future__ import annotations

from functools import cache

from pydantic import AliasChoices, Field, SecretStr

from database.settings import RoomSettings, SettingsError

RATE = r"^[1-9][0-9]* ?(/|per) ?([1-9][0-9]* ?)?(second|minute|hour|day)s?$"
SHORTEST_TOKEN = 16
HOW_TO_MAKE_ONE = 'make one with `python3 -c "import secrets; print(secrets.token_urlsafe(32))"`'


class WebhookSettings(RoomSettings):
    """Where the webhook listens, who may call it, and how often."""

    webhook_host: str = Field("127.0.0.1", description="Address to listen on; the default is this machine alone.")
    webhook_port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    webhook_public_url: str = Field(
        "", pattern=r"^(https?://[^?#]+)?$", description="Address by which gateways call us; their signatures cover it."
    )
    webhook_proxies: int = Field(0, ge=0, le=5, description="Reverse proxies in front of us whose headers we believe.")
    webhook_token: SecretStr = Field(SecretStr(""), description="Token that message gateways show.")
    code_reader_token: SecretStr = Field(
        SecretStr(""), description="Token for reading codes; another than the gateways'. Empty: nobody may."
    )
    twilio_auth_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("LATCHKEY_TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN"),
        description="Twilio's auth token, with which it signs its requests.",
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

    def check_tokens(self) -> None:
        """Raise SettingsError, with the cure, unless the tokens are there, long enough and different."""
        gateway, reader = self.webhook_token.get_secret_value(), self.code_reader_token.get_secret_value()
        if not gateway:
            raise SettingsError(f"LATCHKEY_WEBHOOK_TOKEN is not set: {HOW_TO_MAKE_ONE} and give it to your gateway.")
        mail_key = self.webhook_mail_key.get_secret_value()
        for name, token in (
            ("LATCHKEY_WEBHOOK_TOKEN", gateway),
            ("LATCHKEY_CODE_READER_TOKEN", reader),
            ("LATCHKEY_WEBHOOK_MAIL_KEY", mail_key),
        ):
            if token and len(token) < SHORTEST_TOKEN:
                raise SettingsError(f"{name} is shorter than {SHORTEST_TOKEN} characters: {HOW_TO_MAKE_ONE}.")
        if gateway == reader:
            raise SettingsError(f"LATCHKEY_CODE_READER_TOKEN is the same as LATCHKEY_WEBHOOK_TOKEN: {HOW_TO_MAKE_ONE}.")
        if mail_key and mail_key in (gateway, reader):
            raise SettingsError(f"LATCHKEY_WEBHOOK_MAIL_KEY is the same as a token: {HOW_TO_MAKE_ONE}.")


@cache
def webhook_settings() -> WebhookSettings:
    """Return the settings of this process, read once."""
    settings = WebhookSettings.load()
    assert isinstance(settings, WebhookSettings)
    return settings
