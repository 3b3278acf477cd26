"""Pages of a user's own account: its addresses, its sign-ins, its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from database.models.prices import Purpose
from webhook.access import Caller, for_callers
from webhook.api.accounts import Accounts
from webhook.api.models import CodeAlone, CodeSent, NewEmail, NewPhone
from webhook.pages.base import ID, Pages
from webhook.pages.forms import WHOLE, Form, filled, read


@dataclass(frozen=True)
class AccountPages:
    """Changing and deleting an account, and its sign-ins."""

    pages: Pages
    accounts: Accounts

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        self._add_account(routes)
        self._add_deletion(routes)
        self._add_sessions(routes)

    def _add_account(self, routes: Blueprint) -> None:
        @routes.get("/account")
        @for_callers(Caller.USER)
        def account() -> Response:
            return self.account()

        @routes.post("/account/email")
        @for_callers(Caller.USER)
        def new_email() -> Response:
            form = read(NewEmail, request.form)
            if form.body is not None:
                with form.refusing("email"):
                    sent = self.accounts.begin_new_email(form.body.email)
                    return self.account(asked="email", sent=sent, to=form.body.email)
            return self.account(email=form)

        @routes.post("/account/email/code")
        @for_callers(Caller.USER)
        def new_email_code() -> Response:
            return self.change(Purpose.EMAIL_CHANGE, "email")

        @routes.post("/account/phone")
        @for_callers(Caller.USER)
        def new_phone() -> Response:
            form = read(NewPhone, request.form)
            if form.body is not None:
                with form.refusing("phone_number"):
                    sent = self.accounts.begin_new_phone(form.body.phone_number)
                    return self.account(asked="phone", sent=sent, to=form.body.phone_number)
            return self.account(phone=form)

        @routes.post("/account/phone/code")
        @for_callers(Caller.USER)
        def new_phone_code() -> Response:
            return self.change(Purpose.PHONE_CHANGE, "phone")

    def _add_deletion(self, routes: Blueprint) -> None:
        @routes.get("/account/delete")
        @for_callers(Caller.USER)
        def confirm_delete() -> Response:
            return self.pages.render("prices/delete_account", form=filled({}))

        @routes.post("/account/delete")
        @for_callers(Caller.USER)
        def delete() -> Response:
            form = filled(request.form)
            if request.form.get("sure") != "yes":
                form.refuse("sure", "Tick this box to delete the account.")
            else:
                with form.refusing(WHOLE):
                    self.accounts.delete()
                    del g.user
                    return self.accounts.without_cookie(self.pages.redirect(self.pages.sign_in, "account-deleted"))
            return self.pages.render("prices/delete_account", form.status, form=form)

    def _add_sessions(self, routes: Blueprint) -> None:
        @routes.get("/sessions")
        @for_callers(Caller.USER)
        def sessions() -> Response:
            return self.pages.render("prices/sessions", sessions=self.accounts.sessions(), current=g.session.id)

        @routes.post(f"/sessions/<{ID}:session_id>/end")
        @for_callers(Caller.USER)
        def end_session(session_id: int) -> Response:
            self.accounts.end_session(session_id)
            if session_id == g.session.id:
                return self.accounts.without_cookie(self.pages.redirect(self.pages.sign_in, "signed-out"))
            return self.pages.redirect("prices.sessions", "session-ended")

        @routes.post("/sessions/end-others")
        @for_callers(Caller.USER)
        def end_others() -> Response:
            self.accounts.end_sessions(keep_current=True)
            return self.pages.redirect("prices.sessions", "others-ended")

        @routes.post("/sessions/end-all")
        @for_callers(Caller.USER)
        def end_all() -> Response:
            self.accounts.end_sessions(keep_current=False)
            return self.accounts.without_cookie(self.pages.redirect(self.pages.sign_in, "signed-out"))

    def account(
        self,
        email: Form[Any] | None = None,
        phone: Form[Any] | None = None,
        code: Form[Any] | None = None,
        asked: str = "",
        sent: CodeSent | None = None,
        to: str = "",
    ) -> Response:
        """Show the account. asked: `email` or `phone`, of which a code is asked for; to: where it was sent."""
        forms = {"email": email or filled({}), "phone": phone or filled({}), "code": code or filled({})}
        status = max(form.status for form in forms.values())
        dev_code = sent.dev_code if sent is not None else None
        return self.pages.render("prices/account", status, **forms, asked=asked, to=to, dev_code=dev_code)

    def change(self, purpose: Purpose, asked: str) -> Response:
        """Compare the code that a new address was sent."""
        form = read(CodeAlone, request.form)
        if form.body is not None:
            with form.refusing("code"):
                self.accounts.change(purpose, form.body.code)
                return self.pages.redirect("prices.account", f"{asked}-changed")
        return self.account(code=form, asked=asked)
