"""Settings of the electric company's spiders. OKTA's address is a setting of the login."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from scrapers.core.settings import Address, PortalSettings

OURS = frozenset(
    {"authorization", "cookie", "host", "content-length", "content-type", "transfer-encoding", "connection"}
)
FACTOR = {"sms": "sms", "mail": "mail", "email": "mail", "": ""}


class IecSettings(PortalSettings):
    """`IEC_…` variables."""

    portal: ClassVar[str] = "iec"

    factor: Literal["", "sms", "mail"] = Field(
        "", description="How one-time codes come: sms or mail; empty: a person at the terminal is asked."
    )
    readings_overlap_days: int = Field(
        3, ge=0, description="Days before the end of what is stored that are asked for again: corrections come late."
    )
    readings_first_days: int = Field(365, ge=0, description="Days that the first run goes back.")
    readings_late_days: int = Field(
        60, ge=0, description="Days for which a day that is not full is asked for again; users have told of some weeks."
    )
    invoice_days: int = Field(
        120, ge=0, description="Age in days of the oldest last invoice that the company accepts in a request."
    )
    api_url: Address = Field("https://iecapi.iec.co.il", description="Origin of the customers' API.")
    masa_url: Address = Field("https://masa-mainportalapi.iec.co.il", description="Origin of the connections' API.")
    masa_wa_url: Address = Field("https://masaapi-wa.azurewebsites.net", description="Origin of its second host.")
    faults_url: Address = Field("https://masa-faultsportalapi.iec.co.il", description="Origin of the outages' API.")
    headers: Annotated[dict[str, str], NoDecode] = Field(
        {},
        description='Headers of the API\'s requests beside ours, as JSON: {"Origin": "https://www.iec.co.il"}; "" leaves one out.',
    )
    jwks_url: Address = Field("", description="Address of OKTA's signing keys; empty: where OKTA keeps them.")
    client_id: str = Field(
        "0oaqf6zr7yEcQZqqt2p7",  # of the company's app, a public client: the one that gets refresh tokens
        description="Id of the OAuth client.",
    )
    redirect_uri: str = Field("com.iecrn:/", description="Where OAuth would send a browser.")
    token_encryption_key: SecretStr = Field(
        SecretStr(""), description="Fernet key of token files that are exchanged with other clients; empty: in clear."
    )

    @field_validator("headers", mode="before")
    @classmethod
    def read_headers(cls, value: Any) -> Any:
        """Read the JSON of the environment; refuse what is no header, and those that the crawl sets itself."""
        try:
            given = json.loads(value) if isinstance(value, str) and value.strip() else value or {}
        except ValueError:
            raise ValueError("it is not JSON") from None
        if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
            raise ValueError('it must be a JSON object of texts, as {"Origin": "https://www.iec.co.il"}')
        for name, text in given.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not re.fullmatch(r"[\x20-\x7e]*", text):
                raise ValueError("it has a name or value that no header can have")
            if name.casefold() in OURS:
                raise ValueError(f"{name} cannot be set")
        return given

    @field_validator("factor", mode="before")
    @classmethod
    def known_factor(cls, value: Any) -> Any:
        """Accept email for mail, in any case."""
        known = FACTOR.get(str(value).strip().lower())
        if known is None:
            raise ValueError("it must be sms or mail")
        return known
