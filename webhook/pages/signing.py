"""What price watch and control room have in common: pages that ask for a code, signing in by one, signing out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from webhook.access import Caller, for_callers
from webhook.api.accounts import Accounts
from webhook.api.models import CodeSent, LoginStart, Token, WithCode
from webhook.pages.base import Pages
from webhook.pages.forms import Form, filled, read


@dataclass(frozen=True)
class Step:
    """What a page with a code asks for. action: endpoint to which the code goes. again: that of the first step."""

    title: str
    text: str
    action: str
    again: str


@dataclass(frozen=True)
class SignIn:
    """
    A sign-in by a code.

    home: endpoint of the first page after it. prefix: of the names of the messages `signed-in` and `signed-out`. is_done: whether
    who asks is signed in already. begin and finish: send the code to a mail address' user, and compare it.
    """

    step: Step
    home: str
    prefix: str
    is_done: Callable[[], bool]
    begin: Callable[[str], CodeSent]
    finish: Callable[[WithCode], Token]


@dataclass(frozen=True)
class CodePages:
    """Pages that ask for a code. The first step of a sign-in is the template `sign_in` in the folder named as the routes."""

    pages: Pages
    accounts: Accounts

    def add_sign_in(self, routes: Blueprint, way: SignIn) -> None:
        """Add the routes of a sign-in, and of signing out."""

        @routes.get("/sign-in")
        @for_callers(Caller.ANYONE)
        def sign_in() -> Response:
            if way.is_done():
                return self.pages.redirect(way.home)
            return self.begin_again(routes, filled({}))

        @routes.post("/sign-in")
        @for_callers(Caller.ANYONE)
        def sign_in_start() -> Response:
            form = read(LoginStart, request.form)
            if form.body is not None:
                with form.refusing("email"):
                    return self.code(way.step, form.body.email, way.begin(form.body.email))
            return self.begin_again(routes, form)

        @routes.post("/sign-in/code")
        @for_callers(Caller.ANYONE)
        def sign_in_code() -> Response:
            form = read(WithCode, request.form)
            if form.body is not None:
                with form.refusing("code"):
                    return self.enter(way.home, f"{way.prefix}signed-in", way.finish(form.body).access_token)
            return self.code_again(way.step, form)

        @routes.post("/sign-out")
        @for_callers(Caller.ANYONE)
        def sign_out() -> Response:
            self.accounts.sign_out()
            answer = self.pages.redirect(f"{routes.name}.sign_in", f"{way.prefix}signed-out")
            return self.accounts.without_cookie(answer)

    def begin_again(self, routes: Blueprint, form: Form[Any]) -> Response:
        """Show the first step."""
        return self.pages.render(f"{routes.name}/sign_in", form.status, form=form)

    def enter(self, endpoint: str, message: str, token: str) -> Response:
        """Send the browser to a page, signed in."""
        return self.accounts.with_cookie(self.pages.redirect(endpoint, message), token)

    def code(self, step: Step, email: str, sent: CodeSent) -> Response:
        """Show the page that asks for a code which has just been sent."""
        return self.pages.render("code", form=filled({"email": email}), step=step, dev_code=sent.dev_code)

    def code_again(self, step: Step, form: Form[Any]) -> Response:
        """Show the page once more, with what was wrong."""
        if "email" in form.errors:  # it is in a hidden field, which people do not change
            form.refuse("code", "Begin again: the address was lost.")
        return self.pages.render("code", form.status, form=form, step=step, dev_code=None)
