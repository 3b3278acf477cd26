"""Authorisation: roles of users, shared tokens, Twilio's signature and that of mail-routing services."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from flask import Request, g
from werkzeug.exceptions import Forbidden

from database.access.roles import NO_GRANT, Access
from database.models.operators import Role
from webhook.settings import WebhookSettings

View = TypeVar("View", bound=Callable[..., object])
REPLAY_WINDOW = 300  # seconds that the time of a signed request may be from ours
DEFAULT_PORTS = {"http": 80, "https": 443}


class Caller(StrEnum):
    """Who a request comes from."""

    ANYONE = "anyone"
    GATEWAY = "gateway"
    READER = "reader"
    METRICS = "metrics"
    USER = "user"  # who has registered: `webhook.api.requests` tells which


def for_callers(*callers: Caller) -> Callable[[View], View]:
    """Say on a view who may call it; a view that says nothing is for gateway and reader."""

    def mark(view: View) -> View:
        view.__dict__["callers"] = frozenset(callers)
        return view

    return mark


def callers_of(view: Callable[..., object]) -> frozenset[Caller]:
    """Return who may call *view*."""
    allowed: frozenset[Caller] = getattr(view, "callers", frozenset({Caller.GATEWAY, Caller.READER}))
    return allowed


def requires(*roles: Role) -> Callable[[View], View]:
    """
    Say on a view that its caller is signed in with one of *roles*; one with CLIENT_VIEWER shows `only_client()`'s data alone.

    What changes something is for OPERATOR, what shows something for SEEING or SEEING_ALL.
    """

    def mark(view: View) -> View:
        view.__dict__["roles"] = frozenset(roles)
        return for_callers(Caller.USER)(view)

    return mark


def lively(view: View) -> View:
    """Say on a view for users that a page of ours asks for it several times a second: it is counted by itself."""
    view.__dict__["lively"] = True
    return view


def is_lively(view: Callable[..., object] | None) -> bool:
    """Tell whether a page of ours asks for a view several times a second."""
    return getattr(view, "lively", False)


SEEING_ALL = (Role.OPERATOR, Role.VIEWER)
SEEING = (*SEEING_ALL, Role.CLIENT_VIEWER)


def roles_of(view: Callable[..., object] | None) -> frozenset[Role]:
    """Return the roles that may call a view for users: all, unless it requires some."""
    allowed: frozenset[Role] = getattr(view, "roles", frozenset(Role))
    return allowed


def check_role(view: Callable[..., object] | None, access: Access) -> None:
    """Raise Forbidden for a view that requires another role than that of *access*."""
    if access.role not in roles_of(view):
        raise Forbidden("Your role does not allow that.")


def access() -> Access:
    """Return what the user of this request may do."""
    found: Access = g.get("access", NO_GRANT)
    return found


def only_client() -> int | None:
    """Return the id of the only client whose data this request may see; None: that of all."""
    found = access()
    if found.role is Role.CLIENT_VIEWER:
        return found.client_id
    if found.role not in SEEING_ALL:
        raise Forbidden("Your role does not allow that.")
    return None


def identify(request: Request, settings: WebhookSettings) -> Caller:
    """Return who sent *request*; anyone, unless it shows a token of ours or a signature."""
    shown = _shown_token(request)
    found = Caller.ANYONE
    for caller, secret in (
        (Caller.GATEWAY, settings.webhook_token.get_secret_value()),
        (Caller.READER, settings.code_reader_token.get_secret_value()),
        (Caller.METRICS, settings.metrics_token.get_secret_value()),
    ):
        if hmac.compare_digest(shown, secret.encode()) and secret:
            found = caller
    if found is Caller.ANYONE and (_is_signed_by_twilio(request, settings) or _is_signed(request, settings)):
        return Caller.GATEWAY
    return found


def signature(key: str, body: bytes, timestamp: str) -> str:
    """Return what stands in `X-Signature`: hex HMAC-SHA256 of the body as it is sent, followed by `X-Timestamp`."""
    return hmac.new(key.encode(), body + timestamp.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def twilio_signature(token: str, url: str, form: Mapping[str, Sequence[str]]) -> str:
    """Return what Twilio puts into `X-Twilio-Signature`: base64 HMAC-SHA1 of the URL and the sorted fields."""
    fields = "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    digest = hmac.new(token.encode(), (url + fields).encode("utf-8", "replace"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def _shown_token(request: Request) -> bytes:
    header = request.headers.get("Authorization", "")
    if header[:7].lower() == "bearer ":
        shown = header[7:].strip()
    elif request.authorization is not None and request.authorization.type == "basic":
        return (request.authorization.password or "").encode()  # how a browser shows a token, for the documentation
    else:
        shown = request.headers.get("X-Token", "")
    return shown.encode("latin-1", "replace")  # headers are bytes that WSGI decodes as latin-1


def _is_signed_by_twilio(request: Request, settings: WebhookSettings) -> bool:
    token, given = settings.twilio_auth_token.get_secret_value(), request.headers.get("X-Twilio-Signature", "")
    if not token or not given or request.mimetype != "application/x-www-form-urlencoded":
        return False
    form = request.form.to_dict(flat=False)
    shown = given.encode("latin-1", "replace")
    try:
        urls = _spellings(_public_url(request, settings))
    except ValueError:  # a Host header that is none
        return False
    right = [hmac.compare_digest(shown, twilio_signature(token, url, form).encode()) for url in urls]
    return any(right)


def _is_signed(request: Request, settings: WebhookSettings) -> bool:
    """Tell whether a JSON delivery has a valid, recent signature; a replay within the window is ignored."""
    key, given = settings.webhook_mail_key.get_secret_value(), request.headers.get("X-Signature", "")
    stamp = request.headers.get("X-Timestamp", "")
    if not key or not given or request.method != "POST" or not request.is_json:
        return False
    if not re.fullmatch(r"[0-9]{10}", stamp) or abs(time.time() - int(stamp)) > REPLAY_WINDOW:
        return False
    shown = given.removeprefix("sha256=").lower().encode("latin-1", "replace")
    return hmac.compare_digest(shown, signature(key, request.get_data(), stamp).encode())


def _public_url(request: Request, settings: WebhookSettings) -> str:
    base = settings.webhook_public_url.rstrip("/") or request.host_url.rstrip("/")
    query = request.query_string.decode("latin-1")
    return f"{base}{request.path}?{query}" if query else base + request.path


def _spellings(url: str) -> list[str]:
    """Return the URL with and without the port: gateways differ in which one they sign."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    bare = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
    port = host.rpartition(":")[2] if bare != host else str(DEFAULT_PORTS[parts.scheme])
    return [urlunsplit(parts._replace(netloc=netloc)) for netloc in {host, bare, f"{bare}:{port}"}]
