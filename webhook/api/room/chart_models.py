"""What the charts of the control room are asked for, and what they answer."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, RootModel, ValidationInfo, field_validator

from database.access.addresses import storable
from database.families.holdings import Chosen
from database.families.readings import Series
from database.families.watching import Id
from database.figures.curves import Figures
from database.figures.faults import Fleets
from database.figures.meters import steps_of
from database.figures.prices import Product
from database.figures.runs import Health
from database.figures.spans import MOST, Span, Step
from database.models.readings import Direction, Resolution
from webhook.api.room.answers import Name
from webhook.documentation import Model

FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)


def _written(value: Any) -> Any:
    """Refuse numbers, which would be taken for seconds since 1970."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("it must be a day such as 2026-11-01")
    return value


def _near(value: date) -> date:
    if not FIRST <= value <= LAST:
        raise ValueError(f"it must be a day from {FIRST} to {LAST}")
    return value


Day = Annotated[date, BeforeValidator(_written), AfterValidator(_near)]
ByCalendar = Literal["day", "month", "year"]


class ChartPeriod(Model):
    """Which period; both days belong to it. The longest is 366 points, and what is asked for beyond that is cut at its beginning."""

    since: Day | None = Field(
        None, description="First day; null: as many points before the last as are usual for the step."
    )
    until: Day | None = Field(None, description="Last day; null: today, or the newest day of a meter.")

    @field_validator("until")
    @classmethod
    def _in_order(cls, value: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("since")
        if value is not None and since is not None and since > value:
            raise ValueError("it must not be before since")
        return value


class AccountsChart(ChartPeriod):
    """Of which accounts."""

    client: Name = Field(None, description="Name of a client.")
    account: Name = Field(None, description="Number of an account.")
    portal: Name = Field(None, description="A portal, such as bell.")

    @property
    def chosen(self) -> Chosen:
        """The accounts."""
        return Chosen(client=self.client or None, number=self.account or None, portal=self.portal or None)


class RunsChartQuery(AccountsChart):
    """Runs by outcome; without client and account also those that belong to no account. Days are UTC."""

    step: ByCalendar = "day"


class InvoicesChartQuery(AccountsChart):
    """Totals of invoices and lines of reports, by the month in which a billing cycle ends."""

    step: Literal["month", "year"] = "month"


class UsageChartQuery(AccountsChart):
    """Data pools by the days of the portals' calendars."""

    step: Literal["day"] = "day"


class MetersChartQuery(ChartPeriod):
    """Readings of a meter by the calendar of Jerusalem. Readings by the day (weekly, monthly) have no quarters and hours."""

    contract: Annotated[str, Field(min_length=1, max_length=20), AfterValidator(storable)]
    meter: Annotated[str, Field(min_length=1, max_length=20), AfterValidator(storable)]
    meter_code: Annotated[str, Field(min_length=1, max_length=10), AfterValidator(storable)]
    direction: Direction = Direction.CONSUMPTION
    resolution: Resolution = Resolution.DAILY
    step: Literal["quarter", "hour", "day", "month", "year"] = "day"

    @field_validator("step")
    @classmethod
    def _has_it(cls, value: str, info: ValidationInfo) -> str:
        resolution = info.data.get("resolution")
        if resolution is not None and Step(value) not in steps_of(resolution):
            raise ValueError(f"readings of the resolution {resolution.value} are of whole days")
        return value

    @property
    def series(self) -> Series:
        """The readings."""
        return Series(self.contract, self.meter, self.meter_code, self.direction, self.resolution)


class FaultsChartQuery(ChartPeriod):
    """Faults of fleets. Days are UTC."""

    portal: Name = Field(None, description="A fleet portal, such as trucktech.")
    tenant: Name = Field(None, description="Name of a fleet.")
    vehicle: Annotated[str | None, Field(max_length=17), AfterValidator(lambda value: value and storable(value))] = (
        Field(None, description="VIN of a vehicle.")
    )
    step: ByCalendar = "day"

    @property
    def fleets(self) -> Fleets:
        """The faults."""
        return Fleets(self.portal or None, self.tenant or None, self.vehicle or None)


class PricesChartQuery(ChartPeriod):
    """Prices of a watched product. Days are UTC."""

    item: Id = Field(description="`item` of a product in the list of products.")
    step: ByCalendar = "day"


class CurveAnswer(Model):
    """A value for each point; decimals are text. null: nothing is known; a count of nothing is 0."""

    name: str = Field(examples=["total"])
    unit: str = Field(examples=["CAD"])
    values: list[str | int | None] = Field(examples=[["1203.50", None]])


class ChartAnswer(Model):
    """Curves over a period, both days of which belong to it. is_cut: more points were asked for than there may be."""

    step: Step
    zone: str = Field(description="Time zone of the points.")
    since: date
    until: date
    is_cut: bool
    most: int = Field(description="Points that there may be.")
    points: list[str] = Field(description="Name of each point.", examples=[["2026-10", "2026-11"]])
    curves: list[CurveAnswer]

    @classmethod
    def of(cls, figures: Figures) -> ChartAnswer:
        """Return figures as they are answered."""
        span = figures.span
        curves = [
            CurveAnswer(name=each.name, unit=each.unit, values=[plain(value) for value in each.values])
            for each in figures.curves
        ]
        return cls(
            step=span.step,
            zone=span.zone,
            since=span.since,
            until=span.until,
            is_cut=span.is_cut,
            most=MOST,
            points=list(span.labels),
            curves=curves,
        )


class HealthAnswer(Model):
    """The runs of a portal in the last 30 days (UTC), by outcome, and how it stands now."""

    portal: str
    days: dict[date, dict[str, int]]
    running: int
    last_outcome: str | None = Field(description="Of the newest run that has ended.")
    last_at: datetime | None
    trouble: str | None = Field(description="Outcome for which the portal is left alone now; null: it is not.")

    @classmethod
    def of(cls, health: Health, span: Span) -> HealthAnswer:
        """Return the health of a portal as it is answered."""
        days = {date.fromisoformat(label): counts for label, counts in zip(span.labels, health.days, strict=True)}
        return cls(
            portal=health.portal,
            days=days,
            running=health.running,
            last_outcome=health.last_outcome,
            last_at=health.last_at,
            trouble=health.trouble,
        )


class HealthList(RootModel[list[HealthAnswer]]):
    """Portals."""


class ProductAnswer(Model):
    """A watched product. item: by which its prices are asked for; items: how many watch it."""

    item: int
    portal: str
    product: str
    country: str | None
    title: str | None
    items: int

    @classmethod
    def of(cls, product: Product) -> ProductAnswer:
        """Return a product as it is answered."""
        return cls(
            item=product.item,
            portal=product.portal,
            product=product.key,
            country=product.country,
            title=product.title,
            items=product.items,
        )


class ProductList(RootModel[list[ProductAnswer]]):
    """Products."""


def plain(value: Decimal | int | None) -> str | int | None:
    """
    Return a value as JSON and CSV have it, with the digits that are stored.

    >>> plain(Decimal("1E+3")), plain(7), plain(None)
    ('1000', 7, None)
    """
    return f"{value:f}" if isinstance(value, Decimal) else value
