"""Pages on which an operator or viewer signs in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from database.models.operators import Role
from webhook.access import Caller, access, for_callers
from webhook.api.room.passkeys import Passkeys
from webhook.api.room.signing import RoomSigning
from webhook.pages.base import as_json
from webhook.pages.forms import Form, filled
from webhook.pages.signing import CodePages, SignIn, Step

STEP = Step(
    title="Sign in: the code of the mail",
    text="If the address may enter the control room, a mail with a code of six digits is on its way to it.",
    action="room.sign_in_code",
    again="room.sign_in",
)
HOME, SIGNED_IN = "room.inbox", "room-signed-in"


@dataclass(frozen=True)
class SigningPages(CodePages):
    """Signing in by a mailed code in two steps, by a passkey, or by a link."""

    signing: RoomSigning
    passkeys: Passkeys

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("")
        @for_callers(Caller.ANYONE)
        def home() -> Response:
            return self.pages.redirect(HOME)

        self.add_sign_in(routes, SignIn(STEP, HOME, "room-", _is_in, self.signing.begin, self.signing.finish))
        self._add_passkey(routes)
        self._add_link(routes)

    def _add_passkey(self, routes: Blueprint) -> None:
        @routes.post("/sign-in/passkey/options")
        @for_callers(Caller.ANYONE)
        def passkey_options() -> Response:
            return as_json(self.passkeys.begin_sign_in(self.pages.form_token()))

        @routes.post("/sign-in/passkey")
        @for_callers(Caller.ANYONE)
        def passkey_sign_in() -> Response:
            form = filled({})
            with form.refusing("passkey"):
                token = self.passkeys.sign_in(request.form.get("credential", ""), self.pages.form_token())
                return self.enter(HOME, SIGNED_IN, token)
            return self.begin_again(routes, form)

    def _add_link(self, routes: Blueprint) -> None:
        @routes.get("/link")
        @for_callers(Caller.ANYONE)
        def link() -> Response:
            """Ask before the link is used up: programs that look at links in advance send no forms."""
            return self.pages.render("room/link", form=filled({}))

        @routes.post("/link")
        @for_callers(Caller.ANYONE)
        def use_link() -> Response:
            form = filled({})
            with form.refusing("link"):
                return self.enter(HOME, SIGNED_IN, self.signing.by_link(request.form.get("link", "")))
            return self.pages.render("room/link", form.status, form=form)

    def begin_again(self, routes: Blueprint, form: Form[Any]) -> Response:
        """Show the first step, with the button for passkeys where there are any."""
        has_passkeys = self.passkeys.party is not None
        return self.pages.render("room/sign_in", form.status, form=form, has_passkeys=has_passkeys)


def _is_in() -> bool:
    return "user" in g and access().role is not Role.USER
