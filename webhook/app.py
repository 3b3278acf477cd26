"""The factory of the Flask application: who is let in, how often, and how errors are told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from time import time
from typing import Any

from flask import Response, current_app, jsonify, request
from flask_limiter import Limiter, RateLimitExceeded
from flask_limiter.util import get_remote_address
from flask_openapi3.models.info import Info
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, ServiceUnavailable, TooManyRequests, Unauthorized
from werkzeug.middleware.proxy_fix import ProxyFix

from database.access.codes import CodeChannel
from database.actors import Actor, set_actor
from database.engine import Database, DatabaseAway
from jobs.settings import MailSettings
from scrapers.core.version import version
from scrapers.portals.telegram.settings import TelegramSettings
from webhook.access import Caller, callers_of, identify
from webhook.api import requests
from webhook.api.accounts import Accounts
from webhook.api.channels import ChannelRoutes
from webhook.api.checking import Checker
from webhook.api.legacy import LegacyRoutes
from webhook.api.notifying import Channels
from webhook.api.requests import UserAccess
from webhook.api.room.acts import Room
from webhook.api.room.charts import ChartRoutes
from webhook.api.room.downloads import Opens, no_store
from webhook.api.room.figures import ChartReading
from webhook.api.room.missing import MissingRoutes
from webhook.api.room.passkeys import Passkeys, RelyingParty
from webhook.api.room.reading import RoomReading
from webhook.api.room.records import RecordRoutes
from webhook.api.room.routes import RoomRoutes
from webhook.api.room.runs import RunRoutes
from webhook.api.room.signing import RoomSigning
from webhook.api.sending import Sender
from webhook.api.service import service_routes
from webhook.api.telegram.asking import Asking
from webhook.api.telegram.sessions import LARGEST_FILE, TelegramSessionRoutes
from webhook.api.telegram.source_acts import Sources, engine_of, no_stores
from webhook.api.telegram.sources import SourceRoutes, asks_telegram
from webhook.api.users import UserRoutes
from webhook.api.watching import Watchlist
from webhook.api.watchlist import WatchlistRoutes
from webhook.codes.routes import CodeRoutes, all_channels
from webhook.documentation import Documented
from webhook.metrics import metrics_routes
from webhook.pages.base import Pages, with_headers
from webhook.pages.prices import add_price_pages
from webhook.pages.room import add_room_pages
from webhook.pages.room.charts import add_chart_pages
from webhook.pages.room.overview import add_overview_pages
from webhook.pages.room.passkeys import add_passkey_pages
from webhook.pages.telegram import add_telegram_pages
from webhook.settings import PriceWatchSettings, WebhookSettings

logger = logging.getLogger(__name__)
AWAY = "The service cannot store or look up anything now: try again later."
IN_MEMORY = "memory://"
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
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "pb_session",
        "description": "A user's token, under the name that LATCHKEY_AUTH_COOKIE_NAME gives it.",
    },
}


class InvalidRequest(BaseModel):
    """Which parameter was wrong, and how; the value is not repeated."""

    error: str
    fields: dict[str, str]


def create_app(
    settings: WebhookSettings,
    db: Database,
    channels: Mapping[str, CodeChannel],
    portals: Sequence[str],
    *,
    prices: PriceWatchSettings | None = None,
    sender: Sender | None = None,
    checker: Checker | None = None,
    telegram: TelegramSettings | None = None,
    erase: Callable[[str, str], bool] | None = None,
    opens: Opens | None = None,
    counts: str = IN_MEMORY,
) -> Documented:
    """
    Return the application, with its documentation at /docs.

    channels: how the codes of each login come, by the login's name. portals: words under which the routes stand too; one
    without a channel is read for 6 to 8 digits. prices, telegram: how those behave; by default as the environment says.
    erase, opens: delete and open a file of a store, both by their addresses. counts: address of the storage of `limits` in which
    requests are counted; where several processes answer, one that they share.
    Raises SettingsError when a token is missing, short, or the same as another, or when what is for this machine alone would
    be served to others.
    """
    settings.check_tokens()
    prices = prices or PriceWatchSettings.current()
    prices.check_host(settings.webhook_host)
    if prices.price_watch and prices.auth_dev_mode:
        logger.warning(
            "%s is on: who asks from this machine gets the codes of any user in the answer",
            prices.given("auth_dev_mode").variable,
        )
    app = Documented(
        __name__,
        static_folder=None,  # the pages serve their own files
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
        storage_uri=counts,
    )

    user_access = UserAccess(prices, db, limiter)
    pages = Pages(prices, user_access)

    has_pages = prices.price_watch or prices.control_room

    def is_page() -> bool:
        return has_pages and pages.are_asked_for()

    # After the limiter's own check, so that guessing tokens is bounded too.
    @app.before_request
    def let_in() -> None:
        set_actor(Actor("nobody", "web", request.remote_addr or ""))
        if requests.is_ours():
            user_access.refuse_other_sites()
        if is_page():
            pages.let_in(current_app.view_functions.get(request.endpoint or ""))
            return
        if request.endpoint is None or _is_open() or (requests.is_ours() and request.method == "OPTIONS"):
            return
        allowed = callers_of(current_app.view_functions[request.endpoint])
        if Caller.USER in allowed:
            user_access.let_in(current_app.view_functions[request.endpoint])
            if request.endpoint.endswith(".upload_file"):
                request.max_content_length = LARGEST_FILE
            return
        if request.endpoint.endswith(".mail"):
            request.max_content_length = LARGEST_MAIL
        caller = identify(request, settings)
        set_actor(Actor(f"{caller} token", "web", request.remote_addr or ""))
        if caller not in allowed:
            is_documentation = request.endpoint.startswith("openapi")
            if not (is_documentation and has_pages and user_access.signed_in() is not None):
                raise Unauthorized("A valid token is needed.")

    @app.teardown_request
    def forget_actor(error: BaseException | None) -> None:
        set_actor(None)

    @app.after_request
    def keep_nothing(response: Response) -> Response:
        if has_pages and requests.is_ours():
            response = requests.with_cors(requests.with_etag(response), prices)
        response.headers.setdefault("Cache-Control", "no-store")
        return with_headers(response) if is_page() else response

    @app.errorhandler(TooManyRequests)
    def slow_down(error: TooManyRequests) -> Any:
        if not isinstance(error, RateLimitExceeded):  # of ours, which knows what it says
            return tell(error)
        limit = limiter.current_limit
        error.description, error.retry_after = (
            "Too many requests.",
            max(1, ceil(limit.reset_at - time())) if limit else 60,
        )
        return tell(error)

    def tell(error: HTTPException) -> Any:
        return pages.tell(error) if is_page() else _tell(error)

    def tell_away(error: DatabaseAway) -> Any:
        if not is_page():
            return _tell_away(error)
        logger.error("%s", error)
        return pages.tell(ServiceUnavailable(AWAY))

    for routes in CodeRoutes(settings, db, all_channels(channels, portals), portals, limiter).blueprints():
        app.register_api(routes)
    app.register_blueprint(metrics_routes(db))
    if has_pages:
        twilio_token = settings.twilio_auth_token.get_secret_value()
        sender = sender or Sender(prices, MailSettings.current(), twilio_token)
        accounts = Accounts(prices, db, user_access, sender, settings.webhook_proxies)
        pages.register(app)
    if prices.price_watch:
        checker = checker or Checker(db, prices.check_wait)
        watchlist = WatchlistRoutes(prices, user_access, Watchlist(db, checker))
        app.register_api(service_routes(db))
        app.register_api(UserRoutes(accounts).blueprint())
        app.register_api(watchlist.blueprint())
        alert_channels = Channels(db)
        app.register_api(ChannelRoutes(alert_channels).blueprint())
        telegram = telegram or TelegramSettings.current()
        telegram.read_key()
        asking = Asking(db, user_access, prices, telegram)
        telegram_sessions = TelegramSessionRoutes.of(asking)
        app.register_api(telegram_sessions.blueprint())
        sources = Sources(db, lambda: engine_of(db), asks_telegram(asking), checker.see_to, erase or no_stores)
        for blueprint in SourceRoutes(sources).blueprints():
            app.register_api(blueprint)
        if prices.legacy_routes:
            app.register_api(LegacyRoutes(watchlist, settings.webhook_proxies).blueprint())
        add_price_pages(app, pages, accounts, watchlist.watchlist, alert_channels)
        add_telegram_pages(app, pages, telegram_sessions.sessions, telegram_sessions.logins, sources)
    if prices.control_room:
        room, signing = Room(db, lambda: engine_of(db)), RoomSigning(accounts)
        app.register_api(RoomRoutes(room, signing).blueprint())
        passkeys = Passkeys(accounts, RelyingParty.of(settings.address))
        add_room_pages(app, pages, room, signing, passkeys)
        reading = RoomReading(db)
        app.register_api(MissingRoutes(reading).blueprint())
        app.register_api(RunRoutes(reading, opens or no_store).blueprint())
        app.register_api(RecordRoutes(db).blueprint())
        add_overview_pages(app, pages, reading, opens or no_store)
        charts = ChartReading(db)
        app.register_api(ChartRoutes(charts).blueprint())
        add_chart_pages(app, pages, charts, reading)
        add_passkey_pages(app, pages, passkeys)
    app.register_error_handler(HTTPException, tell)
    app.register_error_handler(DatabaseAway, tell_away)
    return app


def _is_open() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return view is not None and Caller.ANYONE in callers_of(view)


def _tell(error: HTTPException) -> Any:
    """Answer an HTTP error as JSON, keeping its headers (Allow, Retry-After)."""
    if error.response is not None:
        return error.response
    if requests.is_ours():
        return requests.tell_problem(error)
    response = jsonify(error=error.description)
    response.status_code = error.code or 500
    response.headers.extend((name, text) for name, text in error.get_headers() if name != "Content-Type")
    if error.code == Unauthorized.code and str(request.endpoint).startswith("openapi"):
        response.headers["WWW-Authenticate"] = 'Basic realm="Latchkey: any user name, a token as password"'
    return response


def _tell_away(error: DatabaseAway) -> tuple[Response, int]:
    logger.error("%s", error)
    if requests.is_ours():
        return requests.problem(503, AWAY), 503
    return jsonify(error=AWAY), 503


def _tell_invalid(error: ValidationError) -> Response:
    if requests.is_ours():
        return requests.tell_invalid(error)
    fields = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors(include_input=False)}
    response = jsonify(error="A parameter is not as it should be.", fields=fields)
    response.status_code = 422
    return response
