"""The password after the code: proved by SRP, so that it is never sent."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from telethon.tl import types

from sandbox.telegram.crypto import sha256, xor
from sandbox.telegram.handshake import GENERATOR, PRIME

ROUNDS = 100_000
SIZE = 256


@dataclass(frozen=True, slots=True)
class Challenge:
    """What one question for a password knows: its id, the server's secret half, and how the password is digested."""

    id: int
    secret: int
    algorithm: Any
    verifier: int

    @classmethod
    def to(cls, password: str, owner: str) -> Challenge:
        """Ask for a password; owner: whose it is, by which the salts differ."""
        salts = sha256(b"first", owner.encode())[:16], sha256(b"second", owner.encode())[:16]
        algorithm = kdf(*salts)
        verifier = pow(GENERATOR, int.from_bytes(digest(password, *salts), "big"), PRIME)
        return cls(secrets.randbits(62), secrets.randbits(2040), algorithm, verifier)

    @property
    def public(self) -> bytes:
        """The server's public half, B."""
        return number(factor() * self.verifier + pow(GENERATOR, self.secret, PRIME))

    def proved_by(self, given: Any) -> bool:
        """Whether a client's answer (its public half A and its proof M1) shows that it knows the password."""
        a = int.from_bytes(given.A, "big")
        if not 0 < a < PRIME:
            return False
        padded = number(a)
        u = int.from_bytes(sha256(padded, self.public), "big")
        shared = sha256(number(pow(a * pow(self.verifier, u, PRIME), self.secret, PRIME)))
        mixed = xor(sha256(PRIME.to_bytes(SIZE, "big")), sha256(number(GENERATOR)))
        proof = sha256(mixed, sha256(self.algorithm.salt1), sha256(self.algorithm.salt2), padded, self.public, shared)
        return compare_digest(proof, given.M1)


def kdf(one: bytes, two: bytes) -> Any:
    """Return how a password is digested, as clients are informed of it."""
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        one, two, GENERATOR, PRIME.to_bytes(SIZE, "big")
    )


def number(value: int) -> bytes:
    """Return a number, reduced, in 256 bytes."""
    return (value % PRIME).to_bytes(SIZE, "big")


def factor() -> int:
    """Return k, by which the verifier is hidden in B."""
    return int.from_bytes(sha256(PRIME.to_bytes(SIZE, "big"), number(GENERATOR)), "big")


def digest(password: str, one: bytes, two: bytes) -> bytes:
    """Return x, the digest of a password under two salts."""
    inner = sha256(two, sha256(one, password.encode(), one), two)
    return sha256(two, hashlib.pbkdf2_hmac("sha512", inner, one, ROUNDS), two)
