"""The fence of rendered pages: what passes, what is refused, and that it connects to what it has looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from middlewares.download.fence import Fenced
from scrapers.families.prices.asking import may_reach

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


class Machine:
    """A server on loopback that keeps what it was sent."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    async def __aenter__(self) -> Machine:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER)
        writer.close()

    async def __aexit__(self, *_: object) -> None:
        self.server.close()


def through(may: Callable[[str, int, str], bool], act: Callable[[Fenced, Machine], Awaitable[None]]) -> None:
    """Run a test with a fence and a machine behind it."""

    async def run() -> None:
        fence = Fenced(may)
        await fence.start()
        try:
            async with Machine() as machine, asyncio.timeout(20):
                await act(fence, machine)
        finally:
            await fence.close()

    asyncio.run(run())


async def say(fence: Fenced, text: str) -> bytes:
    """Send a text through the fence, and return all that comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(fence.url.rpartition(":")[2]))
    writer.write(text.encode())
    said = await reader.read()
    writer.close()
    return said


def test_a_request_and_a_tunnel_pass_to_a_machine_that_may_be_reached():
    seen = []

    def may(host: str, port: int, address: str) -> bool:
        seen.append((host, address))
        return True

    async def act(fence: Fenced, machine: Machine) -> None:
        place = f"localhost:{machine.port}"
        said = await say(
            fence, f"GET http://{place}/p/1?a=b HTTP/1.1\r\nHost: {place}\r\nProxy-Connection: keep-alive\r\n\r\n"
        )
        assert said == ANSWER
        assert machine.heads[0] == f"GET /p/1?a=b HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode()
        said = await say(fence, f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\nGET / HTTP/1.1\r\n\r\n")
        assert said == b"HTTP/1.1 200 Connection established\r\n\r\n" + ANSWER
        assert not fence.has_refused(f"http://{place}/p/1")

    through(may, act)
    assert ("localhost", "127.0.0.1") in seen


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_a_machine_of_the_own_network_gets_no_connection(host):
    async def act(fence: Fenced, machine: Machine) -> None:
        place = f"{host}:{machine.port}"
        for text in (f"GET http://{place}/ HTTP/1.1\r\n\r\n", f"CONNECT {place} HTTP/1.1\r\n\r\n"):
            assert (await say(fence, text)).startswith(b"HTTP/1.1 403 ")
        assert machine.heads == []
        assert fence.has_refused(f"http://{place}/anything")
        assert not fence.has_refused(f"http://{host}/")

    through(may_reach, act)


def test_what_is_no_request_ends_the_connection_alone():
    async def act(fence: Fenced, machine: Machine) -> None:
        assert await say(fence, "nonsense\r\n\r\n") == b""
        assert (await say(fence, "GET http://no-such-name.invalid/ HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 502 ")
        assert machine.heads == []

    through(may_reach, act)


def test_a_shops_own_origin_may_be_reached(monkeypatch):
    from database.settings import read_once
    from scrapers.portals.pluginboutique.settings import PluginboutiqueSettings

    monkeypatch.setenv("PLUGINBOUTIQUE_URL", "http://127.0.0.1:8123")
    read_once.cache_clear()
    assert PluginboutiqueSettings.current().url == "http://127.0.0.1:8123"
    assert [may_reach("127.0.0.1", port, "127.0.0.1") for port in (8123, 8124, 80)] == [True, False, False]
    assert may_reach("shop.example", 443, "93.184.215.14")
    assert not may_reach("shop.example", 443, "10.0.0.7")
