"""Compares two checkouts: runs the benchmarks of this one, with the crawls and commands of each in turn."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.bench import Checkout, several
from benchmarks.figures import PEERS, Figure, number
from benchmarks.processes import ROOT, ProcessFailed

NOISE = 0.05  # of the other's figure; more than that counts as better or worse
# They start processes of this checkout alone, or none.
ALONE = ("carriers", "readings", "prices", "warm", "listing", "load")
LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Compared:
    """
    A figure of both checkouts: medians of the rounds, in *unit*; ratio: the median of each round's ours / theirs.

    their_value, our_value: what each holds against the target, mostly a ratio to a peer's, which *over* names.
    floor_ratio: the median of (ours / floor) / (theirs / floor), where a bare client ran beside both; else None.
    """

    benchmark: str
    name: str
    unit: str
    theirs: float
    ours: float
    ratio: float | None
    floor_ratio: float | None
    their_value: float
    our_value: float
    over: str

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or `same` within the noise; `-` where one of them is 0 or less."""
        if self.ratio is None:
            return "same" if self.theirs == self.ours else "-"
        return "worse" if self.ratio > 1 + NOISE else "better" if self.ratio < 1 - NOISE else "same"


def play(commit: str, which: Sequence[str], rounds: int) -> Iterator[list[Compared]]:
    """
    Run benchmarks for the commit and for this checkout, in each round one after the other and begun by another one.

    Yields all that is found after each benchmark.
    """
    found: defaultdict[tuple[str, str], list[tuple[Figure, Figure]]] = defaultdict(list)
    with checked_out(commit) as other, several(1, other, Checkout()) as (theirs, ours):
        for word in which:
            run = import_module(f"benchmarks.{word}").run
            began = time.monotonic()
            for turn in range(rounds):
                figures: dict[bool, list[Figure]] = {}
                for is_ours in (False, True) if turn % 2 == 0 else (True, False):
                    try:
                        figures[is_ours] = run(ours if is_ours else theirs)
                    except ProcessFailed as error:
                        print(f"{word}, {'this checkout' if is_ours else commit}: {error}", file=sys.stderr, flush=True)
                        figures[is_ours] = []
                mine = {figure.name: figure for figure in figures[True]}
                for figure in figures[False]:
                    if figure.name in mine:
                        found[figure.benchmark, figure.name].append((figure, mine[figure.name]))
            print(f"{word}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            yield [compared(pairs) for pairs in found.values()]


def compared(pairs: Sequence[tuple[Figure, Figure]]) -> Compared:
    """Return what both did, from pairs of theirs and ours, one of each round."""
    theirs, ours = ([figure.ours for figure in figures] for figures in zip(*pairs, strict=True))
    ratios = [mine / other for other, mine in zip(theirs, ours, strict=True) if mine > 0 and other > 0]
    over = [
        (mine.ours / mine.floor) / (other.ours / other.floor)
        for other, mine in pairs
        if mine.floor and other.floor and mine.ours > 0 and other.ours > 0 and not mine.hard
    ]
    first = pairs[0][0]
    return Compared(
        first.benchmark,
        first.name,
        first.unit,
        median(theirs),
        median(ours),
        median(ratios) if len(ratios) == len(pairs) else None,
        median(over) if len(over) == len(pairs) else None,
        median([other.value for other, _ in pairs]),
        median([mine.value for _, mine in pairs]),
        first.over,
    )


def cells(commit: str, found: Sequence[Compared]) -> list[list[str]]:
    """Return a heading and a line of cells for each figure."""
    rows = [["", "measured", commit, "now", "now / then", "over the bare client", "value then", "value now", "verdict"]]
    for each in found:
        ratios = ["-" if ratio is None else f"{ratio:.2f}x" for ratio in (each.ratio, each.floor_ratio)]
        sides = ((each.theirs, each.their_value), (each.ours, each.our_value))
        taken = [f"{number(value)} {each.unit}".rstrip() for value, _ in sides]
        held = ["-" if value == held else f"{held:.2f}x {PEERS[each.over]}" for value, held in sides]
        rows.append([each.benchmark, each.name, *taken, *ratios, *held, each.verdict])
    return rows


def as_json(found: Sequence[Compared]) -> list[dict[str, object]]:
    """Return the figures with their verdicts."""
    return [{**asdict(each), "verdict": each.verdict} for each in found]


@contextmanager
def checked_out(commit: str) -> Iterator[Checkout]:
    """Give a checkout of a commit in a temporary folder: with this interpreter where its lock is ours, else with its own."""
    with TemporaryDirectory(prefix="latchkey-against-") as name:
        root = Path(name) / "checkout"
        _git("worktree", "add", "--detach", "--quiet", str(root), commit)
        try:
            if (root / LOCK).read_bytes() == (ROOT / LOCK).read_bytes():
                yield Checkout(root)
            else:
                subprocess.run(["./run", "setup"], cwd=root, check=True)
                yield Checkout(root, str(root / ".venv" / "bin" / "python"))
        finally:
            _git("worktree", "remove", "--force", str(root))


def resolved(commit: str) -> str:
    """Return the short hash of a commit; CalledProcessError when there is none."""
    return _git("rev-parse", "--short", "--verify", "--end-of-options", f"{commit}^{{commit}}").strip()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
