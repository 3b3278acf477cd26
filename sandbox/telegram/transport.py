"""Packets over TCP in the three framings that Telethon has: abridged, intermediate and full."""

from __future__ import annotations

import asyncio
import struct
import zlib
from abc import ABC, abstractmethod

LONGEST = 2**21  # bytes of a packet; a client's container is at most 1 MB
UNKNOWN_KEY = 404  # the auth key of a packet is not known


class TransportError(Exception):
    """What came is no packet; the connection is of no use any more."""


class Transport(ABC):
    """One connection: reads whole packets, writes whole ones, or breaks off within one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._seen = b""  # what was read to find out which framing it is

    @property
    def address(self) -> str:
        """The address that the client comes from, without its port."""
        return str(self._writer.get_extra_info("peername")[0])

    async def read(self) -> bytes:
        """Return the next packet; raise asyncio.IncompleteReadError or ConnectionError when the client is gone."""
        packet = await self._unframed()
        if len(packet) > LONGEST:
            raise TransportError("A packet is too long.")
        return packet

    def write(self, packet: bytes) -> None:
        """Send a packet; `drain` waits until the client takes it."""
        self._writer.write(self._framed(packet))

    async def drain(self) -> None:
        """Wait while the client is slow."""
        await self._writer.drain()

    def fail(self, code: int) -> None:
        """Send a packet that is nothing but a negative number, as the transport reports errors."""
        self.write(struct.pack("<i", -code))

    async def break_off(self, packet: bytes) -> None:
        """Send the first half of a packet and close the connection."""
        framed = self._framed(packet)
        self._writer.write(framed[: len(framed) // 2])
        await self._writer.drain()
        self._writer.close()

    def close(self) -> None:
        """Close the connection; what was written is still sent."""
        self._writer.close()

    async def _exactly(self, count: int) -> bytes:
        if not 0 <= count <= LONGEST:
            raise TransportError("A packet has no possible length.")
        begun, self._seen = self._seen[:count], self._seen[count:]
        return begun + await self._reader.readexactly(count - len(begun))

    @abstractmethod
    async def _unframed(self) -> bytes:
        """Read a packet and return what is in it."""

    @abstractmethod
    def _framed(self, packet: bytes) -> bytes:
        """Return a packet as it is sent."""


class Abridged(Transport):
    """Begins with 0xef; the length counts words of four bytes, in one byte or, after 0x7f, in three."""

    async def _unframed(self) -> bytes:
        words = (await self._exactly(1))[0]
        if words >= 0x7F:
            words = int.from_bytes(await self._exactly(3), "little")
        return await self._exactly(words * 4)

    def _framed(self, packet: bytes) -> bytes:
        words = len(packet) // 4
        head = bytes([words]) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")
        return head + packet


class Intermediate(Transport):
    """Begins with 0xeeeeeeee; the length has four bytes."""

    async def _unframed(self) -> bytes:
        return await self._exactly(struct.unpack("<I", await self._exactly(4))[0])

    def _framed(self, packet: bytes) -> bytes:
        return struct.pack("<I", len(packet)) + packet


class Full(Transport):
    """Begins with nothing; each packet has its length, its number and a checksum."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._received = self._sent = 0

    async def _unframed(self) -> bytes:
        head = await self._exactly(8)
        length, number = struct.unpack("<II", head)
        rest = await self._exactly(length - 8)
        if number != self._received or zlib.crc32(head + rest[:-4]) != struct.unpack("<I", rest[-4:])[0]:
            raise TransportError("A packet has the wrong number or checksum.")
        self._received += 1
        return rest[:-4]

    def _framed(self, packet: bytes) -> bytes:
        whole = struct.pack("<II", len(packet) + 12, self._sent) + packet
        self._sent += 1
        return whole + struct.pack("<I", zlib.crc32(whole))


async def opened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Transport:
    """Return a new connection in the framing that its first bytes say."""
    first = await reader.readexactly(1)
    if first == b"\xef":
        return Abridged(reader, writer)
    first += await reader.readexactly(3)
    if first == b"\xee" * 4:
        return Intermediate(reader, writer)
    transport = Full(reader, writer)
    transport._seen = first
    return transport
