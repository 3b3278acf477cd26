"""One connection of a client: packets in, messages apart, service messages answered, requests handed on."""

from __future__ import annotations

import asyncio
import gzip
import struct
import zlib
from typing import Any, Protocol

from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from sandbox.telegram import entities, envelope
from sandbox.telegram.calls import Cut
from sandbox.telegram.dispatch import GZIPPED, Dispatcher, Silence
from sandbox.telegram.envelope import EnvelopeError, Numbers
from sandbox.telegram.handshake import Handshake, HandshakeError
from sandbox.telegram.keys import AuthKey, salt
from sandbox.telegram.layers import read
from sandbox.telegram.state import TelegramState
from sandbox.telegram.transport import UNKNOWN_KEY, Transport, TransportError

CONTAINER = 0x73F1F8DC
TOO_OLD, TOO_NEW = 300, 30  # seconds that a message's id may be off
# Codes of bad_msg_notification.
ID_TOO_LOW, ID_TOO_HIGH, ID_NOT_OF_A_CLIENT = 16, 17, 18
BAD_SALT = 48


class Server(Protocol):
    """What a connection needs to know of the others."""

    def holds(self, connection: Connection) -> None:
        """Note with which key a connection is used; a key used from two addresses dies."""


class Connection:
    """
    One client.

    key: the auth key that the last packet was sealed with; None before the first one.
    """

    def __init__(self, server: Server, state: TelegramState, dispatcher: Dispatcher, transport: Transport) -> None:
        self._server, self._state, self._dispatcher, self._transport = server, state, dispatcher, transport
        self.key: AuthKey | None = None
        self.address = transport.address
        self._handshake = Handshake(state.server_key, state.protocol_now, self._keep)
        self._numbers = Numbers()
        self._session = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve the client until it goes away, or sends what is no message."""
        try:
            while True:
                await self._packet(await self._transport.read())
        except (OSError, EOFError, TransportError, HandshakeError, EnvelopeError, struct.error, zlib.error):
            return  # the client is gone; or it sent nonsense, and is cut off as the real server does it
        finally:
            for task in self._tasks:
                task.cancel()
            self.close()

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    def _keep(self, secret: bytes) -> None:
        self._state.counters.add("auth_keys_made")
        self._state.reveal("auth_keys", secret.hex())
        self._state.keys.add(secret)

    async def _packet(self, packet: bytes) -> None:
        if len(packet) < 24:
            raise EnvelopeError("A packet is too short.")
        (key_id,) = struct.unpack_from("<q", packet)
        if not key_id:
            answer = bytes(self._handshake.answer(read(packet[20:])))
            number = self._numbers.id(self._state.protocol_now(), answer=True)
            self._transport.write(struct.pack("<qqi", 0, number, len(answer)) + answer)
            await self._transport.drain()
            return
        key = self._state.keys.find(key_id)
        if key is None:
            self._transport.fail(UNKNOWN_KEY)
            raise EnvelopeError("The key is not known.")
        if self.key is None or self.key.id != key.id:
            self.key = key
            self._server.holds(self)
            key = self._state.keys.find(key_id) or key
        self.key = key
        await self._sealed(key, envelope.opened(key, packet))

    async def _sealed(self, key: AuthKey, message: envelope.Message) -> None:
        """Take a message apart, unless its time or its salt is wrong."""
        wrong = self._wrong_time(message.id)
        if wrong:
            self._state.counters.add("bad_times")
            await self._send(key, message.session, bytes(types.BadMsgNotification(message.id, message.seqno, wrong)))
            return
        good, former = self._salts(key)
        if message.salt not in (good, former):
            self._state.counters.add("bad_salts")
            notice = types.BadServerSalt(message.id, message.seqno, BAD_SALT, good)
            await self._send(key, message.session, bytes(notice))
            return
        if message.session != self._session:
            self._session = message.session
            await self._send(key, message.session, bytes(types.NewSessionCreated(message.id, message.session, good)))
        for number, body in unpacked(message.id, message.body):
            await self._one(key, message.session, number, read(body))

    def _wrong_time(self, number: int) -> int:
        """Return the code of what is wrong with a message's id; 0 where nothing is."""
        if number % 4:
            return ID_NOT_OF_A_CLIENT
        late = self._state.protocol_now() - number / 2**32
        return ID_TOO_LOW if late > TOO_OLD else ID_TOO_HIGH if late < -TOO_NEW else 0

    def _salts(self, key: AuthKey) -> tuple[int, int]:
        """Return the salt of now, and the one before it, which is still good."""
        window = int(self._state.now() // self._state.configuration["salt_seconds"])
        return salt(key, window), salt(key, window - 1)

    async def _one(self, key: AuthKey, session: int, number: int, told: Any) -> None:
        """Answer a message: those of the protocol itself at once, requests in a task each."""
        if isinstance(told, types.MsgsAck | types.MsgsStateInfo):
            return
        if isinstance(told, functions.PingRequest | functions.PingDelayDisconnectRequest):
            await self._send(key, session, bytes(types.Pong(number, told.ping_id)), number)
        elif isinstance(told, functions.GetFutureSaltsRequest):
            now = self._state.protocol_now()
            until = entities.moment(now + float(self._state.configuration["salt_seconds"]))
            given = types.FutureSalt(entities.moment(now), until, self._salts(key)[0])
            salts = bytes(types.FutureSalts(number, int(now), [given]))
            await self._send(key, session, salts, number)
        elif isinstance(told, functions.DestroySessionRequest):
            await self._send(key, session, bytes(types.DestroySessionOk(told.session_id)), number)
        else:
            task = asyncio.create_task(self._request(key, session, number, told))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _request(self, key: AuthKey, session: int, number: int, request: Any) -> None:
        try:
            body = await self._dispatcher.answer(key, number, request)
        except Silence:
            await self._send(key, session, bytes(types.MsgsAck([number])))  # it came, and that is all
        except Cut as cut:
            await self._break_off(key, session, cut.told)
        else:
            await self._send(key, session, body, number)

    async def _send(self, key: AuthKey, session: int, body: bytes, asked: int = 0) -> None:
        """Send a message; asked: the request that it answers, which is acknowledged with it."""
        now, content = self._state.protocol_now(), bool(asked)
        if asked:
            messages = [
                (self._numbers.id(now, answer=True), self._numbers.seqno(content=True), body),
                (
                    self._numbers.id(now, answer=False),
                    self._numbers.seqno(content=False),
                    bytes(types.MsgsAck([asked])),
                ),
            ]
            body, content = envelope.container(messages), False
        number, seqno = self._numbers.id(now, answer=bool(asked)), self._numbers.seqno(content=content)
        message = envelope.Message(self._salts(key)[0], session, number, seqno, body)
        try:
            self._transport.write(envelope.sealed(key, message))
            await self._transport.drain()
        except ConnectionError:
            self.close()  # the client went away before its answer was ready

    async def _break_off(self, key: AuthKey, session: int, body: bytes) -> None:
        """Close the connection, within the message that has this body, if any."""
        if body:
            number, seqno = self._numbers.id(self._state.protocol_now(), answer=True), self._numbers.seqno(content=True)
            message = envelope.Message(self._salts(key)[0], session, number, seqno, body)
            await self._transport.break_off(envelope.sealed(key, message))
        self.close()


def unpacked(number: int, body: bytes) -> list[tuple[int, bytes]]:
    """Return the messages in one: those of a container, and what was compressed, each with its number."""
    kind = int.from_bytes(body[:4], "little")
    if kind == CONTAINER:
        return [one for inner, _, content in envelope.contained(body) for one in unpacked(inner, content)]
    if kind == GZIPPED:
        with BinaryReader(body[4:]) as reader:
            return unpacked(number, gzip.decompress(reader.tgread_bytes()))
    return [(number, body)]
