"""The routes of Telegram's sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Response, abort, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from webhook.access import Caller, for_callers
from webhook.api.models import Problem
from webhook.api.requests import refused, tell_invalid
from webhook.api.telegram.asking import Asking, seconds_until
from webhook.api.telegram.logins import TelegramLogins
from webhook.api.telegram.managing import FieldRefused, TelegramSessions
from webhook.api.telegram.models import (
    ChannelQuery,
    FileTaken,
    Finalized,
    Gone,
    LoginPath,
    NewTelegramSession,
    OtpGiven,
    OtpSent,
    OtpStart,
    SessionChange,
    SessionFile,
    SessionTest,
    SkipQuery,
    TelegramChannel,
    TelegramChannelList,
    TelegramSessionAnswer,
    TelegramSessionList,
    TelegramSessionPath,
)
from webhook.api.users import BY_TOKEN, SIGNED_IN
from webhook.documentation import Model

Body = TypeVar("Body", bound=BaseModel)
SESSIONS = Tag(name="telegram sessions", description="Sessions of Telegram accounts, and the channels that they see")
FOUND: dict[str | int, Any] = {404: Problem, **SIGNED_IN}
ASKS: dict[str | int, Any] = {409: Problem, 502: Problem, **SIGNED_IN}
LARGEST_FILE = 500_000  # bytes of a request; a larger one would be written to a disk, in clear, while it is read


def _body(model: type[Model], *kinds: str) -> dict[str, Any]:
    """Return how a body is documented that may come in several forms."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}}


FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
NEW_SESSION = _body(NewTelegramSession, "application/json", *FORMS)
NEW_FILE = _body(SessionFile, FORMS[1])


