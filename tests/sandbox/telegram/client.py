"""Telethon, unmodified, as the tests use it: a server's address and key, and clients that are signed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.network import ConnectionTcpFull
from telethon.sessions import StringSession

from sandbox import Admin

API = (12345, "0123456789abcdef0123456789abcdef")
SECONDS = 60


class Server:
    """Where the server is, and its admin pages."""

    def __init__(self, address: str, key: Path, admin: Admin) -> None:
        self.host, _, port = address.rpartition(":")
        self.port, self.key, self.admin = int(port), key, admin
        rsa.add_key(key.read_text(), old=False)

    def session(self, string: str = "", centre: int = 2) -> StringSession:
        session = StringSession(string)
        session.set_dc(centre, self.host, self.port)
        return session

    @asynccontextmanager
    async def client(self, string: str = "", centre: int = 2, **options: Any) -> AsyncIterator[TelegramClient]:
        """Give a client that is connected; string: a session."""
        options = {"connection": ConnectionTcpFull, "flood_sleep_threshold": 0, "retry_delay": 0} | options
        client = TelegramClient(self.session(string, centre), *API, **options)
        try:
            await client.connect()
            yield client
        finally:
            await client.disconnect()

    def code(self, phone: str) -> str:
        return str(self.admin.ask(f"codes/{phone.removeprefix('+')}")["code"])

    async def sign_in(self, client: TelegramClient, phone: str) -> Any:
        await client.send_code_request(phone)
        return await client.sign_in(phone, self.code(phone))

    @asynccontextmanager
    async def signed_in(self, phone: str, **options: Any) -> AsyncIterator[TelegramClient]:
        """Give a client that is signed in."""
        async with self.client(**options) as client:
            await self.sign_in(client, phone)
            yield client

    def files(self, word: str, digests: str = "") -> dict[int, dict[str, Any]]:
        """Return the files of a channel by the ids of their messages."""
        rows = self.admin.ask(f"channels/{word}/files?digests={digests}")["files"]
        return {row["message"]: row for row in rows}

    def change(self, word: str, **orders: Any) -> dict[str, Any]:
        return self.admin.ask(f"channels/{word}", orders)

    def channels(self) -> dict[str, dict[str, Any]]:
        return {row["word"]: row for row in self.admin.ask("channels")["channels"]}

    def methods(self, since: int = 0) -> list[str]:
        """Return the methods that were called."""
        return [entry["path"] for entry in self.admin.journal(since)]


def play(scene: Coroutine[Any, Any, Any]) -> Any:
    """Run a scene to its end, or fail after a minute; in a thread, because Playwright's loop may run in this one."""

    async def bounded() -> Any:
        async with asyncio.timeout(SECONDS):
            return await scene

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, bounded()).result()


def string_of(client: TelegramClient) -> str:
    return str(StringSession.save(client.session))
