"""The routes of charts: the figures as JSON and as CSV, and the health of portals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from database.figures.curves import Figures
from webhook.access import SEEING, SEEING_ALL, requires
from webhook.api.room.answers import Places
from webhook.api.room.chart_models import (
    ChartAnswer,
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
ANSWERS: dict[str | int, Any] = {200: ChartAnswer, **ERRORS}
TABLES: dict[str | int, Any] = {200: None, **ERRORS}


@dataclass(frozen=True)
class ChartRoutes:
    """Routes of charts."""

    reading: ChartReading

    def blueprint(self) -> APIBlueprint:
        """Return the routes."""
        routes = APIBlueprint("room_charts", __name__, abp_tags=[CHARTS], url_prefix="/api/v1/charts")
        self._add_runs(routes)
        self._add_accounts(routes)
        self._add_others(routes)
        return routes

    def _add_runs(self, routes: APIBlueprint) -> None:
        @routes.get("/health", responses={200: HealthList, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING)
        def health(query: Places) -> Response:
            """List portals with their runs of the last 30 days, by outcome; `Link` says where the next ones are."""
            span, found = self.reading.health()
            shown = found[query.offset : query.offset + query.limit]
            following = query.offset + query.limit
            response = told([HealthAnswer.of(each, span) for each in shown], HealthList)
            return with_next(response, {"offset": following} if following < len(found) else None)

        @routes.get("/runs", responses=ANSWERS, security=BY_TOKEN)
        @requires(*SEEING)
        def runs(query: RunsChartQuery) -> Response:
            """Count runs by outcome."""
            return answer(self.reading.runs(query))

        @routes.get("/runs/csv", responses=TABLES, security=BY_TOKEN)
        @requires(*SEEING)
        def runs_csv(query: RunsChartQuery) -> Response:
            """Write the same as CSV."""
            return table(self.reading.runs(query), "runs")

    def _add_accounts(self, routes: APIBlueprint) -> None:
        @routes.get("/invoices", responses=ANSWERS, security=BY_TOKEN)
        @requires(*SEEING)
        def invoices(query: InvoicesChartQuery) -> Response:
            """Sum invoices by currency, and count lines of reports."""
            return answer(self.reading.invoices(query))

        @routes.get("/invoices/csv", responses=TABLES, security=BY_TOKEN)
        @requires(*SEEING)
        def invoices_csv(query: InvoicesChartQuery) -> Response:
            """Write the same as CSV."""
            return table(self.reading.invoices(query), "invoices")

        @routes.get("/usage", responses=ANSWERS, security=BY_TOKEN)
        @requires(*SEEING)
        def usage(query: UsageChartQuery) -> Response:
            """Sum data pools, in bytes."""
            return answer(self.reading.usage(query))

        @routes.get("/usage/csv", responses=TABLES, security=BY_TOKEN)
        @requires(*SEEING)
        def usage_csv(query: UsageChartQuery) -> Response:
            """Write the same as CSV."""
            return table(self.reading.usage(query), "usage")

    def _add_others(self, routes: APIBlueprint) -> None:
        @routes.get("/meters", responses=ANSWERS, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def meters(query: MetersChartQuery) -> Response:
            """Sum the readings of a meter, in kWh; `/missing/meters` lists meters."""
            return answer(self.reading.meters(query))

        @routes.get("/meters/csv", responses=TABLES, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def meters_csv(query: MetersChartQuery) -> Response:
            """Write the same as CSV."""
            return table(self.reading.meters(query), "meters")

        @routes.get("/faults", responses=ANSWERS, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def faults(query: FaultsChartQuery) -> Response:
            """Count faults that were opened, closed and open; `/missing/fleets` lists fleets."""
            return answer(self.reading.faults(query))

        @routes.get("/faults/csv", responses=TABLES, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def faults_csv(query: FaultsChartQuery) -> Response:
            """Write the same as CSV."""
            return table(self.reading.faults(query), "faults")

        @routes.get("/prices", responses=ANSWERS, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def prices(query: PricesChartQuery) -> Response:
            """Show the lowest and highest prices of a product by currency; `/charts/products` lists products."""
            return answer(self.reading.prices(query))

        @routes.get("/prices/csv", responses=TABLES, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def prices_csv(query: PricesChartQuery) -> Response:
            """Write the same as CSV."""
            return table(self.reading.prices(query), "prices")

        @routes.get("/products", responses={200: ProductList, **ERRORS}, security=BY_TOKEN)
        @requires(*SEEING_ALL)
        def products(query: Places) -> Response:
            """List watched products; `Link` says where the next ones are."""
            found = self.reading.products(query.offset, query.limit + 1)
            shown = [ProductAnswer.of(each) for each in found[: query.limit]]
            has_more = len(found) > query.limit
            return with_next(told(shown, ProductList), {"offset": query.offset + query.limit} if has_more else None)


def answer(figures: Figures) -> Response:
    """Answer with figures."""
    return told_one(ChartAnswer.of(figures))


def table(figures: Figures, name: str) -> Response:
    """Answer with figures as CSV."""
    return as_csv(csv_rows(figures), csv_columns(figures), name)
