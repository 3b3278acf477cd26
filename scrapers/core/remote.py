"""What a person at another screen sees of a page and does in it: the acts, and the sealed messages that carry both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cryptography.fernet import Fernet, InvalidToken
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

LIFE = 30  # seconds for which a message is good
LARGEST = 2_000_000  # bytes of a message
MOST_ACTS = 60  # of one message
LONGEST_TEXT = 500  # characters
KEYS = (
    *("Enter", "Tab", "Shift+Tab", "Backspace", "Delete", "Escape", "Space", "Home", "End", "PageUp", "PageDown"),
    *("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"),
)


class _Act(BaseModel):
    """Base of the acts. What a person types is in no `repr`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Pointer(_Act):
    """The pointer moves, is pressed or is let go; x and y: fractions of the page's width and height."""

    kind: Literal["move", "down", "up"]
    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)


class Wheel(_Act):
    """The page is scrolled by so many pixels under the pointer."""

    kind: Literal["wheel"]
    by: float = Field(ge=-2000, le=2000)


class Key(_Act):
    """A key without a character is pressed: one of KEYS."""

    kind: Literal["key"]
    name: str = Field(repr=False, pattern=f"^({'|'.join(KEYS).replace('+', '[+]')})$")


class Text(_Act):
    """Characters are typed."""

    kind: Literal["text"]
    text: str = Field(repr=False, min_length=1, max_length=LONGEST_TEXT)


Act = Annotated[Pointer | Wheel | Key | Text, Field(discriminator="kind")]
ACTS: TypeAdapter[list[Act]] = TypeAdapter(
    Annotated[list[Act], Field(max_length=MOST_ACTS)], config=ConfigDict(hide_input_in_errors=True)
)


class Ask(_Act):
    """
    A message to the browser's process. nonce: of this message alone; the answer repeats it.

    do: `look` for a picture newer than *after*, `act` in the page, or `stop` the sign-in.
    """

    nonce: str = Field(min_length=16, max_length=64)
    do: Literal["look", "act", "stop"]
    after: int = 0
    acts: list[Act] = Field(default=[], max_length=MOST_ACTS, repr=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG of the page. number: counts the pictures of a sign-in from 1."""

    number: int
    content: bytes


class Broken(Exception):
    """A message is none of ours, is too old, or was read before."""


class Seal:
    """
    Encrypts and authenticates messages with the key of one sign-in.

    Each message is read once by this object, so that one which was listened to cannot be sent again.
    """

    def __init__(self, key: str) -> None:
        self._fernet = Fernet(key)
        self._seen: dict[bytes, int] = {}  # messages that were read, and when each was sealed

    @staticmethod
    def new_key() -> str:
        """Return a random key."""
        return Fernet.generate_key().decode()

    def close(self, content: bytes) -> bytes:
        """Return the message with this content."""
        return self._fernet.encrypt(content)

    def open(self, message: bytes) -> bytes:
        """Return the content of a message; raise Broken."""
        if len(message) > LARGEST or message in self._seen:
            raise Broken
        try:
            content = self._fernet.decrypt(message, ttl=LIFE)
            sealed_at = self._fernet.extract_timestamp(message)
        except InvalidToken:
            raise Broken from None
        self._seen = {known: at for known, at in self._seen.items() if at >= sealed_at - 2 * LIFE}
        self._seen[message] = sealed_at
        return content


def answer(nonce: str, picture: Picture | None, **facts: Any) -> bytes:
    """Return the content of an answer: a line of JSON, then the picture."""
    number = picture.number if picture is not None else 0
    line = json.dumps({"nonce": nonce, "picture": number, **facts}).encode()
    return line + b"\n" + (picture.content if picture is not None else b"")


def read_answer(nonce: str, content: bytes) -> tuple[dict[str, Any], Picture | None]:
    """Return the facts and the picture of an answer; raise Broken for one to another message."""
    line, _, image = content.partition(b"\n")
    facts: dict[str, Any] = json.loads(line)
    if facts.pop("nonce") != nonce:
        raise Broken
    number = facts.pop("picture")
    return facts, Picture(number, image) if number else None
