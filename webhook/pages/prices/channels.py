"""The page of the channels by which a user is told of alerts besides mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from webhook.access import Caller, for_callers
from webhook.api.models import NewChannel
from webhook.api.notifying import Channels
from webhook.pages.base import ID, Pages
from webhook.pages.forms import Form, filled, read


@dataclass(frozen=True)
class ChannelPages:
    """Showing, adding and deleting channels."""

    pages: Pages
    channels: Channels

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("/channels")
        @for_callers(Caller.USER)
        def channels() -> Response:
            return self.shown(filled({}))

        @routes.post("/channels")
        @for_callers(Caller.USER)
        def add_channel() -> Response:
            form = read(NewChannel, request.form)
            if form.body is not None:
                with form.refusing("address"):
                    self.channels.add(g.user.id, form.body)
                    return self.pages.redirect("prices.channels", "channel-added")
            form.values["address"] = ""  # it holds secrets, which no page repeats
            return self.shown(form)

        @routes.post(f"/channels/<{ID}:channel_id>/delete")
        @for_callers(Caller.USER)
        def delete_channel(channel_id: int) -> Response:
            self.channels.remove(g.user.id, channel_id)
            return self.pages.redirect("prices.channels", "channel-deleted")

    def shown(self, form: Form[Any]) -> Response:
        """Show the channels, and the form for a new one."""
        return self.pages.render("prices/channels", form.status, channels=self.channels.of(g.user.id), form=form)
