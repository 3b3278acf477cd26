"""Where portals listen: a host and port each, chosen once and kept in the state folder."""

from __future__ import annotations

import errno
import json
import os
import random
import socket
from pathlib import Path

PORTS = range(20_000, 30_000)  # below the ports that systems give to outgoing connections
FIRST_HOST = 2  # 127.0.0.2: cookies ignore ports, so every origin has a host of its own
ONLY_HOST = "127.0.0.1"


class AddressError(Exception):
    """A portal cannot listen where it should. The text is one sentence with the cure."""


class Addresses:
    """The file `addresses.json`: `{"plain": {"host": "127.0.0.2", "port": 20815}, "bell.ereports": …}`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "addresses.json"
        self._known: dict[str, dict[str, object]] = {}
        if self._path.exists():
            try:
                self._known = json.loads(self._path.read_text())
            except ValueError:
                raise AddressError(f"{self._path} is not JSON: delete it, and new addresses are chosen.") from None

    def listen(self, name: str) -> socket.socket:
        """Return a bound socket for an origin, on its kept address or on a new one."""
        if name in self._known:
            host, port = str(self._known[name]["host"]), int(str(self._known[name]["port"]))
            try:
                return bind(host, port)
            except OSError as error:
                why = "is taken" if error.errno == errno.EADDRINUSE else "cannot be used"
                raise AddressError(
                    f"The address {host}:{port} of {name} {why}: end what listens there (another sandbox?), "
                    f"or delete {self._path} to have new addresses chosen."
                ) from None
        bound = self._choose()
        host, port = bound.getsockname()
        self._known[name] = {"host": host, "port": port}
        write_whole(self._path, json.dumps(self._known, indent=1))
        return bound

    def _choose(self) -> socket.socket:
        taken = {address["host"] for address in self._known.values()}
        number = next(n for n in range(FIRST_HOST, 255) if f"127.0.0.{n}" not in taken)
        host = f"127.0.0.{number}"
        for port in random.SystemRandom().sample(PORTS, 200):
            try:
                return bind(host, port)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL and host != ONLY_HOST:
                    host = ONLY_HOST  # systems with one loopback address only
        raise AddressError(f"No free port was found on {host} among 200 tried between 20000 and 30000.")


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address; raise OSError when it is taken or does not exist."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(512)
    except OSError:
        bound.close()
        raise
    return bound


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is never seen half written."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text)
    part.replace(path)
