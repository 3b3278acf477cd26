"""OKTA: an ID number, a code, and the authorization-code flow with PKCE that gives tokens for them."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from aiohttp import web

from sandbox.iec.people import Customer, entity
from sandbox.iec.state import IecState
from sandbox.iec.tokens import DEAD_REFRESH_TOKEN, Grant, Tokens
from sandbox.signin import Answer, digest

SCOPES = frozenset({"openid", "email", "profile", "offline_access"})
TEXT_GATEWAY = "sns.iec.co.il"
SUMMARIES = {
    "E0000001": (400, "Api validation failed"),
    "E0000003": (400, "The request body was not well-formed."),
    "E0000004": (401, "Authentication failed"),
    "E0000007": (404, "Not found: Resource not found"),
    "E0000011": (401, "Invalid token provided"),
    "E0000047": (429, "API call exceeded rate limit due to too many requests."),
    "E0000068": (403, "Invalid Passcode/Answer"),
    "E0000069": (403, "User Locked"),
    "E0000079": (403, "This operation is not allowed in the current authentication state."),
}


class Okta:
    """The pages of the sign-in. A state token is a transaction, from the ID number to the session token."""

    def __init__(self, portal: IecState) -> None:
        self._portal = portal
        self.tokens = Tokens(portal)
        self._transactions = portal.state.table("transactions")  # by state token
        self._session_tokens = portal.state.table("session_tokens")
        self._codes = portal.state.table("authorization_codes")
        self._devices = portal.state.table("devices")  # by factor: when a code was last asked of it

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the routes."""
        server = "/oauth2/default"
        return [
            web.post("/api/v1/authn", self.begin),
            web.post("/api/v1/authn/factors/{factor}/verify", self.verify),
            web.post("/api/v1/authn/cancel", self.cancel),
            web.get(f"{server}/v1/authorize", self.authorize),
            web.post(f"{server}/v1/token", self.token),
            web.get(f"{server}/v1/keys", self.published_keys),
            web.get(f"{server}/.well-known/openid-configuration", self.discovery),
        ]

    # From the ID number to the session token

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """Take an ID number; answer with a state token and the factors."""
        portal, said = self._portal, await json_body(request)
        username = said.get("username")
        if not isinstance(username, str):
            raise refused("E0000001", "username: The field cannot be left blank")
        number, _, domain = username.partition("@")
        portal.counters.add_to("submissions", number)
        customer = portal.customer(number) if domain.lower() == "iec.co.il" else None
        if customer is None:
            portal.counters.add("refused")
            raise refused("E0000004")
        request["user"] = customer.number
        if customer.says("rate-limited"):
            raise refused("E0000047", headers=until(time.time() + 60))
        if customer.says("locked") or portal.passwords.row(customer.number)["locked"]:
            raise refused("E0000069")
        token = f"00{secrets.token_urlsafe(30)}"
        portal.reveal("tokens", token)
        expires = portal.now() + portal.configuration["state_token_seconds"]
        self._transactions[digest(token)] = {"user": customer.number, "expires": expires, "factor": ""}
        told = self._transaction(token, expires, "UNAUTHENTICATED")
        told["_embedded"] = {
            "factors": [self._factor(customer, word) for word in factors(customer)],
            "policy": {
                "allowRememberDevice": False,
                "rememberDeviceLifetimeInMinutes": 0,
                "rememberDeviceByDefault": False,
                "factorsPolicyInfo": {},
            },
        }
        return as_json(told)

    def _transaction(self, token: str, expires: float, status: str) -> dict[str, Any]:
        return {
            "stateToken": token,
            "expiresAt": stamp(expires),
            "status": status,
            "_links": {"cancel": link(f"{self._portal.urls['okta']}/api/v1/authn/cancel")},
        }

    def _factor(self, customer: Customer, word: str) -> dict[str, Any]:
        number = factor_id(customer, word)
        return {
            "id": number,
            "factorType": "email",
            "provider": "OKTA",
            "vendorName": "OKTA",
            "profile": {"email": masked(customer, word)},
            "_links": {"verify": link(f"{self._portal.urls['okta']}/api/v1/authn/factors/{number}/verify")},
        }

    def _pending(self, said: Mapping[str, Any]) -> tuple[str, dict[str, Any], Customer]:
        """Return the live transaction that a body names."""
        token = said.get("stateToken")
        row = self._transactions.get(digest(token)) if isinstance(token, str) else None
        customer = self._portal.customer(row["user"]) if row else None
        if not isinstance(token, str) or row is None or customer is None or row["expires"] < self._portal.now():
            raise refused("E0000011")
        return token, row, customer

    async def verify(self, request: web.Request) -> web.StreamResponse:
        """Send a code to a factor, or take the code that was typed."""
        said = await json_body(request)
        token, row, customer = self._pending(said)
        request["user"] = customer.number
        known = {factor_id(customer, word): word for word in factors(customer)}
        word = known.get(request.match_info["factor"])
        if word is None:
            raise refused("E0000007", f"{request.match_info['factor']} (UserFactor)")
        if "passCode" in said:
            return self._take_code(token, row, customer, word, said["passCode"])
        self._send_code(token, row, customer, word)
        told = self._transaction(token, row["expires"], "MFA_CHALLENGE")
        told |= {"factorResult": "CHALLENGE", "_embedded": {"factor": self._factor(customer, word)}}
        return as_json(told)

    def _send_code(self, token: str, row: Mapping[str, Any], customer: Customer, word: str) -> None:
        portal, number = self._portal, factor_id(customer, word)
        asked = self._devices.get(number, {"asked": 0.0})["asked"]
        wait = asked + portal.configuration["code_interval_seconds"] - portal.now()
        if asked and wait > 0:
            portal.counters.add("code_requests_refused")
            cause = "A code was sent to this device recently. Wait for 30 seconds before another one is asked for."
            raise refused("E0000047", cause, headers=until(time.time() + wait))
        self._devices[number] = {"asked": portal.now()}
        self._transactions[digest(token)] = {**row, "factor": number}
        portal.counters.add_to("code_requests_by_factor", word)
        if word == "sms" or customer.says("sms-always"):
            portal.codes.send(customer.user, digest(token))
        else:
            portal.codes.mail(customer.user, digest(token))

    def _take_code(
        self, token: str, row: Mapping[str, Any], customer: Customer, word: str, code: object
    ) -> web.StreamResponse:
        portal = self._portal
        if not isinstance(code, str):
            raise refused("E0000001", "passCode: must be a string")
        if row["factor"] != factor_id(customer, word):
            raise refused("E0000079")
        answer = portal.codes.check(customer.user, digest(token), code)
        if answer is Answer.TOO_MANY:
            self._transactions.pop(digest(token), None)
            raise refused("E0000069")
        if answer is not Answer.GOOD:
            over = answer is Answer.EXPIRED
            raise refused(
                "E0000068", "The passcode has expired." if over else "Your passcode doesn't match our records."
            )
        self._transactions.pop(digest(token), None)
        session = f"2011{secrets.token_urlsafe(30)}"
        portal.reveal("tokens", session)
        expires = portal.now() + portal.configuration["session_token_seconds"]
        self._session_tokens[digest(session)] = {"user": customer.number, "expires": expires}
        login = {"login": f"{customer.number}@iec.co.il", "locale": "iw_IL", "timeZone": "Asia/Jerusalem"}
        user = {"id": customer.subject, "passwordChanged": None, "profile": login}
        return as_json(
            {"expiresAt": stamp(expires), "status": "SUCCESS", "sessionToken": session, "_embedded": {"user": user}}
        )

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        """Give a transaction up."""
        token, _, _ = self._pending(await json_body(request))
        self._transactions.pop(digest(token), None)
        return as_json({"relayState": None})

    # From the session token to the code

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Trade a session token, which is good once, for a page with a form that holds an authorization code."""
        portal, asked = self._portal, request.query
        for name in ("client_id", "redirect_uri"):
            if asked.get(name) != portal.configuration[name]:
                portal.counters.add("authorizations_refused")
                return page(f"<h1>400</h1><p>The '{name}' parameter must be a valid one.</p>", status=400)
        wrong = self._unsound(asked)
        held = None if wrong else self._session_tokens.pop(digest(asked.get("sessionToken", "")), None)
        customer = portal.customer(held["user"]) if held and held["expires"] >= portal.now() else None
        if customer is not None:
            request["user"] = customer.number
        if customer is not None and customer.says("authorize-page"):
            return page("<h1>Sign In</h1><form method='post' action='/signin'><input name='username'></form>")
        if not wrong and customer is None:
            wrong = ("login_required", "The client specified not to prompt, but the user is not logged in.")
        if customer is not None and customer.says("authorize-error"):
            wrong = ("access_denied", "User is not assigned to the client application.")
        if wrong:
            portal.counters.add("authorizations_refused")
            told = {"state": asked.get("state", ""), "error": wrong[0], "error_description": wrong[1]}
            return form_page(asked["redirect_uri"], told)
        assert customer is not None
        portal.counters.add("authorizations")
        # A code always has a hyphen, so that one that is decoded wrongly is a wrong one.
        code = f"{secrets.token_urlsafe(20)}-{secrets.token_urlsafe(12)}"
        portal.reveal("tokens", code)
        session = portal.sessions.open(customer.user)
        self._codes[digest(code)] = {
            "user": customer.number,
            "session": session,
            "challenge": asked["code_challenge"],
            "scope": asked["scope"],
            "nonce": asked.get("nonce", ""),
            "expires": portal.now() + portal.configuration["authorization_code_seconds"],
        }
        grant = Grant(customer, session, asked["scope"], asked.get("nonce", ""))
        state = asked.get("state", "")
        told = {
            "state": f"not-{state}" if customer.says("wrong-state") else state,
            "code": code,
            "id_token": self.tokens.id_token(grant),
        }
        return form_page(asked["redirect_uri"], told, customer)

    @staticmethod
    def _unsound(asked: Mapping[str, str]) -> tuple[str, str] | None:
        """Return what an authorization request is refused for: error and description."""
        if set(asked.get("response_type", "").split()) != {"code", "id_token"}:
            return "unsupported_response_type", "The response type is not supported by the authorization server."
        if asked.get("response_mode") != "form_post":
            return "invalid_request", "The response mode is not supported by this imitation."
        scope = set(asked.get("scope", "").split())
        if "openid" not in scope or not scope <= SCOPES:
            return "invalid_scope", "One or more scopes are not configured for the authorization server resource."
        if not asked.get("nonce"):
            return "invalid_request", "The 'nonce' parameter is required for the requested response type."
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            return (
                "invalid_request",
                "PKCE code challenge is required when the token endpoint is used without a secret.",
            )
        return None

    # From the code to the tokens

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Give tokens for an authorization code or for a refresh token."""
        if request.content_type != "application/x-www-form-urlencoded":
            return oauth_error("invalid_request", "The Content-Type must be application/x-www-form-urlencoded.")
        portal = self._portal
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form.get("client_id") != portal.configuration["client_id"]:
            return oauth_error("invalid_client", "Invalid value for 'client_id' parameter.", status=401)
        if form.get("redirect_uri") != portal.configuration["redirect_uri"]:
            return oauth_error("invalid_grant", "The redirect URI does not match the authorization request.")
        if form.get("grant_type") == "authorization_code":
            return self._exchange(request, form)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(form)
        return oauth_error("unsupported_grant_type", "The authorization grant type is not supported.")

    def _exchange(self, request: web.Request, form: Mapping[str, str]) -> web.StreamResponse:
        portal = self._portal
        row = self._codes.pop(digest(form.get("code", "")), None)
        customer = portal.customer(row["user"]) if row else None
        if row is None or customer is None or row["expires"] < portal.now():
            return oauth_error("invalid_grant", "The authorization code is invalid or has expired.")
        request["user"] = customer.number
        if not compare_digest(challenge_of(form.get("code_verifier", "")), row["challenge"]):
            return oauth_error("invalid_grant", "PKCE verification failed.")
        grant = Grant(customer, row["session"], row["scope"], row["nonce"])
        return tokens_response(self.tokens.answer(grant))

    def _refresh(self, form: Mapping[str, str]) -> web.StreamResponse:
        told = self.tokens.refresh(form.get("refresh_token", ""))
        self._portal.counters.add("refreshes" if told else "refreshes_refused")
        return tokens_response(told) if told else oauth_error("invalid_grant", DEAD_REFRESH_TOKEN)

    async def published_keys(self, request: web.Request) -> web.StreamResponse:
        """Publish the keys."""
        self._portal.counters.add("key_lists")
        return as_json(self.tokens.keys.published)

    async def discovery(self, request: web.Request) -> web.StreamResponse:
        """Say where everything is."""
        server = f"{self._portal.urls['okta']}/oauth2/default"
        return as_json(
            {
                "issuer": self._portal.issuer,
                "authorization_endpoint": f"{server}/v1/authorize",
                "token_endpoint": f"{server}/v1/token",
                "jwks_uri": f"{server}/v1/keys",
                "code_challenge_methods_supported": ["S256"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": sorted(SCOPES),
            }
        )


def factors(customer: Customer) -> list[str]:
    """Return the factors offered, in their order: "sms" and "mail"."""
    if customer.says("no-factors"):
        return []
    if customer.says("sms-only"):
        return ["sms"]
    if customer.says("mail-only"):
        return ["mail"]
    return ["mail", "sms"] if customer.says("mail-first") else ["sms", "mail"]


def factor_id(customer: Customer, word: str) -> str:
    """Return the id of a factor."""
    return f"emf{entity(f'factor {word} {customer.number}').replace('-', '')[:17]}"


def masked(customer: Customer, word: str) -> str:
    """Return a factor's address as it is shown: text messages go through a mail gateway."""
    if word == "sms":
        return f"{customer.mobile[0]}...{customer.mobile[-1]}@{TEXT_GATEWAY}"
    name, _, domain = customer.mail.partition("@")
    return f"{name[0]}...{name[-1]}@{domain}"


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier; "" for one of the wrong length."""
    if not 43 <= len(verifier) <= 128:
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def json_body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a body."""
    try:
        said = json.loads(await request.text()) if request.content_type == "application/json" else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise refused("E0000003")
    return said


def refused(code: str, cause: str = "", headers: Mapping[str, str] | None = None) -> web.HTTPException:
    """Return OKTA's answer for one of its error codes."""
    status, summary = SUMMARIES[code]
    return Refusal(status, error_body(code, summary, cause), headers)


def error_body(code: str, summary: str, cause: str = "") -> dict[str, Any]:
    """Return OKTA's error object."""
    causes = [{"errorSummary": cause}] if cause else []
    number = f"oae{secrets.token_urlsafe(16)}"
    return {"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": number, "errorCauses": causes}


class Refusal(web.HTTPException):
    """An answer that ends the handling of a request."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = status
        super().__init__(text=json.dumps(body, ensure_ascii=False), content_type="application/json", headers=headers)


def until(seconds: float) -> dict[str, str]:
    """Return the headers that say when a limit ends."""
    return {"X-Rate-Limit-Limit": "1", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": f"{seconds:.0f}"}


def as_json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return JSON with Hebrew in clear, as the company sends it."""
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, content_type="application/json", status=status, headers=headers)


