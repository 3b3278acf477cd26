"""Pages of charts: the health of portals, and figures over time, each with its table and its CSV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response
from pydantic import ValidationError

from database.figures.curves import Figures
from database.figures.meters import steps_of
from database.figures.spans import LONGEST, MOST, Step
from database.models.base import utc_now
from webhook.access import SEEING, access, requires
from webhook.api.room.chart_models import (
    FIRST,
    LAST,
    ChartPeriod,
    MetersChartQuery,
    PricesChartQuery,
)
from webhook.api.room.charts import BY_WORD, table
from webhook.api.room.figures import ChartReading
from webhook.api.room.reading import RoomReading
from webhook.pages.base import Pages, Section
from webhook.pages.room import PREFIX, drawn
from webhook.pages.room.asked import LARGEST, number, text

Query = TypeVar("Query", bound=ChartPeriod)
CALENDAR = (Step.DAY, Step.MONTH, Step.YEAR)
ACCOUNTS = {"client": "Client", "account": "Account", "portal": "Portal"}
PORTALS_ON_A_PAGE, CHOICES_ON_A_PAGE = 12, 25
STEPS = {
    Step.QUARTER: "Quarters of an hour",
    Step.HOUR: "Hours",
    Step.DAY: "Days",
    Step.MONTH: "Months",
    Step.YEAR: "Years",
}


@dataclass(frozen=True)
class Kind:
    """A page of charts. fields: labels of the filter's texts. sentence: what the figures are."""

    title: str
    steps: tuple[Step, ...]
    sentence: str
    fields: dict[str, str]


KINDS = {
    "runs": Kind(
        "Runs",
        CALENDAR,
        "Runs by the day (UTC) on which they were started, and how they ended.",
        ACCOUNTS,
    ),
    "invoices": Kind(
        "Invoices",
        (Step.MONTH, Step.YEAR),
        "Totals of invoices by the month in which their billing cycle ends, each currency for itself, and the lines of reports. "
        "Telephone lines are counted where an account is chosen. Invoices for electricity stand in the month in which they were issued.",
        ACCOUNTS,
    ),
    "usage": Kind(
        "Data pools",
        (Step.DAY,),
        "What the pools of the accounts have used in their cycles so far, and their sizes. A day on which one of the accounts says "
        "nothing is drawn as a point: it is no sum of all.",
        ACCOUNTS,
    ),
    "meters": Kind(
        "Meters",
        tuple(Step),
        "The newest version of each reading, by the clock of Jerusalem. A sum without all its readings is drawn as a point, and "
        "what has none is a gap. Corrected readings have earlier versions.",
        {},
    ),
    "faults": Kind(
        "Faults",
        CALENDAR,
        "Faults as the complete syncs of a day (UTC) found them. A day without one is a gap; where a fleet had none, what was open "
        "is drawn as a point.",
        {"portal": "Portal", "tenant": "Fleet", "vehicle": "VIN"},
    ),
    "prices": Kind(
        "Prices",
        CALENDAR,
        "The lowest and the highest price that was read, by day (UTC) and currency. A day without a price is a gap.",
        {},
    ),
}


