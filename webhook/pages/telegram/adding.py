"""The page on which a source is added: its channel, how it is read, which files, where to and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from database.models.telegram import AccessLevel
from webhook.access import Caller, for_callers
from webhook.api.telegram.managing import TelegramSessions
from webhook.api.telegram.source_acts import Sources
from webhook.api.telegram.source_models import NewPrivate, NewPublic
from webhook.pages.base import Pages
from webhook.pages.forms import WHOLE, Form, filled, read
from webhook.pages.telegram.filtering import SINGLE_LINE, with_filters
from webhook.pages.telegram.shown import ACCESS, ALBUMS, FILTER_FIELDS, TARGETS

CHECKS = ("unpacks", "keeps_texts", "join")
LISTS = ("file_types",)
ANY_SESSION = "Any that can be used (for public channels)"
MOST = 1000  # sessions to choose from


@dataclass(frozen=True)
class AddingPages:
    """Adding a source."""

    pages: Pages
    sessions: TelegramSessions
    sources: Sources

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("/sources/new")
        @for_callers(Caller.USER)
        def new_source() -> Response:
            """Show the form; the page of channels has filled in what is chosen there."""
            given = {name: request.args.get(name, "")[:SINGLE_LINE] for name in ("channel", "session_id", "name")}
            access = AccessLevel.PRIVATE if given["session_id"] else AccessLevel.PUBLIC
            return self.shown(filled({**given, "access": access.value}))

        @routes.post("/sources/new")
        @for_callers(Caller.USER)
        def add_source() -> Response:
            is_private = request.form.get("access") == AccessLevel.PRIVATE.value
            own = request.form.copy()
            own["channel_id" if is_private else "channel_username"] = request.form.get("channel", "")
            model: type[NewPrivate | NewPublic] = NewPrivate if is_private else NewPublic
            form: Form[Any] = read(model, own, checks=CHECKS, lists=LISTS)
            form = with_filters(form, request.form)
            form.values |= {"access": request.form.get("access", ""), "channel": request.form.get("channel", "")}
            if form.body is not None:
                with form.refusing(WHOLE):
                    if is_private:
                        source = self.sources.add_private(g.user.id, form.body)
                    else:
                        source = self.sources.add_public(g.user.id, form.body)
                    return self.pages.redirect("telegram.source", "source-added", source_id=source.id)
            form.rename(channel_id="channel", channel_username="channel")
            return self.shown(form)

    def shown(self, form: Form[Any]) -> Response:
        """Show the form."""
        found, _ = self.sessions.all(g.user.id, 0, MOST)
        return self.pages.render(
            "telegram/new_source",
            form.status,
            form=form,
            sessions={"": ANY_SESSION} | {each.id: each.name for each in found},
            access=ACCESS,
            targets=TARGETS,
            filters=FILTER_FIELDS,
            albums=ALBUMS,
        )
