"""The route of Prometheus: `GET /metrics`, for who shows LATCHKEY_METRICS_TOKEN."""

from __future__ import annotations

from flask import Blueprint, Response, request

from database.engine import Database
from webhook.access import Caller, for_callers


def metrics_routes(db: Database) -> Blueprint:
    """Return the route; it is none of the API that /docs describes."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    @for_callers(Caller.METRICS)
    def metrics() -> Response:
        """Count everything in the database, and tell it in the form that is asked for."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder

        from jobs.metrics import Figures

        registry = CollectorRegistry(auto_describe=False)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        registry.register(Figures(db))
        return Response(encode(registry), content_type=content_type)

    return routes
