"""Encrypted messages: what is in a packet under an auth key, and the numbers that the server's own messages carry."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass

from sandbox.telegram.crypto import decrypt_ige, encrypt_ige, message_cipher, message_key
from sandbox.telegram.keys import AuthKey


class EnvelopeError(Exception):
    """A packet is not what its key says."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a client. id: also its time; seqno: odd where an answer is wanted."""

    salt: int
    session: int
    id: int
    seqno: int
    body: bytes


def opened(key: AuthKey, packet: bytes) -> Message:
    """Return the message in a packet of a client."""
    msg_key, cipher = packet[8:24], packet[24:]
    if not cipher or len(cipher) % 16:
        raise EnvelopeError("The text is not made of whole blocks.")
    plain = decrypt_ige(cipher, *message_cipher(key.secret, msg_key, from_client=True))
    if message_key(key.secret, plain, from_client=True) != msg_key:
        raise EnvelopeError("The message key does not fit the text.")
    salt, session, number, seqno, length = struct.unpack_from("<qqqii", plain)
    padding = len(plain) - 32 - length
    if length < 0 or not 12 <= padding <= 1024:
        raise EnvelopeError("The padding is not of the allowed length.")
    return Message(salt, session, number, seqno, plain[32 : 32 + length])


def sealed(key: AuthKey, message: Message) -> bytes:
    """Return the packet with a message for a client."""
    plain = struct.pack("<qqqii", message.salt, message.session, message.id, message.seqno, len(message.body))
    plain += message.body
    plain += secrets.token_bytes(-(len(plain) + 12) % 16 + 12)
    msg_key = message_key(key.secret, plain, from_client=False)
    cipher = encrypt_ige(plain, *message_cipher(key.secret, msg_key, from_client=False))
    return struct.pack("<q", key.id) + msg_key + cipher


class Numbers:
    """Ids and sequence numbers of the server's messages on one connection; ids are times and only grow."""

    def __init__(self) -> None:
        self._last = self._content = 0

    def id(self, now: float, *, answer: bool) -> int:
        """Return the next id: of an answer to a request, or of a message of the server's own accord."""
        number = (int(now * 2**32) & ~3) | (1 if answer else 3)
        while number <= self._last:
            number += 4
        self._last = number
        return number

    def seqno(self, *, content: bool) -> int:
        """Return the next sequence number: odd for content, which the client acknowledges."""
        number = self._content * 2 + content
        self._content += content
        return number


def container(messages: list[tuple[int, int, bytes]]) -> bytes:
    """Return the body of a message that holds several: their ids, sequence numbers and bodies."""
    parts = [struct.pack("<Ii", 0x73F1F8DC, len(messages))]
    for number, seqno, body in messages:
        parts += [struct.pack("<qii", number, seqno, len(body)), body]
    return b"".join(parts)


def contained(body: bytes) -> list[tuple[int, int, bytes]]:
    """Return the messages in the body of a container; Telethon's own reader would fail on all for one unknown."""
    (count,) = struct.unpack_from("<i", body, 4)
    at, found = 8, []
    for _ in range(count):
        number, seqno, length = struct.unpack_from("<qii", body, at)
        found.append((number, seqno, body[at + 16 : at + 16 + length]))
        at += 16 + length
    return found
