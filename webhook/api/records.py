"""The routes of stored records: every type that `scrapy export records` writes, a page at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import AfterValidator, Field
from werkzeug.exceptions import NotFound

from database.access.addresses import storable
from database.engine import Database
from database.families.watching import HIGHEST_ID, Instant
from scrapers.core.exports import RecordType, record_types
from webhook.access import Caller, for_callers
from webhook.codes.routes import ERRORS, TOKEN, Refusal
from webhook.documentation import Model

RECORDS = Tag(name="records", description="What crawls have brought home")
MOST = 1000  # rows of one answer
Text = Annotated[str, AfterValidator(storable)]
FOUND: dict[str | int, Any] = {404: Refusal, **{code: ERRORS[code] for code in (401, 429, 503)}}


class RecordTypeAnswer(Model):
    """A type of record. limits: names of the parameters, besides time, that its rows can be limited by."""

    type: str
    sentence: str
    columns: list[str]
    limits: list[str]


class RecordTypes(Model):
    """All types of record."""

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
    account: Text | None = Field(None, min_length=1, max_length=200, description="Number of an account.")
    client: Text | None = Field(None, min_length=1, max_length=100, description="Name of a client.")


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
    """Routes of records, for who has the token of readers: it shows those of every client."""

    db: Database

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("records", __name__, abp_tags=[RECORDS], url_prefix="/api/v1/records")
        listed: dict[str | int, Any] = {200: RecordTypes, **{code: ERRORS[code] for code in (401, 429, 503)}}

        @routes.get("", responses=listed, security=TOKEN)
        @for_callers(Caller.READER)
        def types() -> dict[str, Any]:
            """List the types of record."""
            return RecordTypes(types=[_told(kind) for kind in record_types().values()]).model_dump(mode="json")

        @routes.get("/<string:type>", responses={200: RecordPage, **FOUND}, security=TOKEN)
        @for_callers(Caller.READER)
        def records(path: RecordPath, query: RecordQuery) -> Response:
            """Show rows of a type of record; `Link` says where the next ones are."""
            return self.page(path.type, query)

        return routes

    def page(self, name: str, query: RecordQuery) -> Response:
        """Answer with one page; NotFound for a type that there is not, and for a limit that it does not have."""
        kind = record_types().get(name)
        if kind is None:
            raise NotFound("There is no such type of record.")
        records = kind.make()
        try:
            chosen = records.limited(since=query.since, until=query.until, account=query.account, client=query.client)
        except LookupError as error:
            raise NotFound(f"Records of the type {name} belong to no {error.args[0]}.") from None
        by = chosen.selected_columns[0]
        chosen = chosen.where(by > query.after).order_by(by).limit(query.limit + 1)
        with self.db.transaction() as session:
            found = session.execute(chosen).all()
        rows = found[: query.limit]
        following = int(rows[-1][0]) if len(found) > len(rows) else None
        names = tuple(records.columns)
        told = {"type": name, "rows": [dict(zip(names, row, strict=True)) for row in rows], "next": following}
        response = Response(json.dumps(told, ensure_ascii=False, default=_text), mimetype="application/json")
        if following is not None:
            asked = {**request.args.to_dict(), "after": following}
            response.headers["Link"] = f'<{request.path}?{urlencode(asked)}>; rel="next"'
        return response


def _told(kind: RecordType) -> RecordTypeAnswer:
    records = kind.make()
    return RecordTypeAnswer(
        type=kind.name, sentence=kind.sentence, columns=list(records.columns), limits=list(records.others)
    )


def _text(value: Any) -> str:
    """Return what JSON has no kind of: days and instants in ISO 8601, decimals with the digits that are stored."""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
