"""
A proxy on loopback for pages that are rendered: it connects to machines alone that they may reach.

It looks at the address to which it connects, whatever name, redirect, script or frame of a page leads there.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

logger = logging.getLogger(__name__)

LARGEST_HEAD = 1 << 16  # bytes of a request's line and headers
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
AWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
# Of the connection to the proxy, not of the request.
HOP_BY_HOP = (b"connection:", b"proxy-connection:", b"proxy-authorization:", b"keep-alive:")


class Fenced:
    """The proxy; `may_reach` decides by host, port and IP address."""

    def __init__(self, may_reach: Callable[[str, int, str], bool]) -> None:
        self.may_reach = may_reach
        self.refused: set[tuple[str, int]] = set()
        self.url = ""
        self._server: asyncio.Server | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen at a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LARGEST_HEAD)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening, and end what is under way."""
        if self._server is not None:
            self._server.close()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def has_refused(self, url: str) -> bool:
        """Return whether a connection for an address was refused."""
        parts = urlsplit(url)
        return ((parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme, 0)) in self.refused

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            await self._pass_on(reader, writer)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            logger.debug("A connection through the fence broke")
        finally:
            self._under_way.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, rest = head.split(b" ", 2)
        is_tunnel = method == b"CONNECT"
        parts = urlsplit(f"https://{target.decode()}" if is_tunnel else target.decode())
        host, port = (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme, 0)
        try:
            far_reader, far_writer = await self._connect(host, port)
        except PermissionError:
            self.refused.add((host, port))
            logger.info("A rendered page may not reach %s", host)
            writer.write(REFUSED)
            return
        except OSError:
            writer.write(AWAY)
            return
        try:
            if is_tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
                lines = [each for each in rest.split(b"\r\n")[1:-2] if not each.lower().startswith(HOP_BY_HOP)]
                # One request a connection: the next one may be for another machine.
                first = method + b" " + path.encode() + b" HTTP/1.1"
                far_writer.write(b"\r\n".join([first, *lines, b"Connection: close", b"", b""]))
            up = asyncio.ensure_future(_pipe(reader, far_writer))
            try:
                await _pipe(far_reader, writer)
            finally:
                up.cancel()
        finally:
            far_writer.close()

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first address of a host that may be reached; raise PermissionError where none may."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if self.may_reach(host, port, address.partition("%")[0]):
                return await asyncio.open_connection(address, port)
        raise PermissionError(host)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy what comes until its end, which is passed on."""
    with suppress(ConnectionError):
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