@dataclass(frozen=True)
class TelegramSessionRoutes:
    """Routes of sessions and logins."""

    sessions: TelegramSessions
    logins: TelegramLogins

    @classmethod
    def of(cls, asking: Asking) -> TelegramSessionRoutes:
        """Return the routes with the acts behind them."""
        acts = TelegramSessions(asking)
        return cls(acts, TelegramLogins(asking, acts))

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("telegram_sessions", __name__, abp_tags=[SESSIONS], url_prefix="/sessions")
        self._add_logins(routes)
        self._add_sessions(routes)
        self._add_asking(routes)
        return routes

    def _add_logins(self, routes: APIBlueprint) -> None:
        given: dict[str | int, Any] = {201: TelegramSessionAnswer, 200: TelegramSessionAnswer}

        @routes.post(
            "/",
            responses={**given, 413: Problem, 415: Problem, **ASKS},
            security=BY_TOKEN,
            openapi_extensions=NEW_SESSION,
        )
        @for_callers(Caller.USER)
        def add() -> Response:
            """
            Store a session that was made elsewhere, by JSON or by form, after Telegram has named its account.

            A session of the same account that can be used no more is renewed in its place (200), else it is a new one (201).
            """
            return stored(lambda: self.sessions.add(g.user.id, read_body(NewTelegramSession)))

        @routes.post("/send-otp", responses={200: OtpSent, **ASKS}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def send_otp(body: OtpStart) -> Response:
            """Let Telegram send a code to a phone number: so often for one number, see TELEGRAM_CODES_PER_HOUR."""
            return answered(lambda: self.logins.send(g.user.id, body))

        @routes.post("/verify-otp", responses={**given, 400: Problem, 404: Problem, **ASKS}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def verify_otp(body: OtpGiven) -> Response:
            """
            Give the code that came, and get a session.

            An account with a password wants that too, with the code or in a call after it. A wrong code or password does not
            use up the login, up to TELEGRAM_LOGIN_GUESSES of them.
            """
            return stored(lambda: self.logins.give(g.user.id, body))

        @routes.post(
            "/upload-file",
            responses={200: FileTaken, 413: Problem, 415: Problem, **ASKS},
            security=BY_TOKEN,
            openapi_extensions=NEW_FILE,
        )
        @for_callers(Caller.USER)
        def upload_file() -> Response:
            """Take the `.session` file of a session that was made elsewhere, after Telegram has named its account."""
            return answered(self.take_file)

        @routes.post(
            "/finalize", responses={**given, 400: Problem, 404: Problem, 409: Problem, **SIGNED_IN}, security=BY_TOKEN
        )
        @for_callers(Caller.USER)
        def finalize(body: Finalized) -> Response:
            """Keep the session of a file under a name."""
            return stored(lambda: self.logins.finalize(g.user.id, body))

        @routes.delete("/temp/<uuid:temp_session_id>", responses={200: Gone, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def drop(path: LoginPath) -> Response:
            """Forget a login that has begun."""
            self.logins.drop(g.user.id, str(path.temp_session_id))
            return gone("The login is forgotten.", str(path.temp_session_id))

    def _add_sessions(self, routes: APIBlueprint) -> None:
        @routes.get("/", responses={200: TelegramSessionList, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def sessions(query: SkipQuery) -> Response:
            """List the sessions, the oldest first; `X-Total-Count` says how many there are."""
            found, total = self.sessions.all(g.user.id, query.skip, query.limit)
            response = jsonify([each.model_dump(mode="json") for each in found])
            response.headers["X-Total-Count"] = str(total)
            return response

        @routes.get("/<uuid:session_id>", responses={200: TelegramSessionAnswer, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def session(path: TelegramSessionPath) -> Response:
            """Show one session."""
            return answered(lambda: self.sessions.one(g.user.id, str(path.session_id)))

        @routes.put(
            "/<uuid:session_id>", responses={200: TelegramSessionAnswer, 409: Problem, **FOUND}, security=BY_TOKEN
        )
        @for_callers(Caller.USER)
        def change(path: TelegramSessionPath, body: SessionChange) -> Response:
            """Rename a session, or switch it on and off; one that has ended is signed in to again."""
            return answered(lambda: self.sessions.change(g.user.id, str(path.session_id), body))

        @routes.delete("/<uuid:session_id>", responses={200: Gone, 409: Problem, **FOUND}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def remove(path: TelegramSessionPath) -> Response:
            """Delete a session that no source uses."""
            self.sessions.delete(g.user.id, str(path.session_id))
            return gone("The session is deleted.", str(path.session_id))

    def _add_asking(self, routes: APIBlueprint) -> None:
        @routes.get(
            "/<uuid:session_id>/channels", responses={200: TelegramChannelList, 404: Problem, **ASKS}, security=BY_TOKEN
        )
        @for_callers(Caller.USER)
        def channels(path: TelegramSessionPath, query: ChannelQuery) -> Response:
            """
            List all channels and supergroups that the session's account sees.

            Where Telegram wants a pause before all members and descriptions are known, those missing are null, and
            `X-Waits-Until` and `Retry-After` say when more can be asked.
            """
            found = self.sessions.channels(g.user.id, str(path.session_id), details=query.details)
            rows = [TelegramChannel.model_validate(each).model_dump(mode="json") for each in found.found]
            response = jsonify(rows)
            if found.waits_until is not None:
                response.headers["X-Waits-Until"] = found.waits_until.isoformat()
                response.headers["Retry-After"] = str(seconds_until(found.waits_until))
            return response

        @routes.post("/<uuid:session_id>/test", responses={200: SessionTest, 404: Problem, **ASKS}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def test(path: TelegramSessionPath) -> Response:
            """Ask Telegram whether a session works; one that does is active again."""
            return answered(lambda: self.sessions.test(g.user.id, str(path.session_id)))

    def take_file(self) -> FileTaken:
        """Read the form of a session's file, and take it."""
        body = read_body(SessionFile)
        if not (body.file.filename or "").endswith(".session"):
            raise FieldRefused("file", "The name of the file must end with .session.")
        return self.logins.upload(g.user.id, body.api_id, body.api_hash, body.file.read())


def read_body(model: type[Body]) -> Body:
    """Return the body of a request, from JSON or from a form, in which numbers are texts."""
    given: Any
    if request.is_json:
        given = request.get_json(silent=True)
    elif request.mimetype in FORMS:
        given = {**request.form.to_dict(), **request.files.to_dict()}
        api_id = given.get("api_id")
        if isinstance(api_id, str) and api_id.isascii() and api_id.isdecimal():
            given["api_id"] = int(api_id[:20])
    else:
        raise UnsupportedMediaType("Send JSON or a form.")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        abort(tell_invalid(error))


def answered(act: Callable[[], BaseModel]) -> Response:
    """Answer with what an act returns, or with the field that it refuses."""
    try:
        return jsonify(act().model_dump(mode="json"))
    except FieldRefused as error:
        return refused(error.name, str(error))


def stored(act: Callable[[], tuple[TelegramSessionAnswer, bool]]) -> Response:
    """Answer with a session that was stored: 201 for a new one."""
    is_new = False

    def run() -> TelegramSessionAnswer:
        nonlocal is_new
        answer, is_new = act()
        return answer

    response = answered(run)
    if is_new:
        response.status_code = 201
        response.headers["Location"] = f"/sessions/{response.get_json()['id']}"
    return response


def gone(said: str, row_id: str) -> Response:
    """Answer that something was deleted."""
    return jsonify(Gone(message=said, id=row_id).model_dump())
