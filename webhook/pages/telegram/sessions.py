"""Pages of a user's sessions of Telegram accounts: signing in by a code, their states, the channels that they see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request

from database.models.telegram import TelegramState
from webhook.access import Caller, for_callers
from webhook.api.telegram.logins import TelegramLogins
from webhook.api.telegram.managing import TelegramSessions
from webhook.api.telegram.models import NewTelegramSession, OtpGiven, OtpStart, SessionChange
from webhook.pages.base import Pages
from webhook.pages.forms import WHOLE, Form, filled, read

MOST = 1000  # sessions on the page


@dataclass(frozen=True)
class SessionPages:
    """The pages of sessions, each the user's own."""

    pages: Pages
    sessions: TelegramSessions
    logins: TelegramLogins

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        self._add_lists(routes)
        self._add_signing(routes)
        self._add_changes(routes)

    def _add_lists(self, routes: Blueprint) -> None:
        @routes.get("/sessions")
        @for_callers(Caller.USER)
        def sessions() -> Response:
            found, _ = self.sessions.all(g.user.id, 0, MOST)
            return self.pages.render("telegram/sessions", sessions=found)

        @routes.get("/sessions/<uuid:session_id>")
        @for_callers(Caller.USER)
        def session(session_id: UUID) -> Response:
            return self.session(str(session_id))

        @routes.post("/sessions/<uuid:session_id>/channels")
        @for_callers(Caller.USER)
        def channels(session_id: UUID) -> Response:
            """Ask Telegram for the channels: a request of its own kind, so that no link does that by itself."""
            form = filled({})
            with form.refusing(WHOLE):
                found = self.sessions.channels(g.user.id, str(session_id), details=True)
                shown = self.sessions.one(g.user.id, str(session_id))
                return self.pages.render("telegram/channels", session=shown, channels=found)
            return self.session(str(session_id), form)

    def _add_signing(self, routes: Blueprint) -> None:
        @routes.get("/sessions/new")
        @for_callers(Caller.USER)
        def new_session() -> Response:
            return self.new()

        @routes.post("/sessions/new")
        @for_callers(Caller.USER)
        def send_code() -> Response:
            """Let Telegram send a code."""
            form = read(OtpStart, request.form, numbers=("api_id",))
            if form.body is not None:
                with form.refusing(WHOLE):
                    sent = self.logins.send(g.user.id, form.body)
                    return self.code(filled({"temp_session_id": sent.temp_session_id}), sent.message)
            return self.new(code=form)

        @routes.post("/sessions/code")
        @for_callers(Caller.USER)
        def give_code() -> Response:
            """Give the code, and the password where the account has one."""
            form = read(OtpGiven, request.form)
            if form.body is not None:
                with form.refusing(WHOLE):
                    session, is_new = self.logins.give(g.user.id, form.body)
                    return self.added(session.id, is_new=is_new)
            return self.code(form)

        @routes.post("/sessions/string")
        @for_callers(Caller.USER)
        def add_string() -> Response:
            """Store a session that was made elsewhere."""
            form = read(NewTelegramSession, request.form, numbers=("api_id",))
            if form.body is not None:
                with form.refusing(WHOLE):
                    session, is_new = self.sessions.add(g.user.id, form.body)
                    return self.added(session.id, is_new=is_new)
            return self.new(string=form)

    def _add_changes(self, routes: Blueprint) -> None:
        @routes.post("/sessions/<uuid:session_id>/test")
        @for_callers(Caller.USER)
        def test_session(session_id: UUID) -> Response:
            form = filled({})
            with form.refusing(WHOLE):
                done = self.sessions.test(g.user.id, str(session_id))
                return self.pages.redirect("telegram.session", f"session-is-{done.status}", session_id=session_id)
            return self.session(str(session_id), form)

        @routes.post("/sessions/<uuid:session_id>/name")
        @for_callers(Caller.USER)
        def rename_session(session_id: UUID) -> Response:
            form = read(SessionChange, request.form)
            if form.body is not None:
                if form.body.name is None:
                    form.refuse("name", "Give the session a name.")
                else:
                    return self.change(session_id, SessionChange(name=form.body.name), "session-changed", form)
            return self.session(str(session_id), form)

        @routes.post("/sessions/<uuid:session_id>/on")
        @for_callers(Caller.USER)
        def switch_on(session_id: UUID) -> Response:
            return self.change(session_id, SessionChange(is_active=TelegramState.ACTIVE), "session-on", filled({}))

        @routes.post("/sessions/<uuid:session_id>/off")
        @for_callers(Caller.USER)
        def switch_off(session_id: UUID) -> Response:
            return self.change(session_id, SessionChange(is_active=TelegramState.INACTIVE), "session-off", filled({}))

        @routes.get("/sessions/<uuid:session_id>/delete")
        @for_callers(Caller.USER)
        def confirm_delete_session(session_id: UUID) -> Response:
            return self.deletion(str(session_id), filled({}))

        @routes.post("/sessions/<uuid:session_id>/delete")
        @for_callers(Caller.USER)
        def delete_session(session_id: UUID) -> Response:
            form = filled({})
            with form.refusing(WHOLE):
                self.sessions.delete(g.user.id, str(session_id))
                return self.pages.redirect("telegram.sessions", "session-deleted")
            return self.deletion(str(session_id), form)

    def session(self, session_id: str, form: Form[Any] | None = None) -> Response:
        """Show one session."""
        found = self.sessions.one(g.user.id, session_id)
        form = form or filled({})
        form.values.setdefault("name", found.name)
        return self.pages.render("telegram/session", form.status, session=found, form=form)

    def new(self, code: Form[Any] | None = None, string: Form[Any] | None = None) -> Response:
        """Show how a session is added."""
        forms = {"form": code or filled({}), "string": string or filled({})}
        status = max(each.status for each in forms.values())
        return self.pages.render("telegram/new_session", status, **forms)

    def code(self, form: Form[Any], said: str = "") -> Response:
        """Show the page that asks for a code."""
        return self.pages.render("telegram/code", form.status, form=form, said=said)

    def added(self, session_id: str, *, is_new: bool) -> Response:
        """Show a session that was stored."""
        message = "session-added" if is_new else "session-renewed"
        return self.pages.redirect("telegram.session", message, session_id=session_id)

    def change(self, session_id: UUID, body: SessionChange, message: str, form: Form[Any]) -> Response:
        """Change a session, and show it."""
        with form.refusing(WHOLE):
            self.sessions.change(g.user.id, str(session_id), body)
            return self.pages.redirect("telegram.session", message, session_id=session_id)
        return self.session(str(session_id), form)

    def deletion(self, session_id: str, form: Form[Any]) -> Response:
        """Ask whether a session is to be deleted."""
        found = self.sessions.one(g.user.id, session_id)
        return self.pages.render("telegram/delete_session", form.status, session=found, form=form)