def oauth_error(error: str, description: str, status: int = 400) -> web.Response:
    """Return the token endpoint's error."""
    return as_json({"error": error, "error_description": description}, status=status)


def tokens_response(told: Mapping[str, Any]) -> web.Response:
    """Return tokens, with headers that forbid caching."""
    return as_json(told, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def link(address: str) -> dict[str, Any]:
    """Return one of OKTA's links."""
    return {"href": address, "hints": {"allow": ["POST"]}}


def stamp(seconds: float) -> str:
    """Return a time as OKTA writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def page(body: str, status: int = 200) -> web.Response:
    """Return an HTML page."""
    text = f"<!doctype html>\n<html><head><title>IEC</title></head><body>{body}</body></html>"
    return web.Response(text=text, content_type="text/html", status=status)


def form_page(action: str, fields: Mapping[str, str], customer: Customer | None = None) -> web.Response:
    """Return a page that submits a form of hidden inputs by script, written as the customer's scenario wants it."""
    says = customer.says if customer else lambda *_words: False

    def written(text: str) -> str:
        if says("entities"):
            return "".join(c if c.isalnum() else f"&#x{ord(c):x};" for c in text)
        if says("script-escapes"):
            return "".join(c if c.isalnum() else f"\\x{ord(c):02X}" for c in text)
        return html.escape(text)

    inputs = [f'<input type="hidden" name="{name}" value="{written(text)}"/>' for name, text in fields.items()]
    form = [f'<form id="appForm" action="{written(action)}" method="POST">', *inputs, "</form>"]
    script = "<script>document.forms[0].submit();</script>"
    return page(("" if says("one-line") else "\n").join([*form, script]))
