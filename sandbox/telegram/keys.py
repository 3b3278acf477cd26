"""The server's RSA key, made once per state folder, and the auth keys that clients have agreed with it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from telethon.tl import TLObject

from sandbox.state import State
from sandbox.telegram.crypto import sha1, sha256

UNREGISTERED = "AUTH_KEY_UNREGISTERED"
PRIVATE, PUBLIC = "telegram-private.pem", "telegram-server-key.pem"


class ServerKey:
    """
    The RSA key by which clients know the server.

    path: the file with the public half, as `telethon.crypto.rsa.add_key` takes it. fingerprint: by which clients name it.
    """

    def __init__(self, folder: Path) -> None:
        private, self.path = folder / PRIVATE, folder / PUBLIC
        if private.exists():
            key = serialization.load_pem_private_key(private.read_bytes(), None)
            assert isinstance(key, rsa.RSAPrivateKey)
        else:
            key = rsa.generate_private_key(65537, 2048)
            private.touch(0o600)
            private.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.TraditionalOpenSSL,
                    serialization.NoEncryption(),
                )
            )
        public = key.public_key()
        self.path.write_bytes(
            public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)  # what add_key reads
        )
        self._numbers = key.private_numbers()
        numbers = [public.public_numbers().n, public.public_numbers().e]
        serialized = [TLObject.serialize_bytes(one.to_bytes((one.bit_length() + 7) // 8, "big")) for one in numbers]
        self.fingerprint: int = struct.unpack("<q", sha1(*serialized)[-8:])[0]

    def decrypt(self, block: bytes) -> bytes:
        """Return what a client has encrypted: 255 bytes, SHA-1 of the text, the text, padding (no padding of RSA's own)."""
        public = self._numbers.public_numbers
        return pow(int.from_bytes(block, "big"), self._numbers.d, public.n).to_bytes(256, "big")[1:]


@dataclass
class AuthKey:
    """
    A key that a client has agreed with the server: who holds it is signed in, or not.

    row: what is kept: `key` (hex), `number` (who is signed in, or ""), `owes` (who has shown a code and owes a password),
    `error` (what every request is answered, or ""), `layer`, `requests` (that were about content), `imported`.
    """

    id: int
    row: dict[str, Any]

    @property
    def secret(self) -> bytes:
        """The 256 bytes."""
        return bytes.fromhex(self.row["key"])

    @property
    def name(self) -> str:
        """By what the key is known in the journal."""
        return f"{self.id & 0xFFFFFFFF:08x}"


class AuthKeys:
    """All auth keys, by their id; they survive restarts and kills."""

    def __init__(self, state: State) -> None:
        self._table = state.table("auth_keys")

    def find(self, key_id: int) -> AuthKey | None:
        """Return a key; None where it is not known."""
        row = self._table.get(str(key_id))
        return AuthKey(key_id, row) if row is not None else None

    def add(self, secret: bytes) -> AuthKey:
        """Keep a new key, with which nobody is signed in yet."""
        key_id = struct.unpack("<q", sha1(secret)[12:20])[0]
        row = {"key": secret.hex(), "number": "", "owes": "", "error": "", "layer": 0, "requests": 0, "imported": False}
        self._table[str(key_id)] = row
        return AuthKey(key_id, row)

    def keep(self, key: AuthKey, **changes: Any) -> None:
        """Change what is kept of a key."""
        key.row.update(changes)
        self._table[str(key.id)] = key.row

    def of(self, number: str) -> list[AuthKey]:
        """Return the keys with which a number is signed in."""
        return [AuthKey(int(key_id), row) for key_id, row in self._table.items() if row["number"] == number]


def salt(key: AuthKey, window: int) -> int:
    """Return the salt that messages with a key must carry in a window of time."""
    value: int = struct.unpack("<q", sha256(key.secret, struct.pack("<q", window))[:8])[0]
    return value
