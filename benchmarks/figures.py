"""A figure and its target: what is said of it, as a line of the table and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

ROOM = 1.3  # of a target: machines are noisy, so only beyond it a ratio counts as short


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One thing measured.

    value: what is held against the target, a ratio to `over` where there is one. ours, floor, peers: what we, the bare
    client and others did, in `unit`. over: the client that the ratio is taken to.
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
    peers: Mapping[str, float] = field(default_factory=dict)
    over: str = "floor"

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


PEERS = {
    "typical_scrapy": "typical Scrapy",
    "bare_scrapy": "bare Scrapy",
    "floor": "bare client",
}  # with their headings


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return lines of cells, the first one the heading, as lines of text."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return lines of cells, the first one the heading, as a table in Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]) + "\n"


def cells(figures: Iterable[Figure]) -> list[list[str]]:
    """Return a heading and a line of cells for each figure."""
    shown = list(figures)
    others = [name for name in PEERS if name == "floor" or any(name in figure.peers for figure in shown)]
    rows = [["", "measured", "ours", *(PEERS[name] for name in others), "value", "target", "verdict"]]
    for figure in shown:
        is_ratio = figure.floor is not None and not figure.hard and figure.value != figure.ours
        times = "x" if is_ratio else ""
        told = {"floor": figure.floor, **figure.peers}
        rows.append(
            [
                figure.benchmark,
                figure.name,
                f"{number(figure.ours)} {figure.unit}".rstrip(),
                *("-" if (of := told.get(name)) is None else f"{number(of)} {figure.unit}".rstrip() for name in others),
                f"{number(figure.value)}{times}" + (f" {PEERS[figure.over]}" if figure.over != "floor" else ""),
                "-" if figure.target is None else f"<= {number(figure.target)}{times}",
                figure.verdict,
            ]
        )
    return rows


def number(value: float) -> str:
    """Return a number for people."""
    return f"{value:.0f}" if value == round(value) else f"{value:.2f}"
