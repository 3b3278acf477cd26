"""P8: one file of 300 MB, signed in to by form each time. Memory over idle, and CPU."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from benchmarks.bench import Bench, Visit, middle
from benchmarks.figures import Figure, count, ratio

BIG = 300_000_000  # bytes
SMALL = 100_000


def run(bench: Bench) -> list[Figure]:
    """Measure big and small files in turns; idle is the process that fetched the small one."""

    def ours(size: int) -> Visit:
        return bench.ours("plain_big", bench.people(1), "-a", f"path=/big?bytes={size}")

    def bare(size: int) -> Visit:
        return bench.bare("one", bench.people(1), path=f"/big?bytes={size}")

    bench.admin.configure(latency_ms=0)
    big, small, bare_big, bare_small = bench.alternate(
        lambda: ours(BIG), lambda: ours(SMALL), lambda: bare(BIG), lambda: bare(SMALL)
    )
    right = {json.loads(visit.cost.output)[0] for visit in bare_big}
    over = middle([v.cost.memory for v in big]) - middle([v.cost.memory for v in small])
    bare_over = middle([v.cost.memory for v in bare_big]) - middle([v.cost.memory for v in bare_small])
    return [
        count("p8", "big files stored wrong", 0, len(big) - stored(bench, right)),
        count("p8", "memory over idle", 15, over, bare_over, "MB"),
        count("p8", "sign-ins per run", 1, max(v.sign_ins for v in big), max(v.sign_ins for v in bare_big)),
        ratio("p8", "CPU", 1.6, cpu(big), cpu(bare_big), "CPU s"),
        ratio("p8", "CPU beyond a small file", None, cpu(big) - cpu(small), cpu(bare_big) - cpu(bare_small), "CPU s"),
        ratio(
            "p8",
            "whole process",
            None,
            middle([v.cost.seconds for v in big]),
            middle([v.cost.seconds for v in bare_big]),
        ),
    ]


def cpu(visits: list[Visit]) -> float:
    """Return the median of the CPU seconds."""
    return middle([visit.cost.cpu for visit in visits])


def stored(bench: Bench, right: set[str]) -> int:
    """Return how many ready file rows of ours have the right size and hash."""
    with closing(sqlite3.connect(bench.folder / "data" / "latchkey.db")) as database:
        rows = database.execute("SELECT sha256 FROM files WHERE status = 'ready' AND size = ?", (BIG,)).fetchall()
    return sum(row[0] in right for row in rows)
