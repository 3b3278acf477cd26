"""A device with passkeys in software: answers as `navigator.credentials` gives them, for what no browser would let one send."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

from tests.webhook.api.conftest import ORIGIN

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40  # flags of the data that a device signs


def encode(given: bytes) -> str:
    return urlsafe_b64encode(given).rstrip(b"=").decode()


class Authenticator:
    """A device with one passkey. count: how often it was used; 0 for a device that counts nothing."""

    def __init__(self, count: int = 1) -> None:
        self.key, self.id = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(32)
        self.count, self.handle = count, ""

    def create(self, options, **changes) -> str:
        """Answer the options of a new passkey. changes: as those of `_answer`."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        point = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        public_key = encode_cbor({1: 2, 3: -7, -1: 1, **point})  # a COSE key for ES256
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public_key
        client, signed = self._answer("webauthn.create", options, options["rp"]["id"], WITH_KEY, **changes)
        made = {"fmt": "none", "attStmt": {}, "authData": signed + attested}
        return self._json({"clientDataJSON": encode(client), "attestationObject": encode(encode_cbor(made))})

    def get(self, options, **changes) -> str:
        """Answer the options of a sign-in. changes: as those of `_answer`; `handle`: another user's; `key`: another one."""
        handle, key = changes.pop("handle", self.handle), changes.pop("key", self.key)
        client, signed = self._answer("webauthn.get", options, options["rpId"], 0, **changes)
        signature = key.sign(signed + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        about = {"authenticatorData": encode(signed), "signature": encode(signature), "userHandle": handle}
        return self._json({"clientDataJSON": encode(client), **about})

    def _answer(self, kind, options, party, more, *, origin=ORIGIN, rp_id="", flags=PRESENT | VERIFIED, count=None):
        """Return the client data and the data that is signed, with an origin, relying party, flags and count of one's own."""
        client = {"type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": False}
        count = self.count if count is None else count
        self.count += self.count > 0
        party = hashlib.sha256((rp_id or party).encode()).digest()
        return json.dumps(client).encode(), party + bytes([flags | more]) + count.to_bytes(4, "big")

    def _json(self, response) -> str:
        named = encode(self.id)
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": response})
