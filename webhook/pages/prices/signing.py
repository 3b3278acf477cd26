"""Pages on which a visitor registers, signs in and signs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from webhook.access import Caller, for_callers
from webhook.api.accounts import Accounts
from webhook.api.models import CodeSent, LoginStart, RegisterStart, WithCode
from webhook.pages.base import Pages
from webhook.pages.forms import WHOLE, Form, filled, read

# What each page with a code asks for: its heading, what it says, and where the code goes.
MAIL_STEP = {
    "title": "Register: the code of the mail",
    "text": "If the address can be registered, a mail with a code of six digits is on its way to it.",
    "action": "prices.register_email",
    "again": "prices.register",
}
PHONE_STEP = {
    "title": "Register: the code of the text message",
    "text": "Your mail address is verified. A text message with a code is on its way to your phone.",
    "action": "prices.register_phone",
    "again": "prices.register",
}
SIGN_IN_STEP = {
    "title": "Sign in: the code of the text message",
    "text": "If the address is registered, a text message with a code of six digits is on its way to its phone.",
    "action": "prices.sign_in_code",
    "again": "prices.sign_in",
}


@dataclass(frozen=True)
class SigningPages:
    """Registration in three steps, sign-in in two."""

    pages: Pages
    accounts: Accounts

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        self._add_registration(routes)
        self._add_sign_in(routes)

    def _add_registration(self, routes: Blueprint) -> None:
        @routes.get("/register")
        @for_callers(Caller.ANYONE)
        def register() -> Response:
            if "user" in g:
                return self.pages.redirect(self.pages.home)
            return self.pages.render("prices/register", form=filled({}))

        @routes.post("/register")
        @for_callers(Caller.ANYONE)
        def register_start() -> Response:
            form = read(RegisterStart, request.form)
            if form.body is not None:
                with form.refusing(WHOLE):
                    return self.code(MAIL_STEP, form.body.email, self.accounts.begin_registration(form.body))
            return self.pages.render("prices/register", form.status, form=form)

        @routes.post("/register/email")
        @for_callers(Caller.ANYONE)
        def register_email() -> Response:
            form = read(WithCode, request.form)
            if form.body is not None:
                with form.refusing("code"):
                    return self.code(PHONE_STEP, form.body.email, self.accounts.verify_email(form.body))
            return self.code_again(MAIL_STEP, form)

        @routes.post("/register/phone")
        @for_callers(Caller.ANYONE)
        def register_phone() -> Response:
            form = read(WithCode, request.form)
            if form.body is not None:
                with form.refusing("code"):
                    token = self.accounts.verify_phone(form.body)
                    return self.accounts.with_cookie(
                        self.pages.redirect(self.pages.home, "registered"), token.access_token
                    )
            return self.code_again(PHONE_STEP, form)

    def _add_sign_in(self, routes: Blueprint) -> None:
        @routes.get("/sign-in")
        @for_callers(Caller.ANYONE)
        def sign_in() -> Response:
            if "user" in g:
                return self.pages.redirect(self.pages.home)
            return self.pages.render("prices/sign_in", form=filled({}))

        @routes.post("/sign-in")
        @for_callers(Caller.ANYONE)
        def sign_in_start() -> Response:
            form = read(LoginStart, request.form)
            if form.body is not None:
                with form.refusing("email"):
                    sent = self.accounts.begin_sign_in(form.body.email)
                    return self.code(SIGN_IN_STEP, form.body.email, sent)
            return self.pages.render("prices/sign_in", form.status, form=form)

        @routes.post("/sign-in/code")
        @for_callers(Caller.ANYONE)
        def sign_in_code() -> Response:
            form = read(WithCode, request.form)
            if form.body is not None:
                with form.refusing("code"):
                    token = self.accounts.finish_sign_in(form.body)
                    return self.accounts.with_cookie(
                        self.pages.redirect(self.pages.home, "signed-in"), token.access_token
                    )
            return self.code_again(SIGN_IN_STEP, form)

        @routes.post("/sign-out")
        @for_callers(Caller.ANYONE)
        def sign_out() -> Response:
            self.accounts.sign_out()
            return self.accounts.without_cookie(self.pages.redirect(self.pages.sign_in, "signed-out"))

    def code(self, step: dict[str, str], email: str, sent: CodeSent) -> Response:
        """Show the page that asks for a code which has just been sent."""
        return self.pages.render("prices/code", form=filled({"email": email}), step=step, dev_code=sent.dev_code)

    def code_again(self, step: dict[str, str], form: Form[Any]) -> Response:
        """Show the page once more, with what was wrong."""
        if "email" in form.errors:  # it is in a hidden field, which people do not change
            form.refuse("code", "Begin again: the address was lost.")
        return self.pages.render("prices/code", form.status, form=form, step=step, dev_code=None)
