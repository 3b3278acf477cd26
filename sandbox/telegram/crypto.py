"""The ciphers of the protocol: AES in IGE mode and the digests that go with it, on `cryptography`."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.modes import ECB

BLOCK = 16


def sha1(*parts: bytes) -> bytes:
    """Return the SHA-1 of some parts; the key exchange is defined with it."""
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).digest()


def sha256(*parts: bytes) -> bytes:
    """Return the SHA-256 of some parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def xor(one: bytes, other: bytes) -> bytes:
    """Return two texts of one length, bit by bit exclusive."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def encrypt_ige(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """
    Encrypt whole blocks.

    IGE is c[i] = E(p[i] ^ c[i-1]) ^ p[i-1]. With d[i] = c[i] ^ p[i-1] that is d[i] = E(d[i-1] ^ p[i] ^ p[i-2]): CBC, which
    the library has, over p[i] ^ p[i-2].
    """
    former = (iv[BLOCK:] + plain)[: len(plain)]  # p[i-1]
    before = (bytes(BLOCK) + former)[: len(plain)]  # p[i-2]
    cbc = Cipher(algorithms.AES(key), modes.CBC(iv[:BLOCK])).encryptor()
    return xor(cbc.update(xor(plain, before)) + cbc.finalize(), former)


def decrypt_ige(cipher: bytes, key: bytes, iv: bytes) -> bytes:
    """Decrypt whole blocks, one after the other: what clients send is small."""
    # IGE's own chaining stands around the single block, as the protocol wants it.
    block = Cipher(algorithms.AES(key), ECB()).decryptor()
    before, former, plain = iv[:BLOCK], iv[BLOCK:], []
    for at in range(0, len(cipher), BLOCK):
        one = cipher[at : at + BLOCK]
        former = xor(block.update(xor(one, former)), before)
        before = one
        plain.append(former)
    return b"".join(plain)


def message_key(auth_key: bytes, plain: bytes, *, from_client: bool) -> bytes:
    """Return the key under which a message is sent: a digest of its text and of a part of the auth key."""
    start = 88 if from_client else 96
    return sha256(auth_key[start : start + 32], plain)[8:24]


def message_cipher(auth_key: bytes, msg_key: bytes, *, from_client: bool) -> tuple[bytes, bytes]:
    """Return AES key and IV of a message, as MTProto 2.0 derives them."""
    x = 0 if from_client else 8
    a = sha256(msg_key, auth_key[x : x + 36])
    b = sha256(auth_key[x + 40 : x + 76], msg_key)
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]
