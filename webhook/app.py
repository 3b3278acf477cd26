"""The factory of the Flask application: who is let in, how often, and how errors are told."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from math import ceil
from time import time
from typing import Any

from flask import Response, current_app, jsonify, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, TooManyRequests, Unauthorized
from werkzeug.middleware.proxy_fix import ProxyFix

from database.access.codes import CodeChannel
from database.engine import Database, DatabaseAway
from webhook.access import Caller, callers_of, identify
from webhook.codes.routes import CodeRoutes, all_channels
from webhook.settings import WebhookSettings
from webhook.version import version

logger = logging.getLogger(__name__)
LARGEST_BODY = 65_536  # bytes
LARGEST_MAIL = 1_048_576  # bytes; HTML mails bring their style sheets along
SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "token": {"type": "apiKey", "in": "header", "name": "X-Token"},
    "twilio": {"type": "apiKey", "in": "header", "name": "X-Twilio-Signature"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Signature",
        "description": "Hex HMAC-SHA256, under LATCHKEY_WEBHOOK_MAIL_KEY, of the body as it is sent followed by the "
        "header X-Timestamp (seconds since 1970, at most 300 from ours).",
    },
}


class InvalidRequest(BaseModel):
    """Which parameter was wrong, and how; the value is not repeated."""

    error: str
    fields: dict[str, str]


def create_app(
    settings: WebhookSettings, db: Database, channels: Mapping[str, CodeChannel], portals: Sequence[str]
) -> OpenAPI:
    """
    Return the application, with its documentation at /docs.

    channels: how the codes of each login come, by the login's name. portals: words under which the routes stand too; one
    without a channel is read for 6 to 8 digits. Raises SettingsError when a token is missing, short, or the same as another.
    """
    settings.check_tokens()
    app = OpenAPI(
        __name__,
        info=Info(title="Latchkey", version=version()),
        doc_prefix="/docs",
        security_schemes=SECURITY,
        validation_error_status=422,
        validation_error_model=InvalidRequest,
        validation_error_callback=_tell_invalid,
    )
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=200)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    if settings.webhook_proxies:
        hops = settings.webhook_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    limiter = Limiter(
        get_remote_address,
        app=app,
        application_limits=[settings.webhook_rate],
        application_limits_exempt_when=_is_open,
        storage_uri="memory://",
    )

    # After the limiter's own check, so that guessing tokens is bounded too.
    @app.before_request
    def let_in() -> None:
        if request.endpoint is None or _is_open():
            return
        if request.endpoint.endswith(".mail"):
            request.max_content_length = LARGEST_MAIL
        if identify(request, settings) not in callers_of(current_app.view_functions[request.endpoint]):
            raise Unauthorized("A valid token is needed.")

    @app.after_request
    def keep_nothing(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.errorhandler(TooManyRequests)
    def slow_down(error: TooManyRequests) -> Any:
        limit = limiter.current_limit
        error.description, error.retry_after = (
            "Too many requests.",
            max(1, ceil(limit.reset_at - time())) if limit else 60,
        )
        return _tell(error)

    for routes in CodeRoutes(settings, db, all_channels(channels, portals), portals, limiter).blueprints():
        app.register_api(routes)
    app.register_error_handler(HTTPException, _tell)
    app.register_error_handler(DatabaseAway, _tell_away)
    return app


def _is_open() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return view is not None and Caller.ANYONE in callers_of(view)


def _tell(error: HTTPException) -> Any:
    """Answer an HTTP error as JSON, keeping its headers (Allow, Retry-After)."""
    if error.response is not None:
        return error.response
    response = jsonify(error=error.description)
    response.status_code = error.code or 500
    response.headers.extend((name, text) for name, text in error.get_headers() if name != "Content-Type")
    if error.code == Unauthorized.code and str(request.endpoint).startswith("openapi"):
        response.headers["WWW-Authenticate"] = 'Basic realm="Latchkey: any user name, a token as password"'
    return response


def _tell_away(error: DatabaseAway) -> tuple[Response, int]:
    logger.error("%s", error)
    return jsonify(error="The service cannot store or look up anything now: try again later."), 503


def _tell_invalid(error: ValidationError) -> Response:
    fields = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors(include_input=False)}
    response = jsonify(error="A parameter is not as it should be.", fields=fields)
    response.status_code = 422
    return response
