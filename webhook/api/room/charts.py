"""The routes of charts: the figures as JSON and as CSV, and the health of portals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from database.figures.curves import Figures
from database.models.operators import Role
from webhook.access import SEEING, SEEING_ALL, requires
from webhook.api.room.answers import Places
from webhook.api.room.chart_models import (
    ChartAnswer,
    ChartPeriod,
    FaultsChartQuery,
    HealthAnswer,
    HealthList,
    InvoicesChartQuery,
    MetersChartQuery,
    PricesChartQuery,
    ProductAnswer,
    ProductList,
    RunsChartQuery,
    UsageChartQuery,
)
from webhook.api.room.figures import ChartReading, csv_columns, csv_rows
from webhook.api.room.missing import ERRORS, as_csv, told, told_one, with_next
from webhook.api.users import BY_TOKEN

CHARTS = Tag(name="charts", description="Figures over time: runs, invoices, data pools, meters, faults, prices")


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart is asked for, and who may see it. sentence: of the documentation."""

    query: type[ChartPeriod]
    read: Callable[[ChartReading, Any], Figures]
    sentence: str
    roles: tuple[Role, ...] = SEEING


BY_WORD = {
    "runs": Chart(RunsChartQuery, ChartReading.runs, "Count runs by outcome."),
    "invoices": Chart(
        InvoicesChartQuery, ChartReading.invoices, "Sum invoices by currency, and count lines of reports."
    ),
    "usage": Chart(UsageChartQuery, ChartReading.usage, "Sum data pools, in bytes."),
    "meters": Chart(
        MetersChartQuery,
        ChartReading.meters,
        "Sum the readings of a meter, in kWh; `/missing/meters` lists meters.",
        SEEING_ALL,
    ),
    "faults": Chart(
        FaultsChartQuery,
        ChartReading.faults,
        "Count faults that were opened, closed and open; `/missing/fleets` lists fleets.",
        SEEING_ALL,
    ),
    "prices": Chart(
        PricesChartQuery,
        ChartReading.prices,
        "Show the lowest and highest prices of a product by currency; `/charts/products` lists products.",
        SEEING_ALL,
    ),
}


@dataclass(frozen=True)
class ChartRoutes:
    """Routes of charts."""

    reading: ChartReading

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("room_charts", __name__, abp_tags=[CHARTS], url_prefix="/api/v1/charts")
        self._add_lists(routes)
        for word, chart in BY_WORD.items():
            self._add(routes, word, chart)
        return routes

    def _add_lists(self, routes: APIBlueprint) -> None:
        @routes.get("/health", responses={200: HealthList, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def health(query: Places) -> Response:
            """List portals with their runs of the last 30 days, by outcome; `Link` says where the next ones are."""
            span, found = self.reading.health()
            shown = found[query.offset : query.offset + query.limit]
            following = query.offset + query.limit
            response = told([HealthAnswer.of(each, span) for each in shown], HealthList)
            return with_next(response, {"offset": following} if following < len(found) else None)

        @routes.get("/products", responses={200: ProductList, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def products(query: Places) -> Response:
            """List watched products; `Link` says where the next ones are."""
            found = self.reading.products(query.offset, query.limit + 1)
            shown = [ProductAnswer.of(each) for each in found[: query.limit]]
            has_more = len(found) > query.limit
            return with_next(told(shown, ProductList), {"offset": query.offset + query.limit} if has_more else None)

    def _add(self, routes: APIBlueprint, word: str, chart: Chart) -> None:
        """Add the route of a chart, and that of its CSV."""

        def figures(query: Any) -> Response:
            return told_one(ChartAnswer.of(chart.read(self.reading, query)))

        def as_table(query: Any) -> Response:
            return table(chart.read(self.reading, query), word)

        for view, path, name, sentence, responses in (
            (figures, f"/{word}", word, chart.sentence, {200: ChartAnswer, **ERRORS}),
            (as_table, f"/{word}/csv", f"{word}_csv", "Write the same as CSV.", {200: None, **ERRORS}),
        ):
            # The library takes the parameters from the annotation, the summary from the docstring, the endpoint from the name.
            view.__annotations__["query"], view.__doc__, view.__name__ = chart.query, sentence, name
            routes.get(path, responses=responses, security=BY_TOKEN)(requires(*chart.roles)(view))


def table(figures: Figures, name: str) -> Response:
    """Answer with figures as CSV."""
    return as_csv(csv_rows(figures), csv_columns(figures), name)
