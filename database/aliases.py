"""Aliases: settings that are given under another program's name, each told once by the process that reads it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

_known: dict[str, str] = {}  # alias: sentence, of those that this process has read
_told: set[str] = set()
_lock = threading.Lock()
_say: Callable[[str], None] | None = None  # None: nothing is told yet


def read(pairs: Iterable[tuple[str, str]]) -> None:
    """Take note of aliases that have just been read, each with the setting's own name; tell new ones."""
    with _lock:
        _known.update((alias, f"{alias} is read as {name}.") for alias, name in pairs if alias not in _known)
    _tell()


def tell_by(say: Callable[[str], None]) -> None:
    """Tell what was read up to now, and from now on each further alias once. say: takes a sentence without the value."""
    global _say
    _say = say
    _tell()


def forget() -> None:
    """Forget what was read and told, and by what; for tests, which are many processes in one."""
    global _say
    _say = None
    _known.clear()
    _told.clear()


def _tell() -> None:
    if _say is None:
        return
    with _lock:
        new = [alias for alias in _known if alias not in _told]
        _told.update(new)
    for alias in new:
        _say(_known[alias])
