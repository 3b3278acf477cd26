"""The routes of the control room: signing in, the inbox with its acts, the audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from database.models.operators import Role
from webhook.access import SEEING, SEEING_ALL, Caller, access, for_callers, requires
from webhook.api.models import CodeSent, LoginStart, Problem, Token, WithCode
from webhook.api.requests import refused
from webhook.api.room.acts import Room
from webhook.api.room.models import (
    AuditAnswer,
    AuditList,
    AuditQuery,
    Freed,
    InboxAnswer,
    InboxCause,
    InboxJobPath,
    MemberAnswer,
    MemberList,
    NewSecret,
    SignInPath,
    TypedCode,
    WhoAnswer,
)
from webhook.api.room.signing import RoomSigning
from webhook.api.telegram.managing import FieldRefused
from webhook.api.users import BY_TOKEN, ERRORS, SENDS, SIGNED_IN

ROOM = Tag(name="control room", description="What needs a person, and what was changed; for operators and viewers")
ACTS: dict[str | int, Any] = {**dict.fromkeys((404, 409, 410), Problem), **SIGNED_IN}


@dataclass(frozen=True)
class RoomRoutes:
    """Routes of the control room."""

    room: Room
    signing: RoomSigning

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("room_api", __name__, abp_tags=[ROOM], url_prefix="/api/v1")
        self._add_signing(routes)
        self._add_reading(routes)
        self._add_acts(routes)
        return routes

    def _add_signing(self, routes: APIBlueprint) -> None:
        @routes.post("/sign-in/start", responses={200: CodeSent, **SENDS, **ERRORS})
        @for_callers(Caller.ANYONE)
        def sign_in_start(body: LoginStart) -> dict[str, Any]:
            """Ask for a code by mail. The answer is the same for an address without a role."""
            return self.signing.begin(body.email).model_dump(mode="json")

        @routes.post("/sign-in/verify", responses={200: Token, 400: Problem, **ERRORS})
        @for_callers(Caller.ANYONE)
        def sign_in_verify(body: WithCode) -> Response:
            """Show the code of the mail, and get a token."""
            token = self.signing.finish(body)
            return self.signing.accounts.with_cookie(jsonify(token.model_dump(mode="json")), token.access_token)

        @routes.get("/who", responses={200: WhoAnswer, **SIGNED_IN}, security=BY_TOKEN)
        @requires(*Role)
        def who() -> dict[str, Any]:
            """Say who is signed in, and in which role."""
            own = access()
            return WhoAnswer(email=g.user.email, role=own.role, client_id=own.client_id).model_dump(mode="json")

    def _add_reading(self, routes: APIBlueprint) -> None:
        @routes.get("/inbox", responses={200: InboxAnswer, **SIGNED_IN}, security=BY_TOKEN)
        @requires(*SEEING)
        def inbox() -> dict[str, Any]:
            """List what needs a person now, by cause, oldest first. What is solved is listed no more."""
            causes = [InboxCause.of(cause) for cause in self.room.inbox()]
            return InboxAnswer(causes=causes).model_dump(mode="json")

        @routes.get("/audit", responses={200: AuditList, **SIGNED_IN}, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def audit(query: AuditQuery) -> dict[str, Any]:
            """List changes and uses of secrets, the newest first: who, what, when, from where."""
            rows = [AuditAnswer.of(row) for row in self.room.audit(query)]
            return AuditList(entries=rows).model_dump(mode="json")

        @routes.get("/users", responses={200: MemberList, **SIGNED_IN}, security=BY_TOKEN)
        @requires(Role.OPERATOR)
        def users() -> dict[str, Any]:
            """List the users who have a role."""
            found = [MemberAnswer.of(member) for member in self.room.members()]
            return MemberList(users=found).model_dump(mode="json")

    def _add_acts(self, routes: APIBlueprint) -> None:
        @routes.post("/inbox/codes/<int:request_id>", responses={204: None, **ACTS}, security=BY_TOKEN)
        @requires(Role.OPERATOR)
        def type_code(path: SignInPath, body: TypedCode) -> Response:
            """Give the one-time code to the sign-in that waits for it, and to no other. 410: it waits no more."""
            try:
                self.room.give_code(path.request_id, body.code.get_secret_value())
            except FieldRefused as error:
                return refused(error.name, str(error))
            return Response(status=204)

        @routes.put("/inbox/jobs/<int:job_id>/secret", responses={200: Freed, **ACTS}, security=BY_TOKEN)
        @requires(Role.OPERATOR)
        def change_secret(path: InboxJobPath, body: NewSecret) -> Response:
            """Store another password of the credential that the jobs wait for. It is not shown again."""
            try:
                return jsonify(jobs=self.room.change_secret(path.job_id, body))
            except FieldRefused as error:
                return refused(error.name, str(error))

        @routes.post("/inbox/jobs/<int:job_id>/unblock", responses={200: Freed, **ACTS}, security=BY_TOKEN)
        @requires(Role.OPERATOR)
        def unblock(path: InboxJobPath) -> Response:
            """Let the credential that the jobs wait for be tried again."""
            return jsonify(jobs=self.room.unblock(path.job_id))

        @routes.post("/inbox/jobs/<int:job_id>/accept", responses={200: Freed, **ACTS}, security=BY_TOKEN)
        @requires(Role.OPERATOR)
        def accept(path: InboxJobPath) -> Response:
            """Accept that there is nothing to fetch for the job's target and period."""
            return jsonify(jobs=self.room.accept(path.job_id))

        @routes.post("/inbox/jobs/<int:job_id>/run-again", responses={200: Freed, **ACTS}, security=BY_TOKEN)
        @requires(Role.OPERATOR)
        def run_again(path: InboxJobPath) -> Response:
            """Make the jobs due at once, with all their tries."""
            return jsonify(jobs=self.room.run_again(path.job_id))
