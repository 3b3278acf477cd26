"""The key exchange: a client that has no auth key agrees one by Diffie-Hellman, under the server's RSA key."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from telethon.tl import functions, types

from sandbox.telegram.crypto import decrypt_ige, encrypt_ige, sha1
from sandbox.telegram.keys import ServerKey
from sandbox.telegram.layers import read

# The prime that Telegram uses; clients know it, and would have to prove any other to be a safe one.
PRIME = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DBFA336F6E0AC925"
    "139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F642477FE96BB2A941D5BCD1D4AC8CC"
    "49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754FD17ED950D"
    "5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850C"
    "E929851F0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
GENERATOR = 3
FACTORS = range(2**29, 2**30)  # of pq: large enough to look real, small enough to cost a client 20 ms


class HandshakeError(Exception):
    """A step came that does not fit the exchange."""


class Handshake:
    """
    One exchange on one connection.

    server: the RSA key. now: the server's time. keep: gets the 256 bytes of the key once it is agreed.
    """

    def __init__(self, server: ServerKey, now: Callable[[], float], keep: Callable[[bytes], object]) -> None:
        self._server, self._now, self._keep = server, now, keep
        self._nonce = self._server_nonce = self._new_nonce = b""
        self._p, self._q = sorted((a_prime(), a_prime()))
        self._a = secrets.randbits(2040)

    def answer(self, request: Any) -> Any:
        """Return the answer to a step; raise HandshakeError when it is none, or not the next one."""
        if isinstance(request, functions.ReqPqMultiRequest | functions.ReqPqRequest):
            return self._begin(request)
        known = bytes_of(getattr(request, "nonce", 0), 16), bytes_of(getattr(request, "server_nonce", 0), 16)
        if not self._nonce or known != (self._nonce, self._server_nonce):
            raise HandshakeError("The nonces are not those of this exchange.")
        if isinstance(request, functions.ReqDHParamsRequest):
            return self._offer(request)
        if isinstance(request, functions.SetClientDHParamsRequest) and self._new_nonce:
            return self._agree(request)
        raise HandshakeError(f"{type(request).__name__} is not the next step of the exchange.")

    def _begin(self, request: Any) -> Any:
        self._nonce, self._server_nonce, self._new_nonce = bytes_of(request.nonce, 16), secrets.token_bytes(16), b""
        pq = self._p * self._q
        return types.ResPQ(request.nonce, self._number(), pq.to_bytes(8, "big"), [self._server.fingerprint])

    def _offer(self, request: Any) -> Any:
        """Answer the second step: what the client proves is in `encrypted_data`, under the RSA key."""
        if request.public_key_fingerprint != self._server.fingerprint:
            raise HandshakeError("The client has used another RSA key.")
        block = self._server.decrypt(request.encrypted_data)
        inner = read(block[20:])
        if not isinstance(inner, types.PQInnerData):
            raise HandshakeError("What the RSA key hides is not readable.")
        factors = tuple(int.from_bytes(part, "big") for part in (inner.p, inner.q))
        if factors != (self._p, self._q) or sha1(bytes(inner)) != block[:20]:
            raise HandshakeError("The factors or the digest are wrong.")
        self._new_nonce = bytes_of(inner.new_nonce, 32)
        told = types.ServerDHInnerData(
            request.nonce,
            self._number(),
            GENERATOR,
            PRIME.to_bytes(256, "big"),
            pow(GENERATOR, self._a, PRIME).to_bytes(256, "big"),
            int(self._now()),
        )
        plain = sha1(bytes(told)) + bytes(told)
        plain += secrets.token_bytes(-len(plain) % 16)
        return types.ServerDHParamsOk(request.nonce, self._number(), encrypt_ige(plain, *self._temporary()))

    def _agree(self, request: Any) -> Any:
        """Answer the last step: the key is agreed."""
        plain = decrypt_ige(request.encrypted_data, *self._temporary())
        inner = read(plain[20:])
        if not isinstance(inner, types.ClientDHInnerData):
            raise HandshakeError("The client's half of the key is not readable.")
        g_b = int.from_bytes(inner.g_b, "big")
        if sha1(bytes(inner)) != plain[:20] or not 1 < g_b < PRIME - 1:
            raise HandshakeError("The client's half of the key is no good.")
        secret = self._shared(g_b)
        good = (
            secret[0] != 0
        )  # Telethon leaves leading zeros out of its key: such a key is agreed anew, with another half
        if good:
            self._keep(secret)
        else:
            self._a = secrets.randbits(2040)
        answer = types.DhGenOk if good else types.DhGenRetry
        digest = sha1(self._new_nonce, b"\x01" if good else b"\x02", sha1(secret)[:8])[4:20]
        return answer(request.nonce, self._number(), int.from_bytes(digest, "little", signed=True))

    def _shared(self, g_b: int) -> bytes:
        """Return the key that follows from both halves."""
        return pow(g_b, self._a, PRIME).to_bytes(256, "big")

    def _temporary(self) -> tuple[bytes, bytes]:
        """Return AES key and IV of the exchange itself."""
        one = sha1(self._new_nonce, self._server_nonce)
        two = sha1(self._server_nonce, self._new_nonce)
        three = sha1(self._new_nonce, self._new_nonce)
        return one + two[:12], two[12:20] + three + self._new_nonce[:4]

    def _number(self) -> int:
        return int.from_bytes(self._server_nonce, "little", signed=True)


def bytes_of(number: int, count: int) -> bytes:
    """Return a nonce as it is on the wire; Telethon reads nonces as numbers."""
    return number.to_bytes(count, "little", signed=True)


def a_prime() -> int:
    """Return a random prime of FACTORS."""
    while True:
        number = FACTORS.start + secrets.randbelow(len(FACTORS)) | 1
        # By Miller and Rabin; these four bases are proof enough below 3,215,031,751.
        if all(_passes(number, base) for base in (2, 3, 5, 7)):
            return number


def _passes(number: int, base: int) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    value = pow(base, odd, number)
    if value in (1, number - 1):
        return True
    return any((value := value * value % number) == number - 1 for _ in range(twos - 1))
