"""P9: memory of the process: idle, per further account, and whether it grows with the number of documents."""

from __future__ import annotations

from benchmarks.bench import Bench, middle
from benchmarks.figures import Figure, count

ACCOUNTS = 20
MANY = 220  # documents
FEW = 20
FLAT = 10  # MB by which the process may be larger with many documents than with few


def run(bench: Bench) -> list[Figure]:
    """Measure the highest resident set of crawls of different sizes, in turns."""

    def memory(accounts: int, documents: int) -> float:
        bench.admin.configure(documents=documents, file_bytes=20_000, latency_ms=0)
        return bench.ours("plain_files", bench.people(accounts)).cost.memory

    def bare(accounts: int, documents: int) -> float:
        bench.admin.configure(documents=documents, file_bytes=20_000, latency_ms=0)
        return bench.bare("files", bench.people(accounts)).cost.memory

    idle, accounts, many, bare_idle, bare_accounts, bare_many = (
        middle(found)
        for found in bench.alternate(
            lambda: memory(1, FEW),
            lambda: memory(ACCOUNTS, FEW),
            lambda: memory(1, MANY),
            lambda: bare(1, FEW),
            lambda: bare(ACCOUNTS, FEW),
            lambda: bare(1, MANY),
        )
    )
    further = ACCOUNTS - 1
    return [
        Figure("p9", "memory, idle", idle, 110, idle, bare_idle, "MB"),
        count(
            "p9", "per further account", 0.5, (accounts - idle) / further, (bare_accounts - bare_idle) / further, "MB"
        ),
        count("p9", f"for {MANY - FEW} further documents", FLAT, many - idle, bare_many - bare_idle, "MB"),
    ]
