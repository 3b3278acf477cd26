"""OKTA's tokens: the signing keys, what is signed with them, and refresh tokens that are good once."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from sandbox.iec.people import Customer
from sandbox.iec.state import IecState
from sandbox.signin import digest

DEAD_REFRESH_TOKEN = "The refresh token is invalid or expired."


class Keys:
    """RSA keys made at the first start and kept in the state; the newest signs, all are published."""

    def __init__(self, portal: IecState) -> None:
        self._table = portal.state.table("keys")
        self._hidden: RSAKey | None = None
        rows = sorted(self._table.items(), key=lambda item: item[1]["place"])
        self._keys = [RSAKey.import_key(row["key"]) for _, row in rows]
        self.keep()

    def keep(self) -> None:
        """Write the keys into the state, making the first one when there is none."""
        self._keys = self._keys or [make_key()]
        for place, key in enumerate(self._keys):
            self._table[str(key.kid)] = {"place": place, "key": key.as_dict(private=True)}

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self._keys.append(make_key())
        self.keep()

    @property
    def published(self) -> dict[str, Any]:
        """The JWKS."""
        return {"keys": [key.as_dict(private=False) for key in reversed(self._keys)]}

    @property
    def hidden(self) -> RSAKey:
        """A key that is not published."""
        self._hidden = self._hidden or make_key()
        return self._hidden

    def sign(self, claims: dict[str, Any], key: RSAKey | None = None, kid: str | None = None) -> str:
        """Return a signed token; with another key, or under another key's name, when told so."""
        key = key or self._keys[-1]
        return jwt.encode({"alg": "RS256", "kid": kid or key.kid}, claims, key)

    @property
    def kid(self) -> str:
        """The name of the key that signs."""
        return str(self._keys[-1].kid)

    def claims(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that one of the keys has signed."""
        for key in reversed(self._keys):
            try:
                return jwt.decode(token, key, algorithms=["RS256"]).claims
            except (JoseError, ValueError):  # another key's, or no token at all
                continue
        return None


def make_key() -> RSAKey:
    """Make an RSA key with a name."""
    kid = secrets.token_urlsafe(24)
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass(frozen=True)
class Grant:
    """What a customer has allowed: the session it opened, the scope, and the nonce of that sign-in."""

    customer: Customer
    session: str
    scope: str
    nonce: str


class Tokens:
    """Gives tokens out and takes them back."""

    def __init__(self, portal: IecState) -> None:
        self._portal = portal
        self.keys = Keys(portal)
        self._issued = portal.state.table("issued")  # by jti: user, kind, session
        self._refresh = portal.state.table("refresh_tokens")

    # Giving

    def id_token(self, grant: Grant, access_token: str = "", refreshed: bool = False) -> str:
        """Return an id token, with whatever the scenario has wrong about it."""
        portal, now = self._portal, int(self._portal.now())
        customer, life = grant.customer, int(portal.configuration["id_token_seconds"])
        wrong = refreshed or not customer.says("only-refresh")
        says = customer.says if wrong else lambda *_words: False
        made = now - life - 600 if says("expired-id-token") else now
        claims = {
            "sub": customer.subject,
            "ver": 1,
            "iss": "https://somebody-else.okta.example/oauth2/default" if says("wrong-issuer") else portal.issuer,
            "aud": "0oaSomebodyElse000000" if says("wrong-audience") else portal.configuration["client_id"],
            "iat": made,
            "exp": made + life,
            "jti": f"ID.{secrets.token_urlsafe(24)}",
            "amr": ["mfa", "otp"],
            "auth_time": made,
            "nonce": "another-nonce" if says("wrong-nonce") else grant.nonce,
        }
        if not grant.nonce and not says("wrong-nonce"):
            del claims["nonce"]
        if access_token:
            claims["at_hash"] = half_hash(access_token)
        key = self.keys.hidden if says("bad-signature", "unknown-key") else None
        return self._sign(claims, grant, "id", key, kid=self.keys.kid if says("bad-signature") else None)

    def _access_token(self, grant: Grant) -> str:
        portal, now = self._portal, int(self._portal.now())
        claims = {
            "ver": 1,
            "jti": f"AT.{secrets.token_urlsafe(24)}",
            "iss": portal.issuer,
            "aud": "api://default",
            "iat": now,
            "exp": now + int(portal.configuration["id_token_seconds"]),
            "cid": portal.configuration["client_id"],
            "uid": grant.customer.subject,
            "scp": grant.scope.split(),
            "sub": grant.customer.subject,
        }
        return self._sign(claims, grant, "access")

    def _sign(
        self, claims: dict[str, Any], grant: Grant, kind: str, key: RSAKey | None = None, kid: str | None = None
    ) -> str:
        self._issued[claims["jti"]] = {"user": grant.customer.number, "kind": kind, "session": grant.session}
        token = self.keys.sign(claims, key, kid)
        self._portal.reveal("tokens", token)
        return token

    def answer(self, grant: Grant, refreshed: bool = False, refresh_token: str = "") -> dict[str, Any]:
        """
        Return the body of the token endpoint.

        refresh_token: the one to give out again; else a new one is made.
        """
        self._portal.counters.add("tokens_issued")
        access = self._access_token(grant)
        told = {
            "token_type": "Bearer",
            "expires_in": int(self._portal.configuration["id_token_seconds"]),
            "access_token": access,
            "scope": grant.scope,
            "refresh_token": refresh_token or self._refresh_token(grant),
            "id_token": self.id_token(grant, access, refreshed),
        }
        silent = "refresh-no-rotation" if refreshed else "no-refresh-token"
        if grant.customer.says(silent) or "offline_access" not in grant.scope.split():
            del told["refresh_token"]
        return told

    def _refresh_token(self, grant: Grant) -> str:
        token = secrets.token_urlsafe(32)
        self._portal.reveal("tokens", token)
        self._refresh[digest(token)] = {
            "user": grant.customer.number,
            "session": grant.session,
            "scope": grant.scope,
            "nonce": grant.nonce,
            "made": self._portal.now(),
            "used": 0.0,
        }
        return token

    # Taking

    def refresh(self, token: str) -> dict[str, Any] | None:
        """Return new tokens for a refresh token; None when it is not good any more."""
        portal, configuration = self._portal, self._portal.configuration
        row = self._refresh.get(digest(token))
        session = portal.sessions.look(row["session"]) if row else None
        customer = portal.customer(row["user"]) if row else None
        if row is None or session is None or customer is None:
            return None
        now = portal.now()
        if row["used"] and now - row["used"] > configuration["refresh_grace_seconds"]:
            portal.counters.add("refresh_tokens_reused")
            if configuration["refresh_reuse_kills"]:
                portal.sessions.kill(session.key)
            return None
        done = session.data.get("refreshes", 0)
        spent = customer.says("refresh-dead") or done >= customer.user.number("refreshes", float("inf"))
        if spent or now - row["made"] > configuration["refresh_seconds"]:
            return None
        session.data["refreshes"] = done + 1
        portal.sessions.keep(session)
        rotates = configuration["refresh_rotation"] and not customer.says("refresh-no-rotation")
        self._refresh[digest(token)] = {**row, "made": now, "used": (row["used"] or now) if rotates else 0.0}
        grant = Grant(customer, row["session"], row["scope"], row["nonce"])
        return self.answer(grant, refreshed=True, refresh_token="" if rotates else token)

    def bearer(self, token: str) -> tuple[Customer, str] | None:
        """Return the customer and session of a live id token; None for any other token."""
        claims = self.keys.claims(token)
        row = self._issued.get(str(claims.get("jti"))) if claims else None
        if (
            claims is None
            or row is None
            or row["kind"] != "id"
            or row.get("expired")
            or claims["exp"] <= self._portal.now()
        ):
            return None
        customer = self._portal.customer(row["user"])
        return (customer, row["session"]) if customer else None

    def expire(self, number: str) -> int:
        """Mark every id token of a customer as expired for the APIs, whatever its claims; return how many."""
        count = 0
        for jti, row in list(self._issued.items()):
            if row["user"] == number and row["kind"] == "id" and not row.get("expired"):
                self._issued[jti] = {**row, "expired": True}
                count += 1
        return count


def half_hash(token: str) -> str:
    """Return OpenID Connect's at_hash of an access token."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()
