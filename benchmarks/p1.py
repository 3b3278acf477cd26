"""P1 and P2: one account, 200 documents of 100 KB, 50 ms an answer: from the first request to the last, and altogether."""

from __future__ import annotations

from benchmarks import truth
from benchmarks.bench import Bench, middle
from benchmarks.figures import Figure, count, ratio

DOCUMENTS = 200
SIZE = 100_000  # bytes
LATENCY = 50  # ms


def run(bench: Bench, documents: int = DOCUMENTS) -> list[Figure]:
    """Fetch the documents of one user, of another user in each round."""
    bench.admin.configure(documents=documents, file_bytes=SIZE, latency_ms=LATENCY)
    met: list[str] = []

    def new_user() -> list[str]:
        met.extend(bench.people(1))
        return met[-1:]

    ours, bare = bench.alternate(
        lambda: bench.ours("plain_files", new_user()), lambda: bench.bare("files", bench.people(1))
    )
    return [
        *truth.figures("p1", bench, met, documents, SIZE),
        count("p1", "sign-ins per run", 1, max(v.sign_ins for v in ours), max(v.sign_ins for v in bare)),
        ratio("p1", "window", 1.1, middle([v.window for v in ours]), middle([v.window for v in bare])),
        ratio(
            "p2", "whole process", 1.5, middle([v.cost.seconds for v in ours]), middle([v.cost.seconds for v in bare])
        ),
    ]
