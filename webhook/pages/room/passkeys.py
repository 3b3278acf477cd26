"""The page on which users see, add and remove their passkeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, request

from webhook.access import SEEING, requires
from webhook.api.room.models import NewPasskey
from webhook.api.room.passkeys import MISSING, Passkeys
from webhook.pages.base import ID, Pages, Section, as_json
from webhook.pages.forms import WHOLE, Form, filled, read
from webhook.pages.room import PREFIX

MESSAGES = {
    "passkey-added": "The passkey is added: you can sign in with it.",
    "passkey-removed": "The passkey is removed and opens nothing any more.",
}


def add_passkey_pages(app: Flask, pages: Pages, passkeys: Passkeys) -> None:
    """Add the page to those of the control room."""
    pages.messages.update(MESSAGES)
    pages.sections.append(Section("Sign-in", "passkeys.own", frozenset(SEEING)))
    routes = Blueprint("passkeys", __name__, url_prefix=PREFIX)
    PasskeyPages(pages, passkeys).add_to(routes)
    app.register_blueprint(routes)


@dataclass(frozen=True)
class PasskeyPages:
    """The list, adding and removing. Viewers too change what is theirs here."""

    pages: Pages
    passkeys: Passkeys

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("/passkeys")
        @requires(*SEEING)
        def own() -> Response:
            return self.show(filled({}))

        @routes.post("/passkeys/options")
        @requires(*SEEING)
        def options() -> Response:
            return as_json(self.passkeys.begin_adding(self.pages.form_token()))

        @routes.post("/passkeys")
        @requires(*SEEING)
        def add() -> Response:
            form = read(NewPasskey, request.form)
            if form.body is not None:
                with form.refusing(WHOLE):
                    self.passkeys.add(form.body.passkey_name, form.body.credential, self.pages.form_token())
                    return self.pages.redirect("passkeys.own", "passkey-added")
            return self.show(form)

        @routes.post(f"/passkeys/<{ID}:number>/remove")
        @requires(*SEEING)
        def remove(number: int) -> Response:
            self.passkeys.remove(number)
            return self.pages.redirect("passkeys.own", "passkey-removed")

    def show(self, form: Form[Any]) -> Response:
        """Show the passkeys, and the form for a new one."""
        missing = MISSING if self.passkeys.party is None else ""
        return self.pages.render("room/passkeys", form.status, form=form, passkeys=self.passkeys.own(), missing=missing)
