"""The routes of the channels by which users are told of alerts besides mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import Conflict, NotFound

from database.access.encryption import fingerprint
from database.access.fingerprints import own_key
from database.engine import Database, now
from database.families.sending import drop_channel
from database.models.prices import AlertChannel, AlertDelivery, User
from jobs.channels import ChannelRefused, check_own
from webhook.access import Caller, for_callers
from webhook.api.models import ChannelAnswer, ChannelList, ChannelPath, NewChannel, Problem
from webhook.api.requests import refused
from webhook.api.users import BY_TOKEN, SIGNED_IN

CHANNELS = Tag(name="channels", description="By what a user is told of alerts besides mail")
MOST = 10  # channels of a user


@dataclass(frozen=True)
class ChannelRoutes:
    """Routes of channels."""

    db: Database

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("channels", __name__, abp_tags=[CHANNELS], url_prefix="/me/alert-channels")

        @routes.get("", responses={200: ChannelList, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def channels() -> Response:
            """List the channels, the oldest first."""
            with self.db.transaction() as session:
                mine = select(AlertChannel).where(AlertChannel.user_id == g.user.id).order_by(AlertChannel.id)
                return jsonify([self.told(session, row) for row in session.scalars(mine).all()])

        @routes.post("", responses={201: ChannelAnswer, 409: Problem, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def add(body: NewChannel) -> Response:
            """Be told by a service too. Its address is stored encrypted, and not shown again."""
            return self.add(g.user.id, body)

        @routes.delete("/<int:channel_id>", responses={204: None, 404: Problem, **SIGNED_IN}, security=BY_TOKEN)
        @for_callers(Caller.USER)
        def remove(path: ChannelPath) -> Response:
            """Be told by a service no more."""
            with self.db.transaction() as session:
                row = session.get(AlertChannel, path.channel_id)
                if row is None or row.user_id != g.user.id:
                    raise NotFound("There is no such channel.")
                drop_channel(session, row)
            return Response(status=204)

        return routes

    def add(self, user_id: int, body: NewChannel) -> Response:
        """Store a new channel."""
        address = body.address.strip()
        try:
            service = check_own(address)
        except ChannelRefused as error:
            return refused("address", str(error))
        with self.db.transaction() as session:
            session.get_one(User, user_id, with_for_update=True)  # two that come at once are counted one after another
            mark = fingerprint(own_key(session), address)
            mine = select(AlertChannel).where(AlertChannel.user_id == user_id)
            if (session.scalar(select(func.count()).select_from(mine.subquery())) or 0) >= MOST:
                raise Conflict(f"There are {MOST} channels already: delete one first.")
            if session.scalar(mine.where(AlertChannel.fingerprint == mark)) is not None:
                raise Conflict("There is a channel of that address already.")
            facts = {"user_id": user_id, "service": service, "label": body.label, "address": address}
            row = AlertChannel(**facts, fingerprint=mark, created_at=now(session))
            session.add(row)
            session.flush()
            response = jsonify(self.told(session, row))
        response.status_code = 201
        return response

    @staticmethod
    def told(session: Session, row: AlertChannel) -> dict[str, Any]:
        """Return a channel as JSON, with what became of the newest alert by it."""
        of_channel = select(AlertDelivery).where(AlertDelivery.channel_id == row.id)
        newest = session.scalars(of_channel.order_by(AlertDelivery.id.desc()).limit(1)).one_or_none()
        last = {"last_result": newest.result, "last_error": newest.error} if newest is not None else {}
        return ChannelAnswer.model_validate(row).model_copy(update=last).model_dump(mode="json")
