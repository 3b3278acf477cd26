"""The routes of what is missing: accounts by months and report types, fleets, meters, shops, channels, freshness."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from database.families.holdings import Chosen
from jobs.missing import CSV_COLUMNS, Cell, Line, Wanted, csv_rows
from webhook.access import SEEING, SEEING_ALL, requires
from webhook.api.models import Problem
from webhook.api.room.answers import (
    CellAnswer,
    ChannelStanding,
    ChannelStandings,
    FleetAnswer,
    FleetList,
    FreshnessAnswer,
    FreshnessList,
    LineAnswer,
    MeterAnswer,
    MeterList,
    MissingAnswer,
    MissingQuery,
    Places,
    ShopAnswer,
    ShopList,
)
from webhook.api.room.reading import RoomReading
from webhook.api.users import BY_TOKEN, SIGNED_IN
from webhook.documentation import Model

MISSING = Tag(name="missing", description="What is stored, what comes, and what does not")
ERRORS: dict[str | int, Any] = {404: Problem, **SIGNED_IN}


@dataclass(frozen=True)
class MissingRoutes:
    """Routes of what is missing."""

    reading: RoomReading

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("room_missing", __name__, abp_tags=[MISSING], url_prefix="/api/v1/missing")
        self._add_accounts(routes)
        self._add_others(routes)
        return routes

    def _add_accounts(self, routes: APIBlueprint) -> None:
        @routes.get("", responses={200: MissingAnswer, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def missing(query: MissingQuery) -> Response:
            """List accounts with their billing months; `X-Total-Count` says how many accounts there are, `Link` where the next ones are."""
            found, total, _ = self.reading.missing(wanted_of(query), query.offset, query.limit)
            response = told([line_answer(line) for line in found.lines], MissingAnswer)
            response.headers["X-Total-Count"] = str(total)
            return with_next(response, None if found.following is None else {"offset": found.following})

        @routes.get("/csv", responses={200: None, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def missing_csv(query: MissingQuery) -> Response:
            """Write the billing months of all accounts as CSV; `limit` and `offset` do not count."""
            return as_csv(csv_rows(self.reading.every_line(wanted_of(query))), CSV_COLUMNS, "missing")

    def _add_others(self, routes: APIBlueprint) -> None:
        @routes.get("/fleets", responses={200: FleetList, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def fleets(query: Places) -> Response:
            """List fleets: the last sync of each, its open and new faults."""
            return self._page(
                [
                    FleetAnswer(**{name: value for name, value in asdict(each).items() if name != "run_id"}, run=each.run_id, next_at=due)
                    for each, due in self.reading.fleets(query.offset, query.limit)
                ],
                FleetList,
                query,
            )  # fmt: skip

        @routes.get("/meters", responses={200: MeterList, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def meters(query: Places) -> Response:
            """List meters with the gaps of their readings in the last twelve months."""
            found = [MeterAnswer(**asdict(each)) for each in self.reading.meters(query.offset, query.limit)]
            return self._page(found, MeterList, query)

        @routes.get("/shops", responses={200: ShopList, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def shops() -> Response:
            """List the shops of the price watch with their last checks."""
            return told([ShopAnswer(**asdict(each)) for each in self.reading.shops()], ShopList)

        @routes.get("/channels", responses={200: ChannelStandings, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def channels(query: Places) -> Response:
            """List the sources of messages with their last runs, that of the oldest success first."""
            names = [name for name in ChannelStanding.model_fields if name != "next_at"]
            found = [
                ChannelStanding(**{name: getattr(each, name) for name in names}, next_at=due)
                for each, due in self.reading.channels(query.offset, query.limit)
            ]
            return self._page(found, ChannelStandings, query)

        @routes.get("/freshness", responses={200: FreshnessList, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def freshness() -> Response:
            """List the freshness targets that will be missed as things stand, then those that were."""
            found = [FreshnessAnswer(**{**asdict(each), "reasons": list(each.reasons)}) for each in self.reading.targets()]  # fmt: skip
            return told(found, FreshnessList)

    @staticmethod
    def _page(rows: list[Any], kind: type[Any], query: Places) -> Response:
        is_full = len(rows) == query.limit
        return with_next(told(rows, kind), {"offset": query.offset + query.limit} if is_full else None)


def wanted_of(query: MissingQuery) -> Wanted:
    """Return what a query asks for."""
    chosen = Chosen(client=query.client or None, portal=query.carrier or None, number=query.account or None)
    return Wanted(chosen, (query.month,) if query.month else (), frozenset(query.state))


def line_answer(line: Line) -> LineAnswer:
    """Return an account as it is answered."""
    account = line.account
    return LineAnswer(
        account_id=account.id,
        account=account.number,
        nickname=account.nickname,
        client=account.client,
        carrier=account.portal,
        months=[cell_answer(cell) for cell in line.cells],
    )


def cell_answer(cell: Cell) -> CellAnswer:
    """Return a cell as it is answered."""
    return CellAnswer(
        month=cell.month,
        report_type=cell.report_type,
        state=cell.state,
        stored=cell.stored,
        wanted=cell.wanted,
        lacking=list(cell.lacking),
        when=cell.when,
        outcome=cell.why,
        message=cell.said,
        run=cell.run_id,
    )


def told(rows: list[Any], kind: type[Any]) -> Response:
    """Answer with a list."""
    return Response(kind(rows).model_dump_json(), mimetype="application/json")


def told_one(answer: Model) -> Response:
    """Answer with one object."""
    return Response(answer.model_dump_json(), mimetype="application/json")


def with_next(response: Response, changed: dict[str, Any] | None) -> Response:
    """Name the address of the next page. changed: the parameters by which it differs; None: there is none."""
    if changed is not None:
        given = [(name, value) for name, value in request.args.items(multi=True) if name not in changed]
        response.headers["Link"] = f'<{request.path}?{urlencode([*given, *changed.items()])}>; rel="next"'
    return response


def as_csv(rows: Iterable[tuple[Any, ...]], columns: Sequence[str], name: str) -> Response:
    """Answer with a table as a download, written as it is read. name: of the file, without its ending."""

    def write() -> Iterator[str]:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)
            if buffer.tell() > 65_536:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    response = Response(write(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
