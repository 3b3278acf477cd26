"""The routes of the channels by which users are told of alerts besides mail."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from jobs.channels import ChannelRefused
from webhook.access import Caller, for_callers
from webhook.api.models import ChannelAnswer, ChannelList, ChannelPath, NewChannel, Problem
from webhook.api.notifying import Channels
from webhook.api.requests import refused
from webhook.api.users import BY_TOKEN, SIGNED_IN

CHANNELS = Tag(name="channels", description="By what a user is told of alerts besides mail")


@dataclass(frozen=True)
class ChannelRoutes:
    """Routes of channels."""

    channels: Channels

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("channels", __name__, abp_tags=[CHANNELS], url_prefix="/me/alert-channels")

        @routes.get("", responses={200: ChannelList, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def channels() -> Response:
            """List the channels, the oldest first."""
            return jsonify([each.model_dump(mode="json") for each in self.channels.of(g.user.id)])

        @routes.post("", responses={201: ChannelAnswer, 409: Problem, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def add(body: NewChannel) -> Response:
            """Be told by a service too. Its address is stored encrypted, and not shown again."""
            try:
                made = self.channels.add(g.user.id, body)
            except ChannelRefused as error:
                return refused("address", str(error))
            response = jsonify(made.model_dump(mode="json"))
            response.status_code = 201
            return response

        @routes.delete("/<int:channel_id>", responses={204: None, 404: Problem, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def remove(path: ChannelPath) -> Response:
            """Be told by a service no more."""
            self.channels.remove(g.user.id, path.channel_id)
            return Response(status=204)

        return routes
