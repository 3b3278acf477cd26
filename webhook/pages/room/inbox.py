"""The page of what needs a person now, with the acts beside each entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import Blueprint, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import Conflict, Gone

from database.models.operators import Role
from jobs.inbox import Act
from webhook.access import SEEING, access, requires
from webhook.api.room.acts import Room
from webhook.api.room.models import NewSecret, TypedCode
from webhook.api.telegram.managing import FieldRefused
from webhook.pages.base import ID, Pages

SENTENCES = {"code": "Type the code that the portal has sent.", "password": "Type the new password."}


@dataclass
class Refused:
    """What was wrong with a form. id: of its entry. field: the one at fault; "" for the whole."""

    act: str = ""
    id: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    status: int = HTTPStatus.OK


@dataclass(frozen=True)
class InboxPages:
    """The list, and a form for each act."""

    pages: Pages
    room: Room

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("/inbox")
        @requires(*SEEING)
        def inbox() -> Response:
            return self.show(Refused())

        @routes.post(f"/inbox/codes/<{ID}:number>")
        @requires(Role.OPERATOR)
        def type_code(number: int) -> Response:
            def act() -> None:
                body = TypedCode.model_validate({"code": request.form.get("code", "").strip()})
                self.room.give_code(number, body.code.get_secret_value())

            return self.do(Act.TYPE_CODE, number, act, "code-given", "code-too-late")

        @routes.post(f"/inbox/jobs/<{ID}:number>/secret")
        @requires(Role.OPERATOR)
        def change_secret(number: int) -> Response:
            def act() -> None:
                given = {name: request.form.get(name, "") for name in NewSecret.model_fields}
                self.room.change_secret(number, NewSecret.model_validate(given))

            return self.do(Act.CHANGE_SECRET, number, act, "secret-changed")

        @routes.post(f"/inbox/jobs/<{ID}:number>/unblock")
        @requires(Role.OPERATOR)
        def unblock(number: int) -> Response:
            return self.do(Act.UNBLOCK, number, lambda: self.room.unblock(number), "unblocked")

        @routes.post(f"/inbox/jobs/<{ID}:number>/finish")
        @requires(Role.OPERATOR)
        def finish_sign_in(number: int) -> Response:
            asked: list[int] = []
            answer = self.do(Act.FINISH_SIGN_IN, number, lambda: asked.append(self.room.finish_sign_in(number)), "")
            return self.pages.redirect("room.finishing", number=asked[0]) if asked else answer

        @routes.post(f"/inbox/jobs/<{ID}:number>/accept")
        @requires(Role.OPERATOR)
        def accept(number: int) -> Response:
            return self.do(Act.ACCEPT, number, lambda: self.room.accept(number), "accepted")

        @routes.post(f"/inbox/jobs/<{ID}:number>/run-again")
        @requires(Role.OPERATOR)
        def run_again(number: int) -> Response:
            return self.do(Act.RUN_AGAIN, number, lambda: self.room.run_again(number), "due-again")

    def do(self, act: Act, number: int, work: Callable[[], object], done: str, gone: str = "solved") -> Response:
        """Do an act, and show the list without what is solved, or with what was refused beside its entry."""
        wrong = HTTPStatus.UNPROCESSABLE_ENTITY
        try:
            work()
        except Gone:
            return self.pages.redirect("room.inbox", gone)
        except FieldRefused as error:
            return self.show(Refused(act, number, {error.name: str(error)}, wrong))
        except Conflict as error:
            return self.show(Refused(act, number, {"": error.description or ""}, HTTPStatus.CONFLICT))
        except ValidationError as error:
            names = {str(each["loc"][0]) for each in error.errors(include_input=False, include_url=False)}
            return self.show(
                Refused(act, number, {name: SENTENCES.get(name, "That is too long.") for name in names}, wrong)
            )
        return self.pages.redirect("room.inbox", done)

    def show(self, refused: Refused) -> Response:
        """Show the list; nothing that was typed stands in it again."""
        causes = self.room.inbox()
        # The entry may have been solved, or its oldest job may have gone, since the page was opened.
        here = any(refused.act in entry.acts and refused.id == entry.id for cause in causes for entry in cause.entries)
        return self.pages.render(
            "room/inbox",
            refused.status,
            causes=causes,
            acts=Act,
            refused=refused,
            elsewhere=bool(refused.errors) and not here,
            may_act=access().role is Role.OPERATOR,
        )
