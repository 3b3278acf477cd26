"""The figures of the control room's charts, for the API and the pages alike, each within what its caller may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from database.engine import Database, now
from database.families.holdings import Chosen
from database.figures import faults, invoices, meters, prices, runs, usage
from database.figures.curves import Figures
from database.figures.prices import Product
from database.figures.runs import Health
from database.figures.spans import Span, Step, span_of
from jobs.coming import stated
from jobs.missing import harmless
from scrapers.families.electricity.clock import JERUSALEM
from webhook.access import only_client
from webhook.api.room.chart_models import (
    ChartPeriod,
    FaultsChartQuery,
    InvoicesChartQuery,
    MetersChartQuery,
    PricesChartQuery,
    RunsChartQuery,
    UsageChartQuery,
    plain,
)


@dataclass(frozen=True)
class ChartReading:
    """Reads for the caller of the present request."""

    db: Database

    def health(self) -> tuple[Span, list[Health]]:
        """Return the last days, and the health of each portal."""
        with self.db.transaction() as session:
            return runs.health(session, _seen(Chosen()), now(session))

    def runs(self, query: RunsChartQuery) -> Figures:
        """Return how runs ended."""
        with self.db.transaction() as session:
            return runs.runs_by_outcome(session, _seen(query.chosen), _span(session, query, Step(query.step)))

    def invoices(self, query: InvoicesChartQuery) -> Figures:
        """Return totals of invoices, and lines of reports; those for electricity, which belong to no client, where all are seen."""
        with self.db.transaction() as session:
            span = _span(session, query, Step(query.step))
            found = invoices.invoices_by_month(session, _seen(query.chosen), span)
            if not _has_electricity(query):
                return found
            local = span_of(span.step, span.until, span.since, JERUSALEM.key)
            return Figures(span, (*found.curves, *invoices.electricity_by_month(session, local)))

    def usage(self, query: UsageChartQuery) -> Figures:
        """Return data pools."""
        with self.db.transaction() as session:
            return usage.pools_by_day(session, _seen(query.chosen), _span(session, query, Step(query.step)))

    def meters(self, query: MetersChartQuery) -> Figures:
        """Return the readings of a meter; where no last day is asked for, up to the newest one."""
        with self.db.transaction() as session:
            newest = meters.newest_day(session, query.series, JERUSALEM.key)
            span = _span(session, query, Step(query.step), newest, JERUSALEM.key)
            return meters.readings_by_time(session, query.series, span)

    def faults(self, query: FaultsChartQuery) -> Figures:
        """Return faults of fleets."""
        with self.db.transaction() as session:
            return faults.faults_by_time(session, query.fleets, _span(session, query, Step(query.step)))

    def prices(self, query: PricesChartQuery) -> Figures:
        """Return the prices of a product; raise NotFound where there is no such item."""
        with self.db.transaction() as session:
            product = prices.product_of(session, query.item)
            if product is None:
                raise NotFound("There is no such product.")
            return prices.prices_by_time(session, product, _span(session, query, Step(query.step)))

    def product(self, item_id: int) -> Product | None:
        """Return the product that an item watches."""
        with self.db.transaction() as session:
            return prices.product_of(session, item_id)

    def products(self, start: int, size: int) -> list[Product]:
        """Return watched products."""
        with self.db.transaction() as session:
            return prices.products(session, start, size)


def csv_columns(figures: Figures) -> tuple[str, ...]:
    """Return the names of the columns of a table of figures."""
    return ("begins", *(harmless(_column(each.name, each.unit)) for each in figures.curves))


def csv_rows(figures: Figures) -> Iterator[tuple[str | int, ...]]:
    """Yield the rows of that table, the oldest point first; empty is what is not known."""
    for number, label in enumerate(figures.span.labels):
        values = (plain(each.values[number]) for each in figures.curves)
        yield (label, *("" if value is None else value for value in values))


def _column(name: str, unit: str) -> str:
    return name if unit == name or name.endswith(unit) else f"{name} ({unit})"


def _has_electricity(query: InvoicesChartQuery) -> bool:
    if only_client() is not None or query.client or query.account:
        return False
    portal = stated().get(query.portal or "")
    return not query.portal or (portal is not None and portal.family == "electricity")


def _seen(chosen: Chosen) -> Chosen:
    only = only_client()
    return chosen if only is None else replace(chosen, client_id=only)


def _span(session: Session, query: ChartPeriod, step: Step, newest: date | None = None, zone: str = "UTC") -> Span:
    """Return the period that is asked for; without a last day it ends with the newest day, or else today."""
    usual = newest or now(session).date()
    until = query.until or max(usual, query.since or usual)
    return span_of(step, until, query.since, zone)
