"""The routes of stored records: every type that `scrapy export records` writes, a page at a time, within what the caller may see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import aliased
from werkzeug.exceptions import Forbidden, NotFound

from database.engine import Database
from database.families.watching import HIGHEST_ID, Instant
from database.models import Client
from scrapers.core.exports import Records, RecordType, record_types
from webhook.access import SEEING, only_client, requires
from webhook.api.room.answers import Name
from webhook.api.room.missing import ERRORS, told_one, with_next
from webhook.api.users import BY_TOKEN, SIGNED_IN
from webhook.documentation import Model

RECORDS = Tag(name="records", description="What crawls have brought home")
MOST = 1000  # rows of one answer


class RecordTypeAnswer(Model):
    """A type of record. limits: names of the parameters, besides time, that its rows can be limited by."""

    type: str
    sentence: str
    columns: list[str]
    limits: list[str]


class RecordTypes(Model):
    """The types of record that the caller may see."""

    types: list[RecordTypeAnswer]


class RecordPath(Model):
    """Which type."""

    type: str = Field(max_length=100, description="Name of a type of record.")


class RecordQuery(Model):
    """Which rows of it."""

    after: int = Field(0, ge=0, le=HIGHEST_ID, description="Only rows with a greater id: `next` of the page before.")
    limit: int = Field(MOST, ge=1, le=MOST, description="Rows at most.")
    since: Instant | None = Field(None, description="From then on; without a zone it is UTC.")
    until: Instant | None = Field(None, description="Before then.")
    account: Name = Field(None, description="Number of an account.")
    client: Name = Field(None, description="Name of a client.")


class RecordPage(Model):
    """
    Rows in the order of their ids. next: id after which the following ones are; None: there are no more.

    Decimals, days and instants are text, bytes are numbers; null is what is not known.
    """

    type: str
    rows: list[dict[str, Any]]
    next: int | None


@dataclass(frozen=True)
class RecordRoutes:
    """Routes of records. A viewer of one client sees that client's rows, of the types that belong to clients."""

    db: Database

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("room_records", __name__, abp_tags=[RECORDS], url_prefix="/api/v1/records")

        @routes.get("", responses={200: RecordTypes, **SIGNED_IN}, security=BY_TOKEN)
        @requires(*SEEING)
        def types() -> Response:
            """List the types of record."""
            sees_all = only_client() is None
            made = [(kind, kind.make()) for kind in record_types().values()]
            return told_one(
                RecordTypes(types=[_told(*each) for each in made if sees_all or each[1].client is not None])
            )

        @routes.get("/<string:type>", responses={200: RecordPage, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def records(path: RecordPath, query: RecordQuery) -> Response:
            """Show rows of a type of record; `Link` says where the next ones are."""
            return self.page(path.type, query)

        return routes

    def page(self, name: str, query: RecordQuery) -> Response:
        """
        Answer with one page.

        Raises NotFound for a type that there is not, and for a limit that it does not have; Forbidden for a type that belongs
        to no client, when a viewer of one client asks.
        """
        kind = record_types().get(name)
        if kind is None:
            raise NotFound("There is no such type of record.")
        records, only = kind.make(), only_client()
        if only is not None and records.client is None:
            raise Forbidden(f"Records of the type {name} belong to no client: they are for operators and viewers.")
        try:
            chosen = records.limited(
                since=query.since, until=query.until, account=query.account or None, client=query.client or None
            )
        except LookupError as error:
            raise NotFound(f"Records of the type {name} belong to no {error.args[0]}.") from None
        if only is not None:
            own = aliased(Client)  # the query has clients of its own
            chosen = chosen.where(records.client == select(own.name).where(own.id == only).scalar_subquery())
        by = chosen.selected_columns[0]
        chosen = chosen.where(by > query.after).order_by(by).limit(query.limit + 1)
        with self.db.transaction() as session:
            found = session.execute(chosen).all()
        rows = found[: query.limit]
        following = int(rows[-1][0]) if len(found) > len(rows) else None
        names = tuple(records.columns)
        told = {"type": name, "rows": [dict(zip(names, row, strict=True)) for row in rows], "next": following}
        response = Response(json.dumps(told, ensure_ascii=False, default=_text), mimetype="application/json")
        return with_next(response, None if following is None else {"after": following})


def _told(kind: RecordType, records: Records) -> RecordTypeAnswer:
    return RecordTypeAnswer(
        type=kind.name, sentence=kind.sentence, columns=list(records.columns), limits=list(records.others)
    )


def _text(value: Any) -> str:
    """Return what JSON has no kind of: days and instants in ISO 8601, decimals with the digits that are stored."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
