"""P7: a CSV of 100,000 rows to typed, validated rows in SQLite; then the same file again, in which nothing is new."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from benchmarks.bench import Bench, Visit, middle
from benchmarks.figures import Figure, count, ratio
from sandbox import files
from sandbox.plain import data

ROWS = 100_000
STORED = (
    "SELECT count(*), coalesce(sum(used), 0), coalesce(round(sum(amount), 2), 0) FROM plain_usage WHERE username = ?"
)
WRITTEN = "SELECT coalesce(sum(records), 0) FROM runs WHERE spider = 'plain_usage' AND target = ?"


def run(bench: Bench, rows: int = ROWS) -> list[Figure]:
    """Measure many rows and one in turns: what the many take beyond the one is no start-up."""
    bench.admin.configure(latency_ms=0)
    met: list[str] = []

    def ours(rows: int, people: Sequence[str], *options: str) -> Visit:
        return bench.ours("plain_usage", people, "-a", f"rows={rows}", *options)

    def three_times() -> tuple[Visit, Visit, Visit]:
        me = bench.people(1)
        met.extend(me)
        return ours(rows, me), ours(rows, me), ours(rows, me, "-a", "again=yes")

    def bare(rows: int) -> Visit:
        return bench.bare("usage", bench.people(1), path=f"/usage.csv?rows={rows}")

    thrice, one, bare_many, bare_one = bench.alternate(
        three_times, lambda: ours(1, bench.people(1)), lambda: bare(rows), lambda: bare(1)
    )
    first, again, read_again = (list(visits) for visits in zip(*thrice, strict=True))
    floor = per_row(bare_many, bare_one, rows)
    return [
        count("p7", "files whose rows are not stored right", 0, sum(not right(bench, person, rows) for person in met)),
        count("p7", "rows written again", 0, sum(written(bench, person) for person in met) - rows * len(met)),
        ratio("p7", "a row", 2, per_row(first, one, rows), floor, "CPU us"),
        ratio("p7", "a row of an unchanged file / a new one", 1, per_row(again, one, rows), floor, "CPU us"),
        ratio("p7", "the same, when told to read it again", None, per_row(read_again, one, rows), floor, "CPU us"),
        ratio(
            "p7",
            "whole process",
            None,
            middle([v.cost.seconds for v in first]),
            middle([v.cost.seconds for v in bare_many]),
        ),
        memory(first, bare_many),
    ]


def per_row(many: list[Visit], one: list[Visit], rows: int) -> float:
    """Return the CPU microseconds that a further row takes."""
    return (middle([v.cost.cpu for v in many]) - middle([v.cost.cpu for v in one])) * 1e6 / rows


def memory(many: list[Visit], bare: list[Visit]) -> Figure:
    """Return the highest resident memory, for information."""
    ours = middle([v.cost.memory for v in many])
    return Figure("p7", "memory", ours, None, ours, middle([v.cost.memory for v in bare]), "MB")


def written(bench: Bench, person: str) -> int:
    """Return how many rows our runs report as written for a user."""
    return int(bench.ask(WRITTEN, person)[0][0])


def right(bench: Bench, person: str, rows: int) -> bool:
    """Tell whether the stored rows of a user agree with the portal's file in number and sums."""
    lines = csv.DictReader(files.usage_csv(data.accounts(person)[0], rows).decode().splitlines())
    told = [(int(line["bytes"]), round(float(line["amount"]) * 100)) for line in lines]
    number, used, amount = bench.ask(STORED, person)[0]
    return (number, used, round(amount * 100)) == (len(told), sum(u for u, _ in told), sum(a for _, a in told))
