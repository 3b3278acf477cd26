"""Who asks, and from which page: sign-ins in headers and cookies, requests of other sites, CORS, ETags, errors."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, json, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from pydantic import ValidationError
from werkzeug.exceptions import Forbidden, HTTPException, Unauthorized

from database.access.roles import access_of
from database.access.users import session_of
from database.actors import Actor, set_actor
from database.engine import Database
from database.models.prices import AuthSession, User
from webhook.access import check_role, is_lively
from webhook.settings import PriceWatchSettings, is_loopback

PREFIXES = ("/api", "/auth", "/me", "/users", "/watchlist-items", "/ready", "/sessions", "/sources", "/flows")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
HEADERS = "Authorization, Content-Type, If-None-Match"
SHOWN = "ETag, Link, Location, Retry-After, X-Total-Count, X-Waits-Until"
PREFLIGHT_SECONDS = 600


def is_ours() -> bool:
    """Tell whether a request is for a route of users, also where there is none of that name."""
    return any(request.path == prefix or request.path.startswith(f"{prefix}/") for prefix in PREFIXES)


class UserAccess:
    """Which requests the routes of users answer: who asks, from which site, how often."""

    def __init__(self, settings: PriceWatchSettings, db: Database, limiter: Limiter) -> None:
        self.settings, self.db, self.limiter = settings, db, limiter

    def refuse_other_sites(self) -> None:
        """
        Raise Forbidden for a change that a page of another site has sent.

        Browsers say so themselves, in a header that no page can set; a client without such headers is no browser. A token
        in a header is no such request: no page of another site has one.
        """
        if request.method in SAFE or bearer_token():
            return
        origin = request.headers.get("Origin", "")
        if origin in self.settings.origins:
            return
        site = request.headers.get("Sec-Fetch-Site", "")
        is_own = not origin or urlsplit(origin).netloc.lower() == request.host.lower()
        if site not in ("", "same-origin", "none") or not is_own:
            raise Forbidden("A page of another site may not do that.")

    def let_in(self, view: Callable[..., object] | None) -> None:
        """Note whose request it is; raise Unauthorized without a valid token, Forbidden without a role that *view* requires."""
        found = self.signed_in()
        if found is None:
            has_token = bool(_token_of(self.settings))
            said = "The token is invalid or has expired." if has_token else "A token is needed: sign in first."
            raise Unauthorized(said)
        self.note(found)
        is_fast = is_lively(view)
        rate, scope = (self.settings.assist_rate, "assist") if is_fast else (self.settings.user_rate, "user")
        self.count(rate, scope, f"user {found[1].id}")
        check_role(view, g.access)

    def signed_in(self) -> tuple[AuthSession, User] | None:
        """Return the session and user of a request's token, if it has a valid one."""
        token = _token_of(self.settings)
        if not token:
            return None
        with self.db.transaction() as session:
            return session_of(session, token)

    def note(self, found: tuple[AuthSession, User]) -> None:
        """Note whose request it is, for the view and for the audit."""
        g.session, g.user = found
        with self.db.transaction() as session:
            g.access = access_of(session, found[1].id)
        set_actor(Actor(found[1].email, "web", request.remote_addr or ""))

    def count_visitor(self) -> None:
        """Count a request without sign-in; raise TooManyRequests above LATCHKEY_AUTH_RATE."""
        self.count(self.settings.auth_rate, "auth", get_remote_address())

    def count(self, rate: str, scope: str, key: str) -> None:
        """Count a request of somebody, over all routes of a scope; raise TooManyRequests above a rate."""
        with self.limiter.shared_limit(rate, scope, key_func=lambda: key):
            pass


def cookie_token(settings: PriceWatchSettings) -> str:
    """Return the token in the cookie of a request; empty when there is none."""
    return request.cookies.get(settings.auth_cookie_name, "")


def bearer_token() -> str:
    """Return the token in the header of a request; empty when there is none."""
    header = request.headers.get("Authorization", "")
    return header[7:].strip() if header[:7].lower() == "bearer " else ""


def _token_of(settings: PriceWatchSettings) -> str:
    """Return the token of the header, else that of the cookie."""
    return bearer_token() if request.headers.get("Authorization") else cookie_token(settings)


def is_from_here(proxies: int) -> bool:
    """
    Tell whether a request comes from this machine itself.

    Not through a proxy on it, and not from a page whose name was made to stand for this machine (DNS rebinding).
    """
    host = urlsplit(f"//{request.host}").hostname or ""
    return (
        proxies == 0
        and is_loopback(request.remote_addr or "")
        and is_loopback(host)
        and not any(name in request.headers for name in FORWARDED)
    )


def with_cors(response: Response, settings: PriceWatchSettings) -> Response:
    """Let the pages of the origins in the settings read an answer, with the user's cookie."""
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if origin in settings.origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = SHOWN
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = HEADERS
            response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


def with_etag(response: Response) -> Response:
    """Give an answer to GET an ETag; one that the client has already is answered with 304."""
    is_whole = not response.is_streamed  # else all of it would have to be read first
    if request.method in ("GET", "HEAD") and response.status_code == HTTPStatus.OK and is_whole:
        response.vary.update(("Authorization", "Cookie"))
        response.headers["Cache-Control"] = "private, no-cache"
        response.add_etag()
        response.make_conditional(request)
    return response


def problem(status: int, detail: Any, **more: Any) -> Response:
    """Return an error as RFC 9457 has it."""
    made: Response = Response(status=status, mimetype="application/problem+json")
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    made.set_data(json.dumps(body, sort_keys=False))
    return made


def refused(field: str, said: str) -> Response:
    """Answer a body of which a field was refused by more than its form."""
    return problem(422, [{"loc": ["body", field], "msg": said, "type": "value_error"}], fields={field: said})


def tell_problem(error: HTTPException) -> Response:
    """Answer an HTTP error, keeping its headers (Allow, Retry-After)."""
    response = problem(error.code or 500, error.description)
    response.headers.extend((name, text) for name, text in error.get_headers() if name != "Content-Type")
    if error.code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def tell_invalid(error: ValidationError) -> Response:
    """Answer a request that is not as it should be: which fields, and how; their values are not repeated."""
    place = next((word.lower() for word in ("Query", "Path") if error.title.endswith(word)), "body")
    found = error.errors(include_input=False, include_url=False, include_context=False)
    detail = [{"loc": [place, *each["loc"]], "msg": _said(each["msg"]), "type": each["type"]} for each in found]
    fields = {".".join(map(str, each["loc"])) or place: _said(each["msg"]) for each in found}
    return problem(422, detail, fields=fields)


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")
