"""The page of changes and uses of secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from pydantic import ValidationError

from webhook.access import SEEING_ALL, requires
from webhook.api.room.acts import Room
from webhook.api.room.models import AuditQuery
from webhook.pages.base import Pages


@dataclass(frozen=True)
class AuditPages:
    """One page with a filter, newest first."""

    pages: Pages
    room: Room

    def add_to(self, routes: Blueprint) -> None:
        """Add the route."""

        @routes.get("/audit")
        @requires(*SEEING_ALL)
        def audit() -> Response:
            given = {
                name: request.args[name] for name in ("actor", "action", "subject", "before") if request.args.get(name)
            }
            try:
                query = AuditQuery.model_validate(given)
            except ValidationError:  # an address that was typed
                query = AuditQuery()
            rows = self.room.audit(query)
            filters = {name: getattr(query, name) for name in ("actor", "action", "subject")}
            older = rows[-1].id if len(rows) == query.limit else None
            return self.pages.render("room/audit", rows=rows, filters=filters, older=older, said=said)


def said(detail: dict[str, Any] | None) -> str:
    """
    Return the detail of a row as text.

    >>> said({"columns": ["password", "receiver"], "run": None, "job": 7})
    'columns: password, receiver; job: 7'
    """
    known = {name: value for name, value in (detail or {}).items() if value is not None}
    return "; ".join(
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in known.items()
    )
