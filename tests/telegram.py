"""The sandbox's Telegram as tests of Latchkey use it: phone numbers of their own, sessions made with Telethon alone."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sandbox import Running, running
from sandbox.telegram import phone_number
from scrapers.portals.telegram.settings import TelegramSettings
from tests.sandbox.telegram.client import API, Server, play, string_of

API_ID, API_HASH = API
_numbers = itertools.count(1)


class Telegram(Server):
    """A running server, with its admin pages and what points Latchkey at it."""

    def __init__(self, sandbox: Running) -> None:
        self.environment = sandbox.environment
        key = Path(sandbox.environment["TELEGRAM_SERVER_KEY"])
        super().__init__(sandbox.environment["TELEGRAM_SERVER"], key, sandbox.admin["telegram"])

    def settings(self, **given: Any) -> TelegramSettings:
        """Return settings of Latchkey for it: numbers get codes as often as they ask, waits are short."""
        usual = {"code_seconds": 0, "codes_per_hour": 20, "busy_wait": 0.3, "call_wait": 20}
        return TelegramSettings(**{"server": f"{self.host}:{self.port}", "server_key": self.key, **usual, **given})

    def number(self, scenario: str = "ok") -> str:
        """Return a phone number that no other test has."""
        return phone_number(scenario, next(_numbers))

    def string(self, number: str) -> str:
        """Sign in with Telethon alone, and return the session's string."""

        async def scene() -> str:
            async with self.client() as client:
                await self.sign_in(client, number)
                return string_of(client)

        return str(play(scene()))

    def end(self, number: str, error: str) -> None:
        """End the sessions of a number."""
        self.admin.ask(f"users/{number.removeprefix('+')}/end", {"error": error})


@contextmanager
def telegram_running(folder: Path) -> Iterator[Telegram]:
    """Run the server."""
    with running(folder, ("telegram",)) as sandbox:
        yield Telegram(sandbox)


def session_file(path: Path, string: str) -> bytes:
    """Write a session as Telethon keeps it in a file, and return its bytes."""
    from telethon.sessions import SQLiteSession, StringSession

    made, known = SQLiteSession(str(path)), StringSession(string)
    made.set_dc(known.dc_id, known.server_address, known.port)
    made.auth_key = known.auth_key
    made.save()
    made.close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
    return path.read_bytes()
