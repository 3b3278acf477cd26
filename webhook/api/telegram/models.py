"""What the routes of Telegram's sessions take and answer. Names are those of the service that they take the place of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from flask_openapi3.models.file import FileStorage
from pydantic import AfterValidator, ConfigDict, Field, RootModel
from werkzeug.datastructures import FileStorage as Uploaded

from database.families.telegram.sessions import LONGEST_NAME, phone_number
from database.families.watching import HIGHEST_ID
from database.models.telegram import TelegramState
from webhook.api.models import MOST, Stored
from webhook.documentation import Model


def _plain(value: str) -> str:
    text = value.strip()
    if not text or not text.isprintable():
        raise ValueError("it must be one line of plain text")
    return text


def _is_file(value: FileStorage) -> FileStorage:
    if not isinstance(value, Uploaded):
        raise ValueError("it must be a file")
    return value


ApiId = Annotated[int, Field(ge=1, le=HIGHEST_ID, strict=True, description="Of an app at my.telegram.org.")]
ApiHash = Annotated[str, Field(pattern=r"^[!-~]{1,64}$", description="Of that app; it is not shown again.")]
Phone = Annotated[
    str,
    Field(
        min_length=7,
        max_length=32,
        examples=["+12015550100"],
        json_schema_extra={"pattern": r"^\+[1-9][0-9]{6,14}$"},
    ),
    AfterValidator(phone_number),
]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_plain)]
Code = Annotated[str, Field(pattern=r"^[0-9]{3,10}$", examples=["12345"])]
Password = Annotated[str, Field(min_length=1, max_length=500)]
Status = Literal["active", "expired", "revoked", "banned", "unreachable"]
Switched = Literal[TelegramState.ACTIVE, TelegramState.INACTIVE]


class NewTelegramSession(Model):
    """A session that was made elsewhere, as a string. phone_number: of its account, where that is to be compared."""

    name: Name
    phone_number: Phone | None = Field(None, repr=False)
    api_id: ApiId
    api_hash: ApiHash = Field(repr=False)
    session_string: str = Field(min_length=1, max_length=1000, repr=False, description="Telethon's StringSession.")


class OtpStart(Model):
    """To which phone number Telegram is to send a code."""

    phone_number: Phone = Field(repr=False)
    api_id: ApiId
    api_hash: ApiHash = Field(repr=False)


class OtpSent(Model):
    """A code is on its way. temp_session_id: with which it is given."""

    temp_session_id: str
    phone_number: str
    message: str
    expires_in_minutes: float


class OtpGiven(Model):
    """The code that came, and the password where the account has one; once the code was taken, the password alone."""

    temp_session_id: UUID
    code: Code | None = Field(None, repr=False)
    password: Password | None = Field(None, repr=False)
    session_name: Name | None = None


class SessionFile(Model):
    """A `.session` file of Telethon."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    api_id: ApiId
    api_hash: ApiHash = Field(repr=False)
    file: Annotated[FileStorage, AfterValidator(_is_file)]


class FileTaken(Model):
    """The session of a file works. temp_session_id: by which it is finalized."""

    temp_session_id: str
    phone_number: str | None
    message: str
    expires_in_minutes: float


class Finalized(Model):
    """The name under which a session is kept."""

    temp_session_id: UUID
    name: Name


class SessionChange(Model):
    """What is to change; what is left out or null stays. is_active: an inactive session is used by nothing."""

    name: Name | None = None
    is_active: Switched | None = None


class TelegramSessionAnswer(Stored):
    """
    A session; neither its string nor its hash is ever shown.

    is_active: its state. message: one sentence on that. waits_until: before then Telegram wants not to be asked.
    sources: how many use it.
    """

    id: str
    name: str
    phone_number: str | None
    api_id: int
    is_active: TelegramState
    is_bot: bool
    message: str | None
    waits_until: datetime | None
    created_at: datetime
    updated_at: datetime
    last_checked_at: datetime | None
    sources: int


class TelegramSessionList(RootModel[list[TelegramSessionAnswer]]):
    """The sessions of a user, the oldest first."""


class TelegramSessionPath(Model):
    """Which session."""

    session_id: UUID


class LoginPath(Model):
    """Which login that has begun."""

    temp_session_id: UUID


class SkipQuery(Model):
    """Which rows of a list."""

    skip: int = Field(0, ge=0, le=HIGHEST_ID, description="Rows before the first one.")
    limit: int = Field(100, ge=1, le=MOST, description="Rows at most.")


class ChannelQuery(Model):
    """How much is answered about channels."""

    details: bool = Field(True, description="Members and description, for which each channel is asked.")


class TelegramChannel(Stored):
    """
    A channel or supergroup that an account sees. null: not known.

    id: bare and positive. is_private: it has no user name. noforwards: its owner forbids saving. is_closed: the account is a
    member no more.
    """

    id: int
    username: str | None
    title: str
    participants_count: int | None
    is_broadcast: bool
    is_megagroup: bool
    is_private: bool
    access_hash: int | None
    description: str | None
    is_forum: bool
    noforwards: bool
    is_closed: bool


class TelegramChannelList(RootModel[list[TelegramChannel]]):
    """All channels of an account, in the order of its dialogs."""


class SessionTest(Model):
    """What Telegram says of a session now. status: unreachable says nothing of it. is_active: the state that is stored."""

    session_id: str
    is_valid: bool
    status: Status
    message: str | None
    is_active: TelegramState
    last_checked_at: datetime | None


class Gone(Model):
    """What was deleted."""

    message: str
    id: str
