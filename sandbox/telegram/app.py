"""Telegram: the server on its own port, and the admin pages by which channels and sessions are changed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from typing import Any, ClassVar

from aiohttp import web

from sandbox.admin import PREFIX, body, refusal
from sandbox.frame import Portal
from sandbox.telegram.channels import CHANNELS, Channel
from sandbox.telegram.connection import Connection
from sandbox.telegram.dispatch import Dispatcher
from sandbox.telegram.documents import sha256_of
from sandbox.telegram.keys import UNREGISTERED
from sandbox.telegram.state import TelegramState
from sandbox.telegram.transport import opened

DIGEST_UP_TO = 20_000_000  # bytes of a file whose digest is told without being asked for


class Telegram(TelegramState, Portal):
    """One data centre with its channels; clients speak MTProto to it, tests and people HTTP."""

    origins: ClassVar = {"": "TELEGRAM_ADMIN_URL", "mtproto": "TELEGRAM_SERVER"}
    bare = frozenset({"mtproto"})

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._live: set[Connection] = set()
        self._dispatcher = Dispatcher(self, self.faults)

    def environment(self) -> dict[str, str]:
        """Return the variables that point clients here: where the server is, and the file with its public key."""
        return {
            "TELEGRAM_ADMIN_URL": self.urls[""],
            "TELEGRAM_SERVER": self.urls["mtproto"].removeprefix("tcp://"),
            "TELEGRAM_SERVER_KEY": str(self.server_key.path.resolve()),
        }

    # Clients

    async def serve_bare(self, origin: str, sock: socket.socket, stack: AsyncExitStack) -> None:
        """Serve clients on a socket until the stack is closed."""
        server = await asyncio.start_server(self._serve, sock=sock)
        stack.callback(self.disconnect_all)
        stack.callback(server.close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            transport = await opened(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()  # whoever looked only whether somebody listens
            return
        connection = Connection(self, self, self._dispatcher, transport)
        self._live.add(connection)
        self.counters.highest("connections_max", len(self._live))
        try:
            await connection.run()
        finally:
            self._live.discard(connection)

    def holds(self, connection: Connection) -> None:
        """Note with which key a connection is used; a key used from two addresses at once dies."""
        key = connection.key
        assert key is not None
        others = [each for each in self._live if each is not connection and each.key and each.key.id == key.id]
        self.counters.highest("same_key_connections_max", len(others) + 1)
        strange = [each for each in others if each.address != connection.address]
        if strange or (others and self.configuration["one_connection_per_key"]):
            self.counters.add("auth_keys_duplicated")
            self.end_session(key, "AUTH_KEY_DUPLICATED")

    def disconnect_all(self) -> int:
        """Close every client's connection; return how many there were."""
        live = list(self._live)
        for connection in live:
            connection.close()
        return len(live)

    # Admin pages

    def routes(self, origin: str) -> Iterable[web.AbstractRouteDef]:
        """Return the admin pages that this portal has beside the frame's."""
        return [
            web.get(PREFIX + "codes/{number}", self.code),
            web.get(PREFIX + "channels", self.list_channels),
            web.get(PREFIX + "channels/{word}/files", self.list_files),
            web.post(PREFIX + "channels/{word}", self.change_channel),
            web.post(PREFIX + "users/{number}/end", self.end),
            web.post(PREFIX + "expire-references", self.expire),
            web.post(PREFIX + "disconnect", self.disconnect),
        ]

    async def code(self, request: web.Request) -> web.Response:
        """Return the newest code that was sent to a number; "" where none was."""
        return web.json_response({"code": self.last_code(request.match_info["number"])})

    async def list_channels(self, request: web.Request) -> web.Response:
        """Return what a reader should find: every channel with its facts and the number of its messages."""
        return web.json_response({"channels": [self._told(each) for each in self.world.all()]})

    def _told(self, channel: Channel) -> dict[str, Any]:
        ids: Sequence[int] = self.world.ids(channel)
        return {
            "word": channel.word,
            "id": channel.id,
            "title": channel.title,
            "username": channel.username,
            "kind": channel.kind,
            "about": channel.about,
            "members": channel.members,
            "joined": channel.joined,
            "private": self.world.is_private(channel),
            "protected": channel.protected,
            "invite": channel.invite,
            "topics": dict(channel.topics),
            "messages": len(ids),
            "newest": ids[-1] if ids else 0,
        }

    async def list_files(self, request: web.Request) -> web.Response:
        """Return the files of a channel's messages, oldest first; `?digests=all` has those of large ones too, `none` no one."""
        channel, digests = self._channel(request), request.query.get("digests", "")
        posts = (self.world.post(channel, number) for number in self.world.ids(channel))
        rows = []
        for post in posts:
            if post is None or post.file is None:
                continue
            file, wanted = post.file, digests == "all" or (not digests and post.file.size <= DIGEST_UP_TO)
            rows.append(
                {
                    "message": post.id,
                    "file": file.id,
                    "name": file.name,
                    "mime": file.mime,
                    "size": file.size,
                    "kind": file.kind,
                    "group": post.group,
                    "topic": post.topic,
                    "sender": post.sender,
                    "text": post.text,
                    "sha256": await asyncio.to_thread(sha256_of, file) if wanted else "",
                }
            )
        return web.json_response({"files": rows})

    async def change_channel(self, request: web.Request) -> web.Response:
        """Change a channel: title, username, about, private, protected, members; post, delete and edit messages."""
        channel = self._channel(request)
        wrong = self.world.change(channel, self.now(), await body(request))
        if wrong:
            raise refusal(wrong)
        return web.json_response(self._told(self.world.find(channel.id) or channel))

    async def end(self, request: web.Request) -> web.Response:
        """End a number's sessions with an error: `{"error": "USER_DEACTIVATED_BAN"}`."""
        error = str((await body(request)).get("error", UNREGISTERED))
        return web.json_response({"sessions": self.end_sessions(request.match_info["number"], error)})

    async def expire(self, request: web.Request) -> web.Response:
        """Have all file references that were given expire now."""
        self.expire_references()
        return web.json_response({})

    async def disconnect(self, request: web.Request) -> web.Response:
        """Close every client's connection."""
        return web.json_response({"connections": self.disconnect_all()})

    def _channel(self, request: web.Request) -> Channel:
        word = request.match_info["word"]
        found = self.world.find(CHANNELS[word].id) if word in CHANNELS else None
        if found is None:
            raise refusal(f"There is no channel {word}: choose from {', '.join(CHANNELS)}.")
        return found


PORTAL = Telegram
