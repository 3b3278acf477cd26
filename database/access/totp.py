"""Secrets of authenticator apps, and the TOTP steps that were submitted: a portal accepts each once, and may lock the account at a repetition."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import delete

from database.access.addresses import storable, unified
from database.engine import Database, now
from database.models import UsedTotpStep
from database.models.audit import record
from database.upsert import upsert

LEAST_OF_PYOTP = 14  # bytes
KEPT = timedelta(days=1)  # far beyond the steps that any portal still accepts


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """The secret of an authenticator app, and how its codes are made."""

    key: str = field(repr=False)  # base32, in capitals, without padding
    digest: str = "sha1"
    digits: int = 6
    period: int = 30  # seconds

    @classmethod
    def parse(cls, given: str) -> Self:
        """
        Read a secret as portals and apps show it: base32 with blanks, dashes, small letters or padding, or an `otpauth://` address.

        Raises ValueError with one sentence, which quotes nothing of it.

        >>> TotpSecret.parse("jbsw-y3dp ehpk3pxp==").key
        'JBSWY3DPEHPK3PXP'
        """
        text = unified(storable(given)).strip()
        if not text.lower().startswith("otpauth:"):
            return cls(_base32(text))
        try:
            asked = urlsplit(text)
            said = {name.lower(): values[-1] for name, values in parse_qs(asked.query).items()}
        except ValueError:
            raise ValueError("that otpauth address cannot be read.") from None
        if asked.netloc.lower() != "totp" or "encoder" in said:
            raise ValueError("only otpauth://totp/ addresses are for codes that change with the time.")
        digest = re.sub(r"[^a-z0-9]|hmac", "", said.get("algorithm", "sha1").lower())
        digits, period = said.get("digits", "6"), said.get("period", "30")
        if digest not in ("sha1", "sha256", "sha512"):
            raise ValueError("its algorithm is none of SHA1, SHA256 and SHA512.")
        if digits not in ("6", "7", "8") or not re.fullmatch(r"[1-9][0-9]{0,2}", period):
            raise ValueError("its digits must be 6 to 8, and its period at most 999 seconds.")
        return cls(_base32(said.get("secret", "")), digest, int(digits), int(period))

    @property
    def stored(self) -> str:
        """The secret as one text: base32, or an `otpauth://` address where it is not the usual kind."""
        if (self.digest, self.digits, self.period) == ("sha1", 6, 30):
            return self.key
        kind = f"algorithm={self.digest.upper()}&digits={self.digits}&period={self.period}"
        return f"otpauth://totp/latchkey?secret={self.key}&{kind}"

    def code(self, step: int) -> str:
        """Return the code of a step: Unix time divided by the period."""
        import pyotp

        raw = base64.b32decode(self.key + "=" * (-len(self.key) % 8))
        # pyotp refuses keys below 112 bits, which authenticators take; HMAC itself fills a key up with zeros.
        key = base64.b32encode(raw.ljust(LEAST_OF_PYOTP, b"\0")).decode()
        return pyotp.TOTP(
            key, digits=self.digits, digest=getattr(hashlib, self.digest), interval=self.period
        ).generate_otp(step)


def _base32(text: str) -> str:
    key = re.sub(r"[\s-]", "", text).upper().rstrip("=")
    try:
        raw = base64.b32decode(key + "=" * (-len(key) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) < 10:  # 80 bits, the least that authenticators use
        raise ValueError(
            "it is not base32 (letters and the digits 2 to 7, 16 or more) and no otpauth address: copy the text beside the QR code."
        )
    return key


class TotpSteps:
    """The used steps of each login and user name."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def use_step(self, login: str, username: str, step: int) -> bool:
        """Mark a step (Unix time divided by the period) as used; False when it was used before: wait for the next one."""
        with self.db.transaction() as session:
            time = now(session)
            session.execute(delete(UsedTotpStep).where(UsedTotpStep.used_at < time - KEPT))
            row = {"login": login, "username": username, "step": step, "used_at": time}
            is_ours = upsert(session, UsedTotpStep, [row], ["login", "username", "step"], update=[]) == 1
            if is_ours:
                record(session, "code.used", f"{login} {username}", {"from": "authenticator"})
            return is_ours