@dataclass(frozen=True)
class ChartPages:
    """The pages of charts."""

    pages: Pages
    reading: ChartReading
    room: RoomReading

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""

        @routes.get("/charts")
        @requires(*SEEING)
        def health() -> Response:
            return self.health()

        for word, kind in KINDS.items():
            self._add(routes, word, kind)

    def _add(self, routes: Blueprint, word: str, kind: Kind) -> None:
        asks = BY_WORD[word]

        @routes.get(f"/charts/{word}", endpoint=word)
        @requires(*asks.roles)
        def chart() -> Response:
            return self.chart(word, kind)

        @routes.get(f"/charts/{word}.csv", endpoint=f"{word}_csv")
        @requires(*asks.roles)
        def chart_csv() -> Response:
            query, _ = asked(asks.query)
            if query is None:
                return self.pages.redirect(f"charts.{word}")
            return table(asks.read(self.reading, query), word)

    def health(self) -> Response:
        """Show the health grid, the newest day first."""
        span, found = self.reading.health()
        start = number("start", LARGEST)
        following = start + PORTALS_ON_A_PAGE
        return self.pages.render(
            "room/health",
            heading="Health of portals",
            what="portals",
            days=span.labels[::-1],
            rows=found[start:following],
            start=start,
            size=PORTALS_ON_A_PAGE,
            following=following if following < len(found) else None,
            **self._places(""),
        )

    def chart(self, word: str, kind: Kind) -> Response:
        """Show charts with their table; without a choice that they need, what there is to choose from."""
        query, given = asked(BY_WORD[word].query)
        if query is None:
            return self.choice(word)
        figures = BY_WORD[word].read(self.reading, query)
        shown = drawn.folded(figures) if word == "runs" else figures
        steps = steps_of(query.resolution) if isinstance(query, MetersChartQuery) else kind.steps
        earlier, later = (_moved(figures, given, by) for by in (-1, 1))
        chosen = {name: value for name, value in given.items() if name not in ("since", "until", "step", *kind.fields)}
        return self.pages.render(
            "room/chart",
            kind=kind,
            figures=figures,
            charts=drawn.charts(shown),
            table=shown,
            rows=list(drawn.rows(shown)),
            given=given,
            chosen=chosen,
            about=self._about(query),
            steps=[(step.value, STEPS[step]) for step in steps],
            step=figures.span.step.value,
            most=MOST,
            longest=", ".join(f"{LONGEST[step]} {_units(step)}" for step in steps),
            earlier=earlier,
            later=later,
            **self._places(word),
        )

    def choice(self, word: str) -> Response:
        """Show meters or products, of which one is to be chosen."""
        start, size = number("start", LARGEST), CHOICES_ON_A_PAGE
        read: Callable[[int, int], list[Any]] = self.room.meters if word == "meters" else self.reading.products
        rows = read(start, size + 1)
        following = start + size if len(rows) > size else None
        return self.pages.render(
            f"room/{word}_choice",
            heading=f"{KINDS[word].title} over time",
            what="meters" if word == "meters" else "products",
            rows=rows[:size],
            start=start,
            size=size,
            following=following,
            **self._places(word),
        )

    def _about(self, query: ChartPeriod) -> str:
        """Return what a chart is of, where it is of one thing alone."""
        if isinstance(query, MetersChartQuery):
            return f"Meter {query.meter}-{query.meter_code} of contract {query.contract}, {query.direction.value}"
        product = self.reading.product(query.item) if isinstance(query, PricesChartQuery) else None
        return "" if product is None else f"{product.title or product.key}, {product.portal} {product.country or ''}"

    def _places(self, word: str) -> dict[str, Any]:
        """Return the pages of charts that the caller may see."""
        kinds = {each: kind.title for each, kind in KINDS.items() if access().role in BY_WORD[each].roles}
        return {"word": word, "kinds": kinds}


def add_chart_pages(app: Flask, pages: Pages, reading: ChartReading, room: RoomReading) -> None:
    """Add the pages to those of the control room."""
    pages.filters.update(drawn.FILTERS)
    pages.sections.append(Section("Charts", "charts.health", frozenset(SEEING)))
    routes = Blueprint("charts", __name__, url_prefix=PREFIX)
    ChartPages(pages, reading, room).add_to(routes)
    app.register_blueprint(routes)


def asked(model: type[Query]) -> tuple[Query | None, dict[str, str]]:
    """
    Return what the address of a page asks for, and its fields as they are shown; what is wrong counts as not given.

    None: something is not given without which there is nothing to show.
    """
    given = {name: value for name in model.model_fields if (value := text(name))}
    while True:
        try:
            return model.model_validate(given), given
        except ValidationError as error:
            wrong = {
                str(each["loc"][0]) for each in error.errors(include_input=False, include_url=False)
            } & given.keys()
            if not wrong:
                return None, given
            given = {name: value for name, value in given.items() if name not in wrong}


def _moved(figures: Figures, given: dict[str, str], periods: int) -> dict[str, str] | None:
    """Return the parameters of the period so many periods later; None: it lies in the future, or further than may be asked for."""
    since, until = figures.span.shifted(periods)
    is_there = FIRST <= since <= utc_now().date() and until <= LAST
    return {**given, "since": str(since), "until": str(until)} if is_there else None


def _units(step: Step) -> str:
    short = {Step.QUARTER: "days of quarters of an hour", Step.HOUR: "days of hours"}
    return short.get(step, f"{step.value}s")
