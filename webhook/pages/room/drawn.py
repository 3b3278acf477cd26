"""How figures are drawn, tabulated and put into words for people. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from database.figures.curves import Curve, Figures, Value
from database.figures.runs import RUNNING, SUCCESS
from webhook.pages.telegram.shown import size

MOST = 8  # curves that are shown for themselves
# Units of curves that say how much is known; they are columns of the table alone.
TABLE_ALONE = ("accounts", "fleets", "readings")
COUNTED = ("runs", "faults", "checks", "invoices")  # units that name what a chart of several curves is of
# Curves of single points: a line between them would cross what is not known, or the curve that they belong to.
POINTS = ("incomplete", "before correction")


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of the curves of one unit. drawn: what the script takes. words: what it shows, for those who do not see it."""

    title: str
    drawn: dict[str, Any]
    words: str


def folded(figures: Figures) -> Figures:
    """Return figures with at most MOST curves; the rest, the smallest, are summed into one. For counts of one kind alone."""
    if len(figures.curves) <= MOST:
        return figures
    shown, rest = figures.curves[: MOST - 1], figures.curves[MOST - 1 :]
    sums = tuple(sum(int(value or 0) for value in point) for point in zip(*(each.values for each in rest), strict=True))
    others = Curve(f"{len(rest)} others", rest[0].unit, sums)
    return Figures(figures.span, (*shown, others))


def charts(figures: Figures) -> list[Chart]:
    """Return a chart for each unit of which something is known."""
    units = dict.fromkeys(each.unit for each in figures.curves if each.unit not in TABLE_ALONE)
    found = []
    for unit in units:
        curves = [each for each in figures.curves if each.unit == unit]
        curves = [each for each in curves if any(value is not None for value in each.values)]
        # Nothing counted is no line; nothing used is one.
        if any(value or isinstance(value, Decimal) for each in curves for value in each.values):
            found.append(_chart(figures, unit, curves))
    return found


def _chart(figures: Figures, unit: str, curves: list[Curve]) -> Chart:
    span = figures.span
    drawn = {
        "zone": "Etc/UTC" if span.zone == "UTC" else span.zone,
        "unit": unit,
        "times": [int(edge.timestamp()) for edge in span.edges[:-1]],
        "curves": [
            {
                "name": each.name,
                "values": [_number(value) for value in each.values],
                "points": each.name.endswith(POINTS),
            }
            for each in curves
        ],
    }
    title = unit.capitalize() if unit in COUNTED and len(curves) > 1 else heading(curves[0])
    return Chart(title, drawn, in_words(unit, curves))


def _number(value: Value) -> float | int | None:
    return float(value) if isinstance(value, Decimal) else value


def in_words(unit: str, curves: list[Curve]) -> str:
    """
    Return what a chart shows, for those who do not see it.

    >>> in_words("CAD", [Curve("total", "CAD", (Decimal("1.50"), None, Decimal("9.00")))])
    'A chart. total: from 1.50 to 9.00 CAD, 1 of 3 points without a value. The table has each of them.'
    """
    said = []
    for each in curves:
        known = [value for value in each.values if value is not None]
        lacking = len(each.values) - len(known)
        gaps = f", {lacking} of {len(each.values)} points without a value" if lacking else ""
        said.append(f"{_name(each)}: from {shown(min(known), unit)} to {shown(max(known), unit)}{_after(unit)}{gaps}")
    return f"A chart. {'; '.join(said)}. The table has each of them."


def _name(curve: Curve) -> str:
    return curve.name.replace("_", " ")


def _after(unit: str) -> str:
    return "" if unit == "bytes" else f" {unit}"


def shown(value: Value, unit: str) -> str:
    """
    Return a value as people read it; a dash for one that is not known.

    >>> shown(Decimal("19.90"), "CAD"), shown(2_500_000, "bytes"), shown(None, "kWh")
    ('19.90', '2.5 MB', '–')
    """
    if value is None:
        return "–"
    return size(int(value)) if unit == "bytes" else f"{value:f}" if isinstance(value, Decimal) else str(value)


def heading(curve: Curve) -> str:
    """
    Return the heading of a column.

    >>> heading(Curve("total", "CAD", ())), heading(Curve("invoices", "invoices", ())), heading(Curve("used", "bytes", ()))
    ('Total, CAD', 'Invoices', 'Used')
    """
    name = _name(curve)
    name = name[:1].upper() + name[1:]
    is_plain = curve.unit in ("bytes", "runs", "faults", "readings", "fleets", "accounts") or curve.name.endswith(
        curve.unit
    )
    return name if is_plain else f"{name}, {curve.unit}"


def rows(figures: Figures) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each point with its values, the newest first."""
    for number in reversed(range(len(figures.span.labels))):
        yield figures.span.labels[number], [shown(each.values[number], each.unit) for each in figures.curves]


def day_words(counts: dict[str, int]) -> list[str]:
    """
    Return what a cell of the health grid says: how many runs ended how; a dash where there was none.

    >>> day_words({"portal_down": 2, "success": 12}), day_words({})
    (['12 ok', '2 portal down'], ['–'])
    """
    order = sorted(counts, key=lambda outcome: (outcome != SUCCESS, -counts[outcome], outcome))
    words = [f"{counts[each]} {'ok' if each == SUCCESS else each.replace('_', ' ')}" for each in order]
    return words or ["–"]


def day_colour(counts: dict[str, int]) -> str:
    """
    Return the class of a cell: bad as soon as one run failed.

    >>> day_colour({"success": 3}), day_colour({"success": 3, "bad_file": 1}), day_colour({"running": 1}), day_colour({})
    ('good', 'bad', 'quiet', 'quiet')
    """
    if set(counts) - {SUCCESS, RUNNING}:
        return "bad"
    return "good" if SUCCESS in counts else "quiet"


FILTERS = {"figure_heading": heading, "day_words": day_words, "day_colour": day_colour}
