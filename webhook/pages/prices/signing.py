"""Pages on which a visitor registers, signs in and signs out."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from webhook.access import Caller, for_callers
from webhook.api.models import RegisterStart, WithCode
from webhook.pages.forms import WHOLE, filled, read
from webhook.pages.signing import CodePages, SignIn, Step

MAIL_STEP = Step(
    title="Register: the code of the mail",
    text="If the address can be registered, a mail with a code of six digits is on its way to it.",
    action="prices.register_email",
    again="prices.register",
)
PHONE_STEP = Step(
    title="Register: the code of the text message",
    text="Your mail address is verified. A text message with a code is on its way to your phone.",
    action="prices.register_phone",
    again="prices.register",
)
SIGN_IN_STEP = Step(
    title="Sign in: the code of the text message",
    text="If the address is registered, a text message with a code of six digits is on its way to its phone.",
    action="prices.sign_in_code",
    again="prices.sign_in",
)


class SigningPages(CodePages):
    """Registration in three steps, sign-in in two."""

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        self._add_registration(routes)
        begin, finish = self.accounts.begin_sign_in, self.accounts.finish_sign_in
        self.add_sign_in(routes, SignIn(SIGN_IN_STEP, self.pages.home, "", lambda: "user" in g, begin, finish))

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
                    token = self.accounts.verify_phone(form.body).access_token
                    return self.enter(self.pages.home, "registered", token)
            return self.code_again(PHONE_STEP, form)
