"""Whether the price watch can serve: the routes that no one has to sign in for."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from sqlalchemy import text

from database.engine import Database
from webhook.access import Caller, for_callers
from webhook.api.models import Problem, Ready

SERVICE = Tag(name="service", description="Whether it answers")


def service_routes(db: Database) -> APIBlueprint:
    """Return the routes."""
    routes = APIBlueprint("service", __name__, abp_tags=[SERVICE])

    @routes.get("/ready", responses={200: Ready, 503: Problem})
    @for_callers(Caller.ANYONE)
    def ready() -> dict[str, Any]:
        """Say that the service and its database answer."""
        with db.transaction() as session:
            session.execute(text("SELECT 1"))
        return {"status": "ready"}

    @routes.get("/favicon.ico", responses={204: None})
    @for_callers(Caller.ANYONE)
    def favicon() -> Response:
        """Answer browsers that ask by themselves."""
        return Response(status=204)

    return routes
