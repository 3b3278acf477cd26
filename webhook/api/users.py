"""The routes by which users register, sign in and out, and change what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from database.models.prices import AuthSession, Purpose, User
from webhook.access import Caller, for_callers
from webhook.api.accounts import Accounts
from webhook.api.models import (
    CodeAlone,
    CodeSent,
    InvalidFields,
    KeepQuery,
    LoginStart,
    NewEmail,
    NewPhone,
    Problem,
    RegisterStart,
    SessionAnswer,
    SessionList,
    SessionPath,
    Token,
    UserAnswer,
    WithCode,
)

USERS = Tag(name="users", description="Registering, signing in, and what is known of oneself")
BY_TOKEN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
ERRORS: dict[str | int, Any] = {422: InvalidFields, **dict.fromkeys((403, 429, 503), Problem)}
SIGNED_IN: dict[str | int, Any] = {401: Problem, **ERRORS}
SENDS: dict[str | int, Any] = {500: Problem, 502: Problem}


@dataclass(frozen=True)
class UserRoutes:
    """Routes of registration, sign-in and account."""

    accounts: Accounts

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("users", __name__, abp_tags=[USERS])
        self._add_registration(routes)
        self._add_sign_in(routes)
        self._add_account(routes)
        self._add_changes(routes)
        return routes

    def _add_registration(self, routes: APIBlueprint) -> None:
        @routes.post("/auth/register/start", responses={200: CodeSent, **SENDS, **ERRORS})
        @for_callers(Caller.ANYONE)
        def register_start(body: RegisterStart) -> dict[str, Any]:
            """
            Ask for a code by mail. An address that is registered gets a notice in its place.

            The answer is the same for both. Asking again replaces the phone number and the code.
            """
            return self.accounts.begin_registration(body).model_dump(mode="json")

        @routes.post("/auth/register/verify-email", responses={200: CodeSent, 400: Problem, **SENDS, **ERRORS})
        @for_callers(Caller.ANYONE)
        def verify_email(body: WithCode) -> dict[str, Any]:
            """Show the code of the mail, and ask for one to the phone."""
            return self.accounts.verify_email(body).model_dump(mode="json")

        @routes.post("/auth/register/verify-phone", responses={200: Token, 400: Problem, **ERRORS})
        @for_callers(Caller.ANYONE)
        def verify_phone(body: WithCode) -> Response:
            """Show the code of the text message; the registration is complete, and the user signed in."""
            return self.signed_in(self.accounts.verify_phone(body))

    def _add_sign_in(self, routes: APIBlueprint) -> None:
        @routes.post("/auth/login/start", responses={200: CodeSent, **SENDS, **ERRORS})
        @for_callers(Caller.ANYONE)
        def login_start(body: LoginStart) -> dict[str, Any]:
            """Ask for a code by text message. The answer is the same for an address that is not registered."""
            return self.accounts.begin_sign_in(body.email).model_dump(mode="json")

        @routes.post("/auth/login/verify", responses={200: Token, 400: Problem, **ERRORS})
        @for_callers(Caller.ANYONE)
        def login_verify(body: WithCode) -> Response:
            """Show the code of the text message, and get a token."""
            return self.signed_in(self.accounts.finish_sign_in(body))

        @routes.post("/auth/logout", responses={204: None, **ERRORS}, security=[{}, *BY_TOKEN])
        @for_callers(Caller.ANYONE)
        def logout() -> Response:
            """End the sign-ins of header and cookie, if they are any."""
            self.accounts.sign_out()
            return self.accounts.without_cookie(Response(status=204))

    def _add_account(self, routes: APIBlueprint) -> None:
        @routes.get("/me", responses={200: UserAnswer, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def me() -> dict[str, Any]:
            """Show who is signed in."""
            return told(g.user)

        @routes.delete("/me", responses={204: None, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def delete_me() -> Response:
            """Delete the user with all items, checks, codes and sign-ins. Needs a recent sign-in."""
            self.accounts.delete()
            return self.accounts.without_cookie(Response(status=204))

        @routes.get("/me/sessions", responses={200: SessionList, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def sessions() -> Response:
            """List the open sign-ins, the newest first."""
            return jsonify([_session(row) for row in self.accounts.sessions()])

        @routes.delete("/me/sessions", responses={204: None, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def end_sessions(query: KeepQuery) -> Response:
            """End all sign-ins, with `keep_current=true` all but the one that asks."""
            self.accounts.end_sessions(keep_current=query.keep_current)
            response = Response(status=204)
            return response if query.keep_current else self.accounts.without_cookie(response)

        @routes.delete(
            "/me/sessions/<int:session_id>", responses={204: None, 404: Problem, **SIGNED_IN}, security=BY_TOKEN
        )
        @for_callers(Caller.USER)
        def end_session(path: SessionPath) -> Response:
            """End one sign-in."""
            self.accounts.end_session(path.session_id)
            return Response(status=204)

    def _add_changes(self, routes: APIBlueprint) -> None:
        answers: dict[str | int, Any] = {200: UserAnswer, 400: Problem, **SIGNED_IN}

        @routes.post("/me/email/start", responses={200: CodeSent, **SENDS, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def new_email(body: NewEmail) -> dict[str, Any]:
            """Ask for a code to another mail address, which takes the place of this one. Needs a recent sign-in."""
            return self.accounts.begin_new_email(body.email).model_dump(mode="json")

        @routes.post("/me/email/verify", responses=answers, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def verify_new_email(body: CodeAlone) -> dict[str, Any]:
            """Show the code of the mail: the address is changed, and all other sign-ins end."""
            return self.accounts.change(Purpose.EMAIL_CHANGE, body.code).model_dump(mode="json")

        @routes.post("/me/phone/start", responses={200: CodeSent, **SENDS, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def new_phone(body: NewPhone) -> dict[str, Any]:
            """Ask for a code to another phone, which takes the place of this one. Needs a recent sign-in."""
            return self.accounts.begin_new_phone(body.phone_number).model_dump(mode="json")

        @routes.post("/me/phone/verify", responses=answers, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def verify_new_phone(body: CodeAlone) -> dict[str, Any]:
            """Show the code of the text message: the number is changed, and all other sign-ins end."""
            return self.accounts.change(Purpose.PHONE_CHANGE, body.code).model_dump(mode="json")

    def signed_in(self, token: Token) -> Response:
        """Answer with a new token in body and cookie."""
        return self.accounts.with_cookie(jsonify(token.model_dump(mode="json")), token.access_token)


def told(user: User) -> dict[str, Any]:
    """Return a user as JSON."""
    return UserAnswer.model_validate(user).model_dump(mode="json")


def _session(row: AuthSession) -> dict[str, Any]:
    answer = SessionAnswer.model_validate(row).model_copy(update={"current": row.id == g.session.id})
    return answer.model_dump(mode="json")
