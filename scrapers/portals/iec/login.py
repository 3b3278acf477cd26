"""
The sign-in at OKTA: an ID number without a password, a one-time code, and tokens that are renewed for months.

The company sends text messages through a mail gateway, so OKTA calls both of its factors e-mail.
"""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.http import JsonRequest, Response, TextResponse

from database.access.addresses import receivers
from database.access.codes import CodeChannel
from scrapers.core.outcomes import (
    CodeNotReceived,
    CredentialMalformed,
    MfaRequired,
    PortalDown,
    TokenUntrusted,
    UnexpectedAnswer,
)
from scrapers.core.redaction import redactor
from scrapers.logins.base import ShownIdentity
from scrapers.logins.conversation import AskCode, Choose, Conversation, ConversationLogin, Step, Tokens
from scrapers.portals.iec.errors import CodeRefused, IdNumberRefused, IECLoginError, SlowDown, TokensDead, UserLocked
from scrapers.portals.iec.hosts import API, HOSTS
from scrapers.portals.iec.settings import IecSettings

if TYPE_CHECKING:
    from joserfc.jwk import KeySetSerialization

    from database.access.credentials import Credential

progress = logging.getLogger("latchkey.progress")

SCOPE = "openid email profile offline_access"
SMS_GATEWAY = "@sns.iec.co.il"  # a mail factor at this host is a text message
CLOCK = 120  # seconds by which OKTA's clock and ours may differ
CODE_TRIES = 3
NOT_HERS = ("not associated with you", "not authorized to this action")  # 401 about a contract, not about the session
ERRORS = {
    "E0000004": IdNumberRefused,
    "E0000068": CodeRefused,
    "E0000069": UserLocked,
    "E0000047": SlowDown,
}
EXPIRED_STATE = "E0000011"
LOCKED_OUT = "LOCKED_OUT"  # a status, with HTTP 200
GOES_ON = ("SUCCESS", "MFA_REQUIRED", "MFA_CHALLENGE")  # statuses after which a code may be submitted


