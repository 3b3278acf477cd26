"""A figure and its target: what is said of it, as a line of the table and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

ROOM = 1.3  # of a target: machines are noisy, so only beyond it a ratio counts as short


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One thing measured.

    value: what is held against the target, a ratio to `floor` where there is one. ours, floor: what both did, in `unit`.
    hard: a count that must hold on any machine; a broken one makes `make bench` fail.
    """

    benchmark: str
    name: str
    value: float
    target: float | None
    ours: float
    floor: float | None
    unit: str
    hard: bool = False

    @property
    def verdict(self) -> str:
        """`ok`, `near` (within the room for noise), `short`; `broken` for a count that must hold; `-` without a target."""
        if self.target is None:
            return "-"
        if self.value <= self.target:
            return "ok"
        if self.hard:
            return "broken"
        return "near" if self.value <= self.target * ROOM else "short"

    def as_json(self) -> dict[str, Any]:
        """Return the figure with its verdict."""
        return {**asdict(self), "verdict": self.verdict}


def ratio(benchmark: str, name: str, target: float | None, ours: float, floor: float, unit: str = "s") -> Figure:
    """Return a figure with the value ours / floor."""
    return Figure(benchmark, name, ours / floor, target, ours, floor, unit)


def count(benchmark: str, name: str, target: float, ours: float, floor: float | None = None, unit: str = "") -> Figure:
    """Return the figure of something that must not be more than its target, whatever the machine."""
    return Figure(benchmark, name, ours, target, ours, floor, unit, hard=True)


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as lines of text under a heading."""
    rows = [("", "measured", "ours", "bare client", "value", "target", "verdict")]
    for figure in figures:
        times = figure.floor is not None and not figure.hard and figure.value != figure.ours
        shown = f"{_number(figure.value)}{'x' if times else ''}"
        target = "-" if figure.target is None else f"<= {_number(figure.target)}{'x' if times else ''}"
        floor = "-" if figure.floor is None else f"{_number(figure.floor)} {figure.unit}"
        ours = f"{_number(figure.ours)} {figure.unit}"
        rows.append((figure.benchmark, figure.name, ours, floor, shown, target, figure.verdict))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"
