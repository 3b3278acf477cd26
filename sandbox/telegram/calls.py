"""What a method's answer gets and may refuse with, and the table of all methods that are answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.keys import AuthKey
from sandbox.telegram.people import Account
from sandbox.telegram.state import TelegramState


class Refusal(Exception):
    """An RPC error: its number and its word, as clients see them."""

    def __init__(self, code: int, word: str) -> None:
        super().__init__(word)
        self.code, self.word = code, word


class Cut(Exception):
    """The connection breaks within this answer."""

    def __init__(self, told: Any) -> None:
        super().__init__("cut")
        self.told = told


@dataclass
class Call:
    """
    One request.

    account: who is signed in with the key; None for nobody. request: an object of Telethon's. about: what the journal says
    of it: numbers and plain words, no secret.
    """

    state: TelegramState
    key: AuthKey
    account: Account | None
    request: Any
    about: dict[str, Any]

    @property
    def me(self) -> Account:
        """Who is signed in; the table lets nobody else come to a method that needs it."""
        assert self.account is not None
        return self.account


@dataclass(frozen=True, slots=True)
class Method:
    """
    How a method is answered.

    anonymous: also to those who are not signed in. content: counts for scenarios that end a session midway. bots: whether bots
    may call it.
    """

    name: str
    answer: Callable[[Call], Any]
    anonymous: bool
    content: bool
    bots: bool


METHODS: dict[type[Any], Method] = {}


def answers(
    *requests: type[Any], anonymous: bool = False, content: bool = False, bots: bool = True
) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Have a function answer some requests; see `Method`."""

    def keep(answer: Callable[[Call], Any]) -> Callable[[Call], Any]:
        for request in requests:
            METHODS[request] = Method(name_of(request), answer, anonymous, content, bots)
        return answer

    return keep


def name_of(request: type[Any]) -> str:
    """Return the name of a method in the protocol: `messages.getHistory` for Telethon's `messages.GetHistoryRequest`."""
    space = request.__module__.rpartition(".")[2]
    name = request.__name__.removesuffix("Request")
    name = name[0].lower() + name[1:]
    return name if space == "functions" else f"{space}.{name}"