class IecLogin(ConversationLogin):
    """The customers' API; codes come by text message or mail, by IEC_FACTOR."""

    portal = "iec"
    name = "iec"
    url = "https://iec-ext.okta.com"
    home = "customer"
    channel = CodeChannel("iec", pattern=r"\b(\d{6})\b")  # the sender is not known
    always_asks = True
    code_pause = 30  # OKTA sends one code to a telephone in that time
    secret_name = "ID number"

    @classmethod
    def variable(cls) -> str:
        """Return the variable of OKTA's address; the API's hosts have their own."""
        return "IEC_OKTA_URL"

    @classmethod
    def home_address(cls) -> str:
        """Return the address of the API's customer endpoint."""
        return API.url(cls.home)

    # Identity

    def check(self, credential: Credential) -> None:
        """Raise CredentialMalformed for an invalid ID number."""
        if not is_id_number(credential.password):
            raise CredentialMalformed("An ID number has up to nine digits, and its last one checks the others.")

    def user_of(self, credential: Credential) -> str:
        """Return the ID number, because the credential's user name is a label that the owner has chosen."""
        return credential.password.strip().zfill(9)

    def identity(self, response: Response) -> ShownIdentity:
        """Return the ID number in the customer endpoint's answer."""
        if response.status != 200 or urlsplit(response.url).path != urlsplit(self.home_address()).path:
            return ShownIdentity()
        customer = read(response)
        number, partner = customer.get("idNumber"), customer.get("bpNumber")
        if not number:
            return ShownIdentity()
        return ShownIdentity(username=str(number).zfill(9), accounts=frozenset({str(partner)} if partner else ()))

    def is_signed_out(self, response: Response) -> bool:
        """Return whether the token was refused; 401 is also sent for another customer's contract."""
        return response.status == 401 and not any(text.encode() in response.body for text in NOT_HERS)

    # Tokens

    def authorize(self, request: Request, state: dict[str, Any]) -> None:
        """Add the ID token, which is the bearer token here, to requests to the API's hosts only."""
        host = next((host for host in HOSTS if request.url.startswith(f"{host.base()}/")), None)
        if host is not None:
            request.headers["Authorization"] = f"Bearer {Tokens.of(state).id}"
            for name, value in host.all_headers().items():
                request.headers.setdefault(name, value)

    def converse(self, credential: Credential) -> Conversation:
        """Sign in: identify, choose a factor, have the code sent, submit it, authorize, exchange for tokens."""
        number = credential.password.strip()
        redactor.add(number, number.zfill(9), number.lstrip("0"))
        known = yield self._step("who", "api/v1/authn", {"username": f"{number}@iec.co.il"}, submits=True)
        answer = self._answer(known)
        factors = answer.get("_embedded", {}).get("factors") or []
        if not factors:
            raise MfaRequired("OKTA offers no way to send a code.", step="sign in: who")
        factor = factors[0]
        kinds = list(dict.fromkeys(factor_kind(each) for each in factors))
        wish = wanted_factor() or self._by_receiver(credential)
        if not wanted_factor() and len(kinds) > 1:
            wish = (yield Choose("Send the code by", kinds)) or wish
        factor = next((each for each in factors if factor_kind(each) == wish), factors[0])
        kind, state = factor_kind(factor), {"stateToken": answer.get("stateToken")}
        redactor.add(state["stateToken"])
        verify = f"api/v1/authn/factors/{factor.get('id')}/verify"
        sent = self._answer((yield self._step("send", verify, state, sends_code=kind)))
        progress.info("iec: the code goes by %s%s", kind, "" if kind == (wish or kind) else f", not by {wish}")
        for once_more in range(CODE_TRIES):
            if sent.get("status") == "SUCCESS":
                break
            code = re.sub(r"\D", "", (yield AskCode(kind, again=once_more > 0)))
            if not code:
                raise CodeNotReceived("No code was typed.", step="sign in: code")
            redactor.add(code)
            judged = yield self._step("code", verify, {**state, "passCode": code})
            if error_code(judged) == "E0000068" and once_more < CODE_TRIES - 1:
                continue
            sent = self._answer(judged)
            if sent.get("status") not in GOES_ON:
                raise UnexpectedAnswer(
                    f"OKTA answered the code with the status {str(sent.get('status'))[:40]}.", step="sign in: code"
                )
        if not sent.get("sessionToken"):
            raise UnexpectedAnswer("OKTA took the code and gave no session token.", step="sign in: code")
        return (yield from self._exchange(sent["sessionToken"]))

    def _exchange(self, session_token: str) -> Conversation:
        from authlib.common.security import generate_token
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        verifier, state, nonce = generate_token(64), generate_token(32), generate_token(32)
        redactor.add(session_token, verifier, state, nonce)
        client, redirect = client_id(), redirect_uri()
        address = prepare_grant_uri(
            self._url("oauth2/default/v1/authorize"),
            client,
            "id_token code",
            redirect,
            SCOPE,
            state,
            response_mode="form_post",
            nonce=nonce,
            sessionToken=session_token,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        page = yield Step(Request(address, meta=meta("authorize")))
        given = hidden_fields(page)
        if "error" in given:
            raise IECLoginError(given["error"], given.get("error_description", ""), step="sign in: authorize")
        redactor.add(given.get("code"), given.get("id_token"))
        if not given.get("code"):
            raise UnexpectedAnswer(f"OKTA's page has no code (status {page.status}).", step="sign in: authorize")
        if given.get("state") != state:
            raise TokenUntrusted("The state is not ours.", step="sign in: authorize")
        body = prepare_token_request(
            "authorization_code", code=given["code"], client_id=client, redirect_uri=redirect, code_verifier=verifier
        )
        return (yield from self._tokens("token", body, nonce=nonce))

    def refresh(self, tokens: Tokens) -> Conversation:
        """Exchange the refresh token; OKTA may send a new one; if not, the old one remains valid."""
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        body = prepare_token_request(
            "refresh_token",
            refresh_token=tokens.refresh,
            client_id=client_id(),
            redirect_uri=redirect_uri(),
            scope=SCOPE,
        )
        return (yield from self._tokens("renew", body, refresh=tokens.refresh))

    def _tokens(self, step: str, body: str, *, nonce: str | None = None, refresh: str = "") -> Conversation:
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        token_url = self._url("oauth2/default/v1/token")
        answer = yield Step(Request(token_url, method="POST", body=body, headers=headers, meta=meta(step)))
        given = self._answer(answer)
        redactor.add(*(given.get(name) for name in ("access_token", "id_token", "refresh_token")))
        if missing := [name for name in ("access_token", "id_token") if not given.get(name)]:
            raise UnexpectedAnswer(f"OKTA's answer has no {missing[0]}.", step=f"sign in: {step}")
        if not (given.get("refresh_token") or refresh):
            raise UnexpectedAnswer("OKTA's answer has no refresh_token.", step=f"sign in: {step}")
        keys = yield Step(
            Request(IecSettings.current().jwks_url or self._url("oauth2/default/v1/keys"), meta=meta("keys"))
        )
        claims = verified(given["id_token"], self._answer(keys), self._url("oauth2/default"), nonce)
        return Tokens(
            access=given["access_token"],
            id=given["id_token"],
            refresh=given.get("refresh_token") or refresh,
            subject=claims["sub"],
            expires_at=float(claims["exp"]),
            scope=given.get("scope", SCOPE),
            kind=given.get("token_type", "Bearer"),
        )

    # Requests and answers

    def _url(self, path: str) -> str:
        return urljoin(f"{self.address().rstrip('/')}/", path)

    def _step(self, name: str, path: str, data: dict[str, Any], *, submits: bool = False, sends_code: str = "") -> Step:
        request = JsonRequest(self._url(path), data=data, headers={"Accept": "application/json"}, meta=meta(name))
        return Step(request, submits=submits, sends_code=sends_code)

    def _answer(self, response: Response) -> dict[str, Any]:
        """Return the JSON that OKTA answered; raise the failure that its error maps to."""
        step = f"sign in: {response.meta.get('step', 'request')}"
        data = read(response)
        if code := data.get("errorCode"):
            text = "; ".join(
                filter(
                    None, [data.get("errorSummary"), *(c.get("errorSummary") for c in data.get("errorCauses") or [])]
                )
            )
            if code == EXPIRED_STATE:
                raise CodeNotReceived(f"OKTA had given up waiting for it (Code {code}: {text}).", step=step)
            kind = SlowDown if response.status == 429 else ERRORS.get(code, IECLoginError)
            raise kind(code, text, step=step)
        if data.get("error"):
            kind = TokensDead if (data["error"], step) == ("invalid_grant", "sign in: renew") else IECLoginError
            raise kind(data["error"], data.get("error_description", ""), step=step)
        if data.get("status") == LOCKED_OUT:
            raise UserLocked(LOCKED_OUT, "The user is locked.", step=step)
        if response.status == 429:
            raise SlowDown(429, "without a word", step=step)
        if response.status >= 500:
            raise PortalDown(f"OKTA answered {response.status}.", step=step)
        if response.status != 200 or not data:
            raise UnexpectedAnswer(f"OKTA answered {response.status} with {len(response.body)} bytes.", step=step)
        return data

    @staticmethod
    def _by_receiver(credential: Credential) -> str:
        """Return the channel of the credential's receiver (sms or mail); a phone comes first."""
        return "mail" if set(receivers(credential.receiver or "")) == {"mail"} else "sms"


def is_id_number(text: str) -> bool:
    """
    Tell whether a text is an Israeli identity number: up to nine digits, the last of which checks the others.

    >>> is_id_number("123456782"), is_id_number("123456789"), is_id_number("1234567890"), is_id_number(" 26 ")
    (True, False, False, True)
    """
    text = text.strip()
    if not re.fullmatch(r"[0-9]{1,9}", text) or not text.strip("0"):
        return False
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(text.zfill(9))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def factor_kind(factor: dict[str, Any]) -> str:
    """Return how a factor sends its codes: sms, or mail."""
    address = str((factor.get("profile") or {}).get("email") or "")
    if SMS_GATEWAY in address or factor.get("factorType") == "sms":
        return "sms"
    return "mail" if factor.get("factorType") == "email" else str(factor.get("factorType"))


def wanted_factor() -> str:
    """Return the setting IEC_FACTOR: sms, mail, or "" for no preference."""
    return IecSettings.current().factor


def client_id() -> str:
    """Return the OAuth client's id."""
    return IecSettings.current().client_id


def redirect_uri() -> str:
    """Return OAuth's redirect URI."""
    return IecSettings.current().redirect_uri


def meta(step: str) -> dict[str, Any]:
    """Return the meta of the conversation's requests: all statuses reach the caller, and redirects are not followed."""
    return {"step": step, "dont_redirect": True, "handle_httpstatus_all": True}


def error_code(response: Response) -> str:
    """Return OKTA's code of an error; empty where it is none."""
    return str(read(response).get("errorCode") or "")


def read(response: Response) -> dict[str, Any]:
    """Return the JSON object of an answer; empty where it is something else."""
    try:
        data = json.loads(response.body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def hidden_fields(response: Response) -> dict[str, str]:
    """Return the hidden fields of the page by which OKTA posts its answer, whatever its status; empty where it has none."""
    if not isinstance(response, TextResponse):
        return {}
    fields = response.css("input[type=hidden][name]")
    escapes = re.compile(r"\\x([0-9A-Fa-f]{2})")  # script escapes, which occur in these pages
    return {
        field.attrib["name"]: escapes.sub(lambda found: chr(int(found[1], 16)), field.attrib.get("value", ""))
        for field in fields
    }


def verified(token: str, key_set: dict[str, Any], issuer: str, nonce: str | None) -> dict[str, Any]:
    """
    Return the claims of an ID token, after checking signature, issuer, audience, time and nonce.

    nonce: as sent; None when none was, as in a renewal. Raises TokenUntrusted.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        claims: dict[str, Any] = jwt.decode(
            token, KeySet.import_key_set(cast("KeySetSerialization", key_set)), algorithms=["RS256"]
        ).claims
        wanted: dict[str, Any] = {"exp": {"essential": True}, "sub": {"essential": True}, "iss": {"essential": True}}
        wanted["aud"] = {"essential": True, "value": client_id()}
        if nonce is not None:
            wanted["nonce"] = {"essential": True, "value": nonce}
        jwt.JWTClaimsRegistry(leeway=CLOCK, **wanted).validate(claims)
    except (JoseError, ValueError, KeyError) as error:
        raise TokenUntrusted(f"{type(error).__name__}.", step="sign in: verify the token") from error
    # The issuer has its host in capitals.
    if str(claims["iss"]).casefold().rstrip("/") != issuer.casefold().rstrip("/"):
        raise TokenUntrusted("The issuer is another.", step="sign in: verify the token")
    return claims
