"""Who acts: the user of this process, or the one on whose behalf the webhook does something."""

from __future__ import annotations

import getpass
import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. via: web, or the command; address: network address, or the name of the host."""

    name: str
    via: str
    address: str


_ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Write down what is done in this block as done by *actor*."""
    token = _ACTOR.set(actor)
    try:
        yield
    finally:
        _ACTOR.reset(token)


def set_actor(actor: Actor | None) -> None:
    """Say who acts from now on, in this thread or task; None: the user of this process."""
    _ACTOR.set(actor)


def current_actor() -> Actor:
    """Return who acts: the user of this process, unless `acting` or `set_actor` has said otherwise."""
    return _ACTOR.get() or _of_process()


@cache
def _of_process() -> Actor:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container runs as a number without a name
        name = f"uid {os.getuid()}"
    # The word of the command alone: what follows it may be anything.
    words = [word for word in sys.argv[1:2] if re.fullmatch("[a-z][a-z-]*", word)]
    return Actor(name, " ".join(["scrapy", *words]), socket.gethostname())
