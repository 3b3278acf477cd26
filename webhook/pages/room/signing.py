"""Pages on which an operator or viewer signs in and out."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import BadRequest

from database.models.operators import Role
from webhook.access import Caller, access, for_callers
from webhook.api.models import LoginStart, WithCode
from webhook.api.room.signing import RoomSigning
from webhook.pages.base import Pages
from webhook.pages.forms import Form, filled, read

STEP = {
    "title": "Sign in: the code of the mail",
    "text": "If the address may enter the control room, a mail with a code of six digits is on its way to it.",
    "action": "room.sign_in_code",
    "again": "room.sign_in",
}


@dataclass(frozen=True)
class SigningPages:
    """Signing in by a mailed code in two steps, or by a link."""

    pages: Pages
    signing: RoomSigning

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("")
        @for_callers(Caller.ANYONE)
        def home() -> Response:
            return self.pages.redirect("room.inbox")

        @routes.get("/sign-in")
        @for_callers(Caller.ANYONE)
        def sign_in() -> Response:
            if "user" in g and access().role is not Role.USER:
                return self.pages.redirect("room.inbox")
            return self.pages.render("room/sign_in", form=filled({}))

        @routes.post("/sign-in")
        @for_callers(Caller.ANYONE)
        def sign_in_start() -> Response:
            form = read(LoginStart, request.form)
            if form.body is not None:
                with form.refusing("email"):
                    sent = self.signing.begin(form.body.email)
                    shown = filled({"email": form.body.email})
                    return self.pages.render("prices/code", form=shown, step=STEP, dev_code=sent.dev_code)
            return self.pages.render("room/sign_in", form.status, form=form)

        @routes.post("/sign-in/code")
        @for_callers(Caller.ANYONE)
        def sign_in_code() -> Response:
            form = read(WithCode, request.form)
            if form.body is not None:
                with form.refusing("code"):
                    return self.signed_in(self.signing.finish(form.body).access_token)
            return self.code_again(form)

        @routes.get("/link/<token>")
        @for_callers(Caller.ANYONE)
        def link(token: str) -> Response:
            """Ask before the link is used up: programs that look at links in advance send no forms."""
            return self.pages.render("room/link", link=token)

        @routes.post("/link/<token>")
        @for_callers(Caller.ANYONE)
        def use_link(token: str) -> Response:
            try:
                return self.signed_in(self.signing.by_link(token))
            except BadRequest as error:
                return self.pages.render("room/link", HTTPStatus.BAD_REQUEST, link="", refused=error.description)

        @routes.post("/sign-out")
        @for_callers(Caller.ANYONE)
        def sign_out() -> Response:
            self.signing.accounts.sign_out()
            return self.signing.accounts.without_cookie(self.pages.redirect("room.sign_in", "room-signed-out"))

    def signed_in(self, token: str) -> Response:
        """Send the browser to the inbox, signed in."""
        return self.signing.accounts.with_cookie(self.pages.redirect("room.inbox", "room-signed-in"), token)

    def code_again(self, form: Form[Any]) -> Response:
        """Show the page of the code once more, with what was wrong."""
        if "email" in form.errors:  # it is in a hidden field, which people do not change
            form.refuse("code", "Begin again: the address was lost.")
        return self.pages.render("prices/code", form.status, form=form, step=STEP, dev_code=None)
